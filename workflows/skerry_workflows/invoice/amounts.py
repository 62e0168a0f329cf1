"""Amounts in text, in the number formats of the world: 1.234,56 and 1,234.56 and 1 234,56 and 1'234.56."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

# Groups may be kept apart by one blank only: two or more divide columns.
_NUMBER = (
    r"\d{1,3}(?:(?P<group>[.,'\u2019 ])\d{3})(?:(?P=group)\d{3}){0,4}(?:[.,]\d{1,6})?(?!\d)|\d{1,15}(?:[.,]\d{1,6})?"
)
_AMOUNT = re.compile(
    # Not within a word, an id, a date or a time: "A12", "12-34", "12/34", "1.2.3", "12:30".
    r"(?<!\w)(?<!\w[-./,'\u2019])(?<!\d:)(?P<open>\()?(?P<sign>[-\u2212\u2013](?:[€$£] ?)?)?"
    rf"(?P<number>{_NUMBER})(?P<close>\))?(?P<trail>-(?!\w))?(?!\w)(?![-./,:'\u2019]\w)"
)
_CODES = "EUR|USD|GBP|CHF|SEK|NOK|DKK|PLN|CZK|HUF"
_GLUED_CURRENCY = re.compile(rf"(?<![A-Za-z])(?:{_CODES})(?=-?\d)|(?<=\d)(?:{_CODES})(?![A-Za-z])")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number in text at [start, end), sign not included. `values` are its possible meanings: two for "1.234"."""

    start: int
    end: int
    values: tuple[Decimal, ...]

    @property
    def value(self) -> Decimal | None:
        """What it means, or None where that is ambiguous."""
        return self.values[0] if len(self.values) == 1 else None

    @property
    def decimals(self) -> int:
        """Digits after the decimal mark, of the first meaning."""
        exponent = self.values[0].as_tuple().exponent
        return -exponent if isinstance(exponent, int) else 0


def find(text: str, mark: str | None = None) -> Iterator[Amount]:
    """Every number in `text` that may be an amount or a quantity, left to right; dates and ids are passed over.

    `mark` is the document's decimal mark, if it is known.
    """
    for match in _AMOUNT.finditer(_unglued(text)):
        negative = bool(match["sign"] or match["trail"] or (match["open"] and match["close"]))
        values = meanings(match["number"], mark)
        yield Amount(match.start("number"), match.end("number"), tuple(-v if negative and v else v for v in values))


def find_written(text: str) -> Iterator[tuple[int, int, str]]:
    """As `find`, but with each number as it is written, and without what it may mean."""
    for match in _AMOUNT.finditer(_unglued(text)):
        yield match.start("number"), match.end("number"), match["number"]


def _unglued(text: str) -> str:
    """A code glued to its number hides it from the word boundaries; blanks of the same length keep all positions."""
    return _GLUED_CURRENCY.sub(lambda m: " " * len(m[0]), text)


def meanings(number: str, mark: str | None = None) -> tuple[Decimal, ...]:
    """What an unsigned number as written can mean, likeliest first.

    One separator followed by exactly three digits is either: "1.234" is 1234 or 1.234, unless the document's decimal
    `mark` is known.
    """
    separators = re.findall(r"\D", number)
    if not separators:
        return (Decimal(number),)
    last = separators[-1]
    whole, _, fraction = number.rpartition(last)
    as_decimal = Decimal(re.sub(r"\D", "", whole) + "." + fraction)
    as_whole = Decimal(re.sub(r"\D", "", number))
    if last in " '\u2019" or separators.count(last) > 1:
        return (as_whole,)
    if len(set(separators)) > 1 or len(fraction) != 3 or len(whole) > 3 or whole.startswith("0"):
        return (as_decimal,)
    if mark is not None:
        return (as_decimal,) if last == mark else (as_whole,)
    return (as_whole, as_decimal)


_TELLING = re.compile(
    r"(?<![\w.,/'\u2019])\d{1,3}(?:[ .,'\u2019]\d{3}){0,4}([.,])\d{2}(?![\w.,/])"
    r"|(?<![\w.,/])\d{4,12}([.,])\d{2}(?![\w.,/])"
)


def decimal_mark(text: str) -> str | None:
    """The document's decimal mark, if all numbers that can tell (those with two decimals) agree."""
    marks = {m[1] or m[2] for m in _TELLING.finditer(text)}
    return marks.pop() if len(marks) == 1 else None
