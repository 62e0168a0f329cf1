"""Readings and fields that several tests start from."""

from __future__ import annotations

import datetime as dt
import importlib.util
import os
from decimal import Decimal
from pathlib import Path

import msgspec

from skerry_workflows.invoice.model import InvoiceFields, Line, Reading, TaxLine

D = Decimal

TEXT = """\
Alderway Print Ltd
14 Mill Lane
12345 Norwick
VAT No: DE987654328

Bill to:
Corvane Bikes GmbH

Invoice number: AP-1041
Invoice date: 17 May 2024
Due date: 16 June 2024

Description              Qty    Unit price       Amount
Posters, A2               10         12.50       125.00
Delivery                   1         25.00        25.00

Subtotal                                         150.00
VAT 19 %                                          28.50
Total EUR                                        178.50

IBAN: DE78 9995 0000 1234 5678 90
"""

READING = Reading(name="sample.txt", media_type="text/plain", kind="text", text=TEXT)

FIELDS = InvoiceFields(
    number="AP-1041",
    issue_date=dt.date(2024, 5, 17),
    due_date=dt.date(2024, 6, 16),
    currency="EUR",
    seller_name="Alderway Print Ltd",
    seller_vat_id="DE987654328",
    buyer_name="Corvane Bikes GmbH",
    iban=("DE78999500001234567890",),
    line_total=D("150.00"),
    net_total=D("150.00"),
    tax_total=D("28.50"),
    gross_total=D("178.50"),
    tax_breakdown=(TaxLine(rate=D(19), basis=D("150.00"), amount=D("28.50")),),
    lines=(
        Line(name="Posters, A2", quantity=D(10), unit_price=D("12.50"), net_amount=D("125.00")),
        Line(name="Delivery", quantity=D(1), unit_price=D("25.00"), net_amount=D("25.00")),
    ),
)


def changed(**changes: object) -> InvoiceFields:
    """`FIELDS` with some of them replaced."""
    return msgspec.structs.replace(FIELDS, **changes)


def shared_invoices() -> Path | None:
    """The folder of real cases beside the repository, or where SKERRY_TEST_DATA says; None where it is not there."""
    root = os.environ.get("SKERRY_TEST_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(root) / "invoices"
    return folder if (folder / "manifest.json").is_file() else None


def ocr_installed() -> bool:
    """Whether pictures can be read here: Tesseract with English, and pypdfium2 for scanned PDFs."""
    from skerry_workflows.invoice.ocr import Missing
    from skerry_workflows.invoice.ocr.tesseract import Tesseract

    try:
        with Tesseract() as tesseract:
            return "eng" in tesseract.languages and importlib.util.find_spec("pypdfium2") is not None
    except Missing:
        return False
