"""Bounds on untrusted files. Whatever is beyond them goes to a person instead of into memory."""

from __future__ import annotations

from typing import Final

FILE_BYTES_MAX: Final = 25 * 1024 * 1024
TEXT_FILE_BYTES_MAX: Final = 2 * 1024 * 1024
TEXT_CHARS_MAX: Final = 400_000
PDF_PAGES_MAX: Final = 60
PDF_TEXT_CHARS_MIN: Final = 20
XML_BYTES_MAX: Final = 10 * 1024 * 1024
XML_ELEMENTS_MAX: Final = 200_000
XML_DEPTH_MAX: Final = 60
ATTACHMENTS_MAX: Final = 50
LINE_ITEMS_MAX: Final = 5_000
