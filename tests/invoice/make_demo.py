"""Draws the demo documents of the invoice workflow: python -m tests.invoice.make_demo FOLDER

Companies, people and numbers are invented; VAT ids and IBANs have valid check digits. Every run draws the
same.
"""

from __future__ import annotations

import datetime as dt
import io
import sys
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from tests.invoice.demo_xml import cii, ubl

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Company:
    """`street`, `town`: one line each; `country`: two letters; `iban` and `contact` are printed by sellers."""

    name: str
    street: str
    postcode: str
    town: str
    country: str
    vat_id: str
    iban: str = ""
    contact: str = ""


@dataclass(frozen=True)
class Item:
    name: str
    quantity: int
    price: Decimal

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.price


@dataclass(frozen=True)
class Invoice:
    """One rate of tax. `misprint` is added to the printed total, for an invoice that does not add up."""

    seller: Company
    buyer: Company
    number: str
    issued: dt.date
    due: dt.date
    currency: str
    rate: int
    items: tuple[Item, ...]
    order: str = ""
    misprint: Decimal = Decimal(0)

    @property
    def net(self) -> Decimal:
        return sum((item.amount for item in self.items), Decimal(0))

    @property
    def tax(self) -> Decimal:
        return (self.net * self.rate / 100).quantize(CENT, ROUND_HALF_UP)

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax + self.misprint


def iban(country: str, account: str) -> str:
    """An IBAN with its check digits."""
    digits = "".join(str(int(c, 36)) for c in f"{account}{country}00")
    return f"{country}{98 - int(digits) % 97:02d}{account}"


def item(name: str, quantity: int, price: str) -> Item:
    return Item(name, quantity, Decimal(price))


HARBOUR = Company(
    "Harbour Lane Coffee Ltd", "12 Harbour Lane", "BN2 9QX", "Brightwell", "GB", "GB987654353",
    iban("GB", "TEST12345612345678"), "accounts@harbourlane.example",
)  # fmt: skip
NORDLICHT = Company(
    "Nordlicht Werkzeugbau GmbH", "Hafenstraße 8", "24103", "Kielmünde", "DE", "DE987654328",
    iban("DE", "999500001234567890"), "buchhaltung@nordlicht.example",
)  # fmt: skip
MOULIN = Company(
    "Les Papiers du Val SARL", "3 rue des Tilleuls", "69007", "Valmont", "FR", "FR14987654324",
    iban("FR", "99999000011234567890142"), "compta@papiersduval.example",
)  # fmt: skip
KEIZER = Company(
    "Keizer Verlichting B.V.", "Lindegracht 41", "1015 KB", "Westerdam", "NL", "NL987654329B01",
    iban("NL", "TEST0123456789"), "administratie@keizer.example",
)  # fmt: skip
OURS = Company("Fjordblick Hotels GmbH", "Am Markt 1", "24937", "Förderstadt", "DE", "DE876543219")

COFFEE = Invoice(
    HARBOUR, OURS, "HL-2093", dt.date(2025, 3, 14), dt.date(2025, 4, 13), "GBP", 20,
    (item("House blend, whole beans, 1 kg", 24, "14.50"), item("Filter papers, box of 100", 10, "3.20"),
     item("Grinder service visit", 1, "95.00")),
)  # fmt: skip
TOOLS = Invoice(
    NORDLICHT, OURS, "2025-0318", dt.date(2025, 3, 18), dt.date(2025, 4, 17), "EUR", 19,
    (item("Türscharnier, Edelstahl", 40, "6.75"), item("Montage vor Ort (Stunde)", 6, "68.00"),
     item("Anfahrtspauschale", 1, "45.00")), "B-7731",
)  # fmt: skip
PAPER = Invoice(
    MOULIN, OURS, "FV2025-114", dt.date(2025, 2, 27), dt.date(2025, 3, 29), "EUR", 20,
    (item("Papier à en-tête, 500 feuilles", 12, "31.40"), item("Cartes de menu, vergé", 300, "0.85")), "B-7702",
)  # fmt: skip
LAMPS = Invoice(
    KEIZER, OURS, "250087", dt.date(2025, 3, 3), dt.date(2025, 4, 2), "EUR", 21,
    (item("Wandlamp Duin, messing", 18, "79.00"), item("Ledlamp E27 4 W", 60, "4.15")), "B-7699",
)  # fmt: skip
KITCHEN = Invoice(
    NORDLICHT, OURS, "2025-0322", dt.date(2025, 3, 25), dt.date(2025, 4, 24), "EUR", 19,
    (item("Edelstahlküche nach Maß, Haus 2", 1, "11850.00"), item("Lieferung und Einbau (Stunde)", 22, "72.00")),
    "B-7740",
)  # fmt: skip
WRONG = Invoice(
    HARBOUR, OURS, "HL-2107", dt.date(2025, 3, 28), dt.date(2025, 4, 27), "GBP", 20,
    (item("House blend, whole beans, 1 kg", 24, "14.50"), item("Oat drink, case of 6", 15, "9.60")),
    misprint=Decimal("90.00"),
)  # fmt: skip

ENGLISH = {
    "title": "INVOICE", "number": "Invoice number", "issued": "Invoice date", "due": "Due date", "to": "Bill to",
    "name": "Description", "quantity": "Qty", "price": "Unit price", "amount": "Amount", "net": "Subtotal",
    "tax": "VAT",
    "gross": "Total", "vat": "VAT No.", "order": "Your order",
}  # fmt: skip
GERMAN = {
    "title": "Rechnung", "number": "Rechnungsnummer", "issued": "Rechnungsdatum", "due": "Zahlbar bis",
    "to": "Rechnung an",
    "name": "Bezeichnung", "quantity": "Menge", "price": "Einzelpreis", "amount": "Gesamtpreis", "net": "Nettobetrag",
    "tax": "zzgl. MwSt.", "gross": "Rechnungsbetrag", "vat": "USt-IdNr.", "order": "Ihre Bestellung",
}  # fmt: skip
FRENCH = {
    "title": "FACTURE", "number": "Facture n°", "issued": "Date de facture", "due": "Date d'échéance",
    "to": "Facturé à",
    "name": "Désignation", "quantity": "Quantité", "price": "Prix unitaire", "amount": "Montant HT", "net": "Total HT",
    "tax": "TVA", "gross": "Total TTC", "vat": "N° TVA", "order": "Votre commande",
}  # fmt: skip


def money(amount: Decimal, words: dict[str, str]) -> str:
    text = f"{amount:,.2f}"
    if words is ENGLISH:
        return f"£{text}"
    return text.translate(str.maketrans(",.", " ," if words is FRENCH else ".,")) + " €"


def date(day: dt.date, words: dict[str, str]) -> str:
    return day.strftime({"INVOICE": "%d %B %Y", "Rechnung": "%d.%m.%Y", "FACTURE": "%d/%m/%Y"}[words["title"]])


def pdf(f: Invoice, words: dict[str, str]) -> bytes:
    """A page with a text layer."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    canvas.setTitle(f"{words['title']} {f.number}")

    def put(x: float, y: float, text: str, *, size: float = 9, bold: bool = False, right: bool = False) -> None:
        canvas.setFont("Helvetica-Bold" if bold else "Helvetica", size)
        (canvas.drawRightString if right else canvas.drawString)(x, y, text)

    put(50, 790, f.seller.name, size=15, bold=True)
    put(50, 776, f"{f.seller.street} · {f.seller.postcode} {f.seller.town}")
    put(50, 763, f"{f.seller.contact} · {words['vat']} {f.seller.vat_id}")
    canvas.line(50, 754, 545, 754)
    put(50, 720, words["to"] + ":", bold=True)
    for row, text in enumerate((f.buyer.name, f.buyer.street, f"{f.buyer.postcode} {f.buyer.town}")):
        put(50, 706 - 13 * row, text)
    put(50, 630, words["title"], size=18, bold=True)
    head = [("number", f.number), ("issued", date(f.issued, words)), ("due", date(f.due, words)), ("order", f.order)]
    for row, (label, value) in enumerate((words[k], v) for k, v in head if v):
        put(340, 720 - 14 * row, label)
        put(450, 720 - 14 * row, value)
    y = 595.0
    put(50, y, words["name"], bold=True)
    for x, label in ((340, "quantity"), (440, "price"), (545, "amount")):
        put(x, y, words[label], bold=True, right=True)
    canvas.line(50, y - 5, 545, y - 5)
    for line in f.items:
        y -= 17
        put(50, y, line.name)
        put(340, y, str(line.quantity), right=True)
        put(440, y, money(line.price, words), right=True)
        put(545, y, money(line.amount, words), right=True)
    y -= 30
    for label, amount in ((words["net"], f.net), (f"{words['tax']} {f.rate} %", f.tax), (words["gross"], f.gross)):
        put(380, y, label, bold=label == words["gross"])
        put(545, y, money(amount, words), right=True, bold=label == words["gross"])
        y -= 15
    put(50, 70, f"IBAN {f.seller.iban}", size=8)
    canvas.save()
    return buffer.getvalue()


def hybrid(f: Invoice, words: dict[str, str]) -> bytes:
    """A Factur-X PDF: the page, with the same invoice as XML inside."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter()
    writer.append_pages_from_reader(PdfReader(io.BytesIO(pdf(f, words))))
    writer.add_attachment("factur-x.xml", cii(f))
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def scan(*, empty: bool = False) -> bytes:
    """A picture of a page, as a copier makes it: a reader of text finds nothing in it, and OCR not enough."""
    from PIL import Image, ImageDraw
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    page = Image.new("L", (620, 877), 250)
    draw = ImageDraw.Draw(page)
    for row, text in enumerate(
        ("Bakery Sonnenkorn", "INVOICE 4471", "Rolls, assorted   240   96.00", "Total   102.72 EUR")
    ):
        if not empty:
            draw.text((60, 80 + 60 * row), text, fill=40)
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    canvas.drawImage(ImageReader(page.rotate(0.8, fillcolor=245)), 0, 0, *A4)
    canvas.save()
    return buffer.getvalue()


def plain_text(f: Invoice) -> str:
    """As a program prints it into a mail."""
    words = ENGLISH
    rows = [f"{i.name:<44}{i.quantity:>6}{i.price:>14,.2f}{i.amount:>16,.2f}" for i in f.items]
    totals = [("Subtotal", f.net), (f"VAT {f.rate} %", f.tax), ("Total EUR", f.gross)]
    return "\n".join((
        f"From: {f.seller.name}", f"      {f.seller.street}, {f.seller.postcode} {f.seller.town}",
        f"VAT No.: {f.seller.vat_id}", "", f"Bill to: {f.buyer.name}", f"VAT No. of customer: {f.buyer.vat_id}", "",
        f"Invoice number: {f.number}", f"Invoice date:   {date(f.issued, words)}",
        f"Due date:       {date(f.due, words)}",
        f"Your order:     {f.order}", "", f"{'Description':<44}{'Qty':>6}{'Unit price':>14}{'Amount':>16}",
        "-" * 80, *rows,
        "-" * 80, *(f"{label:<64}{amount:>16,.2f}" for label, amount in totals), "", f"IBAN: {f.seller.iban}", "",
    ))  # fmt: skip


BOOKS = """\
Tax invoice

Sold by:
Marrow & Finch Books Ltd
9 Quay Street
Norwick NR2 6TB

To:
Fjordblick Hotels GmbH
Am Markt 1
24937 Förderstadt

Issue date: 21 March 2025
Pay by: 20 April 2025
Our invoice: MF-20714
Order date: 11 March 2025

Description        Qty    Each     Line total
City guides        24     6.50     156.00
Wall calendars     10     9.00     90.00

Net amount: 246.00 GBP
VAT 20 %: 49.20 GBP
Total due: 295.20 GBP
"""
"""The rules do not know what stands before its number: that is for a model, which they only agree with."""


def documents() -> dict[str, bytes]:
    """Every demo file by its name."""
    second = Invoice(
        KEIZER, OURS, "250102", dt.date(2025, 3, 19), dt.date(2025, 4, 18), "EUR", 21,
        (item("Floor lamp Duin, brass", 4, "189.00"), item("Dimmer, white", 12, "21.50")), "B-7733",
    )  # fmt: skip
    return {
        "01-coffee.pdf": pdf(COFFEE, ENGLISH),
        "02-werkzeug.pdf": pdf(TOOLS, GERMAN),
        "03-papier-factur-x.pdf": hybrid(PAPER, FRENCH),
        "04-lamps-ubl.xml": ubl(LAMPS),
        "05-lamps.txt": plain_text(second).encode(),
        "06-werkzeug-again-ubl.xml": ubl(TOOLS),
        "07-kitchen-over-the-limit.pdf": pdf(KITCHEN, GERMAN),
        "08-coffee-does-not-add-up.pdf": pdf(WRONG, ENGLISH),
        "09-bakery-scan.pdf": scan(),
        "10-books.txt": BOOKS.encode(),
    }


if __name__ == "__main__":
    for file_name, content in documents().items():
        (Path(sys.argv[1]) / file_name).write_bytes(content)
