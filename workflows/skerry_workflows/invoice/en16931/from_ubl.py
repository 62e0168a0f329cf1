"""UBL 2.1 to the terms of EN 16931, by the binding of CEN/TS 16931-3-2."""

from __future__ import annotations

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
from skerry_workflows.invoice.xml_values import amount_at, attribute_of, schemes_of, sum_of, text_at

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
        specification=text_at(root, "CustomizationID"),
        number=text_at(root, "ID"),
        issue_date=text_at(root, "IssueDate"),
        type_code=root.value("InvoiceTypeCode", "CreditNoteTypeCode") or "",
        currency=text_at(root, "DocumentCurrencyCode"),
        tax_currency=text_at(root, "TaxCurrencyCode"),
        tax_point_date=text_at(root, "TaxPointDate"),
        seller=_party(seller, text_at(seller, "PartyLegalEntity/RegistrationName")),
        buyer=_party(buyer, text_at(buyer, "PartyLegalEntity/RegistrationName")),
        payee=_party(payee, text_at(payee, "PartyName/Name")) if payee else None,
        representative=_party(representative, text_at(representative, "PartyName/Name")) if representative else None,
        period=_period(period) if period else None,
        has_delivery_date=bool(text_at(root, "Delivery/ActualDeliveryDate")),
        deliver_to_country=text_at(delivery, "Country/IdentificationCode") if delivery else None,
        adjustments=tuple(map(_adjustment, root.all("AllowanceCharge"))),
        totals=_totals(totals) if totals else None,
        tax_totals=tuple(map(_tax_total, root.all("TaxTotal"))),
        breakdown=tuple(map(_vat, root.all("TaxTotal/TaxSubtotal"))),
        lines=tuple(map(_line, (*root.all("InvoiceLine"), *root.all("CreditNoteLine")))),
        payments=tuple(map(_payment, root.all("PaymentMeans"))),
        says_when_due=bool(root.value("DueDate", "PaymentMeans/PaymentDueDate", "PaymentTerms/Note")),
        documents=tuple(text_at(n, "ID") for n in root.all("AdditionalDocumentReference")),
        preceding=tuple(text_at(n, "InvoiceDocumentReference/ID") for n in root.all("BillingReference")),
        countries=tuple(n.text for n in root.everywhere("IdentificationCode")),
        party_schemes=tuple(
            scheme
            for n in root.everywhere("PartyIdentification")
            for scheme in schemes_of(n.all("ID"))
            if scheme != "SEPA"  # the creditor's identifier, BT-90
        ),
        legal_schemes=tuple(s for n in root.everywhere("PartyLegalEntity") for s in schemes_of(n.all("CompanyID"))),
    )


def _party(party: Node, name: str) -> Party:
    address, endpoint = party.first("PostalAddress"), party.first("EndpointID")
    schemes = [(text_at(n, "TaxScheme/ID").upper(), text_at(n, "CompanyID")) for n in party.all("PartyTaxScheme")]
    return Party(
        name=name,
        ids=tuple(n.text for n in party.all("PartyIdentification/ID") if n.text),
        vat_id=next((number for scheme, number in schemes if scheme == "VAT" and number), ""),
        tax_ids=tuple(number for _, number in schemes if number),
        legal_id=text_at(party, "PartyLegalEntity/CompanyID"),
        has_address=address is not None,
        country=text_at(address, "Country/IdentificationCode"),
        has_endpoint=endpoint is not None,
        endpoint_scheme=attribute_of(endpoint, "schemeID"),
    )


def _period(period: Node) -> Period:
    return Period(
        start=text_at(period, "StartDate"), end=text_at(period, "EndDate"), code=text_at(period, "DescriptionCode")
    )


def _category(node: Node, path: str) -> tuple[str, Decimal | None]:
    """The code and the rate of a category of VAT; those of other taxes are passed over."""
    for category in node.all(path):
        if text_at(category, "TaxScheme/ID").upper() == "VAT":
            return text_at(category, "ID"), amount_at(category, "Percent")
    return "", None


def _adjustment(node: Node) -> Adjustment:
    category, rate = _category(node, "TaxCategory")
    return Adjustment(
        is_charge=text_at(node, "ChargeIndicator") in ("true", "1"),
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
        currency=attribute_of(amount, "currencyID"),
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
        id=text_at(node, "ID"),
        has_quantity=quantity is not None,
        unit=attribute_of(quantity, "unitCode"),
        net=amount_at(node, "LineExtensionAmount"),
        name=text_at(node, "Item/Name"),
        price=amount_at(node, "Price/PriceAmount"),
        gross_price=amount_at(node, "Price/AllowanceCharge/BaseAmount"),
        category=category,
        rate=rate,
        adjustments=tuple(map(_adjustment, node.all("AllowanceCharge"))),
        period=_period(period) if period else None,
        attributes_whole=all(n.first("Name") and n.first("Value") for n in node.all("Item/AdditionalItemProperty")),
        standard_id=standard is not None,
        standard_scheme=attribute_of(standard, "schemeID"),
        class_schemes=tuple(
            attribute_of(n, "listID") for n in node.all("Item/CommodityClassification/ItemClassificationCode")
        ),
    )


def _payment(node: Node) -> Payment:
    card = node.first("CardAccount")
    return Payment(
        code=text_at(node, "PaymentMeansCode"),
        accounts=tuple(text_at(n, "ID") for n in node.all("PayeeFinancialAccount")),
        card=text_at(card, "PrimaryAccountNumberID") if card else None,
    )
