"""`skerry export`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from skerry.cli import words
from skerry.cli.app import App, node_command
from skerry.cli.commands.prune import age_us
from skerry.cli.exits import USAGE, Stop
from skerry.cli.look import JournalLook, find_run, require_journal
from skerry.cli.private import replacing
from skerry.core.projection import ENDED

if TYPE_CHECKING:
    from skerry.journal import JournalReader

_PAGE = 1000


@node_command(
    "export",
    examples="""
    skerry export --older-than 90d --out archive.jsonl
    skerry export latest | jq -c 'select(.seq) | {at_us, kind}'
    skerry export --all --out everything.jsonl
    """,
)
@click.argument("runs", nargs=-1)
@click.option(
    "--out", "to", default="-", type=click.Path(path_type=Path, dir_okay=False), help="Where to; - for stdout."
)
@click.option("--older-than", default="", metavar="AGE", help="Only runs that ended so long ago: 90d, 12h, 4w.")
@click.option("--workflow", default="", metavar="NAME", help="Only runs of this workflow.")
@click.option("--all", "everything", is_flag=True, help="The whole journal, runs that go on included.")
def command(app: App, runs: tuple[str, ...], to: Path, older_than: str, workflow: str, everything: bool) -> None:
    """Write RUNS as JSON Lines: those that are named, else all that have ended.

    The first line is the journal's end (an anchor for skerry verify), then rows, then events with their hashes, each
    document before the first event that is about it.
    """
    if everything and (runs or older_than or workflow):
        raise Stop("--all is the whole journal", hint="leave it out to choose runs", code=USAGE)
    before_us = words.now_us() - age_us(older_than) if older_than else 0
    require_journal(app.config)
    if str(to) == "-":
        lines, count = app.run(_export(app, runs, workflow, before_us, everything, sys.stdout.buffer))
        app.out.note(_said("stdout", lines, count))
        return
    with replacing(to) as file:
        lines, count = app.run(_export(app, runs, workflow, before_us, everything, file))
    app.out.record({"out": str(to), "lines": lines, "runs": count})
    app.out.line(_said(str(to), lines, count))


def _said(where: str, lines: int, count: int | None) -> str:
    what = "the whole journal" if count is None else words.plural(count, "run")
    return f"{where}: {what}, {words.plural(lines, 'line')}"


async def _export(
    app: App, named: tuple[str, ...], workflow: str, before_us: int, everything: bool, file: IO[bytes]
) -> tuple[int, int | None]:
    """(lines, runs) that were written; no number of runs for the whole journal."""
    from skerry.journal import JournalReader
    from skerry.journal.export import export

    async with await JournalReader.open(app.config.data) as reader:
        chosen = None if everything else await _chosen(reader, named, workflow, before_us)
        lines = 0
        with app.out.progress("exporting") as advance:
            async for line in export(reader, chosen):
                file.write(line)
                lines += 1
                if lines % 100 == 0:
                    advance(lines)
    return lines, None if chosen is None else len(chosen)


async def _chosen(reader: JournalReader, named: Sequence[str], workflow: str, before_us: int) -> list[str]:
    """Run ids, oldest first."""
    if named:
        return [(await find_run(JournalLook(reader), each)).run for each in named]
    chosen: list[str] = []
    before = ""
    while rows := await reader.rows(status=tuple(ENDED), workflow=workflow, limit=_PAGE, before=before):
        chosen += [row.run for row in rows if not before_us or row.ended_us < before_us]
        before = rows[-1].run
    return chosen[::-1]
