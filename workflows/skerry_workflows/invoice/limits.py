"""Bounds on untrusted files. Whatever is beyond them goes to a person instead of into memory."""

from __future__ import annotations

from typing import Final

FILE_BYTES_MAX: Final = 25 * 1024 * 1024
TEXT_FILE_BYTES_MAX: Final = 2 * 1024 * 1024
TEXT_CHARS_MAX: Final = 50_000
"""Of the pages. The longest of the real invoices at hand has 3,600, with the blanks that keep its columns."""
PDF_HEADER_WITHIN_BYTES: Final = 1024
PDF_PAGES_MAX: Final = 60
PDF_TEXT_CHARS_MIN: Final = 20
XML_BYTES_MAX: Final = 10 * 1024 * 1024
XML_CHARS_MAX: Final = 150_000
"""Of the XML that is read; the longest at hand has 16,500."""
XML_ELEMENTS_MAX: Final = 200_000
XML_DEPTH_MAX: Final = 60
ATTACHMENTS_MAX: Final = 50
LINE_ITEMS_MAX: Final = 500
TAX_LINES_MAX: Final = 50
IBANS_MAX: Final = 20
IDENTIFIER_CHARS_MAX: Final = 50
VALUE_CHARS_MAX: Final = 1_000
PIXELS_MAX: Final = 60_000_000
"""Of a picture: a page at 700 dots per inch has 48 million."""
OCR_PAGES_MAX: Final = 8
