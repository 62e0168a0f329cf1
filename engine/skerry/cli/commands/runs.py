"""`skerry runs`."""

from __future__ import annotations

import sys
from typing import get_args

import click

from skerry.cli import words
from skerry.cli.about import about
from skerry.cli.app import App, node_command
from skerry.cli.fleet import nobody_serves
from skerry.cli.look import open_look, short
from skerry.cli.out import Cell, Column
from skerry.core.projection import RunRow, Status

COLUMNS = (
    Column("RUN"),
    Column("ABOUT", wrap=True),
    Column("WORKFLOW"),
    Column("STATUS"),
    Column("STATE"),
    Column("STARTED"),
    Column("TOOK", "right"),
    Column("NOTE", wrap=True),
)
_WIDE = 110
"""On a narrower terminal, what a run is about needs the room more than these."""
_LESS = frozenset(("STATE", "TOOK"))


@node_command(
    "runs",
    examples="""
    skerry runs
    skerry runs --status review --status failed
    skerry runs --json | jq -r 'select(.status == "failed").run'
    """,
)
@click.option("--status", multiple=True, type=click.Choice(get_args(Status)), help="Only these; may be repeated.")
@click.option("--workflow", default="", metavar="NAME", help="Only runs of this workflow.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1), help="At most so many.")
def command(app: App, status: tuple[Status, ...], workflow: str, limit: int) -> None:
    """List runs, newest first.

    RUN shows the end of a run's id, which is enough to name it; ABOUT its document, or what else it was started with.
    Below the table stands which tasks wait because nobody serves their size. With --json: one row a line, as the
    journal has it.
    """
    rows, abouts = app.run(_rows(app, status, workflow, limit))
    for row in rows:
        app.out.record(row)
    if rows or app.out.json:
        _table(app, [cells(row, what) for row, what in zip(rows, abouts, strict=False)])
        if not app.out.json and any(row.status == "running" for row in rows):
            for sentence in app.run(nobody_serves(app.config)):
                app.out.line(Cell(sentence, "bold yellow"))
    else:
        app.out.line("no runs" + (" of that kind" if status or workflow else " yet"))


async def _rows(app: App, status: tuple[Status, ...], workflow: str, limit: int) -> tuple[list[RunRow], list[Cell]]:
    """Rows and, where people read, what they are about."""
    async with open_look(app.config) as look:
        rows = await look.rows(status=status, workflow=workflow, limit=limit)
        return rows, [] if app.out.json else await about(look, rows)


def _table(app: App, lines: list[list[str | Cell]]) -> None:
    narrow = app.out.pretty and app.out.console(sys.stdout).width < _WIDE
    shown = [place for place, column in enumerate(COLUMNS) if not (narrow and column.title in _LESS)]
    app.out.table([COLUMNS[place] for place in shown], ([line[place] for place in shown] for line in lines))


def cells(row: RunRow, what: Cell) -> list[str | Cell]:
    """A row of the table."""
    end_us = row.ended_us or row.updated_us
    return [
        short(row.run),
        what,
        f"{row.workflow} v{row.version}",
        words.status_cell(row.status),
        row.state,
        words.moment(row.started_us),
        words.duration((end_us - row.started_us) / 1e6),
        row.note,
    ]
