"""FatturaPA, made up here after the published format: read exactly, or refused with a reason."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from skerry_workflows.invoice.model import Line, TaxLine
from skerry_workflows.invoice.read import read
from skerry_workflows.invoice.unreadable import Unreadable
from skerry_workflows.invoice.verify import places, verify

D = Decimal
NAMESPACE = "http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2"

HEAD = """
  <FatturaElettronicaHeader>
    <DatiTrasmissione><ProgressivoInvio>00042</ProgressivoInvio></DatiTrasmissione>
    <CedentePrestatore><DatiAnagrafici>
      <IdFiscaleIVA><IdPaese>IT</IdPaese>
        <IdCodice>12345670017</IdCodice></IdFiscaleIVA>
      <Anagrafica><Denominazione>Montalto Lampade S.r.l.</Denominazione></Anagrafica>
    </DatiAnagrafici></CedentePrestatore>
    <CessionarioCommittente><DatiAnagrafici>
      <CodiceFiscale>RSSMRA80A01H501U</CodiceFiscale>
      <Anagrafica><Nome>Mario</Nome><Cognome>Bianchi Verdi</Cognome></Anagrafica>
    </DatiAnagrafici></CessionarioCommittente>
  </FatturaElettronicaHeader>"""
BODY = """
  <FatturaElettronicaBody>
    <DatiGenerali>
      <DatiGeneraliDocumento><TipoDocumento>TD01</TipoDocumento><Divisa>EUR</Divisa><Data>2025-02-14</Data>
        <Numero>117/A</Numero><ImportoTotaleDocumento>1281.00</ImportoTotaleDocumento></DatiGeneraliDocumento>
      <DatiOrdineAcquisto><IdDocumento>PO-88</IdDocumento></DatiOrdineAcquisto>
    </DatiGenerali>
    <DatiBeniServizi>
      <DettaglioLinee><NumeroLinea>1</NumeroLinea><Descrizione>Lampada da tavolo</Descrizione>
        <Quantita>10.00</Quantita><PrezzoUnitario>50.00</PrezzoUnitario><PrezzoTotale>500.00</PrezzoTotale>
        <AliquotaIVA>22.00</AliquotaIVA></DettaglioLinee>
      <DettaglioLinee><NumeroLinea>2</NumeroLinea><Descrizione>Posa in opera</Descrizione>
        <PrezzoUnitario>610.00</PrezzoUnitario><PrezzoTotale>610.00</PrezzoTotale>
        <AliquotaIVA>10.00</AliquotaIVA></DettaglioLinee>
      <DatiRiepilogo><AliquotaIVA>22.00</AliquotaIVA><ImponibileImporto>500.00</ImponibileImporto>
        <Imposta>110.00</Imposta></DatiRiepilogo>
      <DatiRiepilogo><AliquotaIVA>10.00</AliquotaIVA><ImponibileImporto>610.00</ImponibileImporto>
        <Imposta>61.00</Imposta></DatiRiepilogo>
    </DatiBeniServizi>
    <DatiPagamento><DettaglioPagamento><DataScadenzaPagamento>2025-03-16</DataScadenzaPagamento>
      <ImportoPagamento>1281.00</ImportoPagamento><IBAN>IT60X0542811101000000123456</IBAN>
    </DettaglioPagamento></DatiPagamento>
  </FatturaElettronicaBody>"""


def fattura(body: str = BODY, head: str = HEAD) -> bytes:
    return f'<p:FatturaElettronica versione="FPR12" xmlns:p="{NAMESPACE}">{head}{body}</p:FatturaElettronica>'.encode()


def test_it_is_read_exactly_and_nothing_speaks_against_it() -> None:
    reading = read(fattura(), "IT12345670017_00042.xml")
    f = reading.fields
    assert reading.kind == "xml-fatturapa" and f is not None
    assert (f.doc_type, f.number, f.issue_date, f.due_date) == (
        "invoice", "117/A", dt.date(2025, 2, 14), dt.date(2025, 3, 16),
    )  # fmt: skip
    assert (f.seller_name, f.seller_vat_id, f.buyer_name) == (
        "Montalto Lampade S.r.l.", "IT12345670017", "Mario Bianchi Verdi",
    )  # fmt: skip
    assert (f.currency, f.net_total, f.tax_total, f.gross_total, f.payable) == (
        "EUR", D(1110), D(171), D(1281), D(1281),
    )  # fmt: skip
    assert f.tax_breakdown == (
        TaxLine(rate=D("22.00"), basis=D("500.00"), amount=D("110.00")),
        TaxLine(rate=D("10.00"), basis=D("610.00"), amount=D("61.00")),
    )
    assert f.lines[1] == Line(name="Posa in opera", unit_price=D("610.00"), net_amount=D("610.00"))
    assert (f.purchase_order, f.iban) == ("PO-88", ("IT60X0542811101000000123456",))
    assert verify(f, reading) == ()
    found = places(f, reading)
    assert "IdCodice" in reading.text[found["seller_vat_id"].start : found["seller_vat_id"].end]


def test_a_total_that_is_not_stated_follows_from_the_rates() -> None:
    reading = read(fattura(BODY.replace("<ImportoTotaleDocumento>1281.00</ImportoTotaleDocumento>", "")), "x")
    assert reading.fields is not None
    assert reading.fields.gross_total == 1281 and verify(reading.fields, reading) == ()


def test_a_credit_note() -> None:
    reading = read(fattura(BODY.replace("TD01", "TD04")), "x")
    assert reading.fields is not None and reading.fields.doc_type == "credit_note"


def test_a_tax_that_the_buyer_withholds_is_for_a_person() -> None:
    reading = read(fattura(BODY.replace("<ImportoPagamento>1281.00", "<ImportoPagamento>1081.00")), "x")
    assert reading.fields is not None
    assert [o.rule for o in verify(reading.fields, reading)] == ["totals"]


def test_instalments_have_no_date_in_common() -> None:
    second = """<DatiPagamento><DettaglioPagamento><DataScadenzaPagamento>2025-04-16</DataScadenzaPagamento>
      <ImportoPagamento>640.50</ImportoPagamento></DettaglioPagamento></DatiPagamento></FatturaElettronicaBody>"""
    body = BODY.replace("<ImportoPagamento>1281.00", "<ImportoPagamento>640.50")
    reading = read(fattura(body.replace("</FatturaElettronicaBody>", second)), "x")
    assert reading.fields is not None
    assert (reading.fields.due_date, reading.fields.payable) == (None, D(1281))
    assert verify(reading.fields, reading) == ()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (fattura(BODY + BODY), "holds 2 invoices"),
        (fattura(""), "holds 0 invoices"),
        (fattura(BODY.replace("<Imposta>61.00", "<Imposta>61,00")), "is not a number"),
        (b'<p:FatturaElettronicaSemplificata xmlns:p="urn:x"/>', "simplified Italian FatturaPA"),
        (b'<p:FatturaElettronica xmlns:p="urn:fattura"/>', "not an invoice in a known syntax"),
        (b"\x30\x82\x0b\x0f" + fattura(), r"signed container \(\.p7m\)"),
    ],
)
def test_what_cannot_be_read_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read(data, "x.xml")
