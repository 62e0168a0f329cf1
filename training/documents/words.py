"""The words on an invoice in six languages: what a label may read, and which readings are kept for evaluation.

One string a word: readings are separated by `;`, and those behind `|` are held out, so no document of the training set
ever shows them.
"""

from __future__ import annotations

from functools import cache

LANGUAGES = ("en", "de", "fr", "es", "it", "nl")

_WORDS: dict[str, tuple[str, str, str, str, str, str]] = {
    "title": (
        "Invoice; Tax invoice; Sales invoice; Bill; Commercial invoice | Statement of charges",
        "Rechnung; Faktura; Schlussrechnung; Teilrechnung | Honorarnote",
        "Facture; Facture client; Facture de vente | Note d'honoraires",
        "Factura; Factura de venta; Factura comercial | Minuta",
        "Fattura; Fattura di vendita; Fattura commerciale | Parcella",
        "Factuur; Verkoopfactuur; Rekening | Nota",
    ),
    "number": (
        "Invoice No.; Invoice number; Invoice #; Invoice; Inv. no.; Document no.; Bill number; Our invoice; Reference | Invoice ID; Doc. ref.",
        "Rechnungsnummer; Rechnung Nr.; Rechnungs-Nr.; Rg.-Nr.; Belegnummer; Beleg-Nr.; Re-Nr.; Nummer | Faktura-Nummer; Dokumentnr.",
        "Facture n°; N° de facture; Numéro de facture; N° facture; Facture no; Référence facture; Numéro | Réf. document; N° de pièce",
        "Factura n.º; Número de factura; N.º factura; Factura No.; Nº de factura; Número | Ref. documento; Folio",
        "Fattura n.; Numero fattura; N. fattura; Fattura nr.; Numero documento; Numero | Rif. documento; Doc. n.",
        "Factuurnummer; Factuurnr.; Factuur nr.; Factuur; Nummer; Documentnummer | Notanummer; Doc.nr.",
    ),
    "date": (
        "Date; Invoice date; Date of issue; Issued on; Issue date; Billing date; Tax date; Dated | Bill dated; Made out on",
        "Datum; Rechnungsdatum; Ausstellungsdatum; Ausgestellt am; Belegdatum; Rechnung vom | Faktura vom; Erstellt am",
        "Date; Date de facture; Date de facturation; Émise le; Date d'émission; Facture du | Établie le; Date de la pièce",
        "Fecha; Fecha de factura; Fecha de emisión; Emitida el; Fecha factura | Expedida el; Fecha del documento",
        "Data; Data fattura; Data di emissione; Emessa il; Data documento; Fattura del | Redatta il; Data del doc.",
        "Datum; Factuurdatum; Datum factuur; Uitgegeven op; Factuur van | Opgemaakt op; Notadatum",
    ),
    "due": (
        "Due date; Due; Payment due; Pay by; Payable by; Due on; Please pay by; Payment due by | Settle by; Last day to pay",
        "Fällig am; Fälligkeit; Zahlbar bis; Fälligkeitsdatum; Zahlungsziel; Bitte zahlen bis; Zu zahlen bis | Zahlung erbeten bis; Zahlungsfrist",
        "Échéance; Date d'échéance; À payer avant le; Payable le; Date limite de paiement; Échéance le | À régler pour le; Règlement attendu le",
        "Vencimiento; Fecha de vencimiento; Vence el; Pagar antes del; Fecha límite de pago | A pagar el; Plazo hasta",
        "Scadenza; Data di scadenza; Da pagare entro il; Scade il; Pagamento entro | Saldo entro il; Termine di pagamento",
        "Vervaldatum; Vervalt op; Te betalen voor; Uiterste betaaldatum; Betalen voor | Te voldoen voor; Betaaltermijn tot",
    ),
    "net": (
        "Subtotal; Net amount; Net; Net total; Amount excl. VAT; Total before tax; Total excl. tax; Sub-total | Taxable base; Sum before VAT",
        "Netto; Nettobetrag; Zwischensumme; Summe netto; Gesamt netto; Nettosumme; Warenwert | Betrag ohne MwSt.; Basis",
        "Total HT; Montant HT; Sous-total; Net HT; Total hors taxes; Base HT | Prix hors TVA; Assiette",
        "Base imponible; Subtotal; Importe neto; Neto; Total sin IVA | Suma sin impuestos; Base",
        "Imponibile; Totale netto; Subtotale; Netto; Totale imponibile | Importo senza IVA; Base",
        "Subtotaal; Netto; Totaal excl. btw; Nettobedrag; Bedrag excl. btw | Grondslag; Som zonder btw",
    ),
    "tax": (
        "VAT; Tax; Sales tax; GST; VAT amount; Total VAT; Tax amount; VAT {p}%; VAT ({p}%); {p}% VAT; Tax {p} % | Value added tax; Tax at {p} %",
        "MwSt.; USt.; MwSt; Umsatzsteuer; Mehrwertsteuer; zzgl. MwSt.; MwSt. {p}%; USt. {p} %; {p}% MwSt.; zzgl. {p} % USt. | Steuerbetrag; Steuer {p} %",
        "TVA; Montant TVA; Total TVA; TVA {p}%; TVA {p} %; TVA ({p}%) | Taxe; Taxes à {p} %",
        "IVA; Cuota IVA; Total IVA; IVA {p}%; IVA ({p}%); IVA {p} %; Impuestos | Impuesto; Cuota al {p} %",
        "IVA; Totale IVA; Importo IVA; IVA {p}%; IVA al {p}%; IVA ({p}%); Imposta | Tributo; Imposta {p} %",
        "Btw; BTW; Btw-bedrag; Totaal btw; Btw {p}%; BTW {p} %; {p}% btw | Omzetbelasting; Belasting {p} %",
    ),
    "total": (
        "Total; Amount due; Total due; Grand total; Total amount; Balance due; Total incl. VAT; Invoice total; To pay | Amount payable; Final sum",
        "Gesamt; Gesamtbetrag; Rechnungsbetrag; Summe; Endbetrag; Bruttobetrag; Zu zahlen; Gesamtsumme; Total; Brutto | Zahlbetrag; Endsumme",
        "Total TTC; Total; Net à payer; Montant TTC; Total à payer; Montant total | Somme due; Reste à payer",
        "Total; Total factura; Importe total; Total a pagar; Total con IVA | Suma final; Importe a abonar",
        "Totale; Totale fattura; Totale da pagare; Importo totale; Totale documento; Totale dovuto | Somma finale; Netto a pagare",
        "Totaal; Totaalbedrag; Te betalen; Totaal incl. btw; Factuurbedrag; Eindtotaal | Eindbedrag; Te voldoen",
    ),
    "seller": (
        "Seller; From; Vendor; Supplier; Issued by; Company; Sold by | Provider; Payee",
        "Verkäufer; Lieferant; Von; Aussteller; Absender; Rechnungssteller; Firma | Leistungserbringer; Auftragnehmer",
        "Vendeur; Fournisseur; De; Émetteur; Société; Prestataire | Expéditeur; Facturé par",
        "Vendedor; Proveedor; De; Emisor; Empresa | Prestador; Acreedor",
        "Venditore; Fornitore; Da; Emittente; Ditta; Cedente | Mittente; Prestatore",
        "Verkoper; Leverancier; Van; Afzender; Bedrijf | Dienstverlener; Opdrachtnemer",
    ),
    "buyer": (
        "Bill to; To; Customer; Sold to; Client; Invoice to; Buyer; Billed to | Recipient; Purchaser",
        "Rechnung an; An; Kunde; Empfänger; Käufer; Rechnungsempfänger; Kundin | Leistungsempfänger; Auftraggeber",
        "Facturé à; À; Client; Destinataire; Acheteur; Adresse de facturation | Acquéreur; Pour le compte de",
        "Facturar a; A; Cliente; Comprador; Destinatario | Adquirente; Deudor",
        "Fatturare a; A; Cliente; Spett.le; Destinatario; Acquirente | Committente; Cessionario",
        "Factuur aan; Aan; Klant; Koper; Afnemer; Factuuradres | Ontvanger; Opdrachtgever",
    ),
    "po": (
        "PO number; PO No.; Order no.; Your order; Purchase order; Order reference; Contract",
        "Bestellnummer; Auftrag Nr.; Auftragsnummer; Ihre Bestellung; Bestell-Nr.; Vertrag; Projekt",
        "Commande n°; N° de commande; Bon de commande; Votre commande; Contrat",
        "Pedido n.º; N.º de pedido; Orden de compra; Su pedido; Contrato",
        "Ordine n.; Numero ordine; Vostro ordine; Rif. ordine; Contratto",
        "Ordernummer; Bestelnummer; Uw bestelling; Inkooporder; Contract",
    ),
    "customer": (
        "Customer no.; Customer ID; Account no.; Account; Client no.",
        "Kundennummer; Kunden-Nr.; Kd.-Nr.; Debitor; Konto",
        "N° client; Code client; Compte client; Compte",
        "N.º de cliente; Código cliente; Cuenta",
        "Codice cliente; N. cliente; Conto",
        "Klantnummer; Klantnr.; Debiteurnr.; Rekening",
    ),
    "ordered": (
        "Order date; Ordered on; Date of order; Printed",
        "Bestelldatum; Bestellt am; Auftragsdatum; Druckdatum",
        "Date de commande; Commandé le; Imprimé le",
        "Fecha de pedido; Pedido el; Impreso el",
        "Data ordine; Ordinato il; Stampato il",
        "Besteldatum; Besteld op; Afgedrukt op",
    ),
    "delivered": (
        "Delivery date; Delivered; Date of supply; Shipped on; Service date",
        "Lieferdatum; Leistungsdatum; Geliefert am; Liefertag; Leistung vom",
        "Date de livraison; Livré le; Date de prestation; Expédié le",
        "Fecha de entrega; Entregado el; Fecha de servicio",
        "Data di consegna; Consegnato il; Data prestazione",
        "Leverdatum; Geleverd op; Datum levering",
    ),
    "taxid": (
        "VAT ID; VAT Reg. No.; Tax ID; Company no.",
        "USt-IdNr.; Steuernummer; UID; HRB",
        "N° TVA; SIRET; RCS",
        "NIF; CIF; N.º IVA",
        "P.IVA; Partita IVA; Cod. Fisc.",
        "Btw-nr.; KvK; Btw-id",
    ),
    "holder": (
        "Account holder; Account name; Beneficiary",
        "Kontoinhaber; Inhaber; Empfänger der Zahlung",
        "Titulaire; Titulaire du compte; Bénéficiaire",
        "Titular; Titular de la cuenta; Beneficiario",
        "Intestatario; Intestato a; Beneficiario",
        "Rekeninghouder; Ten name van; Begunstigde",
    ),
    "what": (
        "Description; Item; Service; Product",
        "Beschreibung; Bezeichnung; Leistung; Artikel",
        "Désignation; Description; Prestation; Article",
        "Descripción; Concepto; Artículo",
        "Descrizione; Articolo; Prestazione",
        "Omschrijving; Artikel; Dienst",
    ),
    "many": ("Qty; Quantity; Units; Hours", "Menge; Anz.; Stk.; Std.", "Qté; Quantité; Nb", "Cant.; Cantidad; Uds.",
             "Q.tà; Quantità; Qta", "Aantal; Stuks; Uren"),
    "price": ("Unit price; Price; Rate; Each", "Einzelpreis; Preis; EP; Satz", "P.U.; Prix unitaire; PU HT",
              "Precio; P. unit.; Precio ud.", "Prezzo; Prezzo unit.; P. unit.", "Prijs; Stukprijs; Tarief"),
    "sum": ("Amount; Line total; Sum; Total", "Betrag; Gesamt; Summe; GP", "Montant; Total; Montant HT", "Importe; Total",
            "Importo; Totale", "Bedrag; Totaal"),
    "page": ("Page {n} of {m}; Page {n}/{m}", "Seite {n} von {m}; Seite {n}/{m}", "Page {n} sur {m}; Page {n}/{m}",
             "Página {n} de {m}; Pág. {n}/{m}", "Pagina {n} di {m}; Pag. {n}/{m}", "Pagina {n} van {m}; Blad {n}/{m}"),
    "phone": ("Phone; Tel.; T", "Telefon; Tel.; Fon", "Tél.; Téléphone", "Tel.; Teléfono", "Tel.; Telefono", "Tel.; T"),
    "terms": (
        "Payable within {n} days; Payment terms: {n} days net; Net {n} days; {n} days, {p}% discount",
        "Zahlbar innerhalb von {n} Tagen; Zahlung: {n} Tage netto; Zahlbar sofort ohne Abzug; {n} Tage {p} % Skonto",
        "Paiement à {n} jours; Payable sous {n} jours; Règlement à réception; Escompte {p} % à {n} jours",
        "Pago a {n} días; Pago al contado; Forma de pago: {n} días",
        "Pagamento a {n} giorni; Pagamento: bonifico {n} gg; Pagamento immediato",
        "Betaling binnen {n} dagen; Betalingstermijn {n} dagen; Contant",
    ),
    "stated": ("All amounts in {c}; Currency: {c}; Amounts are in {c}", "Alle Beträge in {c}; Währung: {c}; Beträge in {c}",
               "Montants en {c}; Devise : {c}; Devise: {c}", "Importes en {c}; Moneda: {c}", "Importi in {c}; Valuta: {c}",
               "Bedragen in {c}; Valuta: {c}"),
    "paid": ("Deposit paid; Received; Discount", "Anzahlung; Erhalten; Rabatt", "Acompte; Remise; Déjà réglé",
             "Anticipo; Descuento", "Acconto; Sconto", "Voorschot; Korting"),
    "country": ("United Kingdom; Ireland; USA", "Deutschland; Österreich; Schweiz", "France; Belgique; Suisse",
                "España; México", "Italia", "Nederland; België"),
}  # fmt: skip


@cache
def readings(language: str, word: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a word may read: for training, and held out (for words that nobody is asked for: nothing)."""
    known, _, held = _WORDS[word][LANGUAGES.index(language)].partition("|")
    return _split(known), _split(held)


def _split(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(";") if each.strip())
