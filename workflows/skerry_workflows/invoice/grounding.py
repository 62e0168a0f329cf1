"""Where a value stands in its source, however it is written there: 1.234,56 is 1234.56, 31.01.2024 is 2024-01-31."""

from __future__ import annotations

import datetime as dt
import html
import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from typing import Literal, TypeAlias, cast

import msgspec

from skerry_workflows.invoice import amounts, dates
from skerry_workflows.invoice.model import InvoiceFields, Reading
from skerry_workflows.invoice.rules.money import SYMBOLS


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a value stands: characters [start, end) of the reading's `text` or `xml`, and what is written there."""

    start: int
    end: int
    text: str
    source: Literal["text", "xml"] = "text"


How: TypeAlias = Literal["words", "currency", "identifier"]

# Nothing on the page says these: the type is a judgement.
NOT_GROUNDED = frozenset({"doc_type"})
_SPAN_CHARS_MAX = 1_500


class Source:
    """One text in which values are looked up; what is found once is indexed."""

    def __init__(self, text: str, name: Literal["text", "xml"], *, escaped: bool) -> None:
        self.text = text
        self.name: Literal["text", "xml"] = name
        self._escaped = escaped

    @cached_property
    def _amounts(self) -> dict[Decimal, tuple[int, int]]:
        """Every number by its absolute value, at its first place. Signs are left to the arithmetic."""
        places: dict[Decimal, tuple[int, int]] = {}
        if self._escaped:
            for match in re.finditer(r"(?<=>)\s*[+-]?(\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})\s*(?=<)", self.text):
                places.setdefault(Decimal(match[1]).normalize(), match.span(1))
            return places
        mark = amounts.decimal_mark(self.text)
        for amount in amounts.find(self.text, mark):
            for value in amount.values:
                places.setdefault(abs(value).normalize(), (amount.start, amount.end))
        return places

    @cached_property
    def _dates(self) -> dict[dt.date, tuple[int, int]]:
        places: dict[dt.date, tuple[int, int]] = {}
        if self._escaped:
            for match in re.finditer(r"(?<![\d-])(\d{4})-?(\d{2})-?(\d{2})(?!\d)", self.text):
                try:
                    places.setdefault(dt.date(int(match[1]), int(match[2]), int(match[3])), match.span())
                except ValueError:
                    continue
            return places
        for date in dates.find(self.text):
            for value in date.values.values():
                places.setdefault(value, (date.start, date.end))
        return places

    @cached_property
    def _folded(self) -> tuple[str, list[int]]:
        return _squeeze(self.text)

    def place(self, value: object, how: How = "words") -> Place | None:
        """The first place of a value, or None. `how` says what a string is; numbers and dates go by their type."""
        span = self._span(value, how)
        return Place(start=span[0], end=span[1], text=self.text[span[0] : span[1]], source=self.name) if span else None

    def _span(self, value: object, how: How) -> tuple[int, int] | None:
        if isinstance(value, Decimal):
            return self._amounts.get(abs(value).normalize())
        if isinstance(value, dt.date):
            return self._dates.get(value)
        if not isinstance(value, str):
            return None
        if how == "currency":
            return self._currency(value)
        if how == "identifier" and not self._escaped:
            return self._identifier(value)
        return self._words(html.escape(value, quote=False) if self._escaped else value)

    def _currency(self, code: str) -> tuple[int, int] | None:
        signs = [code, *(s for s, c in SYMBOLS.items() if c == code), *(["$"] if code == "USD" else [])]
        for sign in signs:
            match = re.search(rf"(?<![A-Za-z]){re.escape(sign)}(?![A-Za-z])", self.text)
            if match:
                return match.span()
        return None

    def _identifier(self, value: str) -> tuple[int, int] | None:
        """Letters and digits in order, in groups kept apart by single blanks, dots or dashes."""
        characters = [re.escape(c) for c in value if c.isalnum()]
        match = re.search(r"(?<!\w)" + r"[ .\-/]?".join(characters) + r"(?!\w)", self.text, re.IGNORECASE)
        return match.span() if match and characters else None

    def _words(self, value: str) -> tuple[int, int] | None:
        """A string, blanks and case apart, not within a longer word; or its words in order, where columns part them."""
        wanted, _ = _squeeze(value)
        folded, positions = self._folded
        if not wanted:
            return None
        start = -1
        while (start := folded.find(wanted, start + 1)) >= 0:
            first, last = positions[start], positions[start + len(wanted) - 1]
            if not self._inside_word(first, last):
                return first, last + 1
        return None if self._escaped else self._broken_up(value)

    def _inside_word(self, first: int, last: int) -> bool:
        before, after = self.text[first - 1 : first], self.text[last + 1 : last + 2]
        joins_before = before.isalnum() and self.text[first].isalnum()
        return joins_before or (after.isalnum() and self.text[last].isalnum())

    def _broken_up(self, value: str) -> tuple[int, int] | None:
        """The words of a value one after another, each whole, within a stretch of some lines."""
        words = value.split()
        if len(words) < 2:
            return None
        for begin in re.finditer(_whole(words[0]), self.text):
            end, limit = begin.end(), begin.start() + _SPAN_CHARS_MAX
            for word in words[1:]:
                found = re.compile(_whole(word)).search(self.text, end, limit)
                if not found:
                    break
                end = found.end()
            else:
                return begin.start(), end
        return None


def _whole(word: str) -> str:
    return rf"(?<!\w){re.escape(word)}(?!\w)"


def _squeeze(text: str) -> tuple[str, list[int]]:
    """The text without blanks and case, with the place of every character that is left."""
    kept: list[str] = []
    positions: list[int] = []
    for index, char in enumerate(text):
        if char.isspace():
            continue
        for part in unicodedata.normalize("NFKC", char).casefold():
            kept.append(part)
            positions.append(index)
    return "".join(kept), positions


def sources(reading: Reading) -> list[Source]:
    """Where the fields of a reading may stand: exact fields in their XML, others on the page."""
    if reading.exact_source:
        return [Source(reading.exact_source, "text" if not reading.xml else "xml", escaped=True)]
    return [Source(reading.text, "text", escaped=False)]


def scalars(fields: InvoiceFields) -> Iterator[tuple[str, object]]:
    """Every single value of the fields by its path: "number", "iban[0]", "lines[2].name"."""
    for name in InvoiceFields.__struct_fields__:
        value = getattr(fields, name)
        if isinstance(value, tuple):
            for index, element in enumerate(cast("tuple[object, ...]", value)):
                if isinstance(element, msgspec.Struct):
                    for part in element.__struct_fields__:
                        if getattr(element, part) is not None:
                            yield f"{name}[{index}].{part}", getattr(element, part)
                else:
                    yield f"{name}[{index}]", element
        elif value is not None and name not in NOT_GROUNDED:
            yield name, value


def places(fields: InvoiceFields, reading: Reading) -> dict[str, Place]:
    """The place of every value that stands in the source, by its path. A value without one is not in the result."""
    found: dict[str, Place] = {}
    everywhere = sources(reading)
    for path, value in scalars(fields):
        for source in everywhere:
            place = source.place(value, _how(path))
            if place:
                found[path] = place
                break
    return found


def _how(path: str) -> How:
    if path == "currency":
        return "currency"
    return "identifier" if path.startswith("iban") or path.endswith("_vat_id") else "words"


def derived(fields: InvoiceFields) -> frozenset[str]:
    """Values that need not be printed because they follow from printed ones: a tax total, from its lines."""
    amounts_ = [t.amount for t in fields.tax_breakdown if t.amount is not None]
    follows = bool(amounts_) and fields.tax_total == sum(amounts_, Decimal(0))
    return frozenset({"tax_total"} if follows else ())


# What a person reads on a page and what a program reads in its XML must be the same invoice.
_COMPARED = ("number", "issue_date", "gross_total")


def disagreements(fields: InvoiceFields, reading: Reading) -> dict[str, str]:
    """For a PDF with XML inside: what the XML says and the page does not, by field, as sentences for people."""
    if not reading.xml or not reading.text.strip():
        return {}
    page = Source(reading.text, "text", escaped=False)
    return {
        name: f"the XML inside says {name.replace('_', ' ')} {value}, which is nowhere on the page"
        for name in _COMPARED
        if (value := getattr(fields, name)) is not None and not page.place(value)
    }
