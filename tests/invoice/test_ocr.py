"""Pictures to text: the geometry without Tesseract, and the whole way with it, where it is installed."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.core import wire
from skerry.core.types import Blob
from skerry_workers.sandbox import Sandbox, Sandboxed
from skerry_workflows.invoice import limits
from skerry_workflows.invoice.model import InvoiceFields, Reading, Word
from skerry_workflows.invoice.ocr import Missing, recognise, tesseract
from skerry_workflows.invoice.ocr.agree import UNSURE, agreed
from skerry_workflows.invoice.ocr.layout import lay_out
from skerry_workflows.invoice.ocr.tesseract import Read
from skerry_workflows.invoice.read import read, read_all, read_picture
from skerry_workflows.invoice.rules import extract
from skerry_workflows.invoice.unreadable import Unreadable
from skerry_workflows.invoice.verify import read_surely, verify
from skerry_workflows.invoice.workflow import recognise_document
from tests.invoice.make_demo import COFFEE, ENGLISH, GERMAN, TOOLS, pdf, scan
from tests.invoice.samples import FIELDS, READING, ocr_installed
from tests.invoice.synthetic import classic, invoice

PIXELS_A_CHARACTER = 10


def reads(*rows: str, confidence: float = 95.0) -> list[Read]:
    """The words of a page of a typewriter, 10 pixels a character and 30 a row."""
    found: list[Read] = []
    for number, row in enumerate(rows):
        at = 0
        for word in row.split(" "):
            if word:
                box = (at * PIXELS_A_CHARACTER, number * 30, len(word) * PIXELS_A_CHARACTER, 16)
                found.append(Read(word, *box, confidence, (1, 1, number)))
            at += len(word) + 1
    return found


def text_of(*rows: str) -> str:
    return lay_out(reads(*rows), 0, 1000, 1000)[0]


def test_columns_are_kept_and_blanks_within_them() -> None:
    assert text_of("Name     Amount", "Oak board     12.00") == "Name     Amount\nOak board     12.00\n"
    assert text_of("One two  three") == "One two  three\n"


def test_what_stands_beside_each_other_is_one_line_whatever_block_it_is_in() -> None:
    left, right = reads("Total"), [r._replace(line=(2, 1, 1), left=400, top=3) for r in reads("12.00")]
    assert lay_out([*left, *right], 0, 1000, 1000)[0] == "Total" + " " * 35 + "12.00\n"


def test_a_title_beside_two_lines_joins_none_of_them() -> None:
    tall = Read("INVOICE", 600, 0, 300, 46, 95.0, (2, 1, 1))
    text, _ = lay_out([*reads("Ada Print", "ada@print.example"), tall], 0, 1000, 1000)
    assert [line.split() for line in text.split("\n") if line] == [["Ada", "Print"], ["INVOICE"], ["ada@print.example"]]


def test_lines_of_tables_and_dirt_are_left_out_and_bullets_are_bullets() -> None:
    assert text_of("|Total  [12.00]  __").split() == ["Total", "12.00"]
    dirt = [r._replace(confidence=20.0) for r in reads(".,")]
    assert lay_out(dirt, 0, 1000, 1000) == ("", [])
    assert "•" in text_of("Ada Print   e   Mill Lane 4   e   12345 Norwick")
    assert "•" not in text_of("Ada e figli")


def test_an_empty_line_is_kept() -> None:
    assert text_of("a1", "", "", "b2").count("\n\n") == 1


@given(st.lists(st.text("ab1 |.", max_size=30), max_size=8), st.integers(0, 500))
def test_every_word_is_where_it_says(rows: list[str], begin: int) -> None:
    text, words = lay_out(reads(*rows), 0, 1000, 1000, begin)
    assert [w.start for w in words] == sorted(w.start for w in words)
    for word in words:
        shown = text[word.start - begin : word.end - begin]
        assert shown and not any(c.isspace() for c in shown)
    assert sum(not c.isspace() for c in text) == sum(w.end - w.start for w in words)


def test_two_readings_that_agree_are_sure_though_they_split_words_otherwise() -> None:
    first, second = reads("RE-2024 17"), reads("RE-2024 17")
    assert agreed(first, second) == first
    joined = [second[0]._replace(text="RE-202417", width=100)]
    assert agreed(first, joined) == first


def test_two_readings_that_differ_are_unsure_and_the_surer_one_is_taken() -> None:
    right, wrong = reads("571.04"), reads("577.04", confidence=60.0)
    for one, other in ((right, wrong), (wrong, right)):
        assert [(r.text, r.confidence) for r in agreed(one, other)] == [("571.04", UNSURE)]


def test_what_only_one_has_read_is_unsure_and_what_only_the_second_guesses_is_left_out() -> None:
    assert [r.confidence for r in agreed(reads("12.00"), [])] == [UNSURE]
    assert [r.confidence for r in agreed([], reads("12.00"))] == [UNSURE]
    assert agreed([], reads("12.00", confidence=40.0)) == []


@given(st.lists(st.text("ab ", max_size=20), max_size=5), st.lists(st.text("ab ", max_size=20), max_size=5))
def test_no_word_is_there_twice(first: list[str], second: list[str]) -> None:
    words = agreed(reads(*first), reads(*second))
    assert len({(w.left, w.top, w.text) for w in words}) == len(words)
    assert agreed(reads(*first), reads(*first)) == reads(*first)


# --- what is accepted -----------------------------------------------------------------------------------------------


@pytest.fixture
def surely() -> Reading:
    text, words, at = READING.text, list[Word](), 0
    for word in text.split():
        at = text.index(word, at)
        words.append(Word(at, at + len(word), 90, 0, 0, 0, 0, 0))
        at += len(word)
    return msgspec.structs.replace(READING, kind="image", words=tuple(words))


def unsure(reading: Reading, word: str) -> Reading:
    at = reading.text.index(word)
    changed = (msgspec.structs.replace(w, confidence=UNSURE) if w.start == at else w for w in reading.words)
    return msgspec.structs.replace(reading, words=tuple(changed))


def test_what_was_read_alike_twice_is_accepted(surely: Reading) -> None:
    assert verify(FIELDS, surely) == ()
    assert list(read_surely(FIELDS, unsure(surely, "Posters,"))) == [], "nothing is paid by that"


@pytest.mark.parametrize(
    ("word", "field"), [("AP-1041", "number"), ("EUR", "currency"), ("17", "issue_date"), ("DE78", "iban")]
)
def test_a_value_that_is_hard_to_read_is_for_a_person(surely: Reading, word: str, field: str) -> None:
    assert [(o.rule, o.fields) for o in verify(FIELDS, unsure(surely, word))] == [("ocr", (field,))]


@pytest.mark.parametrize("word", ["150.00", "28.50", "178.50"])
def test_the_sum_tells_an_amount_that_is_hard_to_read(surely: Reading, word: str) -> None:
    assert verify(FIELDS, unsure(surely, word)) == ()


def test_of_two_such_amounts_the_sum_tells_none(surely: Reading) -> None:
    reading = unsure(unsure(surely, "28.50"), "178.50")
    assert [(o.rule, o.fields) for o in verify(FIELDS, reading)] == [("ocr", ("tax_total",)), ("ocr", ("gross_total",))]


def test_a_sum_that_is_a_cent_off_tells_nothing(surely: Reading) -> None:
    text = surely.text.replace("178.50", "178.51")
    reading = unsure(msgspec.structs.replace(surely, text=text), "178.51")
    fields = msgspec.structs.replace(FIELDS, gross_total=Decimal("178.51"))
    assert [(o.rule, o.fields) for o in verify(fields, reading)] == [("ocr", ("gross_total",))]


def test_a_sign_of_the_currency_that_was_read_surely_elsewhere_is_enough(surely: Reading) -> None:
    text = surely.text + "EUR"
    both = (*surely.words, Word(len(text) - 3, len(text), 90, 0, 0, 0, 0, 0))
    reading = msgspec.structs.replace(surely, text=text, words=both)
    assert verify(FIELDS, unsure(reading, "EUR")) == ()


def test_a_letter_that_looks_like_a_digit_is_for_a_person(surely: Reading) -> None:
    text = surely.text.replace("AP-1041", "AP-1O41")
    fields = msgspec.structs.replace(FIELDS, number="AP-1O41")
    assert [o.rule for o in verify(fields, msgspec.structs.replace(surely, text=text))] == ["ocr"]


# --- what is missing, what is damaged -------------------------------------------------------------------------------


@pytest.fixture
def without_tesseract(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def nothing(names: tuple[str, ...]) -> None:
        del names

    for library in (tesseract._tesseract, tesseract._leptonica):
        library.cache_clear()
    monkeypatch.setattr(tesseract, "_load", nothing)
    yield
    for library in (tesseract._tesseract, tesseract._leptonica):
        library.cache_clear()


@pytest.mark.usefixtures("without_tesseract")
def test_without_tesseract_a_person_is_told_how_to_install_it() -> None:
    assert read(picture(), "scan.png").is_picture, "what it is, is known without"
    with pytest.raises(Missing, match=r"Tesseract is not installed.*apt install tesseract-ocr"):
        read_picture(picture(), "scan.png")


WITH_TESSERACT = pytest.mark.skipif(
    not ocr_installed(), reason="Tesseract with English, or pypdfium2, is not installed"
)


def test_a_scan_is_a_picture() -> None:
    reading = read(scan(), "scan.pdf")
    assert reading.is_picture and reading.pages == 1


def hidden_text() -> bytes:
    """A page whose text is there but not shown, as scanners with an OCR of their own make it."""
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1)
    text = canvas.beginText(50, 700)
    text.setTextRenderMode(3)
    for line in ("Invoice number: AP-1041", "Invoice date: 17 May 2024", "Total EUR  178.50"):
        text.textLine(line)
    canvas.drawText(text)
    canvas.save()
    return buffer.getvalue()


def test_text_that_a_scanner_has_hidden_behind_its_picture_is_not_believed() -> None:
    assert read(hidden_text(), "scan.pdf").is_picture


# --- with Tesseract -------------------------------------------------------------------------------------------------


def picture(data: bytes = b"", dots_per_inch: int = 150) -> bytes:
    """A page as a PNG file."""
    pdfium = pytest.importorskip("pypdfium2")
    pytest.importorskip("PIL")
    buffer = io.BytesIO()
    page = pdfium.PdfDocument(data or pdf(COFFEE, ENGLISH))[0]
    page.render(scale=dots_per_inch / 72, grayscale=True).to_pil().save(buffer, "PNG")
    return buffer.getvalue()


def pictured(data: bytes) -> bytes:
    """A PDF whose only page is a picture."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    canvas.drawImage(ImageReader(io.BytesIO(data)), 0, 0, *A4)
    canvas.save()
    return buffer.getvalue()


HEAD = ("number", "issue_date", "currency", "seller_name", "net_total", "tax_total", "gross_total")


def head(fields: InvoiceFields) -> list[object]:
    return [getattr(fields, name) for name in HEAD]


@WITH_TESSERACT
@pytest.mark.parametrize("as_pdf", [False, True], ids=["png", "scanned pdf"])
def test_a_picture_of_an_invoice_is_the_invoice(as_pdf: bool) -> None:
    data = picture(pdf(TOOLS, GERMAN))
    reading = read_all(pictured(data) if as_pdf else data, "scan")
    assert reading.kind == "image" and not reading.is_picture and reading.words
    assert reading.media_type == ("application/pdf" if as_pdf else "image/png")
    fields = extract(reading)
    assert head(fields) == head(extract(read(pdf(TOOLS, GERMAN), "page.pdf")))
    assert all(reading.text[w.start : w.end].strip() == reading.text[w.start : w.end] for w in reading.words)
    assert all(0 <= w.left <= 1000 and 0 <= w.top <= 1000 and 0 <= w.confidence <= 100 for w in reading.words)


@WITH_TESSERACT
@pytest.mark.parametrize("degrees", [90, 180])
def test_a_page_that_lies_on_its_side_is_turned(degrees: int) -> None:
    image: Any = pytest.importorskip("PIL.Image")
    buffer = io.BytesIO()
    upright = image.open(io.BytesIO(picture(pdf(TOOLS, GERMAN))))
    upright.rotate(degrees + 1, expand=True, fillcolor=255).save(buffer, "JPEG")
    fields = extract(read_all(buffer.getvalue(), "photo.jpg"))
    assert (fields.number, fields.gross_total) == (TOOLS.number, TOOLS.gross)


@WITH_TESSERACT
def test_what_is_accepted_of_pictures_is_right() -> None:
    accepted = 0
    for f in map(invoice, range(3)):
        for dots_per_inch in (60, 110):
            reading = read_all(picture(classic(f).pdf(), dots_per_inch), "scan.png")
            fields = extract(reading)
            if not verify(fields, reading):
                accepted += 1
                right = (f.number, f.issued, f.locale.currency, f.seller.name, f.net, f.tax, f.gross)
                assert head(fields) == list(right)
    assert accepted


@WITH_TESSERACT
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "damaged"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "damaged"),
        (b"II*\0" + bytes(100), "damaged"),
        (b"P5\n200 200\n255\n" + b"\xff" * 40_000, "no text can be made out"),
        (b"P5\n30000 30000\n255\n" + bytes(100), "pixels, more than"),
        (b"%PDF-1.7\nnothing", "cannot be drawn"),
    ],
)
def test_what_no_ocr_can_read_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        recognise(data, "scan")


def tiff(order: Literal["<", ">"], pages: int, side: int = 200) -> bytes:
    """White pages, in either order of bytes (TIFF 6.0, section 2)."""
    pixels = b"\xff" * (side * side)
    data = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8 + len(pixels)) + pixels
    # Width, height, bits, no compression, 0 is black, where the pixels are, samples, rows a strip, bytes a strip.
    tags = {256: side, 257: side, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: side, 279: len(pixels)}
    for page in range(1, pages + 1):
        after = len(data) + 2 + 12 * len(tags) + 4
        data += struct.pack(f"{order}H", len(tags))
        data += b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in tags.items())
        data += struct.pack(f"{order}I", after if page < pages else 0)
    return data


@WITH_TESSERACT
@pytest.mark.parametrize("order", ["<", ">"])
def test_no_page_of_a_tiff_file_is_passed_over(order: Literal["<", ">"]) -> None:
    with pytest.raises(Unreadable, match="several pages"):
        read_picture(tiff(order, 2), "scan.tiff")
    with pytest.raises(Unreadable, match="no text can be made out"):
        read_picture(tiff(order, 1), "scan.tiff")


@WITH_TESSERACT
def test_a_pdf_of_many_pictures_is_for_a_person() -> None:
    from pypdf import PdfWriter

    writer, buffer = PdfWriter(), io.BytesIO()
    for _ in range(limits.OCR_PAGES_MAX + 1):
        writer.add_blank_page(100, 100)
    writer.write(buffer)
    with pytest.raises(Unreadable, match="more than the"):
        recognise(buffer.getvalue(), "scan.pdf")


@WITH_TESSERACT
async def test_it_works_in_the_sandbox_which_starts_no_programs() -> None:
    data = picture(pdf(TOOLS, GERMAN))
    blob = Blob(sha256="0" * 64, size=len(data), name="scan.png")
    task = wire.Task(
        run="edge1-01", step="1", attempt=1, workflow="invoice", kind="call", target=recognise_document.name,
        size="rules", key="k",
    )  # fmt: skip
    assert recognise_document.limits is not None
    arguments = msgspec.json.encode({"document": blob})
    sandbox = Sandbox(("skerry_workflows.invoice.workflow",), "rules", 1)
    try:
        answer = await sandbox.run(Sandboxed(task, "reading", recognise_document.limits, arguments, [(blob, data)]))
    finally:
        await sandbox.close()
    reading = msgspec.json.decode(answer, type=Reading)
    assert TOOLS.number in reading.text


def test_naming_the_workflow_loads_no_ocr() -> None:
    loaded = "print([m for m in sys.modules if '.ocr' in m or 'pdfium' in m])"
    code = f"import sys, skerry_workflows.invoice.workflow; {loaded}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
