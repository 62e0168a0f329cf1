"""An e-invoice in the business terms of EN 16931-1: what its rules speak of, whatever the syntax.

The comments name the terms (BT) and groups (BG). `None` or empty means that the element is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

Syntax: TypeAlias = Literal["ubl", "cii"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Seller (BG-4), buyer (BG-7), payee (BG-10), tax representative (BG-11)."""

    name: str = ""
    ids: tuple[str, ...] = ()
    vat_id: str = ""
    tax_ids: tuple[str, ...] = ()
    """Of VAT and of other registrations."""
    legal_id: str = ""
    has_address: bool = False
    country: str = ""
    has_endpoint: bool = False
    endpoint_scheme: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """An allowance, or a charge: of the document (BG-20, BG-21) or of a line (BG-27, BG-28)."""

    is_charge: bool
    amount: Decimal | None
    has_reason: bool
    category: str = ""
    rate: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """BG-14, BG-26; dates as they stand, which compare as text in both syntaxes. `code` is BT-8."""

    start: str = ""
    end: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItem:
    """BG-25."""

    id: str = ""
    has_quantity: bool = False
    unit: str = ""
    net: Decimal | None = None
    name: str = ""
    price: Decimal | None = None
    gross_price: Decimal | None = None
    category: str = ""
    rate: Decimal | None = None
    adjustments: tuple[Adjustment, ...] = ()
    period: Period | None = None
    attributes_whole: bool = True
    """Each attribute (BG-32) has a name and a value."""
    standard_id: bool = False
    standard_scheme: str = ""
    class_schemes: tuple[str, ...] = ()
    """Of its classifications (BT-158-1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vat:
    """One category and rate of the VAT breakdown (BG-23)."""

    category: str = ""
    rate: Decimal | None = None
    basis: Decimal | None = None
    tax: Decimal | None = None
    has_exemption: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """BG-16. `accounts` (BG-17): the identifier of each, "" where one has none; `card` is BT-87."""

    code: str = ""
    accounts: tuple[str, ...] = ()
    card: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxTotal:
    """BT-110, BT-111: the VAT in one currency, with the sum of the breakdown under it if there is one."""

    amount: Decimal | None
    currency: str
    of_breakdown: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """BG-22, apart from the VAT."""

    lines: Decimal | None = None
    allowances: Decimal | None = None
    charges: Decimal | None = None
    net: Decimal | None = None
    gross: Decimal | None = None
    prepaid: Decimal | None = None
    rounding: Decimal | None = None
    payable: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The whole invoice."""

    syntax: Syntax
    specification: str = ""
    number: str = ""
    issue_date: str = ""
    type_code: str = ""
    currency: str = ""
    tax_currency: str = ""
    tax_point_date: str = ""
    seller: Party = Party()
    buyer: Party = Party()
    payee: Party | None = None
    representative: Party | None = None
    period: Period | None = None
    has_delivery_date: bool = False
    deliver_to_country: str | None = None
    """None without an address to deliver to."""
    adjustments: tuple[Adjustment, ...] = ()
    totals: Totals | None = None
    tax_totals: tuple[TaxTotal, ...] = ()
    breakdown: tuple[Vat, ...] = ()
    lines: tuple[LineItem, ...] = ()
    payments: tuple[Payment, ...] = ()
    says_when_due: bool = False
    """A due date, or terms of payment."""
    documents: tuple[str, ...] = ()
    """Numbers of supporting documents (BT-122)."""
    preceding: tuple[str, ...] = ()
    """Numbers of preceding invoices (BT-25)."""
    countries: tuple[str, ...] = ()
    """Every country code that there is."""
    party_schemes: tuple[str, ...] = ()
    """Schemes of identifiers of parties."""
    legal_schemes: tuple[str, ...] = ()
    """Schemes of legal registrations."""
