"""Purchase orders, and whether an invoice is covered by one.

A small file that another program writes: CSV with a header line, or JSON, a list of objects; both with `number`,
`vendor` (a name, or a VAT id), `total` (gross), `currency`, and `cost_centre` if there is one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import msgspec

from skerry.errors import TerminalError
from skerry_workflows.invoice.identity import normal_name, normal_number, normal_vat_id
from skerry_workflows.invoice.model import InvoiceFields

_FILE_BYTES_MAX: Final = 16 * 1024 * 1024
_HINT: Final = "mend the file of orders that the policy names, and retry the run"

Verdict: TypeAlias = Literal["none", "covered", "unknown", "vendor", "currency", "over"]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One purchase order; `total` with tax, in `currency`."""

    number: str
    vendor: str
    total: Decimal
    currency: str
    cost_centre: str = ""

    def __post_init__(self) -> None:
        """Raises `ValueError` for a total that is no amount."""
        if not self.total.is_finite():
            raise ValueError(f"its total is an amount, not {self.total}")


class Match(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of an invoice's order number.

    `verdict`: "none" (the invoice names none), "covered", or why it is not: the order is "unknown", another
    "vendor"'s, in another "currency", or the invoice goes "over" it. `told` says so to people.
    """

    verdict: Verdict = "none"
    told: str = ""
    cost_centre: str = ""

    @property
    def is_conflict(self) -> bool:
        """Whether the invoice names an order that does not cover it."""
        return self.verdict not in ("none", "covered")


def load(path: Path) -> list[Order]:
    """The orders of a file.

    Raises:
        TerminalError: it is not there, is far too large, or has another shape; says which row.
    """
    try:
        if path.stat().st_size > _FILE_BYTES_MAX:
            raise TerminalError(f"the file of orders {path} is far too large", hint=_HINT)
        data = path.read_bytes()
    except OSError as error:
        raise TerminalError(f"the orders {path} cannot be read: {error.strerror}", hint=_HINT) from None
    try:
        if path.suffix.lower() == ".json":
            return msgspec.json.decode(data, type=list[Order], strict=False)
        return [_row(number, row) for number, row in enumerate(_rows(data), start=2)]
    except (msgspec.MsgspecError, UnicodeDecodeError, csv.Error) as error:
        raise TerminalError(f"the orders {path.name} are not understood: {error}", hint=_HINT) from None


def _rows(data: bytes) -> Iterable[Mapping[Any, Any]]:
    text = data.decode("utf-8-sig")
    head = text.partition("\n")[0]
    return csv.DictReader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",")


def _row(number: int, row: Mapping[Any, Any]) -> Order:
    known = {name.strip().lower(): (value or "").strip() for name, value in row.items() if isinstance(name, str)}
    try:
        return msgspec.convert(known, Order, strict=False)
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(f"line {number}: {error}") from None


def match(
    fields: InvoiceFields, orders: Iterable[Order], invoiced: Decimal, tolerance_percent: Decimal = Decimal(0)
) -> Match:
    """Whether an invoice is covered by the order that it names.

    Args:
        fields: the invoice.
        orders: all orders.
        invoiced: what other invoices have taken of that order already, with tax.
        tolerance_percent: of the order's total, by which it may be exceeded.
    """
    if not fields.purchase_order:
        return Match()
    wanted = normal_number(fields.purchase_order)
    order = next((o for o in orders if normal_number(o.number) == wanted), None)
    if order is None:
        return Match(verdict="unknown", told=f"its order {fields.purchase_order} is not known")
    named = f"its order {order.number}"
    if not _is_vendors(order, fields):
        return Match(verdict="vendor", told=f"{named} was placed with {order.vendor}", cost_centre=order.cost_centre)
    if order.currency != fields.currency:
        return Match(verdict="currency", told=f"{named} is in {order.currency}", cost_centre=order.cost_centre)
    left = order.total - invoiced
    most = left + order.total * tolerance_percent / 100
    if fields.doc_type != "credit_note" and (fields.gross_total is None or fields.gross_total > most):
        told = f"{named} has {left:,} {order.currency} left of {order.total:,}"
        return Match(verdict="over", told=told, cost_centre=order.cost_centre)
    return Match(verdict="covered", cost_centre=order.cost_centre)


def _is_vendors(order: Order, fields: InvoiceFields) -> bool:
    if fields.seller_vat_id and normal_vat_id(order.vendor) == normal_vat_id(fields.seller_vat_id):
        return True
    name = normal_name(order.vendor)
    return bool(name) and name == normal_name(fields.seller_name)
