"""The lines of tax, recognised by arithmetic alone: a rate in percent, a basis, and rate x basis = amount."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from decimal import Decimal

from skerry_workflows.invoice import amounts
from skerry_workflows.invoice.model import TaxLine
from skerry_workflows.invoice.rules.page import Page

_PERCENT = re.compile(r" ?%")
_ROUNDING = Decimal("0.011")
_RATE_MAX = 30


def breakdown(page: Page, skip_lines: frozenset[int]) -> tuple[TaxLine, ...]:
    """One line for each row with a rate, a basis and the fitting tax; rows on `skip_lines` are line items."""
    found: dict[TaxLine, None] = {}
    for number, line in enumerate(page.lines):
        if number not in skip_lines and line:
            found |= dict.fromkeys(_in_row(page, "   ".join(cell.text for cell in line)))
    return tuple(found)


def _in_row(page: Page, row: str) -> Iterator[TaxLine]:
    rates: list[Decimal] = []
    money: list[Decimal] = []
    for amount in amounts.find(row, page.mark):
        if amount.value is None:
            continue
        (rates if _PERCENT.match(row[amount.end :]) else money).append(amount.value)
    if len(rates) != 1 or not 0 <= rates[0] <= _RATE_MAX or len(money) < 2:
        return
    for basis, tax in itertools.pairwise(money):
        if basis and abs(basis * rates[0] / 100 - tax) <= _ROUNDING and (tax or not rates[0]):
            yield TaxLine(rate=rates[0], basis=basis, amount=tax)
            return


def single_rate(page: Page, net: Decimal, tax: Decimal) -> tuple[TaxLine, ...]:
    """The one line of tax of a document that prints its rate but no table: the only rate that turns net into tax."""
    rates = {
        a.value
        for a in amounts.find(page.text, page.mark)
        if a.value is not None and 0 < a.value <= _RATE_MAX and _PERCENT.match(page.text[a.end : a.end + 2])
    }
    fitting = [r for r in rates if abs(net * r / 100 - tax) <= _ROUNDING]
    return (TaxLine(rate=fitting[0], basis=net, amount=tax),) if tax and len(fitting) == 1 else ()
