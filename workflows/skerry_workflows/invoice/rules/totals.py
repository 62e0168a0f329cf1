"""The totals: which amount is net, which is tax, which is gross.

Labels alone mislead ("subtotal" with tax, "total" without), so every labelled amount is a candidate and the arithmetic
decides: net + tax = gross. Where no three candidates fit, each total is taken only if its label leaves no doubt.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from skerry_workflows.invoice import amounts, dates
from skerry_workflows.invoice.model import TaxLine
from skerry_workflows.invoice.rules import total_words
from skerry_workflows.invoice.rules.page import Cell, Page

Role: TypeAlias = Literal["net", "tax", "gross", "payable", "prepaid"]
ROUNDING = Decimal("0.01")
_LABEL_WORDS_MAX = 7
# Of one role. All ways to combine three are tried, so this bounds time as well.
_CANDIDATES_MAX = 60


@dataclass(frozen=True, slots=True)
class Candidate:
    """An amount that a label calls `role`.

    Rank 0: the label is plain; 1: it may mean something else ("total"); 2: it stands above, not beside.

    `rate` is the percentage in the label of a tax ("VAT 20 %").
    """

    role: Role
    amount: Decimal
    rank: int
    rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What was found; None where it was not, or not beyond doubt."""

    net: Decimal | None = None
    tax: Decimal | None = None
    gross: Decimal | None = None
    prepaid: Decimal | None = None
    payable: Decimal | None = None


def candidates(page: Page, skip_lines: frozenset[int]) -> list[Candidate]:
    """Every amount beside (or under) a totals label, except on `skip_lines` (the table of line items)."""
    found: list[Candidate] = []
    for number, line in enumerate(page.lines):
        if number in skip_lines:
            continue
        for index, cell in enumerate(line):
            role, rank, rest = _split_label(cell)
            if role is None:
                continue
            beside = list(_amounts_beside(page, rest, line[index + 1 :]))
            if len(beside) == 1:
                found.append(Candidate(role, beside[0], rank, _rate(page, cell) if role == "tax" else None))
            elif not beside and not rest.strip(" :"):
                found += [Candidate(role, a, 2) for a in _amounts_below(page, cell, skip_lines)]
    return found


def solve(found: list[Candidate], taxes: Iterable[TaxLine], page: Page) -> Totals:
    """The totals that fit each other, given the candidates and the lines of tax."""
    roles: tuple[Role, ...] = ("net", "tax", "gross", "payable", "prepaid")
    by_role = {role: _ranked(found, role) for role in roles}
    for lines in (list(taxes), list(rate_lines(found))):
        if lines:
            by_role["tax"].append(Candidate("tax", sum((t.amount or Decimal(0) for t in lines), Decimal(0)), 1))
    triple = _triple(by_role["net"], by_role["tax"], by_role["gross"] or by_role["payable"])
    if triple is None and by_role["gross"]:
        triple = _triple(by_role["net"], by_role["tax"], by_role["payable"])
    if triple is None:
        return _unfit(*(_sure(by_role[role]) for role in ("net", "tax", "gross", "payable")))
    net, tax, gross = triple
    if any(abs(c.amount) > abs(gross) + ROUNDING for c in (*by_role["gross"], *by_role["payable"]) if c.rank < 2):
        # The three are of a part of the invoice, or something was added to it.
        return Totals(gross=_sure(by_role["gross"]))
    prepaid, payable = _payment(by_role["prepaid"], by_role["payable"], gross, page)
    if payable is None and not by_role["prepaid"] and not by_role["payable"] and not _says_paid(page):
        payable = gross
    return Totals(net, tax, gross, prepaid, payable)


def _unfit(net: Decimal | None, tax: Decimal | None, gross: Decimal | None, payable: Decimal | None) -> Totals:
    """The totals where no three fit. What is to be paid is the total, unless something else makes the difference."""
    if gross is None and (net is None or tax is None):
        return Totals(net, tax, payable)
    return Totals(net, tax, gross, payable=payable)


def rate_lines(found: list[Candidate]) -> tuple[TaxLine, ...]:
    """The taxes labelled with their rates ("VAT 7 %", "VAT 19 %"), if there are several, each with one amount."""
    labelled = {(c.rate, c.amount) for c in found if c.role == "tax" and c.rate is not None and c.rank == 0}
    rates = [rate for rate, _ in labelled]
    if len(labelled) < 2 or len(set(rates)) < len(rates):
        return ()
    return tuple(TaxLine(rate=rate, amount=amount) for rate, amount in sorted(labelled, key=lambda pair: pair[0] or 0))


def _rate(page: Page, label: Cell) -> Decimal | None:
    """The one percentage in a label."""
    rates = [a.value for a in amounts.find(label.text, page.mark) if re.match(r" ?%", label.text[a.end :])]
    return rates[0] if len(rates) == 1 else None


def _ranked(found: list[Candidate], role: Role) -> list[Candidate]:
    """The distinct amounts of a role, the best labelled first; none if there are too many to mean anything."""
    best: dict[Decimal, Candidate] = {}
    for candidate in found:
        if candidate.role == role and (candidate.amount not in best or candidate.rank < best[candidate.amount].rank):
            best[candidate.amount] = candidate
    return sorted(best.values(), key=lambda c: c.rank) if len(best) <= _CANDIDATES_MAX else []


def _triple(
    nets: list[Candidate], taxes: list[Candidate], grosses: list[Candidate]
) -> tuple[Decimal, Decimal, Decimal] | None:
    """The one way to pick net + tax = gross; of several the best labelled; None if the best are two."""
    fits = [
        (net.rank + tax.rank + gross.rank, (net.amount, tax.amount, gross.amount))
        for net, tax, gross in itertools.product(nets, taxes, grosses)
        if abs(net.amount + tax.amount - gross.amount) <= ROUNDING and gross.amount != 0
    ]
    # An invoice's total is the largest of them: a part of it (one rate of tax, say) adds up as well.
    largest = max((abs(fit[1][2]) for fit in fits), default=None)
    fits = [fit for fit in fits if abs(fit[1][2]) == largest]
    best = {amounts_ for rank, amounts_ in fits if rank == min(f[0] for f in fits)}
    return best.pop() if len(best) == 1 else None


def _sure(found: list[Candidate]) -> Decimal | None:
    """The amount of the best-ranked candidates, if they agree and the label is not weak."""
    best = {c.amount for c in found if c.rank == found[0].rank and c.rank < 2}
    return best.pop() if len(best) == 1 else None


def _payment(
    prepaid: list[Candidate], payable: list[Candidate], gross: Decimal, page: Page
) -> tuple[Decimal | None, Decimal | None]:
    """What was paid before and what is left, if the two fit the total."""
    for left in payable:
        if abs(left.amount - gross) <= ROUNDING:
            return None, left.amount
        for paid in prepaid:
            if abs(gross - abs(paid.amount) - left.amount) <= ROUNDING:
                return abs(paid.amount), left.amount
        # Payments are often listed in a table of their own: what is missing must be printed somewhere.
        missing = gross - left.amount
        if 0 < missing < gross and any(missing in a.values for a in amounts.find(page.text, page.mark)):
            return missing, left.amount
    return None, None


def _says_paid(page: Page) -> bool:
    """Whether a word of the page says that something was paid, or is held back: then the total may not be what is due.

    Words of payment terms are not meant: "to be paid by" comes with the word for what is due.
    """
    return bool(_PAID.search(page.folded))


_PAID = re.compile(rf"\b(?:{'|'.join(sorted(total_words.PAID | total_words.WITHHELD))})\b")


def is_totals_row(page: Page, line: list[Cell]) -> bool:
    """Whether a line has a totals label with an amount, or begins with one and has no figures: the items end here."""
    for index, cell in enumerate(line):
        role, _, rest = _split_label(cell)
        if role is not None and next(_amounts_beside(page, rest, line[index + 1 :]), None) is not None:
            return True
    return _split_label(line[0])[0] is not None and not any(ch.isdigit() for c in line for ch in c.text)


def _split_label(cell: Cell) -> tuple[Role | None, int, str]:
    """The role of the label at the start of a cell, its rank, and the rest of the cell (where an amount may stand)."""
    match = re.match(r"(?:[^\W\d]|[ .:'/\-&,()%\[\]]|\d{1,2}(?:[.,]\d{1,2})? ?%|\*)+", cell.folded)
    if not match:
        return None, 0, ""
    label = re.sub(r"(?:eur|usd|gbp|chf|sek|nok|dkk|pln|czk)?[ :(\[-]*$", "", match[0])
    role, rank = _role(label)
    return role, rank, cell.text[len(label) :]


def _role(label: str) -> tuple[Role | None, int]:
    """What a row's label makes of its amount. Every word must be a known one: "Total control" is a product."""
    words = re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", label)
    has = set(words)
    if not words or len(words) > _LABEL_WORDS_MAX or not has <= total_words.ALL:
        return None, 0
    if has & total_words.PAID and not has & total_words.DUE:
        return "prepaid", 0
    if has & total_words.DUE and not has & (total_words.NET - {"net"}):
        return "payable", 0
    if has & total_words.GROSS:
        return ("gross", 1 if has & total_words.SUBTOTAL else 0)
    if has & total_words.NET:
        return "net", 0
    if has & total_words.SUBTOTAL:
        return "net", 1
    if has & total_words.TAX:
        return "tax", 0
    return ("gross", 1) if has & total_words.TOTAL else (None, 0)


def _amounts_beside(page: Page, rest: str, right: list[Cell]) -> Iterator[Decimal]:
    """The amounts in the rest of the label's cell and in the cells to its right, up to the next label."""
    yield from _amounts_in(page, rest)
    for cell in right:
        if _split_label(cell)[0] is not None:
            return
        yield from _amounts_in(page, cell.text)


def _amounts_below(page: Page, label: Cell, skip_lines: frozenset[int]) -> Iterator[Decimal]:
    for cell in page.below(label, 1):
        found = list(_amounts_in(page, cell.text))
        if cell.line not in skip_lines and len(found) == 1 and _split_label(cell)[0] is None:
            yield found[0]


def _amounts_in(page: Page, text: str) -> Iterator[Decimal]:
    """The money in `text`: no dates, no percentages, nothing ambiguous."""
    taken = [(d.start, d.end) for d in dates.find(text)]
    for amount in amounts.find(text, page.mark):
        percent = re.match(r" ?[%\u2030]", text[amount.end :])
        if amount.value is not None and not percent and not any(s <= amount.start < e for s, e in taken):
            yield amount.value
