"""The rules on made-up invoices of many layouts and languages: what is accepted is right, and most is accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import pytest

from skerry_workflows.invoice.model import InvoiceFields, Reading
from skerry_workflows.invoice.read import read
from skerry_workflows.invoice.rules import extract
from skerry_workflows.invoice.verify import HEADLINE, verify
from tests.invoice.samples import FIELDS, READING, changed
from tests.invoice.synthetic import (
    LAYOUTS,
    Facts,
    Sheet,
    bare,
    buyer_first,
    classic,
    columns,
    corrected,
    discounted,
    freelancer,
    inline,
    invoice,
    noisy,
    paid,
    two_currencies,
    two_parties,
    window,
)

SEEDS = range(28)
# Nothing on these says who the seller is, what the net total is, or which currency counts: a person must.
FOR_A_PERSON = (bare, freelancer, discounted, two_currencies)
CLEAR = (classic, window, two_parties, buyer_first, inline, noisy, columns, paid, corrected)


def read_text(text: str) -> InvoiceFields:
    return extract(Reading(name="x", media_type="text/plain", kind="text", text=text))


def wrong(f: Facts, fields: InvoiceFields) -> list[str]:
    """The names of fields that are filled in, wrongly."""
    truth: dict[str, object] = {
        "number": f.number, "issue_date": f.issued, "due_date": f.due, "currency": f.locale.currency, "iban": (f.iban,),
        "seller_name": f.seller.name, "seller_vat_id": f.seller.vat_id, "buyer_name": f.buyer.name,
        "net_total": f.net, "tax_total": f.tax, "gross_total": f.gross,
    }  # fmt: skip
    found = [name for name, value in truth.items() if getattr(fields, name) not in (None, (), value)]
    lines: list[object] = [(x.name, x.quantity, x.unit_price, x.net_amount) for x in fields.lines]
    return found + (["lines"] if lines != [(i.name, i.quantity, i.price, i.amount) for i in f.items] else [])


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_nothing_wrong_is_accepted(layout: Callable[[Facts], Sheet]) -> None:
    accepted = 0
    for seed in SEEDS:
        f = invoice(seed)
        reading = read(layout(f).text().encode(), "x.txt")
        fields = extract(reading)
        if not verify(fields, reading):
            accepted += 1
            assert wrong(f, fields) == [], f"seed {seed}"
    assert accepted == (0 if layout in FOR_A_PERSON else len(SEEDS))


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_nothing_wrong_is_accepted_from_a_pdf(layout: Callable[[Facts], Sheet]) -> None:
    accepted: Counter[bool] = Counter()
    for seed in range(7):
        f = invoice(seed)
        reading = read(layout(f).pdf(), "x.pdf")
        fields = extract(reading)
        if not verify(fields, reading):
            assert wrong(f, fields) == [], f"seed {seed}"
        accepted[not verify(fields, reading)] += 1
    assert accepted == ({False: 7} if layout in FOR_A_PERSON else {True: 7})


def test_the_layouts_are_all_of_them() -> None:
    assert {*CLEAR, *FOR_A_PERSON} == set(LAYOUTS)


def test_a_plain_invoice_completely() -> None:
    assert extract(READING) == changed(payable=FIELDS.gross_total)
    assert verify(FIELDS, READING) == ()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Invoice number: 17-A", "17-A"),
        ("Invoice No. INV 2024-17", "INV 2024-17"),
        ("Rechnung Nr. 4711 vom 03.05.2024", "4711"),
        ("Rechnungs-Nr.: RE/2024/9", "RE/2024/9"),
        ("N° de facture : F-221", "F-221"),
        ("Facture F-221 du 3 mars 2024", "F-221"),
        ("Factura nº 00412", "00412"),
        ("Fattura n. 12/B del 03/05/2024", "12/B"),
        ("Factuurnummer    2024.0031", "2024.0031"),
        ("Credit note number: CN-8", "CN-8"),
        ("INVOICE\n# 90210", "90210"),
        ("Invoice Number    Date\n55-7             3 May 2024", "55-7"),
        ("Invoice date: 3.5.2024", None),
        ("Invoice number: 17-A\nInvoice number: 18-A", None),
        ("Invoice 2024", None),
        ("Invoice of 03.05.2024", None),
        ("Customer number: 17", None),
        ("Original invoice number: 16-A", None),
        ("Invoice for 30 days", None),
    ],
)
def test_numbers(text: str, number: str | None) -> None:
    assert read_text(text).number == number


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Invoice date: 2024-05-03", "2024-05-03"),
        ("Datum: 3. Mai 2024", "2024-05-03"),
        ("Rechnung Nr. 4711 vom 03.05.2024", "2024-05-03"),
        ("Facture\nDate : 03/05/2024", "2024-05-03"),
        ("Invoice date: 03/05/2024", "None"),
        ("Invoice date: 03/05/2024\nTotal £4.00", "2024-05-03"),
        ("Invoice date: 03/05/2024\nDelivered 17/04/2024", "2024-05-03"),
        ("Invoice date: 03/05/2024\nDelivered 04/17/2024", "2024-03-05"),
        ("Date of delivery: 2024-05-03", "None"),
        ("Invoice date: 2024-05-03\nInvoice date: 2024-05-04", "None"),
        ("Order date: 2024-05-03", "None"),
        # A column of dates in a table of work or of payments says nothing about the invoice's.
        ("Invoice no: 17-A\nDate          Work       Amount\n2024-05-03    Oiling     12.00", "None"),
        ("Payment       Date        Amount\nTransfer      2024-05-03  12.00", "None"),
        ("Invoice no    Date\n17-A          2024-05-03", "2024-05-03"),
    ],
)
def test_issue_dates(text: str, day: str) -> None:
    assert str(read_text(text).issue_date) == day


@pytest.mark.parametrize(
    ("text", "totals"),
    [
        ("Net 100.00\nVAT 20.00\nTotal 120.00", ("100.00", "20.00", "120.00")),
        ("Subtotal 120.00\nTotal excl. VAT 100.00\nVAT 20% 20.00\nTotal 120.00", ("100.00", "20.00", "120.00")),
        ("Nettobetrag 100,00 EUR\nzzgl. 19% MwSt. 19,00 EUR\nGesamtbetrag 119,00 EUR", ("100.00", "19.00", "119.00")),
        ("Total HT 1 000,00\nTVA 20 % 200,00\nTotal TTC 1 200,00", ("1000.00", "200.00", "1200.00")),
        ("Imponibile 100,00\nIVA 22% 22,00\nTotale fattura 122,00", ("100.00", "22.00", "122.00")),
        ("Totaal excl. BTW € 100,00\n21% BTW € 21,00\nTe betalen € 121,00", ("100.00", "21.00", "121.00")),
        ("Base imponible 100,00\nIVA 21% 21,00\nTotal a pagar 121,00", ("100.00", "21.00", "121.00")),
        ("Net 100.00\nVAT 20.00\nTotal 125.00", ("100.00", "20.00", "125.00")),
        ("Total 120.00\nTotal 130.00", (None, None, None)),
        ("Total cleaning 120.00", (None, None, None)),
        # Two sections with totals of their own: what adds up is a part of the invoice only.
        ("Net 100.00\nVAT 20.00\nTotal 120.00\nNet 50.00\nVAT 10.00\nTotal 60.00\nGrand total 180.00", (None,) * 3),
        ("Net 100.00\nVAT 7% 3.50\nVAT 20% 10.00\nTotal 113.50", ("100.00", "13.50", "113.50")),
    ],
)  # fmt: skip
def test_totals(text: str, totals: tuple[str | None, ...]) -> None:
    fields = read_text(text)
    found = (fields.net_total, fields.tax_total, fields.gross_total)
    assert found == tuple(None if t is None else Decimal(t) for t in totals)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("Total 12.00 EUR", "EUR"),
        ("Total: £12.00", "GBP"),
        ("Currency: SEK\nTotal 12,00", "SEK"),
        ("Total $12.00", "USD"),
        ("Total $12.00 incl. GST", None),
        ("Total $12.00, Toronto, Canada", None),
        ("Total €12.00 (CHF 11.50)", None),
        ("Total 12.00", None),
        ("Total 12,00 kr", None),
        ("Amount CHF\n12.00", "CHF"),
    ],
)
def test_currencies(text: str, currency: str | None) -> None:
    assert read_text(text).currency == currency


@pytest.mark.parametrize(
    ("text", "doc_type"),
    [
        ("INVOICE 12", "invoice"),
        ("CREDIT NOTE 12\nfor invoice 11", "credit_note"),
        ("Gutschrift 12", "credit_note"),
        ("Receipt", "receipt"),
        ("Invoice 12\nA credit note is issued on return of the goods within ten days.", "invoice"),
    ],
)
def test_kinds_of_document(text: str, doc_type: str) -> None:
    assert read_text(text).doc_type == doc_type


def test_a_credit_note_printed_with_minus_signs_is_positive() -> None:
    fields = read_text("Gutschrift 12\nNettobetrag -100,00\nMwSt. 19% -19,00\nGesamtbetrag -119,00")
    assert (fields.net_total, fields.tax_total, fields.gross_total) == (Decimal(100), Decimal(19), Decimal(119))


def test_headline_accuracy_over_all_layouts() -> None:
    """Also of what goes to a person, most fields are there: correcting one is quicker than typing seven."""
    hits: Counter[str] = Counter()
    for layout in LAYOUTS:
        for seed in SEEDS:
            f = invoice(seed)
            fields = read_text(layout(f).text())
            hits.update(name for name in HEADLINE if getattr(fields, name) is not None)
    total = len(LAYOUTS) * len(SEEDS)
    assert {name for name in HEADLINE if hits[name] < 0.84 * total} == set()


@pytest.mark.parametrize(
    ("text", "seller"),
    [
        ("Seller: Alder Print", "Alder Print"),
        ("From: Alder Print\n      Mill Lane 4, 12345 Norwick", "Alder Print"),
        ("From: Alder Print Ltd", "Alder Print Ltd"),
        ("From: Hamburg\nTo: Berlin", None),
        ("Alder Print · Mill Lane 4 · 12345 Norwick", "Alder Print"),
        ("Bill to:\nAlder Print GmbH\nMill Lane 4\n12345 Norwick", None),
        ("Alder Print GmbH\nMill Lane 4\n12345 Norwick", None),
        ("Alder Print GmbH\nMill Lane 4\n12345 Norwick\nIBAN DE78999500001234567890", "Alder Print GmbH"),
        ("Sparkasse Norwick\nMill Lane 4\n12345 Norwick\nIBAN DE78999500001234567890", None),
        ("Bankverbindung\nAlder\n12345 Norwick\nIBAN DE78999500001234567890", None),
        ("Seller: Alder Print\nSeller: Birkholm Papier", None),
        (
            "Our general terms apply here.\nAlder Print Ltd\nMill Lane 4\n12345 Norwick\nIBAN x\nBill to: B",
            "Alder Print Ltd",
        ),
        ("Verkoopfactuur\nKerkstraat 3\n1015 KB Westdam\nIBAN x\nFactuuradres: B", None),
    ],
)
def test_sellers(text: str, seller: str | None) -> None:
    assert read_text(text).seller_name == seller


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("VAT No: DE987654328", ("DE987654328", None)),
        ("USt-IdNr. DE 987 654 328", ("DE987654328", None)),
        ("Customer VAT number: FR14987654324", (None, "FR14987654324")),
        ("N° TVA client       FR14987654324\nTVA : DE987654328", ("DE987654328", "FR14987654324")),
        ("Bill to:\nAlder GmbH\n12345 Norwick\nVAT: FR14987654324", (None, "FR14987654324")),
        ("VAT: DE987654328\nVAT: FR14987654324", (None, None)),
        ("VAT: DE987654320", ("DE987654320", None)),
        ("Article DE987654320", (None, None)),
        ("IBAN DE78999500001234567890", (None, None)),
    ],
)
def test_vat_ids_and_whose_they_are(text: str, pair: tuple[str | None, str | None]) -> None:
    fields = read_text(text)
    assert (fields.seller_vat_id, fields.buyer_vat_id) == pair


@pytest.mark.parametrize(
    "title", ["PROFORMA INVOICE", "Quotation", "Mahnung", "2. Mahnung", "Angebot", "Devis", "Payment reminder"]
)
def test_what_only_looks_like_an_invoice_is_for_a_person(title: str) -> None:
    reading = Reading(name="x", media_type="text/plain", kind="text", text=f"{title}\n\n{READING.text}")
    assert {o.rule for o in verify(extract(reading), reading)} == {"kind"}


@pytest.mark.parametrize(
    "line", ["Angebot Nr. 17 vom 03.05.2024", "Quote: Q-17", "Delivery note    LS-9", "Estimate 12"]
)
def test_a_reference_to_another_paper_is_none(line: str) -> None:
    reading = Reading(name="x", media_type="text/plain", kind="text", text=f"{line}\n\n{READING.text}")
    assert verify(extract(reading), reading) == ()
