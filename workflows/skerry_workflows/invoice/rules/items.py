"""The line items: rows read under the columns of a head, until the totals begin."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from skerry_workflows.invoice import amounts, limits
from skerry_workflows.invoice.model import Line
from skerry_workflows.invoice.rules import labels
from skerry_workflows.invoice.rules.heads import Column, columns_at
from skerry_workflows.invoice.rules.page import Cell, Page, fold
from skerry_workflows.invoice.rules.totals import is_totals_row

_BLANK_LINES_MAX = 3
_NAME_LINES_MAX = 4
_INDENT_MIN = 2
_TOLERANCE = Decimal("0.02")
_REMARK = re.compile(r"[^\W\d][\w ]{1,25}: ")


@dataclass(slots=True)
class Item:
    """A line item while it is put together.

    `indent` is the column its name begins in, `position` what "#" or "No" says.
    """

    line: Line
    indent: int
    position: Decimal | None
    name_lines: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """All line items, the numbers of the lines of the page that their tables cover, and what is taken off at the end.

    `allowances` are amounts of discounts of the whole invoice, positive.
    """

    items: tuple[Item, ...]
    rows: frozenset[int]
    allowances: tuple[Decimal, ...] = ()


def table(page: Page) -> Table:
    """The line items of every table whose head is understood."""
    items: list[Item] = []
    covered: set[int] = set()
    number = 0
    while number < len(page.lines) and len(items) <= limits.LINE_ITEMS_MAX:
        columns, head_end = columns_at(page, number)
        if columns:
            found, last = _rows(page, head_end + 1, columns, _sum(items))
            if found:
                items += found
                covered |= set(range(number, last + 1))
                number = last
        number += 1
    sold = [item for item in items if not _is_discount(item)]
    off = [-(item.line.net_amount or Decimal(0)) for item in items if _is_discount(item)]
    return Table(tuple(sold), frozenset(covered), tuple(off))


def _is_discount(item: Item) -> bool:
    """Whether a row only takes something off all that stands above it."""
    line = item.line
    below_zero = line.net_amount is not None and line.net_amount < 0 and line.quantity is None
    return below_zero and bool(labels.DISCOUNT.match(fold(line.name or "")))


def _sum(items: Iterable[Item]) -> Decimal:
    return sum((item.line.net_amount or Decimal(0) for item in items), Decimal(0))


def fitting(items: Iterable[Item], totals: Iterable[Decimal | None]) -> tuple[Line, ...]:
    """The items as lines: all, or without those indented under others where only that adds up to one of `totals`."""
    found = list(items)
    lines = _with_quantities(found)
    known = [abs(t) for t in totals if t is not None]
    if not lines or _adds_up(lines, known):
        return lines
    left = min(i.indent for i in found)
    outer = tuple(line for line, item in zip(lines, found, strict=True) if item.indent < left + _INDENT_MIN)
    return outer if _adds_up(outer, known) else lines


def _adds_up(lines: Iterable[Line], totals: list[Decimal]) -> bool:
    total = sum((line.net_amount or Decimal(0) for line in lines), Decimal(0))
    return any(abs(abs(total) - t) <= _TOLERANCE for t in totals)


def _rows(page: Page, first: int, columns: list[Column], before: Decimal) -> tuple[list[Item], int]:
    """The items from line `first` on, and the last line that belongs to them.

    A line that carries forward what came `before` on earlier pages, and here, is none of them.
    """
    items: list[Item] = []
    last, blank = first - 1, 0
    for number in range(first, len(page.lines)):
        line = page.lines[number]
        if not line:
            blank += 1
            if blank >= _BLANK_LINES_MAX:
                break
            continue
        item = _item(page, line, columns)
        if item and _carries(line, item, before + _sum(items)):
            last, blank = number, 0
            continue
        if _ends(page, number):
            break
        if item:
            items.append(item)
        elif items and not blank:
            _continue_name(items[-1], line, columns)
        last, blank = number, 0
    return items, last


def _carries(line: list[Cell], item: Item, so_far: Decimal) -> bool:
    label = labels.CARRIED.match(line[0].folded) or labels.CARRIED_PERHAPS.match(line[0].folded)
    return bool(label) and so_far != 0 and item.line.net_amount == so_far


def _ends(page: Page, number: int) -> bool:
    line = page.lines[number]
    return is_totals_row(page, line) or bool(labels.CARRIED.match(line[0].folded)) or bool(columns_at(page, number)[0])


def _item(page: Page, line: list[Cell], columns: list[Column]) -> Item | None:
    """The item on a line with a name and one amount where the head has it, else None."""
    texts: dict[str, list[Cell]] = {}
    for cell in line:
        texts.setdefault(_column_of(cell, columns).kind, []).append(cell)
    name = [c for c in texts.get("name", []) if any(ch.isalpha() for ch in c.text)]
    amount = _number(page, texts.get("net_amount", []))
    if not name or amount is None:
        return None
    parsed = Line(
        name=" ".join(c.text for c in name).strip(" :"),
        quantity=_number(page, texts.get("quantity", [])),
        unit_price=_number(page, texts.get("unit_price", [])),
        net_amount=amount,
    )
    return Item(parsed, name[0].start, _number(page, texts.get("position", [])))


def _column_of(cell: Cell, columns: list[Column]) -> Column:
    """The column a cell is under, or nearest to. Words that begin left of the name's end belong to the name."""
    name = next(c for c in columns if c.kind == "name")
    wordy = sum(ch.isalpha() for ch in cell.text) > sum(ch.isdigit() for ch in cell.text) and len(cell.text) > 8
    nearest = min(columns, key=lambda c: c.distance(cell))
    if wordy and nearest.kind in ("quantity", "unit_price", "net_amount", "tax") and cell.start < name.end:
        return name
    return nearest


def _number(page: Page, cells: list[Cell]) -> Decimal | None:
    """The one number of a column's cells; None if there are two, or it is ambiguous."""
    found = [
        amount.value
        for cell in cells
        for amount in amounts.find(cell.text, page.mark)
        if not re.match(r" ?%", cell.text[amount.end :])
    ]
    return found[0] if len(found) == 1 else None


def _continue_name(item: Item, line: list[Cell], columns: list[Column]) -> None:
    """Append a line that has nothing but more of the name above. "Serial number: 12" is a remark, not a name."""
    kinds = {_column_of(cell, columns).kind for cell in line}
    text = " ".join(cell.text for cell in line)
    if kinds != {"name"} or item.name_lines >= _NAME_LINES_MAX or _REMARK.match(text):
        return
    item.line = msgspec.structs.replace(item.line, name=f"{item.line.name} {text}".strip(" :"))
    item.name_lines += 1


def _with_quantities(items: list[Item]) -> tuple[Line, ...]:
    """The lines; a column "#" counts as the quantity where that times the price is the amount in every row."""
    lines = tuple(i.line for i in items)
    if any(line.quantity is not None for line in lines):
        return lines
    counts = all(
        i.position is not None
        and i.line.unit_price is not None
        and i.line.net_amount is not None
        and abs(i.position * i.line.unit_price - i.line.net_amount) <= _TOLERANCE
        for i in items
    )
    return tuple(msgspec.structs.replace(i.line, quantity=i.position) for i in items) if counts else lines
