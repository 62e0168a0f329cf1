"""Pictures and scans to text by OCR.

Each page is read twice, at different sizes: a word that was misread is seldom misread alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from skerry_workflows.invoice import limits
from skerry_workflows.invoice.model import Reading, Word
from skerry_workflows.invoice.ocr import layout
from skerry_workflows.invoice.ocr.agree import agreed
from skerry_workflows.invoice.ocr.tesseract import Missing, Pix, Read, Tesseract, decode
from skerry_workflows.invoice.read_text import clean
from skerry_workflows.invoice.unreadable import Unreadable

__all__ = ["Missing", "recognise"]

_SHORT_SIDE_PX: Final = (2480, 1860)
"""A4 at 300 and at 225 dots per inch; the first reading is the better one on most pages."""
_GLANCE_PX: Final = 1240
"""A4 at 150 dots per inch: enough to tell which way is up."""
# A page that lies on its side gives short scraps: these are words of a text.
_WORDS_ENOUGH, _WORD_CHARS, _WORD_CONFIDENCE = 8, 4, 80
_SCALES: Final = (0.2, 3.0)
_DOTS_PER_INCH: Final = 300
_TYPE_IT_IN: Final = "a person has to type it in"


def recognise(data: bytes, name: str, media_type: str = "application/pdf") -> Reading:
    """Read a picture, or a PDF whose pages are pictures. For a process with limits on memory and time.

    Raises:
        Missing: Tesseract (or, for a PDF, pypdfium2) is not installed.
        Unreadable: it is damaged, too large, or holds next to no text.
    """
    pages: list[str] = []
    words: list[Word] = []
    with Tesseract() as tesseract:
        for number, picture in enumerate(_pictures(data)):
            with picture:
                text, found = _page(tesseract, picture, number, sum(map(len, pages)) + len(pages))
            pages.append(text)
            words += found
    text = "\f".join(pages)
    if sum(not c.isspace() for c in text) < limits.PDF_TEXT_CHARS_MIN:
        raise Unreadable("no text can be made out on this picture", hint=_TYPE_IT_IN)
    return Reading(
        name=name, media_type=media_type, kind="image", text=text, pages=len(pages), words=tuple(words),
    )  # fmt: skip


def _page(tesseract: Tesseract, picture: Pix, number: int, begin: int) -> tuple[str, list[Word]]:
    with _upright(tesseract, picture) as upright:
        factors = [_factor(upright, side) for side in _SHORT_SIDE_PX]
        first, second = (_read(tesseract, upright, factor) for factor in factors)
        text, words = layout.lay_out(agreed(first, second), number, upright.width, upright.height, begin)
    if clean(text) != text:  # what is left out would move all that follows
        raise Unreadable("what this picture shows is no text of an invoice", hint=_TYPE_IT_IN)
    return text, words


def _upright(tesseract: Tesseract, picture: Pix) -> Pix:
    """The picture turned so that most words can be read; a look at a small one tells."""
    factor = _factor(picture, _GLANCE_PX)
    best, most = 0, -1
    for quarters in (0, 3, 1, 2):
        with picture.turned(quarters) as turned:
            legible = sum(_is_word(read) for read in _read(tesseract, turned, factor))
        if legible > most:
            best, most = quarters, legible
        if legible >= _WORDS_ENOUGH:
            break
    return picture.turned(best)


def _is_word(read: Read) -> bool:
    """Whether it is surely a word, and lies: Tesseract reads some text that stands upright as well."""
    sure = read.confidence > _WORD_CONFIDENCE and len(read.text) >= _WORD_CHARS and read.text.isalpha()
    return sure and read.width > read.height


def _factor(picture: Pix, side_px: int) -> float:
    short = max(1, min(picture.width, picture.height))
    return min(max(side_px / short, _SCALES[0]), _SCALES[1])


def _read(tesseract: Tesseract, picture: Pix, factor: float) -> list[Read]:
    with picture.scaled(factor) as scaled:
        return [read.scaled(1 / factor).cleaned() for read in tesseract.words(scaled, _DOTS_PER_INCH)]


def _is_pdf(data: bytes) -> bool:
    return b"%PDF-" in data[: limits.PDF_HEADER_WITHIN_BYTES]


def _is_tiff_of_several_pages(data: bytes) -> bool:
    """Whether a second directory follows the first one (TIFF 6.0, section 2)."""
    if not data.startswith((b"II*\0", b"MM\0*")):
        return False
    order: Literal["little", "big"] = "little" if data.startswith(b"II") else "big"
    first = int.from_bytes(data[4:8], order)
    end = first + 2 + 12 * int.from_bytes(data[first : first + 2], order)
    return any(data[end : end + 4])


def _pictures(data: bytes) -> Iterator[Pix]:
    """The pages, one after the other; each is freed before the next is made."""
    if _is_tiff_of_several_pages(data):
        raise Unreadable("this TIFF file has several pages, of which only one would be read", hint="send it as a PDF")
    if not _is_pdf(data):
        yield decode(data, limits.PIXELS_MAX)
        return
    from skerry_workflows.invoice.ocr.pdf_pages import pictures

    try:
        for picture in pictures(data, _SHORT_SIDE_PX[0]):
            yield decode(picture, limits.PIXELS_MAX)
    except ImportError:
        raise Missing("pypdfium2", "install it (pip install 'skerry[ocr]'), restart, and send the file again") from None
