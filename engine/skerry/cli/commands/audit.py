"""`skerry audit`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from skerry.cli import words
from skerry.cli.app import WITH_MODULES, App, node_command
from skerry.cli.change import change
from skerry.cli.exits import USAGE, Stop
from skerry.cli.look import require_journal, short
from skerry.cli.out import Cell, Column
from skerry.core import api

if TYPE_CHECKING:
    from skerry.core.audit import Accepted, Risk

RISKS = (
    Column("PROMPT"),
    Column("SIZE"),
    Column("ACCEPTED", "right"),
    Column("SAMPLE", "right"),
    Column("LOOKED AT", "right"),
    Column("WRONG", "right"),
    Column("WRONG AT MOST", "right"),
)
WAITING = (Column("RUN"), Column("STEP"), Column("PROMPT"), Column("SIZE"), Column("ANSWER", wrap=True))
_SHOWN = 20
_OPEN = click.FloatRange(0, 1, min_open=True, max_open=True)


@node_command(
    "audit",
    options=WITH_MODULES,
    examples="""
    skerry audit
    skerry audit --share 0.2 --json
    skerry audit 7K3M9QXZ --right
    skerry audit 7K3M9QXZ --set gross_total=119.00 --reason "took the net"
    """,
)
@click.argument("run", required=False)
@click.option("--right", is_flag=True, help="All of the RUN's answer is right.")
@click.option(
    "--set", "changes", multiple=True, metavar="FIELD=VALUE", help="A field that is wrong, as it should have been."
)
@click.option("--step", default="", help="Which answer, where the run took several.")
@click.option("--reason", default="", help="A note, for the journal.")
@click.option("--by", default="", metavar="NAME", help="Who says so (you, unless given).")
@click.option(
    "--share", type=_OPEN, default=0.05, show_default=True, help="How much of what was accepted is looked at."
)
@click.option("--confidence", type=_OPEN, default=0.95, show_default=True, help="How sure the bound has to be.")
def command(
    app: App,
    run: str | None,
    right: bool,
    changes: tuple[str, ...],
    step: str,
    reason: str,
    by: str,
    share: float,
    confidence: float,
) -> None:
    """Look again at a sample of the answers that were accepted without a person.

    Without a RUN: which answers of ended runs are in the sample and wait for somebody, and how often, at most, accepted
    answers are wrong, as far as the sample was looked at. With a RUN: what you found. It goes into the journal beside
    the answer, which stands as it is, and counts for skerry calibrate. The sample is drawn by lot, and is the same for
    everybody; a bigger --share has the smaller one in it.
    """
    if run is None:
        if right or changes:
            raise Stop("which run?", hint="skerry audit lists those that wait", code=USAGE)
        _list(app, share, confidence)
        return
    if right == bool(changes):
        raise Stop("is it right or not?", hint="say --right, or --set FIELD=VALUE for what is wrong", code=USAGE)
    from skerry.cli.commands.approve import field

    wrong = dict(field(each) for each in changes)
    change(
        app,
        run,
        "audit",
        lambda row, who: api.Audit(run=row.run, step=step, changes=wrong, reason=reason, by=who),
        "noted",
        by=by,
    )


def _list(app: App, share: float, confidence: float) -> None:
    from skerry.core.audit import risks, sampled

    require_journal(app.config)
    answers = app.run(_accepted(app))
    found = risks(answers, share, confidence)
    waiting = [each for each in answers if each.audit is None and sampled(each.run, each.step, share)]
    app.out.record(
        {
            "share": share,
            "confidence": confidence,
            "risks": found,
            "waiting": [{"run": each.run, "step": each.step, "prompt": each.prompt} for each in waiting],
        }
    )
    _show(app, found, waiting)


async def _accepted(app: App) -> list[Accepted]:
    """Of ended runs, newest first."""
    from skerry.core.audit import accepted
    from skerry.core.projection import ENDED
    from skerry.journal import JournalReader

    found: list[Accepted] = []
    async with await JournalReader.open(app.config.data) as reader:
        with app.out.progress("reading") as advance:
            runs = 0
            async for history in reader.histories():
                if history.row.status in ENDED:
                    found.extend(accepted(history.row.run, history.events))
                runs += 1
                advance(runs)
    return sorted(found, key=lambda each: each.run, reverse=True)


def _show(app: App, found: Sequence[Risk], waiting: Sequence[Accepted]) -> None:
    out = app.out
    if not found:
        out.line("no answer of an ended run was accepted without a person yet")
        return
    out.table(RISKS, map(_risk, found))
    out.line()
    if not waiting:
        out.line("nothing of the sample waits to be looked at")
        return
    out.table(WAITING, map(_waits, waiting[:_SHOWN]))
    more = f", of {len(waiting):,} that wait" if len(waiting) > _SHOWN else ""
    first = short(waiting[0].run)
    out.line(Cell(f"skerry audit {first} --right; or --set FIELD=VALUE for what is wrong{more}", "cyan"))


def _risk(risk: Risk) -> list[str | Cell]:
    return [
        risk.prompt,
        risk.size,
        f"{risk.accepted:,}",
        f"{risk.sampled:,}",
        f"{risk.audited:,}",
        Cell(f"{risk.wrong:,}", "bold red" if risk.wrong else ""),
        f"{risk.bound:.1%}" if risk.audited else "",
    ]


def _waits(each: Accepted) -> list[str | Cell]:
    return [short(each.run), each.step, each.prompt, each.size, words.value(each.value)]
