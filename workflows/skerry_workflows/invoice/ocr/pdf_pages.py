"""The pages of a PDF as pictures, drawn by PDFium."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any, Protocol

from skerry_workflows.invoice import limits
from skerry_workflows.invoice.unreadable import Unreadable


class _Bitmap(Protocol):
    """What is used of pypdfium2, which has no types. `buffer` has `height` rows of `stride` bytes, a byte a pixel."""

    width: int
    height: int
    stride: int
    buffer: Any


class _Page(Protocol):
    def get_size(self) -> tuple[float, float]: ...

    def render(self, *, scale: float, grayscale: bool) -> _Bitmap: ...


class _Document(Protocol):
    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> _Page: ...

    def close(self) -> None: ...


def pictures(data: bytes, short_side_px: int) -> Iterator[bytes]:
    """Each page in grey, as a PGM file whose shorter side has so many pixels.

    Raises:
        ImportError: pypdfium2 is not installed.
        Unreadable: PDFium cannot open it, or it has more or larger pages than are read.
    """
    pdfium: Any = importlib.import_module("pypdfium2")
    try:
        document: _Document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        raise Unreadable(
            f"the pages of this PDF cannot be drawn ({str(error)[:80]})", hint="a person has to type it in"
        ) from None
    try:
        if len(document) > limits.OCR_PAGES_MAX:
            many = f"this PDF has {len(document)} pages that are pictures"
            raise Unreadable(
                f"{many}, more than the {limits.OCR_PAGES_MAX} that are read",
                hint="send the pages of the invoice alone",
            )
        for number in range(len(document)):
            yield _drawn(document[number], short_side_px)
    finally:
        document.close()


def _drawn(page: _Page, short_side_px: int) -> bytes:
    width, height = page.get_size()
    scale = short_side_px / max(1.0, min(width, height))
    if width * height * scale * scale > limits.PIXELS_MAX:
        raise Unreadable("a page of this PDF is far too long", hint="a person has to type it in")
    bitmap = page.render(scale=scale, grayscale=True)
    pixels = bytes(bitmap.buffer)
    rows = (pixels[at : at + bitmap.width] for at in range(0, bitmap.stride * bitmap.height, bitmap.stride))
    return b"P5\n%d %d\n255\n" % (bitmap.width, bitmap.height) + b"".join(rows)
