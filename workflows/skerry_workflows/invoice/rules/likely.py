"""A second look at the page, for what `extract` leaves empty: likely, but not beyond doubt.

It is never an answer by itself. When a model that was asked for a field has read the same, two readers that know
nothing of each other agree, and that is booked; what only one of them says is for a person. So this looks at other
things than `extract` does: at what is left when everything is taken away that is surely something else.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from skerry_workflows.invoice import amounts, dates
from skerry_workflows.invoice.identity import normal_number
from skerry_workflows.invoice.rules import labels, parties
from skerry_workflows.invoice.rules.find import only
from skerry_workflows.invoice.rules.page import Cell, Page

Sums = tuple[Decimal, Decimal, Decimal]

_RATE_MAX: Final = 27
"""Percent: no country asks more (Hungary)."""
_RATE = re.compile(r"(?<![\d.,])(\d{1,2}(?:[.,]\d{1,2})?) ?%")
_CENT: Final = Decimal("0.01")
_AMOUNTS_MAX: Final = 200
_LABEL_CHARS_MAX: Final = 40
_TOKEN = re.compile(r"(?<![\w/.+-])(?=[\w/.+-]*\d)[A-Za-z0-9][\w/.-]{1,28}(?![\w/]|[.,]\d)")
_NUMBERED = re.compile(
    r"(?:\b(?:no|nr|num|number|nummer|numero|numer|id)\b|\bn[.°º]|№|#)\W*$"
    r"|(?:[a-z](?:nummer|nr|number)|\b(?:invoice|bill|rechnung|facture|factura|fattura|factuur|fatura|faktura))\W*$"
)
_DATED = re.compile(r"(?:\b(?:date|dated|datum|fecha|data|dato|day|tag|vom|le|den|issued)|datum)\W*$")
_DAY = re.compile(r"dat(?:e|um|a|o)\b|\bfecha\b")
_TOWN = re.compile(r"[^\W\d]+(?:[ -][^\W\d]+){0,2},(?: (?:den|le|il|a|on|the))?")
_OTHERS = labels.phrases(
    r"""
    en: customer\w* | client\w* | buyer | account | acct | order\w* | purchase | p\.?o | deliver\w* | ship\w*
    en: dispatch\w* | vat | tax | company | reg\w* | bank | sort | iban | bic | swift | tel\w* | phone | fax | mobile
    en: page | item | article | product | part | serial | contract | project | job | quote | quotation | offer | related
    en: previous | original | credit | correct\w* | replac\w* | payment | paid | due | service | period | until | valid
    en: expir\w* | print\w* | your | from | to | received | member\w* | case | ticket | booking | meter | policy
    en: licen[cs]e | patient | start | end | total\w* | sum | amount | balance
    de: kunde\w* | debitor\w* | auftrag\w* | bestell\w* | liefer\w* | versand\w* | leistung\w* | ust\w* | steuer\w*
    de: konto\w* | blz | bankleitzahl | hr[ab] | handelsregister | telefon\w* | seite | artikel\w* | pos\w* | vertrag\w*
    de: projekt\w* | angebot\w* | gutschrift\w* | zahl\w* | fallig\w* | bis | von | ihre?\w* | druck\w* | erhalten
    de: mitglied\w* | zahler\w* | buchung\w* | vorgang\w* | objekt\w* | zeitraum | storn\w*
    de: gesamt\w* | summe | betrag | gedruckt | geliefert | zu
    fr: client | commande | livraison | expedition | tva | siren | siret | rcs | compte | page | article | contrat
    fr: projet | devis | avoir | paiement | echeance | votre | periode | prestation | jusqu\w* | abonne\w* | reglement
    fr: naf | ape | livre\w* | expedie\w* | montant | payer | regler | avant | imprime\w*
    es: cliente | pedido | entrega | envio | cif | nif | iva | cuenta | pagina | articulo | contrato | proyecto
    es: presupuesto | pago | vencimiento | su | periodo | hasta | abono | importe | pagar | impres[ao]
    it: cliente | ordine | consegna | spedizione | ddt | iva | p\.? ?iva | conto | pagina | articolo | contratto
    it: progetto | preventivo | pagamento | scadenza | vostr[oa] | periodo | fino | cf | rea | sdi | univoco
    it: importo | pagare | entro | stampat[ao]
    nl: klant\w* | bestel\w* | lever\w* | verzend\w* | btw\w* | kvk\w* | rekening\w* | pagina | artikel\w* | contract\w*
    nl: project\w* | offerte\w* | betaal\w* | verval\w* | uw | periode | tot | credit\w* | bedrag | totaal | betalen
    nl: afgedrukt | geprint | voor
    xx: nip | regon | ico | dic | org | cvr | ean | gln | duns | eori | bsn | rfc | abn | acn | gst | po | wo | so
    """
)
_OTHER = re.compile(rf"\b(?:{_OTHERS})\b")
_DOMAIN = re.compile(r"(?:@|www\.|https?://(?:www\.)?)([a-z0-9][a-z0-9-]{2,60})\.[a-z]{2,}")
_DOMAIN_STEM_MIN: Final = 5


class Likely(NamedTuple):
    """What is left of the page for each field; None where that is nothing, or more than one thing."""

    number: str | None
    issue_date: dt.date | None
    seller_name: str | None
    sums: Sums | None


def likely(page: Page) -> Likely:
    """A second reading of a page."""
    return Likely(_number(page), _issue_date(page), _seller(page), _sums(page))


# --- number -----------------------------------------------------------------------------------------------------------


def _number(page: Page) -> str | None:
    """The one thing that is numbered and belongs neither to a customer, an order, an account nor anything else."""
    found: list[str] = []
    for cell in page.cells():
        taken = [(date.start, date.end) for date in dates.find(cell.text)]
        for match in _TOKEN.finditer(cell.text):
            token = match[0].rstrip("./-")
            if any(start < match.end() and match.start() < end for start, end in taken) or len(token) < 2:
                continue
            said = list(_labels(page, cell, match.start()))
            if any(_NUMBERED.search(label) and not _OTHER.search(label) and not _DAY.search(label) for label in said):
                found.append(token)
    return only(found, normal_number)


def _labels(page: Page, cell: Cell, start: int) -> Iterator[str]:
    """What stands before a place, folded: in its cell; or if it begins its cell, to the left of that, and above it.

    Above it may stand another value: that is no label, and said as an empty one.
    """
    before = cell.folded[:start].strip()
    if before:
        yield before[-_LABEL_CHARS_MAX:]
        return
    left = [other for other in page.lines[cell.line] if other.end <= cell.start]
    if left:
        yield left[-1].folded
    for line in reversed(page.lines[max(0, cell.line - 3) : cell.line]):
        if line:
            above = [other for other in line if other.overlaps(cell.start, cell.end)]
            yield from ("" if re.search(r"\d", other.text) else other.folded for other in above)
            return


# --- date -------------------------------------------------------------------------------------------------------------


def _issue_date(page: Page) -> dt.date | None:
    """The one date with nothing but the word "date" before it, or nothing at all, or a town."""
    found: list[dt.date | None] = []
    for cell in page.cells():
        for date in dates.find(cell.text):
            said = list(_labels(page, cell, date.start))
            if any(_OTHER.search(label) for label in said):
                continue
            alone = not cell.text[date.end :].strip(" .")
            # In a row of a table it is the date of what the row is about, but for a row with the invoice's number.
            row = (
                said
                and not cell.text[: date.start].strip()
                and not any(_DATED.search(label) or re.search(r"\d", label) for label in said[:1])
            )
            if (
                alone
                and not row
                and (not said or any(_DATED.search(label) or _TOWN.fullmatch(label) for label in said))
            ):
                found.append(date.value(page.order))
    return only(found)


# --- seller -----------------------------------------------------------------------------------------------------------


def _seller(page: Page) -> str | None:
    """The one company that is not the customer, if mail or web address of the page are named after it as well."""
    customer = parties.buyer(page)
    stems = {re.sub(r"[^a-z0-9]", "", stem) for stem in _DOMAIN.findall(page.folded)}
    found: list[str] = []
    for name in parties.companies(page):
        plain = parties.plain(name)
        if customer and parties.same(name, customer):
            continue
        found += (
            [name] if any(len(stem) >= _DOMAIN_STEM_MIN and (stem in plain or plain in stem) for stem in stems) else []
        )
    return only(found, parties.plain)


# --- sums -------------------------------------------------------------------------------------------------------------


def _sums(page: Page) -> Sums | None:
    """The only two amounts that make the largest one of the page, one being the other's tax at a printed rate."""
    found = {a.value for a in amounts.find(page.text, page.mark) if a.value is not None and a.decimals == 2}
    if not found or len(found) > _AMOUNTS_MAX:
        return None
    rates = {Decimal(rate.replace(",", ".")) for rate in _RATE.findall(page.text)}
    gross = max(found)
    fits = [
        (net, gross - net)
        for net in found
        if gross - net in found
        and any(0 < rate <= _RATE_MAX and abs(net * rate / 100 - (gross - net)) < _CENT for rate in rates)
    ]
    return (*fits[0], gross) if len(fits) == 1 else None
