"""A process that posts to a ledger until it is killed: python -m tests.invoice.poster LEDGER ACKNOWLEDGED WHO COUNT

Posts invoices 0 to COUNT - 1, each under a key of its own, and writes the key to ACKNOWLEDGED once `post` has returned.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from decimal import Decimal
from pathlib import Path

from skerry_workflows.invoice.ledger import Entry, Ledger


def entry(number: int) -> Entry:
    """Invoice `number` of a seller who writes many."""
    return Entry(
        doc_type="invoice", number=f"R-{number}", issue_date=dt.date(2024, 1, 31), seller_name="Alderway Print Ltd",
        seller_vat_id="DE987654328", currency="EUR", gross_total=Decimal(number) / 100 + 1, source="poster",
    )  # fmt: skip


def main(ledger_path: str, acknowledged: str, who: str, count: str) -> None:
    """Post all of them, or as many as there is time for."""
    file = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with Ledger(Path(ledger_path)) as ledger:
        for number in range(int(count)):
            key = f"{who}-{number}"
            posted = ledger.post(entry(number), key)
            os.write(file, f"{key} {type(posted).__name__}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
