"""The words of the rows of totals. A row's label is understood only if every word of it is one of these."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TAX: Final = _words(
    """
    vat tax taxes gst hst mwst ust umsatzsteuer mehrwertsteuer steuer steuern tva taxe iva imposta imposte btw
    omzetbelasting impuesto impuestos moms mva alv dph
    """
)
NET: Final = _words(
    """
    net nets excl excluding exclusive ex before without netto nettobetrag nettosumme nettogesamt nettowert
    exkl ohne ht htva hors neta neto sin imponible imponibile esclusa escluso escl exclusief zonder
    """
)
SUBTOTAL: Final = _words(
    """
    subtotal sub-total sub zwischensumme warenwert sous-total sous subtotaal subtotale subtotali delsumma base
    zwischentotal nettosumma mellansumma valisumma
    """
)
GROSS: Final = _words(
    """
    gross incl including inclusive inc brutto bruttobetrag bruttosumme bruttogesamt inkl inklusive endbetrag
    gesamtbetrag rechnungsbetrag gesamtsumme rechnungssumme rechnungsendbetrag ttc tvac compris comprises
    incluido incluida inclusa incluso compresa ivato ivata inclusief factuurbedrag totaalbedrag gutschriftsbetrag
    """
)
TOTAL: Final = _words(
    """
    total grand sum gesamt summe totaux totale totali totaal suma totalt razem summa
    yhteensa ialt
    """
)
DUE: Final = _words(
    """
    due payable balance outstanding owed owing zahlbetrag zahlen offen restbetrag zahllast payer solde regler
    pagar saldo pagare betalen residual zaplaty betala betale
    reste restant restante resta rest resterend maksettava
    """
)
PAID: Final = _words(
    """
    paid prepaid prepayment deposit payments received bezahlt gezahlt geleistete anzahlung anzahlungen
    vorauszahlung acompte acomptes paye payee verse pagado anticipo anticipos pagato acconto acconti betaald
    aanbetaling betalt zaplacono
    """
)
WITHHELD: Final = _words(
    """
    retention retencion irpf ritenuta withholding withheld einbehalt sicherheitseinbehalt
    """
)
# Words that may stand beside those above without changing what the row is.
FILLER: Final = _words(
    """
    amount amounts of the in to be and at on now plus add sales rate applicable currency already less minus
    with order invoice value price service der den die das und zu noch mit betrag wert rechnung bestellung
    zzgl zuzuglich zuzugl gesetzl gesetzliche bereits abzuglich abzgl steuerbetrag a de la le les du des et
    montant somme facture prix avec toutes tous prestations deja moins d importe valor cuota factura con ya
    menos l del di da il lo importo somma valore fattura gia meno te op van het bedrag factuur met reeds att
    do credit credited avoir eur
    usd gbp chf sek nok dkk pln czk euro euros
    """
)
ALL: Final = TAX | NET | SUBTOTAL | GROSS | TOTAL | DUE | PAID | FILLER
