"""The way in: the bytes of an untrusted file to a `Reading`.

What a file is, is decided by its content; its name only appears in messages. Call it in a process with limits on
memory and time: every bound that is known is checked here, but parsers have bugs.
"""

from __future__ import annotations

from collections.abc import Callable

from skerry_workflows.invoice import limits
from skerry_workflows.invoice.model import Reading
from skerry_workflows.invoice.unreadable import Unreadable

_IMAGES = {
    b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff", b"BM": "image/bmp",
}  # fmt: skip


def read(data: bytes, name: str) -> Reading:
    """Read an invoice file of any supported kind. A picture, or a scan, is not read yet: `read_picture` does that.

    Raises:
        Unreadable: for every file that cannot be read, whatever is wrong with it; the message is for a bookkeeper.
    """
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise Unreadable("this file is empty", hint="ask the sender for the invoice again")
    if len(data) > limits.FILE_BYTES_MAX:
        size_mib, limit_mib = len(data) / 2**20, limits.FILE_BYTES_MAX // 2**20
        raise Unreadable(
            f"this file has {size_mib:.0f} MiB, more than the {limit_mib} MiB that are opened",
            hint="send the invoice alone, without the rest of the file",
        )
    return _bounded(_read_known, data, name)


def read_picture(data: bytes, name: str) -> Reading:
    """As `read`, by OCR, for what `read` found to be a picture; takes some seconds a page."""
    from skerry_workflows.invoice.ocr import recognise

    media_type = _image_type(data) or "application/pdf"
    return _bounded(lambda data, name: recognise(data, name, media_type), data, name)


def read_all(data: bytes, name: str) -> Reading:
    """`read`, and `read_picture` where it is one."""
    reading = read(data, name)
    return read_picture(data, name) if reading.is_picture else reading


def _bounded(reader: Callable[[bytes, str], Reading], data: bytes, name: str) -> Reading:
    try:
        return reader(data, name)
    except MemoryError:
        raise Unreadable("this file needs more memory than a file may use", hint="a person has to look at it") from None
    except RecursionError:
        raise Unreadable("this file is nested too deeply", hint="a person has to look at it") from None


def _read_known(data: bytes, name: str) -> Reading:
    # Each parser is imported when it is needed: a process that reads one text file should not pay for a PDF library.
    if b"%PDF-" in data[: limits.PDF_HEADER_WITHIN_BYTES]:
        from skerry_workflows.invoice.read_pdf import read_pdf

        return read_pdf(data, name)
    media_type = _image_type(data)
    if media_type:
        return Reading(name=name, media_type=media_type, kind="image", text="")
    _refuse_known_binaries(data)
    if _looks_like_xml(data):
        from skerry_workflows.invoice.read_xml import read_xml

        return read_xml(data, name)
    from skerry_workflows.invoice.read_text import read_text

    return read_text(data, name)


def _image_type(data: bytes) -> str:
    return next(
        (m for magic, m in _IMAGES.items() if data.startswith(magic) and (magic != b"BM" or b"\0" in data[:32])), ""
    )


def _refuse_known_binaries(data: bytes) -> None:
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")):
        raise Unreadable("this is an archive or an office document", hint="unpack it, or save it as PDF, and send that")
    if data.startswith((b"\x30\x80", b"\x30\x82", b"\x30\x83")):
        raise Unreadable("this is a signed container (.p7m)", hint="take the signed file out of it and send that")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable("this is an old office document or mail", hint="save it as PDF and send that")


def _looks_like_xml(data: bytes) -> bool:
    """XML begins with "<", after marks and blanks; UTF-16 has a zero on one side of it. HTML is refused here."""
    head = data[:512].lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").replace(b"\0", b"")
    if head[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise Unreadable("this is a web page", hint="print it to PDF and send that")
    return (head.startswith(b"<") and head[1:2].isalpha()) or head.startswith((b"<?", b"<!"))
