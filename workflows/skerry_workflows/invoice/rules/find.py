"""Label to value: what a label's value is, by where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from skerry_workflows.invoice.rules.page import Cell, Page

T = TypeVar("T")


def labelled(
    page: Page,
    label: re.Pattern[str],
    parse: Callable[[str], T | None],
    below: Callable[[Cell], bool] = lambda cell: True,
) -> Iterator[T]:
    """The value of every occurrence of `label` at the start of a cell.

    The value is what `parse` makes of the rest of the cell; if nothing is left there, of the next cell to the right,
    and if that is no value, of the cell below (a row of labels over a row of values) where
    `below` allows that.
    """
    for cell in page.cells():
        match = label.match(cell.folded)
        if not match:
            continue
        rest = cell.text[match.end() :].lstrip(" :.=#").rstrip()
        if rest:
            value = parse(rest)
            if value is not None:
                yield value
            continue
        candidates = page.right_of(cell)[:1] + (list(page.below(cell, 1)) if below(cell) else [])
        for candidate in candidates:
            value = parse(candidate.text.lstrip(" :.=#"))
            if value is not None:
                yield value
                break


def only(values: Iterator[T] | list[T], key: Callable[[T], object] = lambda v: v) -> T | None:
    """The value if all are the same by `key`, else None: two different answers are none."""
    found = list(values)
    return found[0] if found and len({key(v) for v in found}) == 1 else None
