"""Invoices that are made up here, in several languages and layouts, with the right answers known.

`invoice(seed)` draws the facts, `LAYOUTS` place them on a sheet, `Sheet` turns that into text or a PDF. Companies,
people, numbers and amounts are invented; VAT ids and IBANs have valid check digits.
"""

from __future__ import annotations

import datetime as dt
import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Locale:
    """The words of one language; `date` is a strftime format, "{d} {month} {y}" style words come from `months`."""

    code: str
    currency: str
    symbol: str
    mark: str
    group: str
    date: str
    rates: tuple[int, ...]
    words: dict[str, str]
    months: tuple[str, ...] = ()


def _words(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split("|"))
    return {key.strip(): value.strip() for key, _, value in pairs}


_MONTHS_EN = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
              "November", "December")  # fmt: skip
_MONTHS_ES = ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
              "noviembre", "diciembre")  # fmt: skip

LOCALES = (
    Locale(
        "en", "GBP", "£", ".", ",", "%d/%m/%Y", (20,),
        _words(
            """
            title=INVOICE | number=Invoice number | date=Invoice date | due=Due date | to=Bill to | from=From |
            name=Description | qty=Qty | price=Unit price | amount=Amount | net=Subtotal | tax=VAT | gross=Total |
            vat=VAT No | customer=Customer number | order=Your order
            """
        ),
    ),
    Locale(
        "us", "USD", "US$", ".", ",", "{month} {d}, {y}", (0,),
        _words(
            """
            title=Invoice | number=Invoice # | date=Date | due=Payment due | to=Billed To | from=From | name=Item |
            qty=Quantity | price=Rate | amount=Amount | net=Sub Total | tax=Sales tax | gross=Total | vat=Tax ID |
            customer=Account | order=PO Number
            """
        ),
        _MONTHS_EN,
    ),
    Locale(
        "de", "EUR", "€", ",", ".", "%d.%m.%Y", (19, 7),
        _words(
            """
            title=Rechnung | number=Rechnungsnummer | date=Rechnungsdatum | due=Fällig am | to=Rechnungsempfänger |
            from=Absender | name=Bezeichnung | qty=Menge | price=Einzelpreis | amount=Gesamtpreis | net=Nettobetrag |
            tax=MwSt. | gross=Rechnungsbetrag | vat=USt-IdNr. | customer=Kundennummer | order=Ihre Bestellung
            """
        ),
    ),
    Locale(
        "fr", "EUR", "€", ",", " ", "%d/%m/%Y", (20, 10),
        _words(
            """
            title=FACTURE | number=Facture n° | date=Date de facture | due=Date d'échéance | to=Facturé à |
            from=Émetteur | name=Désignation | qty=Quantité | price=Prix unitaire | amount=Montant HT | net=Total HT |
            tax=TVA | gross=Total TTC | vat=N° TVA | customer=N° client | order=Votre commande
            """
        ),
    ),
    Locale(
        "es", "EUR", "€", ",", ".", "{d} de {month} de {y}", (21,),
        _words(
            """
            title=FACTURA | number=Número de factura | date=Fecha de emisión | due=Fecha de vencimiento | to=Cliente |
            from=Emisor | name=Concepto | qty=Cantidad | price=Precio | amount=Importe | net=Base imponible |
            tax=IVA | gross=Total | vat=NIF-IVA | customer=Nº de cliente | order=Su pedido
            """
        ),
        _MONTHS_ES,
    ),
    Locale(
        "it", "EUR", "€", ",", ".", "%d/%m/%Y", (22, 10),
        _words(
            """
            title=FATTURA | number=Fattura n. | date=Data fattura | due=Scadenza | to=Cliente | from=Fornitore |
            name=Descrizione | qty=Quantità | price=Prezzo unitario | amount=Importo | net=Imponibile | tax=IVA |
            gross=Totale fattura | vat=P. IVA | customer=Codice cliente | order=Vostro ordine
            """
        ),
    ),
    Locale(
        "nl", "EUR", "€", ",", ".", "%d-%m-%Y", (21, 9),
        _words(
            """
            title=FACTUUR | number=Factuurnummer | date=Factuurdatum | due=Vervaldatum | to=Factuuradres |
            from=Leverancier | name=Omschrijving | qty=Aantal | price=Prijs | amount=Bedrag | net=Totaal excl. BTW |
            tax=BTW | gross=Totaal incl. BTW | vat=BTW-nummer | customer=Klantnummer | order=Uw referentie
            """
        ),
    ),
)  # fmt: skip

_FIRST = (
    "Alder",
    "Birkholm",
    "Corvane",
    "Dunmoor",
    "Estrela",
    "Farrow",
    "Gellert",
    "Hollin",
    "Isarbach",
    "Juvenal",
    "Kestrel",
)
_SECOND = (
    "Optik",
    "Papier",
    "Transport",
    "Bikes",
    "Studio",
    "Metall",
    "Garden",
    "Pumpen",
    "Textil",
    "Energie",
    "Print",
)
_FORMS = {"en": "Ltd", "us": "LLC", "de": "GmbH", "fr": "SARL", "es": "S.L.", "it": "S.r.l.", "nl": "B.V."}
_GOODS = ("Bracket, steel", "Cable 3 m", "Design of a leaflet", "Filter cartridge", "Oak board", "Service visit",
          "Travel time", "Paint, white", "Screw set M6", "Lamp shade")  # fmt: skip
_STREETS = ("Harbour Road", "Lindenallee", "Rue du Moulin", "Calle Mayor", "Via Verdi", "Kerkstraat", "Mill Lane")
_TOWNS = ("Norwick", "Altdorf", "Beaulieu", "Ribera", "Montalto", "Westdam")


@dataclass(frozen=True)
class Party:
    """A company and its address; `street` and `town` are one line each."""

    name: str
    street: str
    town: str
    vat_id: str


@dataclass(frozen=True)
class Item:
    name: str
    quantity: int
    price: Decimal
    rate: int

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.price


@dataclass(frozen=True)
class Facts:
    """What an invoice says; `gross` is `net` + `tax`, exactly."""

    locale: Locale
    seller: Party
    buyer: Party
    number: str
    issued: dt.date
    due: dt.date
    order: str
    iban: str
    items: tuple[Item, ...]

    @property
    def net(self) -> Decimal:
        return sum((i.amount for i in self.items), Decimal(0))

    @property
    def taxes(self) -> list[tuple[int, Decimal, Decimal]]:
        """(rate, basis, tax) for every rate."""
        rates = sorted({i.rate for i in self.items})
        bases = [(r, sum((i.amount for i in self.items if i.rate == r), Decimal(0))) for r in rates]
        return [(r, basis, (basis * r / 100).quantize(CENT, ROUND_HALF_UP)) for r, basis in bases]

    @property
    def tax(self) -> Decimal:
        return sum((tax for _, _, tax in self.taxes), Decimal(0))

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax

    def money(self, amount: Decimal, *, symbol: bool = True) -> str:
        locale = self.locale
        text = f"{amount:,.2f}".replace(",", "#").replace(".", locale.mark).replace("#", locale.group)
        if not symbol:
            return text
        return f"{locale.symbol}{text}" if locale.mark == "." else f"{text} {locale.symbol}"

    def date(self, day: dt.date) -> str:
        months = self.locale.months
        if not months:
            return day.strftime(self.locale.date)
        return self.locale.date.format(d=day.day, month=months[day.month - 1], y=day.year)


def german_vat_id(draw: random.Random) -> str:
    digits = [draw.randint(1, 9), *(draw.randint(0, 9) for _ in range(7))]
    product = 10
    for digit in digits:
        product = ((digit + product) % 10 or 10) * 2 % 11
    return "DE" + "".join(map(str, digits)) + str((11 - product) % 10)


def french_vat_id(draw: random.Random) -> str:
    siren = draw.randint(100_000_000, 999_999_999)
    return f"FR{(12 + 3 * (siren % 97)) % 97:02d}{siren}"


def german_iban(draw: random.Random) -> str:
    account = "".join(str(draw.randint(0, 9)) for _ in range(18))
    return f"DE{98 - int(account + '131400') % 97:02d}{account}"


def invoice(seed: int) -> Facts:
    """The facts of made-up invoice number `seed`."""
    draw = random.Random(seed)
    locale = LOCALES[seed % len(LOCALES)]
    names = draw.sample(_FIRST, 2)
    # Not every seller is a company, and a buyer often looks more like one.
    forms = draw.choice((_FORMS[locale.code], _FORMS[locale.code], ""))

    def party(first: str, form: str) -> Party:
        street = f"{draw.choice(_STREETS)} {draw.randint(1, 199)}"
        town = f"{draw.randint(10_000, 98_999)} {draw.choice(_TOWNS)}"
        vat_id = draw.choice((german_vat_id, french_vat_id))(draw)
        return Party(f"{first} {draw.choice(_SECOND)} {form}".strip(), street, town, vat_id)

    items = tuple(
        Item(name, draw.randint(1, 40), Decimal(draw.randint(100, 180_000)) / 100, draw.choice(locale.rates))
        for name in draw.sample(_GOODS, draw.randint(1, 6))
    )
    issued = dt.date(2023, 1, 1) + dt.timedelta(days=draw.randint(0, 900))
    return Facts(
        locale=locale, seller=party(names[0], forms), buyer=party(names[1], _FORMS[locale.code]),
        number=draw.choice(("R-{y}-{n}", "{n}", "{y}/{n}", "INV{n}", "{n}-{y}")).format(y=issued.year,
        n=draw.randint(10_000, 99_999)), issued=issued, due=issued + dt.timedelta(days=30),
        order=f"PO{draw.randint(1000, 9999)}", iban=german_iban(draw), items=items,
    )  # fmt: skip


@dataclass
class Sheet:
    """Texts at columns of a 110 character wide page; `right` aligned ones end at their column."""

    texts: list[tuple[int, int, str, bool]] = field(default_factory=list)
    row: int = 0

    def at(self, column: int, text: str, *, right: bool = False) -> Sheet:
        self.texts.append((self.row, column, text, right))
        return self

    def down(self, rows: int = 1) -> Sheet:
        self.row += rows
        return self

    def text(self) -> str:
        """As a text file."""
        lines = [""] * (self.row + 1)
        for row, column, text, right in sorted(self.texts):
            lines[row] = lines[row].ljust(column - len(text) if right else column) + text
        return "\n".join(lines) + "\n"

    def pdf(self, font: str = "Helvetica") -> bytes:
        """As a PDF of one page with a text layer."""
        from reportlab.lib.pagesizes import A4
        from reportlab.pdfgen.canvas import Canvas

        buffer = io.BytesIO()
        canvas = Canvas(buffer, pagesize=A4, invariant=1)
        canvas.setFont(font, 8)
        for row, column, text, right in self.texts:
            draw = canvas.drawRightString if right else canvas.drawString
            draw(30 + column * 4.9, 800 - row * 11, text)
        canvas.save()
        return buffer.getvalue()


def _items(sheet: Sheet, f: Facts, *, symbol: bool, boxed: bool = False) -> None:
    w = f.locale.words
    sheet.at(2, w["name"]).at(60, w["qty"], right=True).at(80, w["price"], right=True).at(
        104, w["amount"], right=True
    ).down(2 if boxed else 1)
    for item in f.items:
        sheet.at(2, item.name).at(60, str(item.quantity), right=True)
        sheet.at(80, f.money(item.price, symbol=symbol), right=True).at(
            104, f.money(item.amount, symbol=symbol), right=True
        )
        sheet.down()


def _totals(sheet: Sheet, f: Facts, *, symbol: bool) -> None:
    w = f.locale.words
    sheet.at(70, w["net"]).at(104, f.money(f.net, symbol=symbol), right=True).down()
    for rate, _, tax in f.taxes:
        sheet.at(70, f"{w['tax']} {rate} %").at(104, f.money(tax, symbol=symbol), right=True).down()
    sheet.at(70, w["gross"]).at(104, f.money(f.gross), right=True).down()


def classic(f: Facts) -> Sheet:
    """Letterhead left, buyer labelled, a block of label and value on the right, account in the foot."""
    w, s = f.locale.words, Sheet()
    s.at(2, f.seller.name).down().at(2, f.seller.street).down().at(2, f.seller.town).down()
    s.at(2, f"{w['vat']}: {f.seller.vat_id}").down(2).at(2, w["title"]).down(2)
    s.at(2, f"{w['to']}:").at(60, f"{w['number']}:").at(85, f.number).down()
    s.at(2, f.buyer.name).at(60, f"{w['date']}:").at(85, f.date(f.issued)).down()
    s.at(2, f.buyer.street).at(60, f"{w['due']}:").at(85, f.date(f.due)).down()
    s.at(2, f.buyer.town).at(60, f"{w['customer']}:").at(85, "K-4711").down(3)
    _items(s, f, symbol=True)
    s.down()
    _totals(s, f, symbol=True)
    s.down(2).at(2, f"IBAN {f.iban}").down()
    return s


def window(f: Facts) -> Sheet:
    """A return address over the buyer's, as for an envelope with a window;

    values under their labels; seller in the foot.
    """
    w, s = f.locale.words, Sheet()
    s.at(4, f"{f.seller.name} · {f.seller.street} · {f.seller.town}").down(2)
    s.at(4, f.buyer.name).down().at(4, f.buyer.street).down().at(4, f.buyer.town).down(3)
    s.at(2, w["number"]).at(32, w["date"]).at(56, w["due"]).at(80, w["order"]).down()
    s.at(2, f.number).at(32, f.date(f.issued)).at(56, f.date(f.due)).at(80, f.order).down(3)
    _items(s, f, symbol=False, boxed=True)
    s.down(2)
    _totals(s, f, symbol=True)
    s.down(3).at(2, f.seller.name).at(45, f"IBAN: {f.iban}").down()
    s.at(2, f.seller.street).at(45, f"{w['vat']} {f.seller.vat_id}").down().at(2, f.seller.town).down()
    return s


def two_parties(f: Facts) -> Sheet:
    """Seller and buyer side by side under labels, both with VAT ids; the number behind the title."""
    w, s = f.locale.words, Sheet()
    s.at(2, f"{w['title']} {f.number}").down(2).at(2, f"{w['date']}: {f.date(f.issued)}").at(
        60, f"{w['due']}: {f.date(f.due)}"
    ).down(2)
    s.at(2, w["from"]).at(60, w["to"]).down()
    for ours, theirs in (
        (f.seller.name, f.buyer.name),
        (f.seller.street, f.buyer.street),
        (f.seller.town, f.buyer.town),
    ):
        s.at(2, ours).at(60, theirs).down()
    s.at(2, f"{w['vat']}: {f.seller.vat_id}").at(60, f"{w['vat']}: {f.buyer.vat_id}").down(3)
    _items(s, f, symbol=False)
    s.down()
    _totals(s, f, symbol=False)
    s.down(2).at(2, f"IBAN: {f.iban}  {f.locale.currency}").down()
    return s


def buyer_first(f: Facts) -> Sheet:
    """The buyer on top without a label, the seller in a column on the right with register and account."""
    w, s = f.locale.words, Sheet()
    s.at(75, f.seller.name).down().at(75, f.seller.street).down().at(75, f.seller.town).down()
    s.at(2, f.buyer.name).at(75, f"{w['vat']} {f.seller.vat_id}").down()
    s.at(2, f.buyer.street).at(75, f"IBAN {f.iban}").down().at(2, f.buyer.town).at(75, "BIC NORWDE2X").down(3)
    s.at(2, w["title"]).down(2).at(2, w["number"]).at(30, f.number).down().at(2, w["date"]).at(
        30, f.date(f.issued)
    ).down(3)
    _items(s, f, symbol=True)
    s.down()
    _totals(s, f, symbol=True)
    return s


def inline(f: Facts) -> Sheet:
    """Everything behind its label in one column, no letterhead, no account."""
    w, s = f.locale.words, Sheet()
    s.at(2, f"{w['from']}: {f.seller.name}").down().at(4, f"{f.seller.street}, {f.seller.town}").down()
    s.at(2, f"{w['to']}: {f.buyer.name}").down(2)
    s.at(2, f"{w['number']}: {f.number}").down().at(2, f"{w['date']}: {f.date(f.issued)}").down(2)
    _items(s, f, symbol=True)
    _totals(s, f, symbol=True)
    return s


def bare(f: Facts) -> Sheet:
    """Two names on top and nothing that says who is who: the seller must stay empty."""
    w, s = f.locale.words, Sheet()
    s.at(2, f.buyer.name).down().at(2, f.seller.name).down(2)
    s.at(2, f"{w['number']}: {f.number}").down().at(2, f"{w['date']}: {f.date(f.issued)}").down(2)
    _items(s, f, symbol=True)
    s.down()
    _totals(s, f, symbol=True)
    return s


def freelancer(f: Facts) -> Sheet:
    """The buyer on top with its VAT id, the seller only in the foot: easily taken for each other."""
    w, s = f.locale.words, Sheet()
    s.at(2, f.buyer.name).down().at(2, f.buyer.street).down().at(2, f.buyer.town).down()
    s.at(2, f"{w['vat']} {f.buyer.vat_id}").down(3).at(2, f"{w['title']} {f.number}").down(2)
    s.at(2, f"{w['date']} {f.date(f.issued)}").down(2)
    _items(s, f, symbol=True)
    s.down()
    _totals(s, f, symbol=True)
    s.down(3).at(2, f"{f.seller.name}, {f.seller.street}, {f.seller.town}, IBAN {f.iban}").down()
    return s


def noisy(f: Facts) -> Sheet:
    """Other numbers, dates and companies everywhere: an order, a delivery, a bank, a software house."""
    w, s = f.locale.words, Sheet()
    other = f.date(f.issued - dt.timedelta(days=9))
    s.at(2, f.seller.name).at(70, "Page 1 of 1").down().at(2, f.seller.street).at(70, f"Ref. 2024-{f.order}").down()
    s.at(2, f.seller.town).at(70, f"Order date: {other}").down().at(2, f"{w['vat']}: {f.seller.vat_id}").down(2)
    s.at(2, w["to"]).at(60, w["title"]).down()
    s.at(2, f.buyer.name).at(60, f"{w['number']}: {f.number}").down().at(2, f.buyer.street).at(
        60, f"{w['date']}: {f.date(f.issued)}"
    ).down()
    s.at(2, f.buyer.town).at(60, f"{w['customer']}: 20931").down().at(2, f"{w['vat']}: {f.buyer.vat_id}").at(
        60, f"Delivery date: {other}"
    )
    s.down(3)
    _items(s, f, symbol=True)
    s.down()
    _totals(s, f, symbol=True)
    s.down(2).at(2, "Volksbank Norwick AG").at(40, f"IBAN {f.iban}").down().at(
        2, "Printed with Rechenfix Software GmbH"
    ).down()
    return s


def columns(f: Facts) -> Sheet:
    """The totals in a row of heads over a row of amounts, and the tax in a table of its own."""
    w, s = f.locale.words, Sheet()
    s.at(4, f"{f.seller.name} | {f.seller.street} | {f.seller.town}").down(2).at(2, f"{w['title']} {f.number}").down()
    s.at(2, f"{w['date']}: {f.date(f.issued)}").down(2)
    _items(s, f, symbol=False)
    s.down(3).at(20, "%").at(50, w["net"], right=True).at(70, w["tax"], right=True).down()
    for rate, basis, tax in f.taxes:
        s.at(20, f"{rate} %").at(50, f.money(basis, symbol=False), right=True).at(
            70, f.money(tax, symbol=False), right=True
        ).down()
    s.down(2).at(50, w["net"], right=True).at(70, w["tax"], right=True).at(100, w["gross"], right=True).down()
    s.at(50, f.money(f.net), right=True).at(70, f.money(f.tax), right=True).at(100, f.money(f.gross), right=True).down()
    return s


def paid(f: Facts) -> Sheet:
    """A deposit was paid and less is due than the total."""
    s = classic(f)
    s.at(70, "Amount paid").at(104, f.money(Decimal(100)), right=True).down()
    s.at(70, "Balance due").at(104, f.money(f.gross - 100), right=True).down()
    return s


def discounted(f: Facts) -> Sheet:
    """A discount between the lines and the tax: the printed subtotal is not the net total."""
    w, s = f.locale.words, Sheet()
    s.at(2, f"{w['from']}: {f.seller.name}").down().at(4, f"{f.seller.street}, {f.seller.town}").down()
    s.at(2, f"{w['to']}: {f.buyer.name}").down(2)
    s.at(2, f"{w['number']}: {f.number}").down().at(2, f"{w['date']}: {f.date(f.issued)}").down(2)
    _items(s, f, symbol=True)
    off = Decimal("50.00")
    s.down().at(70, "Subtotal").at(104, f.money(f.net + off), right=True).down()
    s.at(70, "Discount").at(104, "-" + f.money(off), right=True).down()
    for rate, _, tax in f.taxes:
        s.at(70, f"{w['tax']} {rate} %").at(104, f.money(tax), right=True).down()
    s.at(70, w["gross"]).at(104, f.money(f.gross), right=True).down()
    return s


def two_currencies(f: Facts) -> Sheet:
    """The total once more in another currency."""
    s = classic(f)
    other = "CHF" if f.locale.currency != "CHF" else "EUR"
    return s.at(70, f"{f.locale.words['gross']} {other}").at(104, f.money(f.gross * 2, symbol=False), right=True).down()


def corrected(f: Facts) -> Sheet:
    """A second number and date, those of an earlier document, beside the right ones."""
    w, s = f.locale.words, classic(f)
    earlier = f.date(f.issued - dt.timedelta(days=40))
    s.at(2, f"Original {w['number']}: ALT-99871 / {earlier}").down().at(
        2, f"{w['title']} ALT-99871 of {earlier}"
    ).down()
    return s


LAYOUTS: tuple[Callable[[Facts], Sheet], ...] = (
    classic, window, two_parties, buyer_first, inline, bare, freelancer, noisy, columns, paid, discounted,
    two_currencies, corrected,
)  # fmt: skip
