"""Files that cannot be read: refused with a reason that a bookkeeper understands, in little memory and time."""

from __future__ import annotations

import contextlib
import io
import random
import subprocess
import sys
from collections.abc import Callable

import pytest

from skerry.errors import TerminalError
from skerry_workflows.invoice import limits
from skerry_workflows.invoice.read import read
from skerry_workflows.invoice.unreadable import Unreadable
from tests.invoice.make_demo import COFFEE, ENGLISH, pdf


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{entities}]><Invoice>&l9;</Invoice>'.encode()


def external() -> bytes:
    return b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]><Invoice><ID>&f;</ID></Invoice>'


def encrypted() -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter()
    writer.append_pages_from_reader(PdfReader(io.BytesIO(pdf(COFFEE, ENGLISH))))
    writer.encrypt("secret", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def no_pages() -> bytes:
    from pypdf import PdfWriter

    buffer = io.BytesIO()
    PdfWriter().write(buffer)
    return buffer.getvalue()


def many_pages() -> bytes:
    from pypdf import PdfWriter

    writer = PdfWriter()
    for _ in range(limits.PDF_PAGES_MAX + 1):
        writer.add_blank_page(100, 100)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "is empty"),
    "blanks": (lambda: b" \r\n\t\xef\xbb\xbf" * 10, "is empty"),
    "zeros": (lambda: bytes(10_000), "is empty"),
    "pdf header only": (lambda: b"%PDF-1.7\n", "damaged or cut off"),
    "truncated pdf": (lambda: pdf(COFFEE, ENGLISH)[:900], "damaged or cut off"),
    "encrypted pdf": (encrypted, "protected by a password"),
    "pdf without pages": (no_pages, "no pages"),
    "pdf of many pages": (many_pages, "pages, more than"),
    "billion laughs": (laughs, "entities"),
    "billion laughs in utf-16": (lambda: laughs().decode().encode("utf-16"), "XML"),
    "external entity": (external, "entities"),
    "xml cut off": (lambda: b"<Invoice><ID>1</ID>", "damaged"),
    "xml in a wrong encoding": (lambda: b'<?xml version="1.0" encoding="UTF-8"?><Invoice>\xff</Invoice>', "damaged"),
    "deep xml": (lambda: b"<a>" * 250 + b"</a>" * 250, "too deep"),
    "deeper xml": (lambda: b"<a>" * 100_000, "damaged"),
    "other xml": (lambda: b"<note><to>you</to></note>", "not an invoice in a known syntax"),
    "invoice of another namespace": (lambda: b'<Invoice xmlns="urn:x"><ID>1</ID></Invoice>', "known syntax"),
    "simplified FatturaPA": (lambda: b'<p:FatturaElettronicaSemplificata xmlns:p="urn:fattura"/>', "FatturaPA"),
    "huge xml": (lambda: b"<a>" + b"<b/>" * (limits.XML_BYTES_MAX // 4) + b"</a>", "larger than"),
    "web page": (lambda: b"<!DOCTYPE html><html><body>Invoice</body></html>", "web page"),
    "random bytes": (lambda: random.Random(7).randbytes(50_000), "neither a PDF nor XML nor readable text"),
    "few random bytes": (lambda: random.Random(8).randbytes(64), "neither a PDF nor XML nor readable text"),
    "text of 50 MB": (lambda: b"Invoice 1, total 2.00\n" * 2_300_000, "MiB"),
    "text of 5 MB": (lambda: b"Invoice 1, total 2.00\n" * 230_000, "far too much for an invoice"),
    "long text": (lambda: b"Invoice 1, total 2.00\n" * 30_000, "far more text than an invoice"),
    "three letters": (lambda: b"abc", "only a few characters"),
    "office document": (lambda: b"PK\x03\x04" + bytes(100), "archive or an office document"),
    "signed container": (lambda: b"\x30\x82\x0b\x0f" + bytes(100), "signed container"),
    "half a character": (lambda: b"\xff\xfe" + b"\x00\xd8" * 100, "neither a PDF nor XML nor readable text"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_bad_file_is_refused_with_a_reason(name: str) -> None:
    make, reason = CASES[name]
    with pytest.raises(Unreadable) as caught:
        read(make(), "file.bin")
    assert isinstance(caught.value, TerminalError)
    assert reason in caught.value.message
    assert caught.value.hint and caught.value.hint in caught.value.message, "it says what to do"
    assert "Traceback" not in caught.value.message and len(caught.value.message) < 300


def test_an_entity_is_never_read_from_a_file() -> None:
    """Even with the declaration hidden from a search of the bytes, by UTF-16."""
    hidden = external().decode().encode("utf-16")
    with pytest.raises(Unreadable) as caught:
        read(b"\xff\xfe" + hidden.removeprefix(b"\xff\xfe"), "x.xml")
    assert "entities" in caught.value.message


def test_every_cut_of_a_pdf_is_read_or_refused() -> None:
    whole = pdf(COFFEE, ENGLISH)
    refused = 0
    for length in range(10, len(whole), 97):
        try:
            read(whole[:length], "cut.pdf")
        except Unreadable:
            refused += 1
    assert refused > 10


def test_every_broken_byte_of_a_pdf_is_read_or_refused() -> None:
    whole = bytearray(pdf(COFFEE, ENGLISH))
    draw = random.Random(3)
    read_well = 0
    for _ in range(60):
        broken = bytearray(whole)
        for _ in range(5):
            broken[draw.randrange(len(broken))] = draw.randrange(256)
        with contextlib.suppress(Unreadable):
            read_well += read(bytes(broken), "broken.pdf").kind == "pdf-text"
    assert read_well, "a PDF with a few wrong bytes is often still readable"


_LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
from skerry_workflows.invoice.read import read
from skerry_workflows.invoice.rules import extract
from skerry_workflows.invoice.unreadable import Unreadable
from skerry_workflows.invoice.verify import verify
from tests.invoice.test_bad_files import CASES, HOSTILE
for name, (make, _) in CASES.items():
    try:
        read(make(), name)
    except Unreadable:
        continue
    sys.exit(f"{name} was read")
for name, text in HOSTILE.items():
    reading = read(text.encode(), name)
    verify(extract(reading), reading)
"""

# Texts that make careless rules take the square of their length, or worse.
_SIZE = limits.TEXT_CHARS_MAX - 1_000
HOSTILE = {
    name: unit * (_SIZE // len(unit))
    for name, unit in {
        "totals": "Total 1,00\nNet 1,00\nVAT 0,00\n",
        "one long line of cells": "ab   ",
        "lines of cells": "ab   " * 390 + "\n",
        "one long line of labels": "total ",
        "rates": "19% 1,00 0,19\n",
        "tables": "Description   Amount\nabc   1,00\n",
        "half VAT ids": "DE 1 2 3 4 5 6 7 8 ",
        "half IBANs": "IBAN DE12 ",
        "labels without values": "Invoice no\n",
        "parties": "Ab\n12345 Town\niban\n",
    }.items()
}
HOSTILE["different totals"] = "".join(f"Total {n},00\nNet {n % 59},50\nVAT {n % 57},10\n" for n in range(1_300))


def test_all_of_them_within_one_gigabyte_and_twenty_seconds() -> None:
    """As the worker process runs them: limits on memory and processor time, nothing left behind by one file."""
    done = subprocess.run([sys.executable, "-c", _LIMITED], capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr[-2000:]
