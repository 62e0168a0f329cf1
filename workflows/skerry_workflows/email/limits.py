"""Bounds on untrusted messages. What is beyond them is cut, and the message says so among its flaws."""

from __future__ import annotations

from typing import Final

MESSAGE_BYTES_MAX: Final = 50 * 1024 * 1024
HEADER_BYTES_MAX: Final = 256 * 1024
"""Of one part's header section."""
HEADERS_MAX: Final = 500
HEADER_CHARS_MAX: Final = 20_000
"""Of one header's value."""
PARTS_MAX: Final = 1_000
DEPTH_MAX: Final = 30
TEXT_BYTES_MAX: Final = 8 * 1024 * 1024
"""Of one part that is text, before it is decoded."""
TEXT_CHARS_MAX: Final = 200_000
HTML_CHARS_MAX: Final = 1_000_000
LINKS_MAX: Final = 500
ADDRESSES_MAX: Final = 2_000
REFERENCES_MAX: Final = 500
CALENDAR_CHARS_MAX: Final = 500_000
NAME_CHARS_MAX: Final = 255
"""Of an attachment's name."""
