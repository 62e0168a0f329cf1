"""UBL 2.1 to the terms of EN 16931, by the binding of CEN/TS 16931-3-2."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from skerry_workflows.invoice.en16931.terms import (
    Adjustment,
    LineItem,
    Party,
    Payment,
    Period,
    TaxTotal,
    Terms,
    Totals,
    Vat,
)
from skerry_workflows.invoice.xml_tree import Node
from skerry_workflows.invoice.xml_values import amount_at, sum_of

_NONE = Node("", "")


def terms(root: Node) -> Terms:
    """The terms of an Invoice or a CreditNote. What cannot be read as its type counts as not there."""
    seller = root.first("AccountingSupplierParty/Party") or _NONE
    buyer = root.first("AccountingCustomerParty/Party") or _NONE
    payee, representative = root.first("PayeeParty"), root.first("TaxRepresentativeParty")
    totals = root.first("LegalMonetaryTotal")
    delivery = root.first("Delivery/DeliveryLocation/Address")
    period = root.first("InvoicePeriod")
    return Terms(
        syntax="ubl",
        specification=_text(root, "CustomizationID"),
        number=_text(root, "ID"),
        issue_date=_text(root, "IssueDate"),
        type_code=root.value("InvoiceTypeCode", "CreditNoteTypeCode") or "",
        currency=_text(root, "DocumentCurrencyCode"),
        tax_currency=_text(root, "TaxCurrencyCode"),
        tax_point_date=_text(root, "TaxPointDate"),
        seller=_party(seller, _text(seller, "PartyLegalEntity/RegistrationName")),
        buyer=_party(buyer, _text(buyer, "PartyLegalEntity/RegistrationName")),
        payee=_party(payee, _text(payee, "PartyName/Name")) if payee else None,
        representative=_party(representative, _text(representative, "PartyName/Name")) if representative else None,
        period=_period(period) if period else None,
        has_delivery_date=bool(_text(root, "Delivery/ActualDeliveryDate")),
        deliver_to_country=_text(delivery, "Country/IdentificationCode") if delivery else None,
        adjustments=tuple(map(_adjustment, root.all("AllowanceCharge"))),
        totals=_totals(totals) if totals else None,
        tax_totals=tuple(map(_tax_total, root.all("TaxTotal"))),
        breakdown=tuple(map(_vat, root.all("TaxTotal/TaxSubtotal"))),
        lines=tuple(map(_line, (*root.all("InvoiceLine"), *root.all("CreditNoteLine")))),
        payments=tuple(map(_payment, root.all("PaymentMeans"))),
        says_when_due=bool(root.value("DueDate", "PaymentMeans/PaymentDueDate", "PaymentTerms/Note")),
        documents=tuple(_text(n, "ID") for n in root.all("AdditionalDocumentReference")),
        preceding=tuple(_text(n, "InvoiceDocumentReference/ID") for n in root.all("BillingReference")),
        countries=tuple(n.text for n in root.everywhere("IdentificationCode")),
        party_schemes=tuple(
            scheme
            for n in root.everywhere("PartyIdentification")
            for scheme in _schemes(n, "ID")
            if scheme != "SEPA"  # the creditor's identifier, BT-90
        ),
        legal_schemes=tuple(s for n in root.everywhere("PartyLegalEntity") for s in _schemes(n, "CompanyID")),
    )


def _text(node: Node, path: str) -> str:
    return node.value(path) or ""


def _schemes(node: Node, path: str) -> Iterator[str]:
    return (n.attributes["schemeID"] for n in node.all(path) if n.attributes.get("schemeID"))


def _party(party: Node, name: str) -> Party:
    address, endpoint = party.first("PostalAddress"), party.first("EndpointID")
    schemes = [(_text(n, "TaxScheme/ID").upper(), _text(n, "CompanyID")) for n in party.all("PartyTaxScheme")]
    return Party(
        name=name,
        ids=tuple(n.text for n in party.all("PartyIdentification/ID") if n.text),
        vat_id=next((number for scheme, number in schemes if scheme == "VAT" and number), ""),
        tax_ids=tuple(number for _, number in schemes if number),
        legal_id=_text(party, "PartyLegalEntity/CompanyID"),
        has_address=address is not None,
        country=_text(address, "Country/IdentificationCode") if address else "",
        has_endpoint=endpoint is not None,
        endpoint_scheme=endpoint.attributes.get("schemeID", "") if endpoint else "",
    )


def _period(period: Node) -> Period:
    return Period(start=_text(period, "StartDate"), end=_text(period, "EndDate"), code=_text(period, "DescriptionCode"))


def _category(node: Node, path: str) -> tuple[str, Decimal | None]:
    """The code and the rate of a category of VAT; those of other taxes are passed over."""
    for category in node.all(path):
        if _text(category, "TaxScheme/ID").upper() == "VAT":
            return _text(category, "ID"), amount_at(category, "Percent")
    return "", None


def _adjustment(node: Node) -> Adjustment:
    category, rate = _category(node, "TaxCategory")
    return Adjustment(
        is_charge=_text(node, "ChargeIndicator") in ("true", "1"),
        amount=amount_at(node, "Amount"),
        has_reason=bool(node.first("AllowanceChargeReason", "AllowanceChargeReasonCode")),
        category=category,
        rate=rate,
    )


def _totals(node: Node) -> Totals:
    return Totals(
        lines=amount_at(node, "LineExtensionAmount"),
        allowances=amount_at(node, "AllowanceTotalAmount"),
        charges=amount_at(node, "ChargeTotalAmount"),
        net=amount_at(node, "TaxExclusiveAmount"),
        gross=amount_at(node, "TaxInclusiveAmount"),
        prepaid=amount_at(node, "PrepaidAmount"),
        rounding=amount_at(node, "PayableRoundingAmount"),
        payable=amount_at(node, "PayableAmount"),
    )


def _tax_total(node: Node) -> TaxTotal:
    amount = node.first("TaxAmount")
    return TaxTotal(
        amount=amount_at(node, "TaxAmount"),
        currency=amount.attributes.get("currencyID", "") if amount else "",
        of_breakdown=sum_of(node, "TaxSubtotal", "TaxAmount") if node.first("TaxSubtotal") else None,
    )


def _vat(node: Node) -> Vat:
    category, rate = _category(node, "TaxCategory")
    return Vat(
        category=category,
        rate=rate,
        basis=amount_at(node, "TaxableAmount"),
        tax=amount_at(node, "TaxAmount"),
        has_exemption=bool(node.first("TaxCategory/TaxExemptionReason", "TaxCategory/TaxExemptionReasonCode")),
    )


def _line(node: Node) -> LineItem:
    quantity = node.first("InvoicedQuantity", "CreditedQuantity")
    category, rate = _category(node, "Item/ClassifiedTaxCategory")
    standard, period = node.first("Item/StandardItemIdentification/ID"), node.first("InvoicePeriod")
    return LineItem(
        id=_text(node, "ID"),
        has_quantity=quantity is not None,
        unit=quantity.attributes.get("unitCode", "") if quantity else "",
        net=amount_at(node, "LineExtensionAmount"),
        name=_text(node, "Item/Name"),
        price=amount_at(node, "Price/PriceAmount"),
        gross_price=amount_at(node, "Price/AllowanceCharge/BaseAmount"),
        category=category,
        rate=rate,
        adjustments=tuple(map(_adjustment, node.all("AllowanceCharge"))),
        period=_period(period) if period else None,
        attributes_whole=all(n.first("Name") and n.first("Value") for n in node.all("Item/AdditionalItemProperty")),
        standard_id=standard is not None,
        standard_scheme=standard.attributes.get("schemeID", "") if standard else "",
        class_schemes=tuple(
            n.attributes.get("listID", "") for n in node.all("Item/CommodityClassification/ItemClassificationCode")
        ),
    )


def _payment(node: Node) -> Payment:
    card = node.first("CardAccount")
    return Payment(
        code=_text(node, "PaymentMeansCode"),
        accounts=tuple(_text(n, "ID") for n in node.all("PayeeFinancialAccount")),
        card=_text(card, "PrimaryAccountNumberID") if card else None,
    )
