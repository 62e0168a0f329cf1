"""A bare XML invoice: which syntax is it, and what does it say?"""

from __future__ import annotations

from typing import NamedTuple

from skerry_workflows.invoice import bounds, cii, en16931, fatturapa, ubl, xml_tree
from skerry_workflows.invoice.model import Breach, InvoiceFields, Kind, Reading
from skerry_workflows.invoice.unreadable import Unreadable


class Parsed(NamedTuple):
    """An XML invoice: its syntax, what it says, its text, and which rules of EN 16931 it breaks."""

    kind: Kind
    fields: InvoiceFields
    text: str
    breaches: tuple[Breach, ...] = ()


def read_xml(data: bytes, name: str) -> Reading:
    """Read a UBL, CII or FatturaPA invoice exactly.

    Raises:
        Unreadable: it is not well-formed, is dangerous, or is not an invoice in a syntax that is known.
    """
    parsed = parse_invoice(data)
    return Reading(
        name=name, media_type="application/xml", kind=parsed.kind, text=parsed.text, fields=parsed.fields,
        breaches=parsed.breaches,
    )  # fmt: skip


def parse_invoice(data: bytes) -> Parsed:
    """What an XML invoice is and says. Raises as `read_xml` does."""
    document = xml_tree.parse(data)
    kind, fields = _exact(document)
    # Before its rules are asked, which takes longer the more there is of it.
    reading = Reading(name="", media_type="application/xml", kind=kind, text=document.text)
    if beyond := bounds.beyond(fields, reading):
        raise Unreadable(f"this is too much for an invoice: {beyond}", hint="a person has to enter it")
    breaches = tuple(Breach(rule.id, rule.words) for rule in en16931.broken(document.root))
    return Parsed(kind, fields, document.text, breaches)


def _exact(document: xml_tree.Document) -> tuple[Kind, InvoiceFields]:
    root = document.root
    if root.tag in ("Invoice", "CreditNote") and document.namespace.startswith(ubl.NAMESPACE_PREFIX):
        return "xml-ubl", ubl.fields(root)
    if root.tag in cii.ROOTS:
        return "xml-cii", cii.fields(root)
    if root.tag == "FatturaElettronica" and document.namespace.startswith(fatturapa.NAMESPACES):
        return "xml-fatturapa", fatturapa.fields(root)
    if root.tag == "FatturaElettronicaSemplificata":
        raise Unreadable(
            "this is a simplified Italian FatturaPA invoice, which is not read",
            hint="ask the sender for an ordinary one, for UBL, CII or a PDF, or let a person enter it",
        )
    raise Unreadable(
        f"this XML file is not an invoice in a known syntax (its root is {root.tag[:60]!r})",
        hint="UBL, CII, XRechnung, Factur-X, ZUGFeRD and FatturaPA are known; ask the sender for one, or for a PDF",
    )
