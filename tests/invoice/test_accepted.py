"""Papers on which another value looks like the right one: wrong values are left empty, or go to a person."""

from __future__ import annotations

import msgspec
import pytest

from skerry_workflows.invoice.rules import extract
from skerry_workflows.invoice.verify import verify
from tests.invoice.samples import READING, TEXT

NUMBER, DATE, TOTAL = "Invoice number: AP-1041", "Invoice date: 17 May 2024", "Total EUR  "

WRONG: dict[str, tuple[str, str]] = {
    "a delivery date": (DATE, "Delivery date: 12 May 2024"),
    "a delivery beside the number": (f"{NUMBER}\n{DATE}", f"{NUMBER}    Delivered: 12 May 2024"),
    "a printing date": (DATE, "Printed: 20 May 2024"),
    "a customer number": (NUMBER, "Customer number: AP-1041"),
    "a customer number under the title": (NUMBER, "Invoice\nNo. of customer: 4711"),
    "a customer number on the invoice": (NUMBER, "Invoice customer no: 4711"),
    "an order number": (NUMBER, "Order number: AP-1041"),
    "an order behind the title": (NUMBER, "Invoice for order 1041"),
    "another invoice": (NUMBER, "Related invoice number: AP-0999"),
    "the invoice that is corrected": (NUMBER, "Corrects\nInvoice number: AP-0999"),
    "a dollar of some country": (TOTAL, "Total     $"),
    "two currencies": (TOTAL, "All amounts in USD\nTotal EUR  "),
    "a letterhead of the buyer": ("Alderway Print Ltd\n14", "Corvane Bikes GmbH\n14"),
    "an invoice that the buyer wrote": (NUMBER, f"Self-billing invoice\n{NUMBER}"),
    "a credit": (NUMBER, f"We credit you with:\n{NUMBER}"),
    "a credit note of another title": ("Bill to:", "Storno\nBill to:"),
    "a credit by its sign": ("178.50", "-178.50"),
    "a reminder with a number": ("Bill to:", "REMINDER No. 2\nBill to:"),
    "a pro forma with a number": ("Bill to:", "PRO FORMA INVOICE AP-1041\nBill to:"),
    "an order": ("Bill to:", "PURCHASE ORDER\nBill to:"),
    "a draft": ("Bill to:", "DRAFT\nBill to:"),
}


@pytest.mark.parametrize("case", WRONG)
def test_for_a_person(case: str) -> None:
    right, instead = WRONG[case]
    assert right in TEXT
    reading = msgspec.structs.replace(READING, text=TEXT.replace(right, instead))
    assert verify(extract(reading), reading) != (), extract(reading)
