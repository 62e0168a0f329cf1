"""Good files: XML exactly, PDFs with and without XML inside, text in every usual encoding."""

from __future__ import annotations

import io
from decimal import Decimal

import msgspec
import pytest

from skerry_workflows.invoice.model import InvoiceFields, Reading, TaxLine
from skerry_workflows.invoice.read import read
from skerry_workflows.invoice.unreadable import Unreadable
from skerry_workflows.invoice.verify import verify
from tests.invoice.demo_xml import cii, ubl
from tests.invoice.make_demo import ENGLISH, FRENCH, LAMPS, PAPER, Invoice, hybrid, pdf
from tests.invoice.samples import FIELDS, READING, TEXT


def expected(f: Invoice) -> dict[str, object]:
    return {
        "number": f.number, "issue_date": f.issued, "due_date": f.due, "currency": f.currency,
        "seller_name": f.seller.name,
        "seller_vat_id": f.seller.vat_id, "buyer_name": f.buyer.name, "buyer_vat_id": f.buyer.vat_id,
        "purchase_order": f.order or None, "iban": (f.seller.iban,), "line_total": f.net, "net_total": f.net,
        "tax_total": f.tax, "gross_total": f.gross, "payable": f.gross,
        "tax_breakdown": (TaxLine(rate=Decimal(f.rate), basis=f.net, amount=f.tax),),
    }  # fmt: skip


@pytest.mark.parametrize(("data", "kind"), [(ubl(LAMPS), "xml-ubl"), (cii(PAPER), "xml-cii")])
def test_xml_is_read_exactly(data: bytes, kind: str) -> None:
    reading = read(data, "whatever.bin")
    assert reading.kind == kind and reading.fields is not None
    wanted = expected(LAMPS if kind == "xml-ubl" else PAPER)
    assert {name: getattr(reading.fields, name) for name in wanted} | {
        "purchase_order": wanted["purchase_order"]
    } == wanted
    items = (LAMPS if kind == "xml-ubl" else PAPER).items
    lines: list[object] = [(x.name, x.quantity, x.unit_price, x.net_amount) for x in reading.fields.lines]
    assert lines == [(i.name, i.quantity, i.price, i.amount) for i in items]
    assert verify(reading.fields, reading) == ()


def test_zugferd_1_is_the_same_invoice_in_older_words() -> None:
    older = cii(PAPER).decode()
    for new, old in (
        ("rsm:CrossIndustryInvoice ", "rsm:CrossIndustryDocument "),
        ("/rsm:CrossIndustryInvoice", "/rsm:CrossIndustryDocument"),
        ("rsm:ExchangedDocument>", "rsm:HeaderExchangedDocument>"),
        ("SupplyChainTradeTransaction", "SpecifiedSupplyChainTradeTransaction"),
        ("ApplicableHeaderTrade", "ApplicableSupplyChainTrade"), ("SettlementHeaderMonetary", "SettlementMonetary"),
        ("SettlementLineMonetary", "SettlementMonetary"), ("SpecifiedLineTrade", "SpecifiedSupplyChainTrade"),
        ("RateApplicablePercent", "ApplicablePercent"), ("ram:IssuerAssignedID", "ram:ID"),
    ):  # fmt: skip
        assert new in older
        older = older.replace(new, old)
    assert read(older.encode(), "x").fields == read(cii(PAPER), "x").fields


def test_a_credit_note_and_a_foreign_tax_total() -> None:
    text = ubl(LAMPS).decode().replace("Invoice xmlns", "CreditNote xmlns").replace("</Invoice>", "</CreditNote>")
    text = text.replace("InvoiceLine", "CreditNoteLine").replace("InvoicedQuantity", "CreditedQuantity")
    second = '<cac:TaxTotal><cbc:TaxAmount currencyID="DKK">2617.00</cbc:TaxAmount></cac:TaxTotal>'
    text = text.replace("<cac:TaxTotal>", second + "<cac:TaxTotal>", 1)
    fields = read(text.encode(), "x").fields
    assert fields is not None
    assert fields.doc_type == "credit_note" and fields.tax_total == LAMPS.tax and len(fields.lines) == 2


@pytest.mark.parametrize("wrong", ["12,50", "1e3", "NaN", "1 000", "0x10"])
def test_an_amount_that_is_none_is_not_guessed(wrong: str) -> None:
    broken = ubl(LAMPS).replace(
        f'<cbc:PayableAmount currencyID="EUR">{LAMPS.gross}'.encode(),
        f'<cbc:PayableAmount currencyID="EUR">{wrong}'.encode(),
    )
    with pytest.raises(Unreadable, match="payable amount in the XML is not a number"):
        read(broken, "x")


@pytest.mark.parametrize("wrong", ["2025-02-30", "soon", "20251"])
def test_a_date_that_is_none_is_not_guessed(wrong: str) -> None:
    broken = ubl(LAMPS).replace(f"<cbc:IssueDate>{LAMPS.issued}".encode(), f"<cbc:IssueDate>{wrong}".encode())
    with pytest.raises(Unreadable, match="issue date in the XML is not a date"):
        read(broken, "x")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_xml_in_its_declared_encoding(encoding: str) -> None:
    text = cii(PAPER).decode().replace('encoding="UTF-8"', f'encoding="{encoding}"')
    assert read(text.encode(encoding), "x").fields == read(cii(PAPER), "x").fields


def test_names_with_special_characters_are_grounded() -> None:
    data = ubl(LAMPS).replace(b"Keizer Verlichting B.V.", b"Keizer &amp; Zn &lt;Verlichting&gt; &#196;")
    reading = read(data, "x")
    assert reading.fields is not None and reading.fields.seller_name == "Keizer & Zn <Verlichting> Ä"
    assert verify(reading.fields, reading) == ()


def test_a_pdf_has_its_columns_kept() -> None:
    reading = read(pdf(LAMPS, ENGLISH), "lamp.txt")
    assert reading.kind == "pdf-text" and reading.media_type == "application/pdf" and reading.pages == 1
    assert reading.fields is None
    line = next(line for line in reading.text.splitlines() if "Wandlamp" in line)
    assert line.split("  ")[0].strip() == "Wandlamp Duin, messing" and line.rstrip().endswith("£1,422.00")


def test_xml_inside_a_pdf_counts_and_agrees_with_the_page() -> None:
    reading = read(hybrid(PAPER, FRENCH), "x.pdf")
    assert reading.kind == "pdf-hybrid" and reading.warnings == ()
    assert reading.fields == read(cii(PAPER), "x").fields
    assert "Les Papiers du Val SARL" in reading.text and "CrossIndustryInvoice" in reading.xml
    assert reading.fields is not None and verify(reading.fields, reading) == ()


def with_attachment(name: str, content: bytes) -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter()
    writer.append_pages_from_reader(PdfReader(io.BytesIO(pdf(PAPER, FRENCH))))
    writer.add_attachment(name, content)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_xml_that_says_something_else_than_the_page() -> None:
    reading = read(with_attachment("factur-x.xml", cii(PAPER).replace(str(PAPER.gross).encode(), b"1758.16")), "x.pdf")
    assert any("gross total 1758.16" in warning for warning in reading.warnings)
    assert reading.fields is not None
    assert {o.rule for o in verify(reading.fields, reading)} >= {"page"}


def test_broken_xml_inside_a_pdf_is_told_and_the_page_is_read() -> None:
    reading = read(with_attachment("factur-x.xml", b"<rsm:Cross"), "x.pdf")
    assert reading.kind == "pdf-text" and reading.fields is None
    assert "factur-x.xml cannot be used" in reading.warnings[0]


def test_other_attachments_are_passed_over() -> None:
    reading = read(with_attachment("terms.xml", b"<terms/>"), "x.pdf")
    assert reading.kind == "pdf-text" and reading.warnings == ()


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_text_in_every_usual_encoding(encoding: str) -> None:
    text = "Rechnung für Büromöbel\nBetrag: 12,00 EUR, fällig am 01.02.2024\n"
    reading = read(text.encode(encoding), "x")
    assert reading.kind == "text" and reading.text == text


def test_text_is_cleaned() -> None:
    reading = read("Invoice\tno 17\r\nTotal:\u00a0 12.00\u200b EUR  \rsecond\x0c page\n".encode(), "x")
    assert reading.text == "Invoice no 17\nTotal:  12.00 EUR\nsecond\f page\n"


def test_everything_survives_json() -> None:
    for reading in (read(hybrid(PAPER, FRENCH), "x.pdf"), READING):
        assert msgspec.json.decode(msgspec.json.encode(reading), type=Reading) == reading
    encoded = msgspec.json.encode(FIELDS)
    assert msgspec.json.decode(encoded, type=InvoiceFields) == FIELDS
    assert b'"gross_total":"178.50"' in encoded and b'"issue_date":"2024-05-17"' in encoded


def test_what_is_read_does_not_depend_on_the_name() -> None:
    named = {name: read(TEXT.encode(), name) for name in ("a.pdf", "a.xml", "a")}
    assert len({msgspec.structs.replace(reading, name="").text for reading in named.values()}) == 1
    assert read(cii(PAPER), "a.pdf").kind == "xml-cii"
