"""Rules on sums (BR-CO-10 to BR-CO-17)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from skerry_workflows.invoice.en16931.table import ZERO, Rule, cents, equal, near, total
from skerry_workflows.invoice.en16931.terms import Terms, Totals, Vat

_ONE: Final = Decimal(1)
"""By so much the tax of a category may differ, for lines that were rounded one by one."""


def _sum_of_lines(t: Terms) -> bool:
    return not t.totals or equal(t.totals.lines, total(line.net for line in t.lines))


def _sum_of(t: Terms, stated: Decimal | None, charge: bool) -> bool:
    found = [a.amount for a in t.adjustments if a.is_charge == charge]
    return equal(stated, total(found)) if found or stated is not None else True


def _net(t: Terms) -> bool:
    s = t.totals
    if s is None:
        return True
    return s.lines is not None and equal(s.net, s.lines - (s.allowances or ZERO) + (s.charges or ZERO))


def _tax_total(t: Terms) -> bool:
    return all(s.of_breakdown is None or equal(s.amount, s.of_breakdown) for s in t.tax_totals)


def _gross(t: Terms) -> bool:
    s = t.totals or Totals()
    own = [x.amount for x in t.tax_totals if x.currency == t.currency]
    if len(own) == 1 and own[0] is not None and s.net is not None and equal(s.gross, s.net + own[0]):
        return True
    return t.syntax == "cii" and s.gross is not None and s.gross == s.net


def _payable(t: Terms) -> bool:
    s = t.totals
    if s is None:
        return True
    return s.gross is not None and equal(s.payable, s.gross - (s.prepaid or ZERO) + (s.rounding or ZERO))


def tax_fits(vat: Vat) -> bool:
    """Whether the tax is the rate's share of the taxable amount, but for less than one unit of the currency."""
    if vat.rate is None or cents(vat.rate).to_integral_value() == 0:
        return vat.tax is not None and abs(vat.tax) < Decimal("0.5")
    if vat.tax is None or vat.basis is None:
        return False
    return near(abs(vat.tax), cents(abs(vat.basis) * vat.rate / 100), _ONE)


SUMS: Final = (
    Rule("BR-CO-10", "the sum of the lines is the sum of their net amounts", _sum_of_lines),
    Rule(
        "BR-CO-11",
        "the total of allowances is the sum of the allowances",
        lambda t: not t.totals or _sum_of(t, t.totals.allowances, charge=False),
    ),
    Rule(
        "BR-CO-12",
        "the total of charges is the sum of the charges",
        lambda t: not t.totals or _sum_of(t, t.totals.charges, charge=True),
    ),
    Rule("BR-CO-13", "the total without VAT is the lines less allowances plus charges", _net),
    Rule("BR-CO-14", "the VAT total is the sum of the VAT breakdown", _tax_total),
    Rule("BR-CO-15", "the total with VAT is the total without it plus the VAT total", _gross),
    Rule("BR-CO-16", "the amount due is the total with VAT less what is paid, plus rounding", _payable),
    Rule("BR-CO-17", "the tax of each category is its rate of its basis", lambda t: all(map(tax_fits, t.breakdown))),
)
