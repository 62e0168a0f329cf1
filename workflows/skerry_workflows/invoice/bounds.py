"""How much of an invoice is an invoice: what has more goes to a person.

Verifiers run in the engine, where everything else waits for them, so what reaches them is bounded, and what they do
with it is bounded by that. Whoever makes fields (a reader, rules, a model, a person) is held to the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from skerry_workflows.invoice import limits
from skerry_workflows.invoice.model import InvoiceFields, Reading


def beyond(fields: InvoiceFields, reading: Reading) -> str:
    """What there is too much of, as a clause for people; empty when it can be checked."""
    return beyond_text(reading) or beyond_fields(fields)


def beyond_text(reading: Reading) -> str:
    """As `beyond`, for the document."""
    exact = reading.exact_source
    if len(exact) > limits.XML_CHARS_MAX:
        return f"its XML has {len(exact):,} characters, more than the {limits.XML_CHARS_MAX:,} that are checked"
    if exact is not reading.text and len(reading.text) > limits.TEXT_CHARS_MAX:
        return f"it has {len(reading.text):,} characters, more than the {limits.TEXT_CHARS_MAX:,} that are checked"
    return ""


def beyond_fields(fields: InvoiceFields) -> str:
    """As `beyond`, for the fields."""
    for many, most, what in (
        (fields.lines, limits.LINE_ITEMS_MAX, "line items"),
        (fields.tax_breakdown, limits.TAX_LINES_MAX, "lines of tax"),
        (fields.iban, limits.IBANS_MAX, "accounts"),
    ):
        if len(many) > most:
            return f"it has {len(many):,} {what}, more than the {most:,} that are checked"
    for name in ("seller_vat_id", "buyer_vat_id"):
        if len(getattr(fields, name) or "") > limits.IDENTIFIER_CHARS_MAX:
            return f"its {name.replace('_', ' ')} is far too long"
    if any(len(iban) > limits.IDENTIFIER_CHARS_MAX for iban in fields.iban):
        return "an IBAN of it is far too long"
    for value in _values(fields):
        if isinstance(value, str) and len(value) > limits.VALUE_CHARS_MAX:
            return f"a value of it has {len(value):,} characters ({value[:30]!r}...)"
        if isinstance(value, Decimal) and not _is_amount(value):
            return "a number in it is no amount of this world"
    return ""


def _values(fields: InvoiceFields) -> Iterator[object]:
    for struct in (fields, *fields.tax_breakdown, *fields.lines):
        for name in struct.__struct_fields__:
            yield getattr(struct, name)


def _is_amount(value: Decimal) -> bool:
    """Finite, below 10^24, and with no more than 24 digits behind the mark: what would be slow to write out is none."""
    if not value.is_finite():
        return False
    exponent = msgspec.convert(value.as_tuple().exponent, int)
    return exponent >= -24 and (not value or value.adjusted() <= 24)
