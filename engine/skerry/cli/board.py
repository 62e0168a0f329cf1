"""The demo's board: on a terminal, how many runs of each part are where, while they are under way. Silent elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from skerry.cli.out import Cell, Column, Out, rich_table
from skerry.cli.parts import Part
from skerry.cli.playing import Shown

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_COLUMNS = (Column(""), Column("DONE", "right"), Column("IN REVIEW", "right"), Column("UNDER WAY", wrap=True))


class Board:
    """Goes away when it is left: what it showed is told in full then."""

    def __init__(self, out: Out, parts: Sequence[Part]) -> None:
        self._out = out
        self._parts = parts
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._out.pretty:
            from rich.live import Live

            self._live = Live(
                self._table([]), console=self._out.console(sys.stdout), auto_refresh=False, transient=True
            )
            self._live.start(refresh=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def update(self, shown: list[Shown]) -> None:
        """How the runs stand now."""
        if self._live is not None:
            self._live.update(self._table(shown), refresh=True)

    def _table(self, shown: list[Shown]) -> Table:
        return rich_table(_COLUMNS, (self._row(part, [s for s in shown if s.part is part]) for part in self._parts))

    def _row(self, part: Part, shown: list[Shown]) -> list[str | Cell]:
        count = {status: sum(each.row.status == status for each in shown) for status in ("done", "review")}
        doing = ", ".join(each.name for each in shown if not each.settled)
        return [part.title, Cell(str(count["done"]), "green"), Cell(str(count["review"]), "bold yellow"), doing]
