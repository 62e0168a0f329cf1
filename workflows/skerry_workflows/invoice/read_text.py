"""Plain text in whatever encoding it comes in."""

from __future__ import annotations

import re
import unicodedata

from skerry_workflows.invoice import limits
from skerry_workflows.invoice.model import Reading
from skerry_workflows.invoice.unreadable import Unreadable

_RESAVE = "save it as UTF-8 text or as PDF and send it again"


def read_text(data: bytes, name: str) -> Reading:
    """Read plain text: UTF-8, UTF-16 or -32 by their marks, UTF-16 without one, else Windows-1252 or Latin-1.

    Raises:
        Unreadable: it is binary, too long, or holds next to nothing.
    """
    if len(data) > limits.TEXT_FILE_BYTES_MAX:
        size_mib = len(data) / 2**20
        raise Unreadable(f"this text file has {size_mib:.0f} MiB, far too much for an invoice", hint=_RESAVE)
    text = clean(_decode(data))
    if sum(not c.isspace() for c in text) < limits.PDF_TEXT_CHARS_MIN:
        raise Unreadable(
            "this file is empty or holds only a few characters", hint="ask the sender for the invoice again"
        )
    return Reading(name=name, media_type="text/plain", kind="text", text=text)


def clean(text: str) -> str:
    """Text fit for JSON and for rules: NFC, line ends as newlines, tabs expanded, no control characters or lone
    surrogates.

    Raises:
        Unreadable: it is longer than an invoice can be.
    """
    if len(text) > limits.TEXT_CHARS_MAX:
        raise Unreadable("this document holds far more text than an invoice", hint="a person has to look at it")
    # PDF writers sometimes leave UTF-16 pairs as two code points; joined they are a character, alone they are nothing.
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = re.sub(r"[^\S\n\f\t]", " ", text)
    text = re.sub(r"[\x00-\x08\x0b\x0e-\x1f\x7f\u00ad\u200b-\u200f\u2060\ufeff]", "", text)
    return "\n".join(line.expandtabs(8).rstrip(" ") for line in text.split("\n"))


def _decode(data: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"),
                           (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):  # fmt: skip
        if data.startswith(mark):
            return _checked(data, encoding)
    if b"\0" in data:
        # Text in UTF-16 without a mark has a zero in every second byte, nearly always on the same side.
        odd, even = data[1::2].count(0), data[0::2].count(0)
        if max(odd, even) * 2 < len(data) * 0.6 or min(odd, even) > max(odd, even) * 0.1:
            raise _binary()
        return _checked(data, "utf-16-le" if odd > even else "utf-16-be")
    try:
        return _checked(data, "utf-8")
    except Unreadable:
        pass
    # Windows-1252 leaves five bytes undefined; Latin-1 takes them, and the check below catches what is no text at all.
    try:
        return _checked(data, "cp1252")
    except Unreadable:
        return _checked(data, "latin-1")


def _checked(data: bytes, encoding: str) -> str:
    """Decode, and refuse what decodes but is no text: control characters, or letters drowned in symbols."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise _binary() from None
    controls = sum(unicodedata.category(c) in ("Cc", "Cn", "Co", "Cs") and c not in "\t\n\r\f\x1a" for c in text)
    plain = sum(c.isalnum() or c.isspace() or c in ".,:;/-+%()#&'\"*_=|@" for c in text)
    if controls > len(text) * 0.01 or plain < len(text) * 0.6:
        raise _binary()
    return text


def _binary() -> Unreadable:
    return Unreadable("this file is neither a PDF nor XML nor readable text", hint=_RESAVE)
