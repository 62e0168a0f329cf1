"""What a model says of an invoice is booked only if something else says so, too.

The other verifiers see that a value stands on the page and fits the others, not that it is the right one: the number of
an order stands there as well. So a model fills what the rules have left open where a second look at the page
(`rules.likely`) comes to the same, and never changes what they have found: both go to a person, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, cast

from skerry.core.answers import Objection
from skerry_workflows.invoice import bounds
from skerry_workflows.invoice.identity import normal_number
from skerry_workflows.invoice.model import InvoiceFields, Reading

CHARS_MAX: Final = 15_000
"""Of a text at which is looked again, in the engine, where everything waits meanwhile."""
_SUMS: Final = ("net_total", "tax_total", "gross_total")
_LEFT_TO_OTHERS: Final = frozenset(("due_date", "purchase_order", "buyer_name", "line_total", "payable"))
"""Nothing is booked by these: a model may fill them."""


def seconded(fields: InvoiceFields, reading: Reading) -> Iterable[Objection]:
    """For an answer that a model had a part in: it keeps to what the rules have found, and is not alone elsewhere."""
    if bounds.beyond(fields, reading):
        return
    if not reading.exact_source and len(reading.text) > CHARS_MAX:
        yield Objection(rule="seconded", message="the text is too long for a model's word to be looked up in it")
        return
    from skerry_workflows.invoice.rules import extract  # an engine that meets no model does not need it
    from skerry_workflows.invoice.rules.likely import likely
    from skerry_workflows.invoice.rules.page import lay_out

    rules = extract(reading) if reading.fields is None else reading.fields
    changed = [name for name in InvoiceFields.__struct_fields__ if not _same(name, fields, rules)]
    if not changed:
        return
    second = likely(lay_out("" if reading.exact_source else reading.text))
    sums = (fields.net_total, fields.tax_total, fields.gross_total)
    add_up = sums == second.sums and rules.gross_total in (None, fields.gross_total)
    for name in changed:
        value = getattr(fields, name)
        if name in _SUMS and add_up:
            continue
        if getattr(rules, name) not in (None, ()):
            yield _objection(name, f"the rules read {_told(getattr(rules, name))}, a model {_told(value)}")
        elif name not in _LEFT_TO_OTHERS and not _agrees(name, value, getattr(second, name, None)):
            yield _objection(name, f"only a model says {_told(value)}")


def _same(name: str, one: InvoiceFields, other: InvoiceFields) -> bool:
    return bool(getattr(one, name) == getattr(other, name))


def _agrees(name: str, value: Any, second: Any) -> bool:
    if name == "number" and value and second:
        return normal_number(value) == normal_number(second)
    return second is not None and value == second


def _objection(name: str, said: str) -> Objection:
    return Objection(rule="seconded", message=f"{name.replace('_', ' ')}: {said}", fields=(name,))


def _told(value: Any) -> str:
    if isinstance(value, tuple):
        return f"{len(cast('tuple[object, ...]', value))} of them"
    return "nothing" if value is None else str(value)
