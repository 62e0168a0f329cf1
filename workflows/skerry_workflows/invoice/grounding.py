"""Where a value stands in its source, however it is written there: 1.234,56 is 1234.56, 31.01.2024 is 2024-01-31.

It runs in the engine on texts of strangers, so every look-up is cheap and all of them together are bounded: numbers,
dates and whole cells are found by an index that is made in one pass; for what is left there is a budget, and what it
does not suffice for counts as not found.
"""

from __future__ import annotations

import datetime as dt
import html
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from itertools import accumulate
from typing import Final, Literal, TypeAlias, cast

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
Span: TypeAlias = tuple[int, int]

# Nothing on the page says these: the type is a judgement.
NOT_GROUNDED = frozenset({"doc_type"})
_SPAN_CHARS_MAX = 1_500

_WORK_MAX: Final = 4_000_000
"""What looking for strings in one source may cost, in characters passed over: some hundredths of a second."""
_HIT_COST: Final = 2_000
"""What looking at one place costs, in the same unit."""
_STEP_COST: Final = 200
"""What going on to the next word costs, in the same unit."""
_CHUNK: Final = 16
# Of shorter texts than this, `str.find` compares every character of the needle at every place in the worst case.
_PADDED: Final = 30_000

_CELL = re.compile(r"\S+(?: \S+)*")
_XML_TEXT = re.compile(r"(?<=>)[^<>]+(?=<)")
# FatturaPA writes the country of a VAT id and the parts of a person's name into elements of their own.
_JOINED = re.compile(r"</IdPaese>\s{0,80}<IdCodice>|</Nome>\s{0,80}<Cognome>")
_XML_NUMBER = re.compile(r"[+-]?(\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})")
_NOT_DIGITS = {ord(c): None for c in ".,'\u2019 +-"}


class _Fold(dict[int, str | None]):
    """For `str.translate`: no case, no compatibility forms, and none of the characters that are passed over."""

    def __init__(self, passed_over: str) -> None:
        super().__init__()
        self._passed_over = passed_over

    def __missing__(self, code: int) -> str | None:
        char = chr(code)
        skip = char in self._passed_over if self._passed_over else char.isspace()
        folded = None if skip else unicodedata.normalize("NFKC", char).casefold()
        if len(self) < 4_096:
            self[code] = folded
        return folded


_BLANKS: Final = _Fold("")
_SEPARATORS: Final = _Fold(" .-/")


class _Squeezed:
    """A text without what `fold` passes over, and the way back to places in the text."""

    def __init__(self, text: str, fold: _Fold) -> None:
        parts = [text[at : at + _CHUNK].translate(fold) for at in range(0, len(text), _CHUNK)]
        self._text, self._fold = text, fold
        self._starts = [0, *accumulate(map(len, parts))]
        self.folded = "".join(parts).ljust(_PADDED, "\0")

    def place(self, position: int) -> int:
        """Where in the text a character of `folded` comes from."""
        chunk = bisect_right(self._starts, position) - 1
        left = position - self._starts[chunk]
        for at in range(chunk * _CHUNK, len(self._text)):
            left -= len(self._text[at].translate(self._fold))
            if left < 0:
                return at
        return len(self._text) - 1


class Source:
    """One text in which values are looked up; what is found once is indexed."""

    def __init__(self, text: str, name: Literal["text", "xml"], *, escaped: bool) -> None:
        self.text = text
        self.name: Literal["text", "xml"] = name
        self._escaped = escaped
        self._work_left = _WORK_MAX

    @property
    def exhausted(self) -> bool:
        """Whether there was more to look for than there is time for."""
        return self._work_left < 0

    # --- indexes, each made in one pass -------------------------------------------------------------------------------

    @cached_property
    def _cells(self) -> dict[str, Span]:
        """What stands by itself, by its squeezed text: a run of words with single blanks, or the text of an element."""
        cells: dict[str, Span] = {}
        for match in (_XML_TEXT if self._escaped else _CELL).finditer(self.text):
            cells.setdefault(match[0].translate(_BLANKS), match.span())
        return cells

    @cached_property
    def _numbers(self) -> dict[str, dict[str, Span]]:
        """Every number as it is written, at its first place, by its digits without the zeros around them."""
        numbers: dict[str, dict[str, Span]] = {}
        if self._escaped:
            for cell, (start, end) in self._cells.items():
                if len(cell) < 45 and _XML_NUMBER.fullmatch(cell):
                    numbers.setdefault(_digits(cell), {}).setdefault(cell, (start, end))
            return numbers
        for start, end, written in amounts.find_written(self.text):
            numbers.setdefault(_digits(written), {}).setdefault(written, (start, end))
        return numbers

    @cached_property
    def _mark(self) -> str | None:
        return amounts.decimal_mark(self.text)

    @cached_property
    def _meanings(self) -> dict[str, dict[Decimal, Span]]:
        """Of the numbers that were looked for: their absolute values. Signs are left to the arithmetic."""
        return {}

    @cached_property
    def _dates(self) -> dict[dt.date, Span]:
        places: dict[dt.date, Span] = {}
        for date in dates.find(self.text):
            for value in date.values.values():
                places.setdefault(value, (date.start, date.end))
        return places

    @cached_property
    def _words_at(self) -> dict[str, list[int]]:
        """Where each word begins."""
        words: dict[str, list[int]] = {}
        for match in re.finditer(r"\w+", self.text):
            words.setdefault(match[0], []).append(match.start())
        return words

    @cached_property
    def _squeezed(self) -> _Squeezed:
        return _Squeezed(self.text, _BLANKS)

    @cached_property
    def _unseparated(self) -> _Squeezed:
        return _Squeezed(self.text, _SEPARATORS)

    # --- looking up ---------------------------------------------------------------------------------------------------

    def place(self, value: object, how: How = "words") -> Place | None:
        """The first place of a value, or None. `how` says what a string is; numbers and dates go by their type."""
        span = self._span(value, how)
        return Place(start=span[0], end=span[1], text=self.text[span[0] : span[1]], source=self.name) if span else None

    def _span(self, value: object, how: How) -> Span | None:
        if isinstance(value, Decimal):
            return self._amount(abs(value))
        if isinstance(value, dt.date):
            return self._iso_date(value) if self._escaped else self._dates.get(value)
        if not isinstance(value, str):
            return None
        if how == "currency":
            return self._currency(value)
        if how == "identifier" and not self._escaped:
            return self._identifier(value)
        return self._words(html.escape(value, quote=False) if self._escaped else value)

    def _amount(self, value: Decimal) -> Span | None:
        key = _digits(format(value, "f"))
        meanings = self._meanings.get(key)
        if meanings is None:
            meanings = self._meanings[key] = {}
            for written, span in self._numbers.get(key, {}).items():
                for meaning in self._values(written):
                    meanings.setdefault(meaning, span)
        return meanings.get(value)

    def _values(self, written: str) -> tuple[Decimal, ...]:
        return (abs(Decimal(written)),) if self._escaped else amounts.meanings(written, self._mark)

    def _iso_date(self, day: dt.date) -> Span | None:
        match = re.search(rf"(?<![\d-]){day:%Y}-?{day:%m}-?{day:%d}(?!\d)", self.text)
        return match.span() if match else None

    def _currency(self, code: str) -> Span | None:
        signs = [code, *(s for s, c in SYMBOLS.items() if c == code)]
        for sign in signs:
            match = re.search(rf"(?<![A-Za-z]){re.escape(sign)}(?![A-Za-z])", self.text)
            if match:
                return match.span()
        return None

    def _identifier(self, value: str) -> Span | None:
        """Letters and digits in order, in groups kept apart by single blanks, dots or dashes."""
        wanted = "".join(c for c in value if c.isalnum()).translate(_SEPARATORS)
        for first, end in self._found(self._unseparated, wanted):
            around = self.text[max(0, first - 1) : first] + self.text[end : end + 1]
            if not re.search(r"\w", around) and not re.search(r"[ .\-/]{2}", self.text[first:end]):
                return first, end
        return None

    def _words(self, value: str) -> Span | None:
        """A string, blanks and case apart, not within a longer word; or its words in order, where columns part them."""
        wanted = value.translate(_BLANKS)
        cell = self._cells.get(wanted) if wanted else None
        if cell and not self._escaped:
            return cell
        if cell:
            inner = self.text[cell[0] : cell[1]]
            return cell[0] + len(inner) - len(inner.lstrip()), cell[0] + len(inner.rstrip())
        for first, end in self._found(self._squeezed, wanted):
            if not self._inside_word(first, end - 1):
                return first, end
        return None if self._escaped else self._broken_up(value)

    def _found(self, squeezed: _Squeezed, wanted: str) -> Iterator[Span]:
        """The places of a squeezed string, until the budget is spent."""
        at = -1
        while wanted and self._work_left >= 0:
            before, at = at, squeezed.folded.find(wanted, at + 1)
            self._work_left -= (at if at >= 0 else len(squeezed.folded)) - before + _HIT_COST
            if at < 0:
                return
            yield squeezed.place(at), squeezed.place(at + len(wanted) - 1) + 1

    def _inside_word(self, first: int, last: int) -> bool:
        before, after = self.text[first - 1 : first], self.text[last + 1 : last + 2]
        joins_before = before.isalnum() and self.text[first].isalnum()
        return joins_before or (after.isalnum() and self.text[last].isalnum())

    def _broken_up(self, value: str) -> Span | None:
        """The words of a value one after another, each whole, within a stretch of some lines."""
        words = re.findall(r"\w+", value)
        places = [self._words_at.get(word) for word in words]
        if len(words) < 2 or not all(places):
            return None
        known = cast("list[list[int]]", places)
        begin = 0
        while begin < len(known[0]) and self._work_left >= 0:
            start = end = known[0][begin]
            end += len(words[0])
            for word, at in zip(words[1:], known[1:], strict=True):
                self._work_left -= _STEP_COST
                following = bisect_left(at, end)
                if following == len(at):
                    return None  # no later beginning finds one either
                end = at[following] + len(word)
                if end > start + _SPAN_CHARS_MAX:
                    break
            else:
                return start, end
            # Whatever begins further ahead of this word than a stretch is long fails at it as well.
            begin = max(begin + 1, bisect_left(known[0], end - _SPAN_CHARS_MAX))
        return None


def _digits(written: str) -> str:
    """What all ways to write a number have in common: its digits, without the zeros before and behind."""
    return written.translate(_NOT_DIGITS).strip("0")


def sources(reading: Reading) -> list[Source]:
    """Where the fields of a reading may stand: exact fields in their XML, others on the page."""
    if reading.kind == "xml-fatturapa":
        return [Source(_JOINED.sub(lambda m: " " * len(m[0]), reading.text), "text", escaped=True)]
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
    return look_up(fields, reading)[0]


def look_up(fields: InvoiceFields, reading: Reading) -> tuple[dict[str, Place], bool]:
    """As `places`; and whether there was time to look for all of them."""
    found: dict[str, Place] = {}
    everywhere = sources(reading)
    for path, value in scalars(fields):
        for source in everywhere:
            place = source.place(value, _how(path))
            if place:
                found[path] = place
                break
    return found, not any(source.exhausted for source in everywhere)


def _how(path: str) -> How:
    if path == "currency":
        return "currency"
    return "identifier" if path.startswith("iban") or path.endswith("_vat_id") else "words"


def derived(fields: InvoiceFields, reading: Reading) -> frozenset[str]:
    """Values that need not be printed because they follow from printed ones: a tax total, from its lines.

    FatturaPA states the other totals only by rate, too, and what is to be paid by instalments.
    """
    amounts_ = [t.amount for t in fields.tax_breakdown if t.amount is not None]
    follows = {"tax_total"} if amounts_ and fields.tax_total == sum(amounts_, Decimal(0)) else set[str]()
    if reading.kind == "xml-fatturapa" and follows:
        net = sum((t.basis for t in fields.tax_breakdown if t.basis is not None), Decimal(0))
        if fields.net_total == net:
            follows.add("net_total")
            if fields.gross_total == net + sum(amounts_, Decimal(0)):
                follows |= {"gross_total"} | ({"payable"} if fields.payable == fields.gross_total else set())
    return frozenset(follows)


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
