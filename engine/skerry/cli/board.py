"""The demo's board: what becomes of each document, live on a terminal, line by line elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from skerry.cli import words
from skerry.cli.look import short
from skerry.cli.out import Cell, Column, Out, rich_table
from skerry.core.projection import RunRow

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

COLUMNS = (Column("DOCUMENT"), Column("RUN"), Column("STATUS"), Column("WHAT HAPPENED", wrap=True))
_PENDING = frozenset(("running", "waiting"))
_WIDE = 100
"""On a narrower terminal what happened needs the room more than the run's id."""


class Board:
    """Shows documents and their runs. Silent where JSON is wanted."""

    def __init__(self, out: Out, documents: list[str]) -> None:
        self._out = out
        self._documents = documents
        self._live: Live | None = None
        self._said: set[str] = set()
        self._wide = True

    def __enter__(self) -> Self:
        if self._out.pretty:
            from rich.live import Live

            console = self._out.console(sys.stdout)
            self._wide = console.width >= _WIDE
            self._live = Live(self._table([]), console=console, auto_refresh=False)
            self._live.start(refresh=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def update(self, runs: list[tuple[str, RunRow, str]]) -> None:
        """How the runs stand now: document, row, and why it is there."""
        if self._live is not None:
            self._live.update(self._table(runs), refresh=True)
            return
        width = max(map(len, self._documents))
        for document, row, why in runs:
            if row.status not in _PENDING and row.run not in self._said:
                self._said.add(row.run)
                self._out.line(f"{document:<{width}}  {short(row.run)}  {row.status:<6}  {why}")

    def _table(self, runs: list[tuple[str, RunRow, str]]) -> Table:
        known = {document: (row, why) for document, row, why in runs}
        rows = (self._cells(document, known.get(document)) for document in self._documents)
        if self._wide:
            return rich_table(COLUMNS, rows)
        return rich_table((COLUMNS[0], *COLUMNS[2:]), ((row[0], *row[2:]) for row in rows))

    def _cells(self, document: str, run: tuple[RunRow, str] | None) -> list[str | Cell]:
        if run is None:
            return [document, "", Cell("-", "dim"), ""]
        row, why = run
        doing = Cell(f"in {row.state}", "dim") if row.status in _PENDING and row.state else why
        return [document, Cell(short(row.run), "dim"), words.status_cell(row.status), doing]
