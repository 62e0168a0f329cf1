"""Layouts that are made up here, one for each thing that real invoices do: whole pages, and what they say."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from skerry_workflows.invoice.model import InvoiceFields, Reading
from skerry_workflows.invoice.rules import extract
from skerry_workflows.invoice.verify import verify

D = Decimal

ROUNDED = """\
Bergmann Treuhand AG
Seestrasse 12
8002 Zürich
CHE-123.456.788 MWST

                                                     Optik Hollin AG
                                                     Bahnhofplatz 3
                                                     3011 Bern

Rechnung Nr. 20250417                                Zürich, 14. März 2025
Kundennummer: 4432
Zahlbar bis: 13. April 2025

Pos.  Bezeichnung                      Menge   Einheit    Preis CHF     Betrag CHF
1     Jahresabschluss 2024                12   Std.          180.00       2'160.00
2     Steuererklärung                      5   Std.          165.00         825.00
3     Auslagen                             1   pauschal       45.50          45.50

                                              Zwischentotal CHF           3'030.50
                                              8.1% MWST                     245.47
                                              Rundung                        -0.02
                                              Total CHF                   3'275.95

IBAN CH93 0076 2011 6238 5295 7
"""
DISCOUNT = """\
Metallbau Farrow GmbH · Industriestr. 8 · 45127 Altdorf

Corvane Bikes GmbH
Einkauf
Hafenweg 3
20457 Norwick

RECHNUNG

Rechnungs-Nr.       Datum           Kunden-Nr.     Lieferdatum
RE250233            03.02.2025      10455          28.01.2025

Art.-Nr.   Bezeichnung                 Menge   ME    E-Preis   Rabatt   Gesamt EUR
AB-4411    Rohrschelle verzinkt          200   Stk      1,25     10 %       225,00
AB-9920    Montageschiene 2 m             40   Stk     14,80      5 %       562,40
           Lochabstand 50 mm
DL-1       Zuschnitt nach Plan             3   Std     62,00                186,00

Summe Positionen                                                            973,40
abzgl. 3 % Sondernachlass                                                   -29,20
Nettobetrag                                                                 944,20
19 % MwSt. auf 944,20                                                       179,40
Rechnungsbetrag                                                           1.123,60

Zahlbar innerhalb von 14 Tagen mit 2 % Skonto (1.101,13 EUR) oder bis 05.03.2025 ohne Abzug.

Metallbau Farrow GmbH          Sparkasse Altdorf                  Geschäftsführer: K. Farrow
Industriestr. 8                IBAN DE02 1203 0000 0000 2020 51   HRB 4471 Amtsgericht Altdorf
45127 Altdorf                  BIC BYLADEM1001                    USt-IdNr. DE136695976
"""
CREDIT = """\
                                   CREDIT NOTE

Juvenal Garden Ltd                                   Credit note no:   CN-00871
4 Mill Lane                                          Date:             7 Jan 2025
NR1 3QG Norwick                                      Original invoice: INV-22019 of 12 Dec 2024
VAT Reg No GB 980 7806 84

Customer:
Kestrel Print plc
88 Harbour Road
LS1 4AP Leeds

Description                                        Qty      Price        VAT      Amount
Oak board, returned damaged                         -4     £22.50        20%     -£90.00
Carriage refund                                     -1     £12.00        20%     -£12.00

                                                          Net total             -£102.00
                                                          VAT @ 20%              -£20.40
                                                          Total credit          -£122.40
"""
PREPAID = """\
Studio Birkholm SARL
14 rue du Moulin
69001 Lyon
SIRET 123 456 789 00012   TVA intracommunautaire : FR40303265045

FACTURE N° F2025-031                        Facturé à :
Date : 21/02/2025                           Mairie de Beaulieu
Échéance : 23/03/2025                       1 place de l'Église
                                            24120 Beaulieu

Désignation                      Qté    P.U. HT     TVA     Total HT
Maquette du bulletin               1    850,00 €    20 %    850,00 €
Impression 2 000 ex.               1    640,00 €    5,5 %   640,00 €

                       Total HT                          1 490,00 €
                       TVA 20 % sur 850,00 €               170,00 €
                       TVA 5,5 % sur 640,00 €               35,20 €
                       Total TTC                         1 695,20 €
                       Acompte versé le 10/01/2025        -500,00 €
                       Reste à payer                     1 195,20 €

IBAN FR76 3000 6000 0112 3456 7890 189
"""
PAGES = """\
Westdam Energie B.V.
Kerkstraat 21
1012 AB Amsterdam
KvK 12345678    BTW-nummer NL123456782B90

Factuur aan
Estrela Textil B.V.
Postbus 90
3500 AB Utrecht

Factuurnummer: 2025-000918         Factuurdatum: 05-03-2025        Vervaldatum: 04-04-2025

Omschrijving                              Aantal      Prijs     BTW      Bedrag
Onderhoud ketel januari                        1     120,00     21%      120,00
Onderhoud ketel februari                       1     120,00     21%      120,00
Filter                                         6      18,50     21%      111,00
Transport                                                                351,00
                                                               Pagina 1 van 2
Westdam Energie B.V.                            Factuurnummer: 2025-000918

Omschrijving                              Aantal      Prijs     BTW      Bedrag
Transport                                                                351,00
Reistijd                                       2      65,00     21%      130,00
Handleiding                                    1      25,00      9%       25,00

Subtotaal                                                                506,00
BTW 21% over 481,00                                                      101,01
BTW 9% over 25,00                                                          2,25
Totaal te betalen                                                     € 609,26

IBAN NL91 ABNA 0417 1643 00                                    Pagina 2 van 2
"""
SWEDISH = """\
Hollin Transport AB                                         FAKTURA
Hamngatan 2
111 47 Stockholm
Org.nr 556036-0793   Momsreg.nr SE556036079301

Fakturanummer    10023                Kund
Fakturadatum     2025-03-01           Gellert Papier AB
Förfallodatum    2025-03-31           Storgatan 9
Er referens      Anna Berg            411 01 Göteborg
Vår referens     Lars Holm

Beskrivning                     Antal     À-pris        Belopp
Frakt Stockholm - Göteborg          2   4 250,00      8 500,00
Lastning                            3     350,00      1 050,00

                                 Netto                9 550,00
                                 Moms 25%             2 387,50
                                 Att betala SEK      11 937,50

Bankgiro 123-4567
"""
AMERICAN = """\
INVOICE                                                     Invoice #:  10482
                                                            Date:       Mar 5, 2025
Isarbach Design LLC                                         Terms:      Net 30
2201 Market St Suite 4                                      Due Date:   Apr 4, 2025
Denver, CO 80205                                            P.O. #:     77120

Bill To                              Ship To
Dunmoor Optik Inc.                   Dunmoor Optik Inc.
500 Harbor Blvd                      Warehouse 2, 18 Dock Rd
Oakland, CA 94607                    Oakland, CA 94607

Quantity   Description                      Unit Price        Total
   12      Poster design                        150.00     1,800.00
    3      Revision round                        80.00       240.00

                                            Subtotal       2,040.00
                                            Sales Tax 8.5%   173.40
                                            Total         $2,213.40
                                            Amount Paid   $1,000.00
                                            Balance Due   $1,213.40
"""
ITALIAN = """\
Ribera Lampade S.p.A.
Via Verdi 18 - 20121 Milano (MI)
P.IVA 00743110157 - REA MI 1234567

                                        Spett.le
                                        Kestrel Energie S.r.l.
                                        Corso Italia 40
                                        50123 Firenze (FI)

FATTURA N. 418/2025 DEL 28/02/2025

Descrizione                         Q.tà     Prezzo     Sconto     IVA       Importo
Lampada da terra                       4     189,00       10%       22     680,40
Montaggio                              1     120,00                 22     120,00

Totale imponibile      800,40
IVA 22%                176,09
Totale fattura EUR     976,49
Scadenza: 30/03/2025
IBAN IT60 X054 2811 1010 0000 0123 456
"""
WITHHELD = """\
FACTURA
Nº factura: A-2025/0077           Fecha: 12 de marzo de 2025
Estrela Studio S.L.               Cliente: Farrow Bikes S.L.
CIF B12345674                     CIF B87654328
Calle Mayor 5, 28013 Madrid       Avenida del Puerto 10, 46021 Valencia

Concepto                      Unidades    Precio    Dto.     Importe
Diseño de catálogo                   1   1.200,00   5%      1.140,00
Fotografía de producto              30      22,00            660,00

Base imponible    1.800,00 €
IVA 21%             378,00 €
Retención IRPF 15% -270,00 €
Total a pagar     1.908,00 €
"""
POLISH = """\
Faktura VAT nr FV/2025/03/118                       Data wystawienia: 2025-03-14
                                                    Data sprzedaży: 2025-03-12
                                                    Termin płatności: 2025-03-28
Sprzedawca:                         Nabywca:
Alder Pumpen sp. z o.o.             Hollin Garden sp. z o.o.
ul. Długa 5                         ul. Krótka 9
00-238 Warszawa                     31-150 Kraków
NIP: 5260001246                     NIP: 6762476327

Lp.  Nazwa                     Ilość   Cena netto   Wartość netto   VAT    Wartość brutto
1    Pompa ogrodowa                3       420,00        1 260,00   23%         1 549,80
2    Wąż 20 m                     10        35,00          350,00   23%           430,50

                               Razem:                    1 610,00               1 980,30
Do zapłaty: 1 980,30 PLN
"""


def read(text: str) -> tuple[InvoiceFields, set[str]]:
    reading = Reading(name="page.txt", media_type="text/plain", kind="text", text=text)
    fields = extract(reading)
    return fields, {o.rule for o in verify(fields, reading)}


def told(f: InvoiceFields, *names: str) -> tuple[object, ...]:
    return tuple(getattr(f, name) for name in names)


TOTALS = ("net_total", "tax_total", "gross_total", "prepaid", "payable")


def lines(f: InvoiceFields) -> list[tuple[object, ...]]:
    return [(line.name, line.quantity, line.net_amount) for line in f.lines]


def test_a_discount_at_the_end_of_the_table_is_none_of_its_items() -> None:
    f, objections = read(DISCOUNT)
    assert told(f, *TOTALS) == (D("944.20"), D("179.40"), D("1123.60"), None, D("1123.60"))
    assert told(f, "line_total", "allowance_total") == (D("973.40"), D("29.20"))
    assert lines(f) == [
        ("Rohrschelle verzinkt", 200, D("225.00")),
        ("Montageschiene 2 m Lochabstand 50 mm", 40, D("562.40")),
        ("Zuschnitt nach Plan", 3, D("186.00")),
    ]
    assert told(f, "seller_name", "buyer_name", "issue_date") == (
        "Metallbau Farrow GmbH", "Corvane Bikes GmbH", dt.date(2025, 2, 3),
    )  # fmt: skip
    assert objections == set()


def test_a_credit_note_with_minus_signs_has_positive_amounts() -> None:
    f, objections = read(CREDIT)
    assert told(f, "doc_type", "number", *TOTALS) == (
        "credit_note", "CN-00871", D("102.00"), D("20.40"), D("122.40"), None, D("122.40"),
    )  # fmt: skip
    assert objections == set()


def test_what_was_paid_before_and_what_is_left() -> None:
    f, objections = read(PREPAID)
    assert told(f, *TOTALS) == (D("1490.00"), D("205.20"), D("1695.20"), D("500.00"), D("1195.20"))
    assert [(t.rate, t.basis, t.amount) for t in f.tax_breakdown] == [
        (D("20"), D("850.00"), D("170.00")), (D("5.5"), D("640.00"), D("35.20")),
    ]  # fmt: skip
    assert objections == set()
    assert told(read(AMERICAN)[0], *TOTALS) == (
        D("2040.00"), D("173.40"), D("2213.40"), D("1000.00"), D("1213.40"),
    )  # fmt: skip


def test_a_table_over_two_pages_whose_sum_is_carried_forward() -> None:
    f, objections = read(PAGES)
    assert lines(f) == [
        ("Onderhoud ketel januari", 1, D("120.00")),
        ("Onderhoud ketel februari", 1, D("120.00")),
        ("Filter", 6, D("111.00")),
        ("Reistijd", 2, D("130.00")),
        ("Handleiding", 1, D("25.00")),
    ]
    assert told(f, *TOTALS) == (D("506.00"), D("103.26"), D("609.26"), None, D("609.26"))
    assert len(f.tax_breakdown) == 2 and objections <= {"vat_id"}


def test_an_item_called_transport_is_an_item() -> None:
    f, _ = read(PAGES.replace("Handleiding", "Transport  "))
    assert lines(f)[-1][0] == "Transport"


@pytest.mark.parametrize(
    ("text", "currency", "gross", "issued"),
    [
        (SWEDISH, "SEK", "11937.50", dt.date(2025, 3, 1)),
        (ITALIAN, "EUR", "976.49", dt.date(2025, 2, 28)),
        (POLISH, "PLN", "1980.30", dt.date(2025, 3, 14)),
    ],
)
def test_other_languages(text: str, currency: str, gross: str, issued: dt.date) -> None:
    f, _ = read(text)
    assert told(f, "currency", "gross_total", "issue_date") == (currency, D(gross), issued)
    assert None not in told(f, "number", "seller_name", "buyer_name")


def test_the_date_of_a_letter_stands_behind_its_town() -> None:
    assert read(ROUNDED)[0].issue_date == dt.date(2025, 3, 14)
    assert read(ROUNDED.replace("Zürich, 14. März 2025", "Zürich, 14. März 2025 geliefert"))[0].issue_date is None


def test_a_total_that_was_rounded_is_for_a_person() -> None:
    f, objections = read(ROUNDED)
    assert told(f, "net_total", "tax_total", "gross_total") == (D("3030.50"), D("245.47"), D("3275.95"))
    assert "totals" in objections


def test_what_is_left_after_a_tax_was_withheld_is_not_the_total() -> None:
    f, objections = read(WITHHELD)
    assert told(f, *TOTALS) == (D("1800.00"), D("378.00"), None, None, D("1908.00"))
    assert "complete" in objections
    assert read(WITHHELD.replace("Total a pagar", "Total factura"))[1], "the sums do not fit: for a person"
