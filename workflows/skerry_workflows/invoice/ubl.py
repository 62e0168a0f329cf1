"""UBL 2.1 Invoice and CreditNote to fields, by the paths of the EN 16931 binding."""

from __future__ import annotations

from skerry_workflows.invoice.model import InvoiceFields, Line, TaxLine
from skerry_workflows.invoice.xml_tree import Node
from skerry_workflows.invoice.xml_values import date_of, decimal_of, doc_type_of, looks_like_iban

NAMESPACE_PREFIX = "urn:oasis:names:specification:ubl:schema:xsd:"


def fields(root: Node) -> InvoiceFields:
    """The facts of a UBL document.

    Raises:
        Unreadable: an amount or a date in it is none.
    """
    seller = root.first("AccountingSupplierParty/Party")
    buyer = root.first("AccountingCustomerParty/Party")
    totals = root.first("LegalMonetaryTotal")
    currency = root.value("DocumentCurrencyCode")
    tax = _tax_total(root, currency)

    def total(tag: str) -> str | None:
        return totals.value(tag) if totals else None

    return InvoiceFields(
        doc_type="credit_note" if root.tag == "CreditNote" else doc_type_of(root.value("InvoiceTypeCode")),
        number=root.value("ID"),
        issue_date=date_of(root.value("IssueDate"), "the issue date"),
        due_date=date_of(root.value("DueDate", "PaymentMeans/PaymentDueDate"), "the due date"),
        currency=currency,
        seller_name=_name(seller),
        seller_vat_id=_vat_id(seller),
        buyer_name=_name(buyer),
        buyer_vat_id=_vat_id(buyer),
        purchase_order=root.value("OrderReference/ID"),
        iban=tuple(n.text for n in root.all("PaymentMeans/PayeeFinancialAccount/ID") if looks_like_iban(n.text)),
        line_total=decimal_of(total("LineExtensionAmount"), "the sum of the lines"),
        allowance_total=decimal_of(total("AllowanceTotalAmount"), "the allowances"),
        charge_total=decimal_of(total("ChargeTotalAmount"), "the charges"),
        net_total=decimal_of(total("TaxExclusiveAmount"), "the total without tax"),
        tax_total=decimal_of(tax.value("TaxAmount") if tax else None, "the tax total"),
        gross_total=decimal_of(total("TaxInclusiveAmount"), "the total with tax"),
        prepaid=decimal_of(total("PrepaidAmount"), "the prepaid amount"),
        rounding=decimal_of(total("PayableRoundingAmount"), "the rounding"),
        payable=decimal_of(total("PayableAmount"), "the payable amount"),
        tax_breakdown=tuple(map(_tax_line, tax.all("TaxSubtotal"))) if tax else (),
        lines=tuple(map(_line, (*root.all("InvoiceLine"), *root.all("CreditNoteLine")))),
    )


def _tax_total(root: Node, currency: str | None) -> Node | None:
    """The tax total in the document's currency: a second one may give it in the currency of the tax office."""
    in_currency = [
        t for t in root.all("TaxTotal") if (a := t.first("TaxAmount")) and a.attributes.get("currencyID") == currency
    ]
    return next(iter(in_currency), root.first("TaxTotal"))


def _name(party: Node | None) -> str | None:
    return party.value("PartyLegalEntity/RegistrationName", "PartyName/Name") if party else None


def _vat_id(party: Node | None) -> str | None:
    for scheme in party.all("PartyTaxScheme") if party else ():
        if scheme.value("TaxScheme/ID") == "VAT":
            return scheme.value("CompanyID")
    return None


def _tax_line(subtotal: Node) -> TaxLine:
    return TaxLine(
        rate=decimal_of(subtotal.value("TaxCategory/Percent"), "a tax rate"),
        basis=decimal_of(subtotal.value("TaxableAmount"), "a taxable amount"),
        amount=decimal_of(subtotal.value("TaxAmount"), "a tax amount"),
    )


def _line(line: Node) -> Line:
    return Line(
        name=line.value("Item/Name"),
        quantity=decimal_of(line.value("InvoicedQuantity", "CreditedQuantity"), "a quantity"),
        unit_price=decimal_of(line.value("Price/PriceAmount"), "a price"),
        net_amount=decimal_of(line.value("LineExtensionAmount"), "a line amount"),
    )
