"""UN/CEFACT Cross Industry Invoice to the terms of EN 16931, by the binding of CEN/TS 16931-3-3."""

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
from skerry_workflows.invoice.xml_values import amount_at, amount_of, attribute_of, schemes_of, sum_of, text_at

_NONE = Node("", "")
_TRADE = "SupplyChainTradeTransaction"
_LINE_TOTAL = "SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount"


def terms(root: Node) -> Terms:
    """The terms of a CrossIndustryInvoice. What cannot be read as its type counts as not there."""
    head = root.first("ExchangedDocument") or _NONE
    agreement = root.first(f"{_TRADE}/ApplicableHeaderTradeAgreement") or _NONE
    delivery = root.first(f"{_TRADE}/ApplicableHeaderTradeDelivery") or _NONE
    settlement = root.first(f"{_TRADE}/ApplicableHeaderTradeSettlement") or _NONE
    totals = settlement.first("SpecifiedTradeSettlementHeaderMonetarySummation")
    payee, representative = settlement.first("PayeeTradeParty"), agreement.first("SellerTaxRepresentativeTradeParty")
    address, period = delivery.first("ShipToTradeParty/PostalTradeAddress"), settlement.first("BillingSpecifiedPeriod")
    currency = text_at(settlement, "InvoiceCurrencyCode")
    due = ("SpecifiedTradePaymentTerms/DueDateDateTime/DateTimeString", "SpecifiedTradePaymentTerms/Description")
    return Terms(
        syntax="cii",
        specification=text_at(root, "ExchangedDocumentContext/GuidelineSpecifiedDocumentContextParameter/ID"),
        number=text_at(head, "ID"),
        issue_date=text_at(head, "IssueDateTime/DateTimeString"),
        type_code=text_at(head, "TypeCode"),
        currency=currency,
        tax_currency=text_at(settlement, "TaxCurrencyCode"),
        tax_point_date=text_at(settlement, "ApplicableTradeTax/TaxPointDate/DateString"),
        seller=_party(agreement.first("SellerTradeParty") or _NONE),
        buyer=_party(agreement.first("BuyerTradeParty") or _NONE),
        payee=_party(payee) if payee else None,
        representative=_party(representative) if representative else None,
        period=_period(period, text_at(settlement, "ApplicableTradeTax/DueDateTypeCode")) if period else None,
        has_delivery_date=bool(text_at(delivery, "ActualDeliverySupplyChainEvent/OccurrenceDateTime/DateTimeString")),
        deliver_to_country=text_at(address, "CountryID") if address else None,
        adjustments=tuple(map(_adjustment, settlement.all("SpecifiedTradeAllowanceCharge"))),
        totals=_totals(totals) if totals else None,
        tax_totals=tuple(_tax_totals(totals, settlement, currency)) if totals else (),
        breakdown=tuple(map(_vat, settlement.all("ApplicableTradeTax"))),
        lines=tuple(map(_line, root.all(f"{_TRADE}/IncludedSupplyChainTradeLineItem"))),
        payments=tuple(map(_payment, settlement.all("SpecifiedTradeSettlementPaymentMeans"))),
        says_when_due=bool(settlement.value(*due)),
        documents=tuple(text_at(n, "IssuerAssignedID") for n in agreement.all("AdditionalReferencedDocument")),
        preceding=tuple(text_at(n, "IssuerAssignedID") for n in settlement.all("InvoiceReferencedDocument")),
        countries=tuple(n.text for n in root.everywhere("CountryID")),
        party_schemes=tuple(_party_schemes(root)),
        legal_schemes=tuple(s for n in root.everywhere("SpecifiedLegalOrganization") for s in schemes_of(n.all("ID"))),
    )


def _party_schemes(root: Node) -> list[str]:
    """Of the global identifiers of all parties but the one to deliver to, which has a list of its own."""
    return [s for tag in _PARTIES for n in root.everywhere(tag) for s in schemes_of(n.all("GlobalID"))]


_PARTIES = ("SellerTradeParty", "BuyerTradeParty", "PayeeTradeParty", "SellerTaxRepresentativeTradeParty",
            "InvoiceeTradeParty", "InvoicerTradeParty", "PayerTradeParty", "UltimateShipToTradeParty",
            "ShipFromTradeParty", "ProductEndUserTradeParty", "BuyerAgentTradeParty")  # fmt: skip


def _party(party: Node) -> Party:
    address, endpoint = party.first("PostalTradeAddress"), party.first("URIUniversalCommunication/URIID")
    registered = [(n.attributes.get("schemeID"), n.text) for n in party.all("SpecifiedTaxRegistration/ID")]
    return Party(
        name=text_at(party, "Name"),
        ids=tuple(n.text for tag in ("ID", "GlobalID") for n in party.all(tag) if n.text),
        vat_id=next((number for scheme, number in registered if scheme == "VA" and number), ""),
        tax_ids=tuple(number for scheme, number in registered if scheme in ("VA", "FC") and number),
        legal_id=text_at(party, "SpecifiedLegalOrganization/ID"),
        has_address=address is not None,
        country=text_at(address, "CountryID"),
        has_endpoint=endpoint is not None,
        endpoint_scheme=attribute_of(endpoint, "schemeID"),
    )


def _period(period: Node, code: str = "") -> Period:
    start, end = (text_at(period, f"{which}DateTime/DateTimeString") for which in ("Start", "End"))
    return Period(start=start, end=end, code=code)


def _category(node: Node, path: str) -> tuple[str, Decimal | None]:
    """The code and the rate of a category of VAT; those of other taxes are passed over."""
    for tax in node.all(path) if path else (node,):
        if text_at(tax, "TypeCode").upper() == "VAT":
            return text_at(tax, "CategoryCode"), amount_at(tax, "RateApplicablePercent")
    return "", None


def _adjustment(node: Node) -> Adjustment:
    category, rate = _category(node, "CategoryTradeTax")
    return Adjustment(
        is_charge=text_at(node, "ChargeIndicator/Indicator") in ("true", "1"),
        amount=amount_at(node, "ActualAmount"),
        has_reason=bool(node.first("Reason", "ReasonCode")),
        category=category,
        rate=rate,
    )


def _totals(node: Node) -> Totals:
    return Totals(
        lines=amount_at(node, "LineTotalAmount"),
        allowances=amount_at(node, "AllowanceTotalAmount"),
        charges=amount_at(node, "ChargeTotalAmount"),
        net=amount_at(node, "TaxBasisTotalAmount"),
        gross=amount_at(node, "GrandTotalAmount"),
        prepaid=amount_at(node, "TotalPrepaidAmount"),
        rounding=amount_at(node, "RoundingAmount"),
        payable=amount_at(node, "DuePayableAmount"),
    )


def _tax_totals(totals: Node, settlement: Node, currency: str) -> list[TaxTotal]:
    of_breakdown = sum_of(settlement, "ApplicableTradeTax", "CalculatedAmount")
    found: list[TaxTotal] = []
    for node in totals.all("TaxTotalAmount"):
        own = attribute_of(node, "currencyID")
        found.append(
            TaxTotal(amount=amount_of(node.text), currency=own, of_breakdown=of_breakdown if own == currency else None)
        )
    return found


def _vat(node: Node) -> Vat:
    category, rate = _category(node, "")
    return Vat(
        category=category,
        rate=rate,
        basis=amount_at(node, "BasisAmount"),
        tax=amount_at(node, "CalculatedAmount"),
        has_exemption=bool(node.first("ExemptionReason", "ExemptionReasonCode")),
    )


def _line(node: Node) -> LineItem:
    product = node.first("SpecifiedTradeProduct") or _NONE
    agreement = node.first("SpecifiedLineTradeAgreement") or _NONE
    settlement = node.first("SpecifiedLineTradeSettlement") or _NONE
    quantity = node.first("SpecifiedLineTradeDelivery/BilledQuantity")
    category, rate = _category(settlement, "ApplicableTradeTax")
    standard, period = product.first("GlobalID"), settlement.first("BillingSpecifiedPeriod")
    attributes = product.all("ApplicableProductCharacteristic")
    return LineItem(
        id=text_at(node, "AssociatedDocumentLineDocument/LineID"),
        has_quantity=quantity is not None,
        unit=attribute_of(quantity, "unitCode"),
        net=amount_at(settlement, _LINE_TOTAL),
        name=text_at(product, "Name"),
        price=amount_at(agreement, "NetPriceProductTradePrice/ChargeAmount"),
        gross_price=amount_at(agreement, "GrossPriceProductTradePrice/ChargeAmount"),
        category=category,
        rate=rate,
        adjustments=tuple(map(_adjustment, settlement.all("SpecifiedTradeAllowanceCharge"))),
        period=_period(period) if period else None,
        attributes_whole=all(n.first("Description") and n.first("Value") for n in attributes),
        standard_id=standard is not None,
        standard_scheme=attribute_of(standard, "schemeID"),
        class_schemes=tuple(
            attribute_of(n, "listID") for n in product.all("DesignatedProductClassification/ClassCode")
        ),
    )


def _payment(node: Node) -> Payment:
    card = node.first("ApplicableTradeSettlementFinancialCard")
    accounts = node.all("PayeePartyCreditorFinancialAccount")
    return Payment(
        code=text_at(node, "TypeCode"),
        accounts=tuple(n.value("IBANID", "ProprietaryID") or "" for n in accounts),
        card=text_at(card, "ID") if card else None,
    )
