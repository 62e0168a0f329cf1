"""Rules on what an invoice, its parties and its lines must say (BR-01 to BR-65, and their like among BR-CO)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from skerry_workflows.invoice.en16931.table import Rule
from skerry_workflows.invoice.en16931.terms import Adjustment, LineItem, Party, Period, Terms, Vat

_CREDIT_TRANSFER: Final = frozenset({"30", "58"})
_CARD_DIGITS_MAX: Final = 10


def _lines(id: str, words: str, kept: Callable[[LineItem], bool]) -> Rule:
    return Rule(id, f"each line has {words}", lambda t: all(map(kept, t.lines)))


def _adjusted(id: str, words: str, charge: bool, kept: Callable[[Adjustment], bool], *, of_lines: bool = False) -> Rule:
    def all_kept(t: Terms) -> bool:
        found: Iterable[Adjustment] = (a for line in t.lines for a in line.adjustments) if of_lines else t.adjustments
        return all(kept(a) for a in found if a.is_charge == charge)

    what = f"{'charge' if charge else 'allowance'} of {'a line' if of_lines else 'the document'}"
    return Rule(id, f"each {what} has {words}", all_kept)


def _vat(id: str, words: str, kept: Callable[[Vat], bool]) -> Rule:
    return Rule(id, f"each line of the VAT breakdown has {words}", lambda t: all(map(kept, t.breakdown)))


def _representative(id: str, words: str, kept: Callable[[Party], bool]) -> Rule:
    return Rule(id, f"the tax representative has {words}", lambda t: not t.representative or kept(t.representative))


def _in_order(period: Period | None) -> bool:
    return period is None or not (period.start and period.end) or period.end >= period.start


def _is_filled(period: Period | None, *, code_counts: bool = False) -> bool:
    return period is None or bool(period.start or period.end or (code_counts and period.code))


def _payee_is_another(t: Terms) -> bool:
    payee = t.payee
    if payee is None:
        return True
    known = set(payee.ids) & set(t.seller.ids)
    return bool(payee.name) and payee.name != t.seller.name and not known


MANDATORY: Final = (
    Rule("BR-01", "it names the specification it follows (BT-24)", lambda t: bool(t.specification)),
    Rule("BR-02", "it has a number", lambda t: bool(t.number)),
    Rule("BR-03", "it has an issue date", lambda t: bool(t.issue_date)),
    Rule("BR-04", "it has a type code", lambda t: bool(t.type_code)),
    Rule("BR-05", "it has a currency", lambda t: bool(t.currency)),
    Rule("BR-06", "it names the seller", lambda t: bool(t.seller.name)),
    Rule("BR-07", "it names the buyer", lambda t: bool(t.buyer.name)),
    Rule("BR-08", "it has the seller's postal address", lambda t: t.seller.has_address),
    Rule("BR-09", "the seller's address has a country", lambda t: not t.seller.has_address or bool(t.seller.country)),
    Rule("BR-10", "it has the buyer's postal address", lambda t: t.buyer.has_address),
    Rule("BR-11", "the buyer's address has a country", lambda t: not t.buyer.has_address or bool(t.buyer.country)),
    Rule("BR-12", "it has the sum of the lines", lambda t: not t.totals or t.totals.lines is not None),
    Rule("BR-13", "it has the total without VAT", lambda t: not t.totals or t.totals.net is not None),
    Rule("BR-14", "it has the total with VAT", lambda t: not t.totals or t.totals.gross is not None),
    Rule("BR-15", "it has the amount due for payment", lambda t: not t.totals or t.totals.payable is not None),
    Rule("BR-16", "it has at least one line", lambda t: bool(t.lines)),
    Rule("BR-17", "a payee is named, and is another than the seller", _payee_is_another),
    _representative("BR-18", "a name", lambda p: bool(p.name)),
    _representative("BR-19", "a postal address", lambda p: p.has_address),
    _representative("BR-20", "a country in its address", lambda p: not p.has_address or bool(p.country)),
    _representative("BR-56", "a VAT identifier", lambda p: bool(p.vat_id)),
)

LINES: Final = (
    _lines("BR-21", "an identifier", lambda line: bool(line.id)),
    _lines("BR-22", "a quantity", lambda line: line.has_quantity),
    _lines("BR-23", "a unit for its quantity", lambda line: not line.has_quantity or bool(line.unit)),
    _lines("BR-24", "a net amount", lambda line: line.net is not None),
    _lines("BR-25", "the name of the item", lambda line: bool(line.name)),
    _lines("BR-26", "a net price", lambda line: line.price is not None),
    _lines("BR-27", "a net price that is not negative", lambda line: line.price is None or line.price >= 0),
    _lines("BR-28", "no gross price below zero", lambda line: line.gross_price is None or line.gross_price >= 0),
    _lines("BR-30", "a period that does not end before it begins", lambda line: _in_order(line.period)),
    _lines("BR-54", "a name and a value for each attribute", lambda line: line.attributes_whole),
    _lines("BR-64", "a scheme for a standard identifier", lambda x: not x.standard_id or bool(x.standard_scheme)),
    _lines("BR-65", "a scheme for each classification", lambda line: all(line.class_schemes)),
    _lines("BR-CO-04", "a VAT category", lambda line: bool(line.category)),
    _lines("BR-CO-20", "a begin or an end of its period, if it has one", lambda line: _is_filled(line.period)),
)

ADJUSTMENTS: Final = (
    _adjusted("BR-31", "an amount", False, lambda a: a.amount is not None),
    _adjusted("BR-32", "a VAT category", False, lambda a: bool(a.category)),
    _adjusted("BR-33", "a reason", False, lambda a: a.has_reason),
    _adjusted("BR-36", "an amount", True, lambda a: a.amount is not None),
    _adjusted("BR-37", "a VAT category", True, lambda a: bool(a.category)),
    _adjusted("BR-38", "a reason", True, lambda a: a.has_reason),
    _adjusted("BR-41", "an amount", False, lambda a: a.amount is not None, of_lines=True),
    _adjusted("BR-42", "a reason", False, lambda a: a.has_reason, of_lines=True),
    _adjusted("BR-43", "an amount", True, lambda a: a.amount is not None, of_lines=True),
    _adjusted("BR-44", "a reason", True, lambda a: a.has_reason, of_lines=True),
    _adjusted("BR-CO-21", "a reason or its code", False, lambda a: a.has_reason),
    _adjusted("BR-CO-22", "a reason or its code", True, lambda a: a.has_reason),
    _adjusted("BR-CO-23", "a reason or its code", False, lambda a: a.has_reason, of_lines=True),
    _adjusted("BR-CO-24", "a reason or its code", True, lambda a: a.has_reason, of_lines=True),
)

BREAKDOWN: Final = (
    _vat("BR-45", "a taxable amount", lambda v: v.basis is not None),
    _vat("BR-46", "an amount of tax", lambda v: v.tax is not None),
    _vat("BR-47", "a category", lambda v: bool(v.category)),
    _vat("BR-48", "a rate, unless it is not subject to VAT", lambda v: v.rate is not None or v.category == "O"),
    Rule("BR-CO-18", "it has a VAT breakdown", lambda t: bool(t.breakdown)),
)

REFERENCES: Final = (
    Rule("BR-29", "the invoicing period does not end before it begins", lambda t: _in_order(t.period)),
    Rule("BR-49", "each payment instruction has a type code", lambda t: all(p.code for p in t.payments)),
    Rule("BR-50", "each account has an identifier", lambda t: all(all(p.accounts) for p in t.payments)),
    Rule(
        "BR-51",
        "no more of a payment card's number is given than may be",
        lambda t: all(len(p.card or "") <= _CARD_DIGITS_MAX for p in t.payments),
    ),
    Rule("BR-52", "each supporting document has an identifier", lambda t: all(t.documents)),
    Rule(
        "BR-53",
        "the VAT total is also given in the currency for accounting, if one is named",
        lambda t: not t.tax_currency or any(total.currency == t.tax_currency for total in t.tax_totals),
    ),
    Rule("BR-55", "each preceding invoice has its number", lambda t: all(t.preceding)),
    Rule("BR-57", "an address to deliver to has a country", lambda t: t.deliver_to_country != ""),
    Rule(
        "BR-61",
        "a credit transfer names the account",
        lambda t: all(any(p.accounts) for p in t.payments if p.code in _CREDIT_TRANSFER),
    ),
    Rule(
        "BR-62",
        "the seller's electronic address has a scheme",
        lambda t: not t.seller.has_endpoint or bool(t.seller.endpoint_scheme),
    ),
    Rule(
        "BR-63",
        "the buyer's electronic address has a scheme",
        lambda t: not t.buyer.has_endpoint or bool(t.buyer.endpoint_scheme),
    ),
    Rule(
        "BR-CO-03",
        "the date of the tax point and a code for it are not both there",
        lambda t: not (t.tax_point_date and t.period and t.period.code),
    ),
    Rule(
        "BR-CO-19",
        "an invoicing period has a begin or an end",
        lambda t: _is_filled(t.period, code_counts=t.syntax == "ubl"),
    ),
    Rule(
        "BR-CO-25",
        "what is to be paid has a due date or terms of payment",
        lambda t: t.says_when_due or not t.totals or t.totals.payable is None or t.totals.payable <= 0,
    ),
    Rule(
        "BR-CO-26",
        "the seller can be identified: by an identifier, a registration or a VAT identifier",
        lambda t: bool(t.seller.ids or t.seller.legal_id or t.seller.vat_id),
    ),
)
