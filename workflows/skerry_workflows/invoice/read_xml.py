"""A bare XML invoice: which syntax is it, and what does it say?"""

from __future__ import annotations

from skerry_workflows.invoice import bounds, cii, ubl, xml_tree
from skerry_workflows.invoice.model import InvoiceFields, Kind, Reading
from skerry_workflows.invoice.unreadable import Unreadable


def read_xml(data: bytes, name: str) -> Reading:
    """Read a UBL or CII invoice exactly.

    Raises:
        Unreadable: it is not well-formed, is dangerous, or is not an invoice in a syntax that is known.
    """
    kind, fields, text = parse_invoice(data)
    return Reading(name=name, media_type="application/xml", kind=kind, text=text, fields=fields)


def parse_invoice(data: bytes) -> tuple[Kind, InvoiceFields, str]:
    """The syntax, the facts and the text of an XML invoice. Raises as `read_xml` does."""
    document = xml_tree.parse(data)
    root = document.root
    if root.tag in ("Invoice", "CreditNote") and document.namespace.startswith(ubl.NAMESPACE_PREFIX):
        return "xml-ubl", *_bounded(ubl.fields(root), document.text)
    if root.tag in cii.ROOTS:
        return "xml-cii", *_bounded(cii.fields(root), document.text)
    if root.tag in ("FatturaElettronica", "FatturaElettronicaSemplificata"):
        raise Unreadable(
            "this is an Italian FatturaPA invoice, a syntax that is not supported",
            hint="ask the sender for the invoice as PDF, UBL or CII, or let a person enter it",
        )
    raise Unreadable(
        f"this XML file is not an invoice in a known syntax (its root is {root.tag[:60]!r})",
        hint="UBL, CII, XRechnung, Factur-X and ZUGFeRD are known; ask the sender for one of them, or for a PDF",
    )


def _bounded(fields: InvoiceFields, text: str) -> tuple[InvoiceFields, str]:
    reading = Reading(name="", media_type="application/xml", kind="xml-ubl", text=text)
    if beyond := bounds.beyond(fields, reading):
        raise Unreadable(f"this is too much for an invoice: {beyond}", hint="a person has to enter it")
    return fields, text
