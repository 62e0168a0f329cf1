"""Documents to try the invoice workflow on. All companies are invented; tests/invoice/make_demo.py draws them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import msgspec

from skerry_workflows.demo import Coming, Part, Table
from skerry_workflows.invoice.ledger import Ledger
from skerry_workflows.invoice.workflow import AlreadyPosted, Posted, Rejected

_ANSWERS = {
    "08-coffee-does-not-add-up.pdf": 'reject --reason "net and tax do not make the total: ask the seller"',
    "09-bakery-scan.pdf": 'reject --reason "not readable: ask for a better scan"',
    # Asked only where no model is there to read what the rules do not know.
    "10-books.txt": "approve --set number=MF-20714",
}


def documents() -> tuple[Path, ...]:
    """The bundled files in the order of their names, in which to publish them: a copy follows its original."""
    folder = Path(__file__).parent
    return tuple(sorted(path for path in folder.iterdir() if path.suffix in (".pdf", ".txt", ".xml")))


def part(folder: Path) -> Part:
    """The bundled documents; the ledger is made in the data folder."""
    comings = tuple(
        Coming(path.name, "invoice.received", file=path, answer=_ANSWERS.get(path.name, "approve"))
        for path in documents()
    )
    return Part("Invoices", "DOCUMENT", "invoice", comings, told, partial(postings, folder))


def told(result: str, value: bytes) -> str:
    """What became of a document."""
    if result == Posted.__name__:
        posted = msgspec.json.decode(value, type=Posted)
        amount = f"{posted.gross_total:,.2f} {posted.currency}"
        return f"posted as number {posted.posting}: {posted.number} of {posted.seller}, {amount}"
    if result == AlreadyPosted.__name__:
        again = msgspec.json.decode(value, type=AlreadyPosted)
        return f"not posted again: {again.number} of {again.seller} is posting {again.posting}"
    return f"rejected: {msgspec.json.decode(value, type=Rejected).reason}"


def postings(folder: Path) -> Table:
    """The ledger."""
    with Ledger(folder / "ledger.db") as ledger:
        found = [(posting.id, posting.entry) for posting in ledger.entries()]
    return Table(
        "The ledger: each invoice once",
        ("#", "NUMBER", "DATE", "SELLER", "GROSS", "", "SOURCE"),
        tuple(
            (
                str(number),
                entry.number,
                entry.issue_date.isoformat(),
                entry.seller_name,
                f"{entry.gross_total:>9,.2f}",
                entry.currency,
                entry.source,
            )
            for number, entry in found
        ),
    )
