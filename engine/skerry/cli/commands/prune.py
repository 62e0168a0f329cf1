"""`skerry prune`."""

from __future__ import annotations

import re
import sys

import click

from skerry.cli import words
from skerry.cli.app import WITH_MODULES, App, node_command, who
from skerry.cli.door import open_door
from skerry.cli.exits import USAGE, Stop
from skerry.core import api

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_AT_ONCE = 10_000


@node_command(
    "prune",
    options=WITH_MODULES,
    examples="""
    skerry prune --older-than 90d --yes
    skerry prune --older-than 4w --reason "retention policy 7"
    """,
)
@click.option("--older-than", required=True, metavar="AGE", help="How long ago they ended: 90d, 12h, 4w.")
@click.option("--reason", default="", help="Why; it goes into the journal.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(app: App, older_than: str, reason: str, yes: bool) -> None:
    """Remove the bodies of runs that ended long ago: what was said in them is gone for good.

    Headers stay, so that the journal still verifies, and ids stay, so that an event is not taken in twice. A
    document that was handed in less than two hours ago stays until a later prune. To keep the runs elsewhere, write
    them out first: skerry export.
    """
    before_us = words.now_us() - age_us(older_than)
    if not yes:
        if not sys.stdin.isatty():
            raise Stop("nobody is there to ask", hint="say --yes", code=USAGE)
        click.confirm(f"Remove the bodies of runs that ended before {words.moment(before_us)}?", abort=True, err=True)
    pruned = app.run(_prune(app, before_us, reason))
    app.out.record(pruned)
    app.out.line(
        f"{words.plural(pruned.runs, 'run')} pruned: {words.plural(pruned.events, 'body', 'bodies')} "
        f"and {words.plural(pruned.blobs, 'blob')} removed"
    )


async def _prune(app: App, before_us: int, reason: str) -> api.Pruned:
    """In pieces, so that the engine's other work goes on in between."""
    runs = events = blobs = 0
    by = who()
    async with open_door(app.config, by=by) as door:
        with app.out.progress("pruning") as advance:
            while True:
                request = api.Prune(before_us=before_us, reason=reason, by=by, limit=_AT_ONCE)
                piece = await door.ask("prune", request, api.Pruned)
                runs, events, blobs = runs + piece.runs, events + piece.events, blobs + piece.blobs
                advance(runs)
                if not piece.runs:
                    return api.Pruned(runs=runs, events=events, blobs=blobs)


def age_us(text: str) -> int:
    """`90d` in microseconds. Raises `Stop`."""
    found = re.fullmatch(r"(\d+)\s*([smhdw])", text.strip())
    if found is None:
        raise Stop(f"{text!r} is no age", hint="write a number and s, m, h, d or w: 90d", code=USAGE)
    return int(found[1]) * _UNITS_S[found[2]] * 1_000_000
