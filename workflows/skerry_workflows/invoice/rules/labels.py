"""The words on invoices, in many languages, folded (lower case, no accents). Words only: nothing here knows a company.

`en de fr es it nl pt pl sv da no` are covered; a word that means different things in two languages is left out or weak.
"""

from __future__ import annotations

import re
from typing import Final

_DOCUMENT = (
    r"(?:(?:tax|vat|sales|commercial|final) )?invoice|credit (?:note|memo)|receipt|bill"
    r"|(?:schluss|teil|abschlags)?rechnung|gutschrift|rechnungskorrektur|beleg"
    r"|facture|avoir|note de credit|factura|abono|nota de credito|fattura|nota di credito"
    r"|(?:credit)?factuur|creditnota|fatura|(?:credit|kredit)?faktura|kreditnota|faktura vat"
)
_NUMBER = r"(?:number|num|nummer|numero|numer|no|nr|n|nbr|id|c|cislo)\b\.?[o°]?|#|№|n°|n\.[o°]"
_ABOUT = r"(?:of|the|de|la|le|del|della|di|da|du|van|der|do|d')"

DOCUMENT: Final = re.compile(rf"(?:{_DOCUMENT})")

# "Invoice no.", "Rechnungs-Nr.", "numéro de facture": what follows is the number.
NUMBER: Final = re.compile(
    rf"\W*(?:(?:{_DOCUMENT}|document|dokument|documento|rg|re|inv)(?:s|en)?[ -]?(?:{_NUMBER})"
    rf"|(?:{_NUMBER}) ?(?:{_ABOUT} )*(?:{_DOCUMENT}|documento)\b"
    r"|fakturanummer|fakturanr|rechnungsnummer|belegnummer|factuurnummer|laskun numero|cislo faktury)"
)
# "Facture FA-1": a title with its number.
TITLE: Final = re.compile(rf"\W*(?:{_DOCUMENT})\b")

# "vom 03.07.2014" behind a number.
DATED: Final = re.compile(
    r"[\s,(]*(?:vom|von|du|of|dated?|from|issued(?: (?:on|at))?|del?|van|d\.d\.|dd\.?|z dnia|as of|at|-|/|datum|date)?[\s:]*$"
)

ISSUE_DATE: Final = re.compile(
    r"\W*(?:invoice date|date of (?:the )?invoice|date of issue|issue date|issued(?: on| date)?|bill date|billing date|document date"
    r"|tax (?:point|date)|credit note date|date issued|rechnungsdatum|datum der rechnung|ausstellungsdatum|belegdatum|gutschriftsdatum"
    r"|ausgestellt am|date (?:de |de la )?facture|date de facturation|date d'emission|date d'etablissement|emise? le|date de l'avoir"
    r"|fecha (?:de )?(?:la )?factura|fecha (?:de )?(?:emision|expedicion)|data (?:della )?fattura|data (?:del )?documento|data (?:di )?emissione"
    r"|factuurdatum|data da fatura|data de emissao|data wystawienia|fakturadatum|fakturadato|fakturans datum|creditnotadatum)\b"
)
BARE_DATE: Final = re.compile(r"\W*(?:date|datum|fecha|data|dato)\b(?= ?[:.]?\s*(?:$|\W?\d|[^\W\d_]{3,9},? \d|[^\W\d_]{3,9}\.? \d))")
DUE_DATE: Final = re.compile(
    r"\W*(?:(?:payment )?due(?: date| by| on)|payment (?:due|deadline|date)|due|date due|pay(?:able)? (?:by|until|before)|please (?:pay|remit)(?: \w+){0,3}? (?:by|until|before)"
    r"|falligkeits(?:datum|tag)|fallig(?:keit)?(?: am| bis| zum)?|zahlbar bis(?: zum)?|zahlungsziel|zu zahlen bis(?: zum)?"
    r"|(?:bitte )?(?:uber)?weisen sie (?:\w+ ){0,6}?bis(?: spatestens)?(?: zum)?|bitte uberweisen sie (?:\w+ ){0,6}?bis(?: zum)?|zahlung bis(?: zum)?"
    r"|(?:date d')?echeance|a payer (?:avant|pour) le|a regler avant le|payable (?:avant|au plus tard) le|date limite de paiement"
    r"|(?:fecha (?:de )?)?vencimiento|pagar antes del?|(?:data (?:di )?)?scadenza|da pagare entro(?: il)?|pagamento entro(?: il)?"
    r"|vervaldatum|vervaldag|te betalen (?:voor|uiterlijk)|uiterste betaaldatum|betalen voor|data de vencimento|vencimento|termin platnosci|forfallodatum|forfallsdato|forfaldsdato)\b"
)
ORDER: Final = re.compile(
    r"\W*(?:(?:your )?p\.?o\.?(?: ?(?:number|no|nr|#))|purchase order(?: (?:number|no|nr|#))?|your (?:order|reference|ref)(?: (?:number|no|nr|#))?|customer (?:po|order)(?: (?:number|no))?"
    r"|ihre (?:bestellung|bestellnummer|bestell-?nr|auftragsnummer|referenz)(?: (?:nr|nummer))?|bestell-?(?:nummer|nr)"
    r"|votre (?:commande|reference|ref)|(?:numero|n°|no) de (?:votre )?(?:bon de )?commande|bon de commande|commande (?:n°|no)"
    r"|su (?:pedido|referencia)|(?:numero|n°|no) de pedido|pedido (?:n°|no)|(?:vostro|vs\.?) (?:ordine|riferimento|rif)|numero ordine|ordine (?:n|nr|no)"
    r"|uw (?:referentie|bestelling|order(?:nummer)?|ref|kenmerk)|inkoopordernummer|inkoopnummer)\b\.?"
)
CURRENCY: Final = re.compile(r"\W*(?:currency|wahrung|devise|monnaie|moneda|divisa|valuta|waluta|moeda)\b")

SELLER: Final = re.compile(
    r"\W*(?:seller|vendor|supplier|issuer|issued by|from|invoice from|billed by|sold by|verkaufer|lieferant|rechnungssteller|rechnung von|absender|leistungserbringer"
    r"|vendeur|fournisseur|emetteur|emis par|vendedor|emisor|proveedor|expedidor|cedente(?:/prestatore)?|prestatore|fornitore|venditore|emittente"
    r"|verkoper|leverancier|afzender|sprzedawca|vendedor|fornecedor|saljare|leverantor|salger|leverandor)(?: (?:name|details|nombre|nom|nome|naam))?\b(?= ?:|\W*$)"
)
BUYER: Final = re.compile(
    r"\W*(?:bill(?:ed)? to|invoice(?:d)? to|sold to|invoice for|customer(?: name)?|buyer|client|purchaser|billing address|invoice address|to"
    r"|rechnungsempfanger|rechnungsadresse|rechnung an|rechnungsanschrift|kunde|kaufer|empfanger|leistungsempfanger|auftraggeber"
    r"|facture a|facturer a|adresse de facturation|client|acheteur|destinataire|facturar a|facturado a|cliente|comprador|destinatario|direccion de facturacion"
    r"|intestatario|cessionario(?:/committente)?|committente|acquirente|spett\.?(?:le|\.le)?|fatturare a|factuuradres|klant|koper|factuur aan|aan|afnemer"
    r"|nabywca|kund|kopare|kunde|kjoper|kober)(?: (?:name|details|nom|nombre|nome|naam))?\b(?= ?:|\W*$)"
)
DELIVERY: Final = re.compile(
    r"\W*(?:ship(?:ped)? to|deliver(?:y|ed)?(?: to| address)|shipping address|lieferadresse|lieferanschrift|adresse de livraison|livre a|direccion de (?:entrega|envio)"
    r"|luogo di (?:consegna|destinazione)|indirizzo di (?:consegna|spedizione)|afleveradres|leveringsadres|bezorgadres)\b"
)
CUSTOMER_CONTEXT: Final = re.compile(
    r"\b(?:customers?|clients?|buyers?|your|kunden?|ihre|kaufers?|empfangers?|votre|acheteur|cliente|comprador|destinatario|su|vostr[ao]|acquirente|committente|cessionario"
    r"|klant|koper|uw|afnemer|nabywca|nabywcy|recipient|debtor|kund)\b"
)
CREDIT_NOTE: Final = re.compile(
    r"\W*(?:credit[ -](?:note|memo)|credit invoice|gutschrift|rechnungskorrektur|stornorechnung|korrekturrechnung|avoir|facture d'avoir|note de credit"
    r"|nota de (?:abono|credito)|factura rectificativa|factura de abono|nota di (?:credito|accredito)|creditnota|creditfactuur|creditfaktura|kreditfaktura|kreditnota|faktura korygujaca)\b"
)
RECEIPT: Final = re.compile(r"\W*(?:receipt|sales receipt|quittung|kassenbon|kassenbeleg|recu|ticket de caisse|recibo|ricevuta|scontrino|kassabon|kwitantie)\b")
CARRIED: Final = re.compile(r"\W*(?:ubertrag|carried forward|brought forward|carry over|a reporter|report|suma y sigue|riporto|transport|zwischensumme)\b")

# The rows of the totals, by the words a label may consist of.
TAX_WORDS: Final = frozenset(
    "vat tax taxes mwst ust umsatzsteuer mehrwertsteuer mehrwertst tva taxe iva imposta imposte btw gst hst moms mva alv dph omzetbelasting impuesto impuestos".split()
)
NET_WORDS: Final = frozenset(
    "net netto nettobetrag nettosumme nettogesamt nettowert ht htva excl excluding exclusive exkl exclusief ohne hors sin zonder before imponible imponibile esclusa escl escluso ex without nets neta neto exclu hors".split()
)
SUBTOTAL_WORDS: Final = frozenset(
    "subtotal sub-total zwischensumme sous-total subtotaal subtotale subtotali delsumma warenwert base".split()
)
GROSS_WORDS: Final = frozenset(
    "gross brutto bruttobetrag bruttosumme bruttogesamt ttc incl including inclusive inkl inklusive inclusief inc comprises compris tvac incluido incluida inclusa incluso compresa ivato ivata endbetrag gesamtbetrag rechnungsbetrag gesamtsumme rechnungssumme rechnungsendbetrag factuurbedrag totaalbedrag".split()
)
TOTAL_WORDS: Final = frozenset("total totale totaal gesamt summe grand totaux totali toplam razem suma totalt sum".split())
DUE_WORDS: Final = frozenset(
    "due payable balance zahlbetrag zahlen payer pagar pagare betalen residual restbetrag solde saldo owed owing outstanding offen zahllast regler".split()
)
PAID_WORDS: Final = frozenset(
    "paid prepaid prepayment bezahlt gezahlt anzahlung anzahlungen vorauszahlung acompte acomptes paye payee verse pagado pagato anticipo anticipos acconto acconti betaald aanbetaling deposit payments received geleistete".split()
)
# Words that may stand beside those above without changing what the row is.
FILLER_WORDS: Final = frozenset(
    "amount amounts of the in to be and a an de la le les du des et d l del di da il lo den der die das und in te op te van het"
    " betrag montant importe importo bedrag somme sum value wert valor valore price prix invoice rechnung facture factura fattura factuur"
    " eur usd gbp chf sek nok dkk pln czk euro euros at on zzgl zuzuglich zuzugl plus add gesetzliche gesetzl sales service cuota rate"
    " applicable s po zu currency bereits already deja ya gia reeds less minus abzuglich abzgl moins menos meno all documento document now noch steuer zahlender vat-total total-amount"
    " with con avec mit met toutes tous prestations before st hereof order bestellung".split()
)
