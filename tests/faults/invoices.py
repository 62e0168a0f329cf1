"""Small invoices that are made up here, each with the right end known: posted, waiting for a person, or unreadable."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["ubl", "text", "large", "unreadable", "doubtful"]
"""`large` is above the limit, so a person approves; `doubtful` does not add up, so a person decides."""


class Document(NamedTuple):
    """One file and what is to become of it."""

    name: str
    kind: Kind
    number: str
    data: bytes


def document(kind: Kind, number: int) -> Document:
    """The document of this kind and number; another one for every number."""
    name = f"{kind[:2].upper()}-{number:06d}"
    net = (50_000 if kind == "large" else 100) + 5 * (number % 50)
    tax = net // 5
    if kind == "unreadable":
        return Document(f"{name}.pdf", kind, name, b"%PDF-1.7\n" + f"{name} and then nothing of a PDF".encode())
    if kind == "text":
        text = (
            f"INVOICE\n\nFrom: Harbour Supplies Ltd\n\nInvoice number: {name}\n"
            "Invoice date: 14/03/2026\nDue date: 13/04/2026\n\n"
            f"Subtotal: {net}.00 GBP\nVAT 20%: {tax}.00 GBP\nTotal: {net + tax}.00 GBP\n"
        )
        return Document(f"{name}.txt", kind, name, text.encode())
    gross = net + tax + (7 if kind == "doubtful" else 0)
    return Document(f"{name}.xml", kind, name, _ubl(name, net, tax, gross).encode())


_ADDRESS = (
    "<cac:PostalAddress><cac:Country><cbc:IdentificationCode>DE</cbc:IdentificationCode></cac:Country>"
    "</cac:PostalAddress>"
)


def _category(tag: str) -> str:
    scheme = "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"
    return f"<cac:{tag}><cbc:ID>S</cbc:ID><cbc:Percent>20</cbc:Percent>{scheme}</cac:{tag}>"


def _ubl(number: str, net: int, tax: int, gross: int) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>
<cbc:ID>{number}</cbc:ID><cbc:IssueDate>2026-03-14</cbc:IssueDate><cbc:DueDate>2026-04-13</cbc:DueDate>
<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode><cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
<cac:AccountingSupplierParty><cac:Party><cac:PartyName><cbc:Name>Hafen Bedarf</cbc:Name></cac:PartyName>
{_ADDRESS}
<cac:PartyTaxScheme><cbc:CompanyID>42/815/0815</cbc:CompanyID>
<cac:TaxScheme><cbc:ID>FC</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
<cac:PartyLegalEntity><cbc:RegistrationName>Hafen Bedarf GmbH</cbc:RegistrationName>
<cbc:CompanyID>HRB 12</cbc:CompanyID></cac:PartyLegalEntity>
</cac:Party></cac:AccountingSupplierParty>
<cac:AccountingCustomerParty><cac:Party>{_ADDRESS}
<cac:PartyLegalEntity><cbc:RegistrationName>Kai und Mole AG</cbc:RegistrationName></cac:PartyLegalEntity>
</cac:Party></cac:AccountingCustomerParty>
<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">{tax}.00</cbc:TaxAmount>
<cac:TaxSubtotal><cbc:TaxableAmount currencyID="EUR">{net}.00</cbc:TaxableAmount>
<cbc:TaxAmount currencyID="EUR">{tax}.00</cbc:TaxAmount>{_category("TaxCategory")}</cac:TaxSubtotal></cac:TaxTotal>
<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="EUR">{net}.00</cbc:LineExtensionAmount>
<cbc:TaxExclusiveAmount currencyID="EUR">{net}.00</cbc:TaxExclusiveAmount>
<cbc:TaxInclusiveAmount currencyID="EUR">{gross}.00</cbc:TaxInclusiveAmount>
<cbc:PayableAmount currencyID="EUR">{gross}.00</cbc:PayableAmount>
</cac:LegalMonetaryTotal>
<cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:InvoicedQuantity unitCode="C62">1</cbc:InvoicedQuantity>
<cbc:LineExtensionAmount currencyID="EUR">{net}.00</cbc:LineExtensionAmount>
<cac:Item><cbc:Name>Rope</cbc:Name>{_category("ClassifiedTaxCategory")}</cac:Item>
<cac:Price><cbc:PriceAmount currencyID="EUR">{net}.00</cbc:PriceAmount></cac:Price></cac:InvoiceLine></Invoice>
"""
