"""The words on invoices, in many languages. Words only: nothing here knows a company or a layout.

All are folded (lower case, no accents, as `page.fold` does). A phrase may hold a little regular expression. Each
list has one line for each language; a word that means different things in two languages is left out or has a weak
use.
"""

from __future__ import annotations

import re
from typing import Final


def phrases(lists: str) -> str:
    """The lines "xx: one | two" as one pattern, longest phrase first so that "total net" is not read as "total"."""
    found = [phrase.strip() for line in lists.strip().splitlines() for phrase in line.partition(":")[2].split(" | ")]
    return "|".join(sorted(found, key=len, reverse=True))


def label(lists: str, behind: str = "") -> re.Pattern[str]:
    """A pattern for one of the phrases at the start of a cell, as whole words; `behind` is what must follow."""
    return re.compile(rf"\W*(?:{phrases(lists)})(?!\w){behind}")


_DOCUMENT: Final = phrases(
    """
    en: (?:(?:tax|vat|sales|commercial|final) )?invoice | credit (?:note|memo) | receipt | bill
    de: (?:schluss|teil|abschlags)?rechnung | gutschrift | rechnungskorrektur | beleg
    fr: facture | avoir | note de credit
    es: factura | abono | nota de credito
    it: fattura | nota di credito
    nl: (?:credit)?factuur | creditnota
    pt: fatura
    pl: faktura | faktura vat
    sv: (?:credit|kredit)?faktura | kreditnota
    """
)
_NUMBER: Final = r"(?:number|num|nummer|numero|numer|no|nr|n|nbr|id|cislo)\b\.?[o°]?|#|№|n°|n\.[o°]"
_ABOUT: Final = r"(?:of|the|de|la|le|del|della|di|da|du|van|der|do|d')"

DOCUMENT: Final = re.compile(rf"(?:{_DOCUMENT})")

# "Invoice no.", "Rechnungs-Nr.", "numéro de facture": what follows is the number.
NUMBER: Final = re.compile(
    rf"\W*(?:(?:{_DOCUMENT}|document|dokument|documento|rg|re|inv)(?:s|en)?[ -]?(?:{_NUMBER})"
    rf"|(?:{_NUMBER}) ?(?:{_ABOUT} )*(?:{_DOCUMENT}|documento)\b"
    r"|fakturanummer|fakturanr|rechnungsnummer|belegnummer|factuurnummer|laskun numero|cislo faktury)"
)
# "Facture FA-1": a title with its number.
TITLE: Final = re.compile(rf"\W*(?:{_DOCUMENT})\b")

# What may stand between a number and its date: "123 vom 03.05.2023".
DATED: Final = re.compile(
    r"[\s,(]*(?:vom|von|du|of|dated?|from|issued(?: (?:on|at))?|del?|van|d\.d\.|dd\.?|z dnia|as of|at|-|/|datum"
    r"|date)?[\s:]*$"
)

ISSUE_DATE: Final = label(
    """
    en: invoice date | date of (?:the )?invoice | date of issue | issue date | issued | issued on | issued date
    en: bill date
    en: billing date | document date | tax point | tax date | credit note date | date issued
    de: rechnungsdatum | datum der rechnung | ausstellungsdatum | belegdatum | gutschriftsdatum | ausgestellt am
    fr: date (?:de |de la )?facture | date de facturation | date d'emission | date d'etablissement | emise? le
    fr: date de l'avoir
    es: fecha (?:de )?(?:la )?factura | fecha (?:de )?(?:emision|expedicion)
    it: data (?:della )?fattura | data (?:del )?documento | data (?:di )?emissione
    nl: factuurdatum | creditnotadatum
    pt: data da fatura | data de emissao
    pl: data wystawienia
    sv: fakturadatum | fakturans datum | fakturadato
    """
)
BARE_DATE: Final = label(
    "xx: date | datum | fecha | data | dato",
    # A date must follow: "Date of delivery" is another one.
    r"(?= ?[:.]?\s*(?:$|\W?\d|[^\W\d_]{3,9},? \d|[^\W\d_]{3,9}\.? \d))",
)
DUE_DATE: Final = label(
    """
    en: (?:payment )?due(?: date| by| on) | payment (?:due|deadline|date) | due | date due
    en: pay(?:able)? (?:by|until|before)
    en: please (?:pay|remit)(?: \\w+){0,3}? (?:by|until|before)
    de: falligkeits(?:datum|tag) | fallig(?:keit)?(?: am| bis| zum)? | zahlbar bis(?: zum)? | zahlungsziel
    de: zu zahlen bis(?: zum)?
    de: (?:bitte )?uberweisen sie (?:\\w+ ){0,6}?bis(?: spatestens)?(?: zum)? | zahlung bis(?: zum)?
    fr: (?:date d')?echeance | a payer (?:avant|pour) le | a regler avant le | payable (?:avant|au plus tard) le
    fr: date limite de paiement
    es: (?:fecha (?:de )?)?vencimiento | pagar antes del?
    it: (?:data (?:di )?)?scadenza | da pagare entro(?: il)? | pagamento entro(?: il)?
    nl: vervaldatum | vervaldag | te betalen (?:voor|uiterlijk) | uiterste betaaldatum | betalen voor
    pt: data de vencimento
    pl: termin platnosci
    sv: forfallodatum | forfallsdato | forfaldsdato
    """
)
ORDER: Final = label(
    """
    en: (?:your )?p\\.?o\\.?(?: ?(?:number|no|nr|#)) | purchase order(?: (?:number|no|nr|#))?
    en: your (?:order|reference|ref)(?: (?:number|no|nr|#))? | customer (?:po|order)(?: (?:number|no))?
    de: ihre (?:bestellung|bestellnummer|bestell-?nr|auftragsnummer|referenz)(?: (?:nr|nummer))?
    de: bestell-?(?:nummer|nr)
    fr: votre (?:commande|reference|ref) | (?:numero|n°|no) de (?:votre )?(?:bon de )?commande | bon de commande
    fr: commande (?:n°|no)
    es: su (?:pedido|referencia) | (?:numero|n°|no) de pedido | pedido (?:n°|no)
    it: (?:vostro|vs\\.?) (?:ordine|riferimento|rif) | numero ordine | ordine (?:n|nr|no)
    nl: uw (?:referentie|bestelling|order(?:nummer)?|ref|kenmerk) | inkoopordernummer | inkoopnummer
    """,
    r"\.?",
)
CURRENCY: Final = label("xx: currency | wahrung | devise | monnaie | moneda | divisa | valuta | waluta | moeda")

# A label of a party stands alone or before a colon: "from" and "to" are words of every sentence.
_ALONE: Final = r"(?: (?:name|details|nombre|nom|nome|naam))?(?= ?:|\W*$)"
SELLER: Final = label(
    """
    en: seller | vendor | supplier | issuer | issued by | invoice from | billed by | sold by
    de: verkaufer | lieferant | rechnungssteller | rechnung von | leistungserbringer
    fr: vendeur | fournisseur | emetteur | emis par
    es: vendedor | emisor | proveedor | expedidor
    it: cedente(?:/prestatore)? | prestatore | fornitore | venditore | emittente
    nl: verkoper | leverancier
    pt: fornecedor
    pl: sprzedawca
    sv: saljare | leverantor | salger | leverandor
    """,
    _ALONE,
)
# Also said of places and parcels.
SENDER: Final = label("xx: from | absender | von | de | afzender | expediteur | mittente | remitente", _ALONE)
BUYER: Final = label(
    """
    en: bill(?:ed)? to | invoiced? to | sold to | invoice for | customer(?: name)? | buyer | client | purchaser
    en: billing address | invoice address | to
    de: rechnungsempfanger | rechnungsadresse | rechnung an | rechnungsanschrift | kunde | kaufer | empfanger
    de: leistungsempfanger | auftraggeber
    fr: facturee? a | facturer a | adresse de facturation | acheteur | destinataire
    es: facturar a | facturado a | cliente | comprador | destinatario | direccion de facturacion
    it: intestatario | cessionario(?:/committente)? | committente | acquirente | spett\\.?(?:le|\\.le)? | fatturare a
    nl: factuuradres | klant | koper | factuur aan | aan | afnemer
    pl: nabywca
    sv: kund | kopare | kjoper | kober
    """,
    _ALONE,
)
DELIVERY: Final = label(
    """
    en: ship(?:ped)? to | deliver(?:y|ed)? to | delivery address | shipping address | delivery(?= ?:|$)
    de: lieferadresse | lieferanschrift
    fr: adresse de livraison | livre a
    es: direccion de (?:entrega|envio)
    it: luogo di (?:consegna|destinazione) | indirizzo di (?:consegna|spedizione)
    nl: afleveradres | leveringsadres | bezorgadres
    """
)
_CUSTOMER: Final = phrases(
    """
    en: customers? | clients? | buyers? | your | recipient | debtor
    de: kunden? | ihre | kaufers? | empfangers?
    fr: votre | acheteur
    es: cliente | comprador | destinatario | su
    it: vostr[ao] | acquirente | committente | cessionario
    nl: klant | koper | uw | afnemer
    pl: nabywca | nabywcy
    sv: kund
    """
)
# Before a VAT id, these say that it is the customer's.
CUSTOMER_CONTEXT: Final = re.compile(rf"\b(?:{_CUSTOMER})\b")
CREDIT_NOTE: Final = label(
    """
    en: credit[ -](?:note|memo) | credit invoice
    de: gutschrift | rechnungskorrektur | stornorechnung | korrekturrechnung
    fr: avoir | facture d'avoir | note de credit
    es: nota de (?:abono|credito) | factura rectificativa | factura de abono
    it: nota di (?:credito|accredito)
    nl: creditnota | creditfactuur
    pl: faktura korygujaca
    sv: creditfaktura | kreditfaktura | kreditnota
    """
)
# Titles of papers that look like invoices and must not be paid as one.
NOT_INVOICE: Final = label(
    """
    en: pro ?-?forma(?: invoice)? | quotation | quote | estimate | order confirmation | sales order | delivery note
    en: packing (?:slip|list) | (?:payment )?reminder | (?:final )?demand | statement(?: of account)?
    de: pro ?-?forma-?rechnung | angebot | kostenvoranschlag | auftragsbestatigung | lieferschein
    de: (?:\\d\\. )?mahnung | zahlungserinnerung | kontoauszug
    fr: facture pro ?-?forma | devis | confirmation de commande | bon de livraison | rappel | relance | releve de compte
    es: factura pro ?-?forma | presupuesto | confirmacion de pedido | albaran | recordatorio(?: de pago)?
    it: fattura pro ?-?forma | preventivo | conferma d'ordine | documento di trasporto | sollecito(?: di pagamento)?
    nl: pro ?-?forma ?factuur | offerte | orderbevestiging | pakbon | (?:betalings)?herinnering | aanmaning
    """
)
# Papers that ask again, take back, or count for somebody else, whatever number stands behind: "2nd reminder, no. 4".
NEVER_TO_BE_BOOKED: Final = re.compile(
    r"\W{0,3}(?:\d\. )?(?:pro ?-?forma|facture pro ?-?forma|fattura pro ?-?forma|(?:payment )?reminder|mahnung"
    r"|zahlungserinnerung|sollecito|aanmaning|(?:betalings)?herinnering|storno|cancel?lation|draft\b|entwurf\b"
    r"|self-?billing|self-billed|corrects?\b|correction of|we credit|purchase order$|bestellung$)"
)
RECEIPT: Final = label(
    """
    en: receipt | sales receipt
    de: quittung | kassenbon | kassenbeleg
    fr: recu | ticket de caisse
    es: recibo
    it: ricevuta | scontrino
    nl: kassabon | kwitantie
    """
)
CARRIED: Final = label(
    """
    en: carried forward | brought forward | carry over
    de: ubertrag | zwischensumme
    fr: a reporter | report
    es: suma y sigue
    it: riporto
    """
)
# Also the name of an item: only where the amount is what came before.
CARRIED_PERHAPS: Final = label("nl: transport")
# A row of a table that gives something back rather than sells it.
DISCOUNT: Final = label(
    """
    en: less | discount | rebate | loyalty discount
    de: abzgl\\.?(?: \\d+ ?%)? | abzuglich | (?:sonder|treue|mengen)?rabatt | (?:sonder)?nachlass
    fr: remise | rabais
    es: descuento
    it: sconto
    nl: korting
    sv: rabatt
    """
)
