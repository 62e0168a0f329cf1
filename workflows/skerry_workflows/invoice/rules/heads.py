"""The head of a table of line items: which words head which column, and where the columns are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from skerry_workflows.invoice.rules import labels
from skerry_workflows.invoice.rules.page import Cell, Page

_HEADS: Final = {
    "name": """
        en: (?:item|product|service|goods)s?(?: (?:description|name))? | description(?: of (?:goods|services))?
        en: details
        en: particulars
        de: artikel(?:bezeichnung)? | bezeichnung | beschreibung | produkt | leistung | text
        fr: designation | libelle | prestation | produit | article
        es: descripcion | concepto | producto | articulo
        it: descrizione | prodotto | articolo
        nl: omschrijving | product(?:naam)?
        pt: descricao
        pl: nazwa | opis
        sv: beskrivning | beskrivelse | benamning
        """,
    "quantity": """
        en: qty | quantity | quantities | units | hours
        de: menge | anzahl | stuckzahl | stunden
        fr: qte | quantite | nombre
        es: cantidad | cant | unidades
        it: quantita | q\\.?ta
        nl: aantal | hoeveelheid | uren
        pt: quantidade
        pl: ilosc
        sv: antal | mangd
        """,
    "unit_price": """
        en: unit (?:price|cost) | price(?: per unit| each)? | rate | cost | each
        de: einzelpreis | einzel | stuckpreis | e-?preis | preis
        fr: prix(?: unitaire)?(?: h\\.?t\\.?)? | p\\.? ?u\\.?(?: h\\.?t\\.?)?
        es: precio(?: unitario)?
        it: prezzo(?: unitario)?
        nl: prijs(?: per (?:stuk|eenheid))? | stukprijs | eenheidsprijs | tarief
        pt: preco
        pl: cena
        sv: a-?pris | pris
        """,
    "net_amount": """
        en: (?:(?:line|net) )?(?:amount|total) | total (?:price|net|(?:excl|incl)\\.? \\w+)
        en: price (?:w/o|excl\\.?|incl\\.?|ex) ?\\w*
        en: net | value
        de: summe | gesamt(?:preis|betrag)? | betrag | nettobetrag | netto
        fr: (?:montant|total)(?: h\\.?t\\.?| t\\.?t\\.?c\\.?)? | prix h\\.?t\\.?
        es: importe | valor
        it: importo | totale
        nl: bedrag | totaal | prijs (?:incl|excl)\\.? ?\\w*
        pl: wartosc
        sv: belopp | belob
        """,
    "tax": """
        xx: (?:vat|tax|ust|mwst|tva|iva|btw|moms|gst|steuer)\\.?(?: ?(?:%|rate|satz))?
        """,
    "other": """
        xx: disc | discount | rabatt | rem(?:ise)? | descuento | dto | sconto | korting | unit | einheit | unite
        xx: unidad
        xx: u\\.?m | eenheid | date | datum | code | ref | sku | art\\.?-?(?:nr|no)
        xx: (?:item|article|product) (?:no|number|code|#)
        """,
    "position": """
        xx: (?:#|no|nr|pos|position|line|n°)(?=\\.?$)
        """,
}
_PATTERNS: Final = {kind: re.compile(rf"\W*(?:{labels.phrases(lists)})(?!\w)\.?") for kind, lists in _HEADS.items()}
_WITH_TAX: Final = re.compile(r"\b(?:incl|inkl|ttc|t\.t\.c|gross|brutto)\b")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what `kind` of value it holds, and the columns of the page [start, end) that its head covers."""

    kind: str
    start: int
    end: int
    head: str

    def distance(self, cell: Cell) -> int:
        """How far a cell is from being under the head; below zero it is, the more the lower."""
        return max(self.start, cell.start) - min(self.end, cell.end)


def columns_at(page: Page, number: int) -> tuple[list[Column], int]:
    """The columns headed by line `number`, with the number of the head's last line; none if it is no head.

    A head names at least what was sold and for how much.
    """
    line = page.lines[number]
    found = [column for cell in line for column in _split(cell)]
    if len(found) < 2 or len({c.start for c in found if c.kind}) < 2:
        return [], number
    if not {"name", "net_amount"} <= {c.kind for c in found}:
        return [], number
    if any(ch.isdigit() for cell in line for ch in cell.text):
        return [], number
    last = _second_line(page, number)
    if last != number:
        found = [_with_second_line(column, page.lines[last]) for column in found]
    return _settled(found), last


def _split(cell: Cell) -> Iterator[Column]:
    """One column for a cell, or several where heads stand only one blank apart."""
    text, offset = cell.folded, 0
    while text[offset:].strip():
        kind, length = _kind(text[offset:])
        rest = text[offset + length :]
        end = len(text) if not kind or not _kind(rest.lstrip())[0] else offset + length
        yield Column(kind, cell.start + offset, cell.start + end, text[offset:end].strip())
        offset = end + (len(text[end:]) - len(text[end:].lstrip()))


def _kind(text: str) -> tuple[str, int]:
    """The kind whose words cover most of the start of `text`, and how much that is; ("", 0) if none does."""
    best, length = "", 0
    for kind in ("net_amount", "unit_price", "quantity", "name", "tax", "other", "position"):
        match = _PATTERNS[kind].match(text)
        if match and match.end() > length:
            best, length = kind, match.end()
    return best, length


def _second_line(page: Page, number: int) -> int:
    """The next line, if it only continues the heads above: a few words without digits, each under a head."""
    line = page.lines[number + 1] if number + 1 < len(page.lines) else []
    head = page.lines[number]
    continues = (
        line
        and len(line) < len(head)
        and all(
            not any(ch.isdigit() for ch in c.text)
            and len(c.text) <= 15
            and any(h.overlaps(c.start, c.end) for h in head[1:])
            for c in line
        )
    )
    return number + 1 if continues else number


def _with_second_line(column: Column, line: list[Cell]) -> Column:
    for cell in line:
        if cell.overlaps(column.start, column.end):
            head = f"{column.head} {cell.folded}"
            kind, _ = _kind(head)
            return replace(column, head=head, kind=kind or column.kind)
    return column


def _settled(found: list[Column]) -> list[Column]:
    """One column of each kind:

    of several amounts the last without tax is the line's; the others are prices or a quantity.
    """
    amounts = [c for c in found if c.kind == "net_amount"]
    without_tax = [c for c in amounts if not _WITH_TAX.search(c.head)]
    chosen = (without_tax or amounts)[-1]
    name = next(c for c in found if c.kind == "name")
    taken = {c.kind for c in found}
    settled: list[Column] = []
    for column in found:
        kind = column.kind
        if kind == "net_amount" and column is not chosen:
            # "Amount" in front of the goods is how many; between them and the total it is the price of one.
            left = column.start < name.start
            kind = "quantity" if left else "unit_price" if column.start < chosen.start else "other"
            kind = "other" if kind in taken else kind
        elif kind == "name" and column is not name:
            kind = "other"
        settled.append(replace(column, kind=kind))
    return settled
