"""Page text as lines of cells: what stands beside and below what.

A cell is a run of text with no more than one blank in a row, which is how readers keep columns apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from skerry_workflows.invoice import amounts, dates
from skerry_workflows.invoice.dates import Order

_CELL = re.compile(r"\S+(?: \S+)*")
_SAME_COLUMN_MAX = 3
# Beyond these a line is no line of an invoice; looking at each cell's neighbours takes the square of their number.
_LINE_CHARS_MAX = 1_000
_NOISE = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Cell:
    """`text` in line number `line`, columns [start, end).

    `folded` is the text without case and accents, same length.
    """

    line: int
    start: int
    end: int
    text: str
    folded: str

    def begins_with(self, other: Cell) -> bool:
        """Whether both begin in the same column, as far as readers can tell."""
        return abs(self.start - other.start) <= _SAME_COLUMN_MAX

    def overlaps(self, start: int, end: int) -> bool:
        """Whether it shares a column with [start, end)."""
        return self.start < end and start < self.end


@dataclass(frozen=True, slots=True)
class Page:
    """A document's text, all pages in one, with what holds for all of it: the decimal mark and the order of dates."""

    text: str
    lines: list[list[Cell]]
    mark: str | None
    order: Order | None
    folded: str = field(repr=False, default="")

    def cells(self) -> Iterator[Cell]:
        """Every cell, in reading order."""
        for line in self.lines:
            yield from line

    def right_of(self, cell: Cell) -> list[Cell]:
        """The cells after `cell` on its line."""
        return [c for c in self.lines[cell.line] if c.start >= cell.end]

    def joined(self, cell: Cell, gap_max: int = 6) -> str:
        """The text of `cell` with the cells close behind it: readers part what stands a tab apart ("12345    Town")."""
        text, end = cell.text, cell.end
        for other in self.right_of(cell):
            if other.start - end > gap_max:
                break
            text, end = f"{text} {other.text}", other.end
        return text

    def below(self, cell: Cell, lines_max: int = 2) -> Iterator[Cell]:
        """The nearest cells under `cell`, over `lines_max` lines that are not empty; of two in a line neither."""
        seen = 0
        for line in self.lines[cell.line + 1 : cell.line + 8]:
            if line:
                seen += 1
                under = [c for c in line if c.overlaps(cell.start, cell.end)]
                yield from under if len(under) == 1 else ()
            if seen == lines_max:
                return

    def block_below(self, cell: Cell, lines_max: int = 8, gap_max: int = 1) -> list[Cell]:
        """The column of cells under `cell` that begin where it does, until it ends or breaks off."""
        block: list[Cell] = []
        gap = 0
        for line in self.lines[cell.line + 1 : cell.line + 1 + lines_max * 2]:
            here = [c for c in line if c.begins_with(cell)]
            gap = 0 if here else gap + 1
            block += here[:1]
            if gap > gap_max or len(block) == lines_max:
                break
        return block


def lines_of(text: str, lines_max: int = -1) -> list[list[Cell]]:
    """The first lines of a text (or all) as cells. Cells of mere punctuation are dropped: they separate labels."""
    lines: list[list[Cell]] = []
    for number, line in enumerate(
        text.replace("\f", "\n").split("\n", lines_max)[: lines_max if lines_max >= 0 else None]
    ):
        found = [Cell(number, m.start(), m.end(), m[0], fold(m[0])) for m in _CELL.finditer(line[:_LINE_CHARS_MAX])]
        lines.append([c for c in found if not _NOISE.fullmatch(c.text) or c.text == "#"])
    return lines


def lay_out(text: str) -> Page:
    """Split text into lines and cells."""
    lines = lines_of(text)
    folded = fold(text)
    return Page(text, lines, amounts.decimal_mark(text), dates.order_of(text) or _usual_order(folded), folded)


# Where these words are used, the day comes first. In English it may be either, but for pounds sterling.
_DAY_FIRST = re.compile(
    r"\b(?:rechnung\w*|gutschrift|facture|avoir|factura|abono|fattura|factuur\w*|creditnota|fatura|faktura\w*)\b|£|\bgbp\b"
)
_ENGLISH = re.compile(r"\b(?:invoice|bill to|due date|credit note)\b")


def _usual_order(folded: str) -> Order | None:
    """The order of dates that the document's language suggests; None for English and for what is in two languages."""
    pounds = "£" in folded or re.search(r"\bgbp\b", folded)
    return "dmy" if _DAY_FIRST.search(folded) and (pounds or not _ENGLISH.search(folded)) else None


def fold(text: str) -> str:
    """Lower case without accents, character by character, so that every position stays what it was."""
    return text.lower() if text.isascii() else text.translate(_FOLDED)


class _Folded(dict[int, str]):
    """Each character without case and accent, as soon as it is asked for."""

    def __missing__(self, code: int) -> str:
        folded = _fold_char(chr(code))
        if len(self) < 4_096:
            self[code] = folded
        return folded


_FOLDED = _Folded()


# Letters that Unicode does not take apart into a letter and a mark.
_STROKES = dict(zip("łøđðħıŁØĐĦ", "loddhilodh", strict=True))


def _fold_char(char: str) -> str:
    if char.isascii():
        return char.lower()
    if char in _STROKES:
        return _STROKES[char]
    if char in "\u2019\u2018`\u00b4":
        return "'"
    base = unicodedata.normalize("NFKD", char)[0].casefold()
    return base if len(base) == 1 else char
