"""Is this invoice one that we have?"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

from skerry_workflows.invoice.identity import normal_name, normal_number, normal_vat_id
from skerry_workflows.invoice.model import InvoiceFields

Verdict: TypeAlias = Literal["same", "different", "review"]
_CENT = Decimal("0.01")


def compare(a: InvoiceFields, b: InvoiceFields) -> Verdict:
    """Whether two files are one invoice.

    "same": seller, number, date and total agree. "different": the number differs, or the seller does. "review":
    seller and number agree but date, total, currency or type do not (a correction, a reissue, a fraud), or too
    little is known to say.
    """
    if not a.number or not b.number or normal_number(a.number) != normal_number(b.number):
        return "different"
    sellers = _same_seller(a, b)
    if sellers is False:
        return "different"
    known = [
        None if a.issue_date is None or b.issue_date is None else a.issue_date == b.issue_date,
        None
        if a.gross_total is None or b.gross_total is None
        else abs(abs(a.gross_total) - abs(b.gross_total)) <= _CENT,
        None if a.currency is None or b.currency is None else a.currency == b.currency,
        a.doc_type == b.doc_type,
    ]
    date, total = known[:2]
    if sellers is None:
        # Numbers like "1001" are everywhere: without a seller, date and total must speak for it before a person is
        # asked.
        return "review" if date and total else "different"
    if False in known or (date is None and total is None):
        return "review"
    return "same"


def _same_seller(a: InvoiceFields, b: InvoiceFields) -> bool | None:
    """By VAT id where both have one, else by name; None where neither can be compared."""
    if a.seller_vat_id and b.seller_vat_id:
        return normal_vat_id(a.seller_vat_id) == normal_vat_id(b.seller_vat_id)
    first, second = normal_name(a.seller_name), normal_name(b.seller_name)
    return first == second if first and second else None
