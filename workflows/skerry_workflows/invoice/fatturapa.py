"""The Italian FatturaPA (Agenzia delle Entrate, "Specifiche tecniche", format 1.2) to fields.

It states sums by rate of VAT (DatiRiepilogo) and often no more, so totals that are not there are made of those.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, TypeVar

from skerry_workflows.invoice.model import InvoiceFields, Line, TaxLine
from skerry_workflows.invoice.unreadable import Unreadable
from skerry_workflows.invoice.xml_tree import Node
from skerry_workflows.invoice.xml_values import date_of, decimal_of

NAMESPACES: Final = (
    "http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/",
    "http://www.fatturapa.gov.it/sdi/fatturapa/",
)
_CREDIT_NOTES: Final = frozenset({"TD04", "TD08"})
_EMPTY = Node("", "")
_T = TypeVar("_T")


def fields(root: Node) -> InvoiceFields:
    """The facts of a FatturaElettronica with one invoice in it.

    Raises:
        Unreadable: it holds several invoices, or an amount or a date in it is none.
    """
    bodies = list(root.all("FatturaElettronicaBody"))
    if len(bodies) != 1:
        raise Unreadable(f"this FatturaPA file holds {len(bodies)} invoices", hint="split it, one file an invoice")
    body = bodies[0]
    head = body.first("DatiGenerali/DatiGeneraliDocumento") or _EMPTY
    seller = root.first("FatturaElettronicaHeader/CedentePrestatore/DatiAnagrafici") or _EMPTY
    buyer = root.first("FatturaElettronicaHeader/CessionarioCommittente/DatiAnagrafici") or _EMPTY
    breakdown = tuple(map(_tax_line, body.all("DatiBeniServizi/DatiRiepilogo")))
    net = _sum(line.basis for line in breakdown)
    tax = _sum(line.amount for line in breakdown)
    stated = decimal_of(head.value("ImportoTotaleDocumento"), "the total")
    return InvoiceFields(
        doc_type="credit_note" if head.value("TipoDocumento") in _CREDIT_NOTES else "invoice",
        number=head.value("Numero"),
        issue_date=date_of(head.value("Data"), "the issue date"),
        due_date=_only(date_of(n.text, "the due date") for n in _payments(body, "DataScadenzaPagamento")),
        currency=head.value("Divisa"),
        seller_name=_name(seller),
        seller_vat_id=_vat_id(seller),
        buyer_name=_name(buyer),
        buyer_vat_id=_vat_id(buyer),
        purchase_order=_only(n.text for n in body.all("DatiGenerali/DatiOrdineAcquisto/IdDocumento") if n.text),
        iban=tuple(dict.fromkeys(n.text for n in _payments(body, "IBAN") if n.text)),
        net_total=net,
        tax_total=tax,
        gross_total=stated if stated is not None or net is None or tax is None else net + tax,
        payable=_sum(decimal_of(n.text, "an amount to pay") for n in _payments(body, "ImportoPagamento")),
        tax_breakdown=breakdown,
        lines=tuple(map(_line, body.all("DatiBeniServizi/DettaglioLinee"))),
    )


def _payments(body: Node, tag: str) -> Iterable[Node]:
    return body.all(f"DatiPagamento/DettaglioPagamento/{tag}")


def _only(values: Iterable[_T]) -> _T | None:
    """The value, if there is one or all are the same: of several instalments none is the invoice's."""
    found = set(values)
    return found.pop() if len(found) == 1 else None


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None


def _name(party: Node) -> str | None:
    """A company's name, or a person's."""
    person = " ".join(filter(None, (party.value("Anagrafica/Nome"), party.value("Anagrafica/Cognome"))))
    return party.value("Anagrafica/Denominazione") or person or None


def _vat_id(party: Node) -> str | None:
    country, code = party.value("IdFiscaleIVA/IdPaese"), party.value("IdFiscaleIVA/IdCodice")
    return f"{country}{code}" if country and code else None


def _tax_line(summary: Node) -> TaxLine:
    return TaxLine(
        rate=decimal_of(summary.value("AliquotaIVA"), "a tax rate"),
        basis=decimal_of(summary.value("ImponibileImporto"), "a taxable amount"),
        amount=decimal_of(summary.value("Imposta"), "a tax amount"),
    )


def _line(line: Node) -> Line:
    return Line(
        name=line.value("Descrizione"),
        quantity=decimal_of(line.value("Quantita"), "a quantity"),
        unit_price=decimal_of(line.value("PrezzoUnitario"), "a price"),
        net_amount=decimal_of(line.value("PrezzoTotale"), "a line amount"),
    )
