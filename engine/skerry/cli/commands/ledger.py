"""`skerry ledger`."""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from skerry.cli import private
from skerry.cli.app import App, node_command
from skerry.cli.exits import NOT_FOUND, Stop
from skerry.cli.out import Cell, Column, Out

COLUMNS = (
    Column("#", "right"),
    Column("NUMBER"),
    Column("DATE"),
    Column("SELLER", wrap=True),
    Column("GROSS", "right"),
    Column(""),
    Column("SOURCE", wrap=True),
)
_DECIDED = Column("POSTED ALL THE SAME", wrap=True)


@node_command(
    "ledger",
    examples="""
    skerry ledger
    skerry ledger --csv postings.csv
    """,
)
@click.option("--csv", type=click.Path(path_type=Path, dir_okay=False), help="Write it as CSV; - for stdout.")
def command(app: App, csv: Path | None) -> None:
    """List what the invoice workflow has posted, in order. With --json: one posting a line."""
    path = app.config.ledger
    if not path.exists():
        raise Stop(f"there is no ledger {path}", hint="it is made with the first posting", code=NOT_FOUND)
    with open_ledger(path) as ledger:
        if csv is None:
            postings = list(ledger.entries())
            for posting in postings:
                app.out.record(posting)
            show(app.out, postings)
        elif str(csv) == "-":
            text = io.StringIO(newline="")
            ledger.export_csv(text)
            app.out.raw(text.getvalue().rstrip())
        else:
            with open(csv, "w", newline="", encoding="utf-8", opener=private.opener) as file:
                count: int = ledger.export_csv(file)
            app.out.note(f"{csv}: {count:,} postings")


def open_ledger(path: Path) -> Any:
    """The ledger, which is in another package."""
    return importlib.import_module("skerry_workflows.invoice.ledger").Ledger(path)


def show(out: Out, postings: Iterable[Any]) -> None:
    """Postings as a table. Who said that one is no copy of another stands there only where somebody did."""
    shown = list(postings)
    decided = any(posting.version or posting.distinct for posting in shown)

    def cells(posting: Any) -> list[str | Cell]:
        entry = posting.entry
        line: list[str | Cell] = [
            str(posting.id),
            entry.number,
            entry.issue_date.isoformat(),
            entry.seller_name,
            f"{entry.gross_total:,.2f}",
            entry.currency,
            Cell(entry.source, "dim"),
        ]
        return [*line, _decision(posting)] if decided else line

    out.table((*COLUMNS, _DECIDED) if decided else COLUMNS, map(cells, shown))


def _decision(posting: Any) -> Cell:
    """As which version it was posted, and by whose word: `invoice 119.00 EUR (by ada: another delivery)`."""
    said = posting.distinct
    why = f": {said.why}" if said and said.why else ""
    return Cell(posting.version, more=f"by {said.by or 'somebody'}{why}" if said else "")
