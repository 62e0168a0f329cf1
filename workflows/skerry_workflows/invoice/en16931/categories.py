"""Rules of each VAT category (BR-S, BR-Z, BR-E, BR-AE, BR-IC, BR-G, BR-O, BR-AF, BR-AG).

The standard has the same ten rules for each, which differ in whose identifiers and which rate they ask for; so they
are made from one row for each category.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from skerry_workflows.invoice.en16931.amounts_of import tax_fits
from skerry_workflows.invoice.en16931.table import Condition, Rule, cents, near, total
from skerry_workflows.invoice.en16931.terms import Terms, Vat

Ids: TypeAlias = Literal["seller", "seller and buyer", "both by VAT", "seller by VAT", "nobody"]
Rate: TypeAlias = Literal["above zero", "not below zero", "zero", "none"]

_EXACT: Final = Decimal("0.005")
_ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class _Category:
    """`code` in UNTDID 5305, `prefix` of its rules. `by_rate`: each rate has a line of the breakdown of its own."""

    prefix: str
    code: str
    name: str
    ids: Ids
    rate: Rate
    exempt: bool
    by_rate: bool = False


_CATEGORIES: Final = (
    _Category("S", "S", "standard rate", "seller", "above zero", exempt=False, by_rate=True),
    _Category("Z", "Z", "zero rate", "seller", "zero", exempt=False),
    _Category("E", "E", "exempt from VAT", "seller", "zero", exempt=True),
    _Category("AE", "AE", "reverse charge", "seller and buyer", "zero", exempt=True),
    _Category("IC", "K", "intra-community supply", "both by VAT", "zero", exempt=True),
    _Category("G", "G", "export outside the EU", "seller by VAT", "zero", exempt=True),
    _Category("O", "O", "not subject to VAT", "nobody", "none", exempt=True),
    _Category("AF", "L", "IGIC", "seller", "not below zero", exempt=False, by_rate=True),
    _Category("AG", "M", "IPSI", "seller", "not below zero", exempt=False, by_rate=True),
)


def _rules(c: _Category) -> Iterator[Rule]:
    def rule(number: str, words: str, kept: Condition) -> Rule:
        return Rule(f"BR-{c.prefix}-{number}", f"{c.name}: {words}", kept)

    ids, rate = f"identifiers are as they must be ({c.ids})", f"the rate is {c.rate}"
    why = "a reason for the exemption is given" if c.exempt else "there is no reason for an exemption"
    yield rule("01", "what the lines say stands in the VAT breakdown", lambda t: _broken_down(c, t))
    yield rule("02", ids, _identified_where(c, _of_lines))
    yield rule("03", ids, _identified_where(c, _of_allowances))
    yield rule("04", ids, _identified_where(c, _of_charges))
    yield rule("05", rate, _rate_where(c, _of_lines))
    yield rule("06", rate, _rate_where(c, _of_allowances))
    yield rule("07", rate, _rate_where(c, _of_charges))
    yield rule("08", "the taxable amount is that of its lines", lambda t: all(_basis_fits(c, t, v) for v in _own(c, t)))
    yield rule("09", "the tax follows from the taxable amount", lambda t: all(_tax_fits(c, v) for v in _own(c, t)))
    yield rule("10", why, lambda t: all(v.has_exemption == c.exempt for v in _own(c, t)))


_Taxed: TypeAlias = "tuple[str, Decimal | None]"
"""A category and its rate."""


def _of_lines(t: Terms) -> Iterator[_Taxed]:
    return ((line.category, line.rate) for line in t.lines)


def _of_allowances(t: Terms) -> Iterator[_Taxed]:
    return ((a.category, a.rate) for a in t.adjustments if not a.is_charge)


def _of_charges(t: Terms) -> Iterator[_Taxed]:
    return ((a.category, a.rate) for a in t.adjustments if a.is_charge)


def _identified_where(c: _Category, taxed: Callable[[Terms], Iterator[_Taxed]]) -> Condition:
    return lambda t: _identified(c.ids, t) or not any(category == c.code for category, _ in taxed(t))


def _rate_where(c: _Category, taxed: Callable[[Terms], Iterator[_Taxed]]) -> Condition:
    return lambda t: all(_rate_fits(c.rate, rate) for category, rate in taxed(t) if category == c.code)


def _own(c: _Category, t: Terms) -> list[Vat]:
    return [v for v in t.breakdown if v.category == c.code]


def _broken_down(c: _Category, t: Terms) -> bool:
    used = any(line.category == c.code for line in t.lines) or any(a.category == c.code for a in t.adjustments)
    count = len(_own(c, t))
    if c.by_rate:
        # As published for CII, a category in the breakdown that no line has is left to rule 08.
        return count > 0 if used else count == 0 or t.syntax == "cii"
    return count == (1 if used else 0)


def _identified(ids: Ids, t: Terms) -> bool:
    by_vat = bool(t.seller.vat_id or (t.representative and t.representative.vat_id))
    by_any = by_vat or bool(t.seller.tax_ids)
    if ids == "seller":
        return by_any
    if ids == "seller and buyer":
        return by_any and bool(t.buyer.vat_id or t.buyer.legal_id)
    if ids == "both by VAT":
        return by_vat and bool(t.buyer.vat_id)
    if ids == "seller by VAT":
        return by_vat
    return not (by_vat or t.buyer.vat_id)


def _rate_fits(wanted: Rate, rate: Decimal | None) -> bool:
    if wanted == "none":
        return rate is None
    if rate is None:
        return False
    return {"above zero": rate > 0, "not below zero": rate >= 0, "zero": rate == 0}[wanted]


def _basis_fits(c: _Category, t: Terms, vat: Vat) -> bool:
    """As published: of the standard rate in UBL, by less than one unit; else to the cent."""

    def counts(category: str, rate: Decimal | None) -> bool:
        return category == c.code and (not c.by_rate or rate == vat.rate)

    if c.by_rate and vat.rate is None:
        return True
    lines = [line.net for line in t.lines if counts(line.category, line.rate)]
    adjusted = [(a.amount or 0) * (1 if a.is_charge else -1) for a in t.adjustments if counts(a.category, a.rate)]
    if t.syntax == "ubl" and c.by_rate and not lines and not adjusted:
        return False
    return near(vat.basis, cents(total(lines) + sum(adjusted)), _ONE if t.syntax == "ubl" and c.by_rate else _EXACT)


def _tax_fits(c: _Category, vat: Vat) -> bool:
    if c.prefix == "S":
        return tax_fits(vat)
    return c.by_rate or vat.tax == 0  # of the other rates, that is what BR-CO-17 asks


def _only_o(t: Terms, charge: bool | None) -> bool:
    """Whether nothing but "not subject to VAT" stands beside it: in the lines, or in allowances or charges."""
    if not any(v.category == "O" for v in t.breakdown):
        return True
    if charge is None:
        return all(line.category == "O" for line in t.lines)
    return all(a.category == "O" for a in t.adjustments if a.is_charge == charge)


def _has_intra_community(t: Terms) -> bool:
    return any(v.category == "K" for v in t.breakdown)


CATEGORIES: Final = (
    *(rule for category in _CATEGORIES for rule in _rules(category)),
    Rule(
        "BR-IC-11",
        "intra-community supply: a date of delivery or a period is given",
        lambda t: not _has_intra_community(t) or t.has_delivery_date or bool(t.period),
    ),
    Rule(
        "BR-IC-12",
        "intra-community supply: the country of delivery is given",
        lambda t: not _has_intra_community(t) or bool(t.deliver_to_country),
    ),
    Rule(
        "BR-O-11",
        "not subject to VAT: nothing else stands in the VAT breakdown",
        lambda t: len(t.breakdown) == 1 or not any(v.category == "O" for v in t.breakdown),
    ),
    Rule("BR-O-12", "not subject to VAT: so is every line", lambda t: _only_o(t, None)),
    Rule("BR-O-13", "not subject to VAT: so is every allowance", lambda t: _only_o(t, charge=False)),
    Rule("BR-O-14", "not subject to VAT: so is every charge", lambda t: _only_o(t, charge=True)),
)
