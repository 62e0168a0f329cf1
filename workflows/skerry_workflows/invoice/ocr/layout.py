"""Words with boxes to page text whose columns are kept by blanks, as the reader of PDFs makes it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from skerry_workflows.invoice.model import Word
from skerry_workflows.invoice.ocr.tesseract import Read

_RULED: Final = r"[|\[\]{}_\u2014~=\\<>\u00a6]+"
"""What the lines of a table are read as."""
_BULLET_LIKE: Final = re.compile(r"[a-z+*®©°¢«»•·●]")
"""What a bullet between two parts of a line is read as."""
_NOISE_CONFIDENCE_MAX: Final = 60
# Of the height of a row's words, at least: a blank is about 0.4 of it.
_COLUMN_GAP: Final = 0.95
_BULLET_GAP: Final = 1.1
_SAME_ROW: Final = 0.45
_PITCH: Final = 1.7
_EMPTY_LINES_MAX: Final = 3


@dataclass(slots=True)
class _Row:
    """Words beside each other, from `top` to `bottom` in pixels."""

    top: float
    bottom: float
    words: list[Read] = field(default_factory=list[Read])

    @property
    def height(self) -> float:
        """Of most of its words."""
        return max(1.0, self.bottom - self.top)

    def takes(self, top: float, bottom: float) -> bool:
        """Whether something between these heights stands in this row. A title beside two lines is in neither."""
        shared = min(self.bottom, bottom) - max(self.top, top)
        return shared > _SAME_ROW * max(self.height, bottom - top)


def lay_out(reads: Iterable[Read], page: int, width: int, height: int, begin: int = 0) -> tuple[str, list[Word]]:
    """The text of a page, and its words with their places in it.

    Args:
        reads: the words of the page.
        page: its number, from 0.
        width, height: of its picture, in pixels.
        begin: where the page's text begins in the document's.
    """
    kept = [trimmed for read in reads if (trimmed := _trimmed(read))]
    if not kept:
        return "", []
    rows = _rows(kept)
    unit = median(r.width / len(r.text) for r in kept) or 1.0
    pitch = median(row.height for row in rows) * _PITCH
    margin = min(r.left for r in kept)
    text, words, below = "", list[Word](), rows[0].top
    for row in rows:
        gap = round((row.top - below) / pitch - 0.5)
        text += "\n" * (min(max(gap, 0), _EMPTY_LINES_MAX) if text else 0)
        below = row.bottom
        line = ""
        for read, apart in _with_gaps(row):
            at = len(line) + (2 if apart else 1) if line else 0
            if apart or not line:
                at = max(at, round((read.left - margin) / unit))
            start = begin + len(text) + at
            line = line.ljust(at) + read.text
            box = (
                round(1000 * read.left / width), round(1000 * read.top / height),
                round(1000 * read.width / width), round(1000 * read.height / height),
            )  # fmt: skip
            words.append(Word(start, start + len(read.text), int(read.confidence), page, *box))
        text += line + "\n"
    return text, words


def _trimmed(read: Read) -> Read | None:
    """A word without the table's lines at its ends; None for what is only that, or dirt."""
    text = re.sub(rf"^{_RULED}|{_RULED}$", "", read.text)
    if not text or (read.confidence < _NOISE_CONFIDENCE_MAX and not any(c.isalnum() or c in "€$£" for c in text)):
        return None
    return read._replace(text=text)


def _rows(reads: Sequence[Read]) -> list[_Row]:
    """The words by rows, from top to bottom and from left to right."""
    lines: dict[object, list[Read]] = {}
    for read in reads:
        lines.setdefault(read.line, []).append(read)
    rows: list[_Row] = []
    for line in sorted(lines.values(), key=lambda words: median(w.middle for w in words)):
        # The median of a line's words: one with a long tail would join two rows.
        top, bottom = median(w.top for w in line), median(w.top + w.height for w in line)
        row = next((r for r in reversed(rows[-6:]) if r.takes(top, bottom)), None)
        if row is None:
            row = _Row(top, bottom)
            rows.append(row)
        row.words += line
    for row in rows:
        row.words.sort(key=lambda w: w.left)
    return sorted(rows, key=lambda r: r.top + r.bottom)


def _with_gaps(row: _Row) -> list[tuple[Read, bool]]:
    """Each word of a row, and whether it begins a column; a bullet stands as one."""
    gaps = [b.left - a.left - a.width for a, b in zip(row.words, row.words[1:], strict=False)]
    found: list[tuple[Read, bool]] = []
    for index, word in enumerate(row.words):
        around = gaps[max(0, index - 1) : index + 1]
        alone = 0 < index < len(gaps) and min(around) > _BULLET_GAP * row.height
        if alone and _BULLET_LIKE.fullmatch(word.text):
            word = word._replace(text="•")
        found.append((word, index > 0 and gaps[index - 1] > _COLUMN_GAP * row.height))
    return found
