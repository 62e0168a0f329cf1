"""UN/CEFACT Cross Industry Invoice to fields: EN 16931, XRechnung, Factur-X, ZUGFeRD 2 and ZUGFeRD 1.

ZUGFeRD 1 is an older draft of the same tree under other names, so each path is given in both spellings.
"""

from __future__ import annotations

from skerry_workflows.invoice.model import InvoiceFields, Line, TaxLine
from skerry_workflows.invoice.xml_tree import Node
from skerry_workflows.invoice.xml_values import date_of, decimal_of, doc_type_of, looks_like_iban

ROOTS = frozenset({"CrossIndustryInvoice", "CrossIndustryDocument"})

_EMPTY = Node("", "")


def fields(root: Node) -> InvoiceFields:
    """The facts of a CII document.

    Raises:
        Unreadable: an amount or a date in it is none.
    """
    head = root.first("ExchangedDocument", "HeaderExchangedDocument") or _EMPTY
    trade = root.first("SupplyChainTradeTransaction", "SpecifiedSupplyChainTradeTransaction") or _EMPTY
    agreement = trade.first("ApplicableHeaderTradeAgreement", "ApplicableSupplyChainTradeAgreement") or _EMPTY
    settlement = trade.first("ApplicableHeaderTradeSettlement", "ApplicableSupplyChainTradeSettlement") or _EMPTY
    seller = agreement.first("SellerTradeParty") or _EMPTY
    buyer = agreement.first("BuyerTradeParty") or _EMPTY
    totals = settlement.first(
        "SpecifiedTradeSettlementHeaderMonetarySummation", "SpecifiedTradeSettlementMonetarySummation"
    )
    totals = totals or _EMPTY
    currency = settlement.value("InvoiceCurrencyCode")
    return InvoiceFields(
        doc_type=doc_type_of(head.value("TypeCode")),
        number=head.value("ID"),
        issue_date=date_of(head.value("IssueDateTime/DateTimeString"), "the issue date"),
        due_date=date_of(settlement.value("SpecifiedTradePaymentTerms/DueDateDateTime/DateTimeString"), "the due date"),
        currency=currency,
        seller_name=seller.value("Name"),
        seller_vat_id=_vat_id(seller),
        buyer_name=buyer.value("Name"),
        buyer_vat_id=_vat_id(buyer),
        purchase_order=agreement.value(
            "BuyerOrderReferencedDocument/IssuerAssignedID", "BuyerOrderReferencedDocument/ID"
        ),
        iban=_ibans(settlement),
        line_total=decimal_of(totals.value("LineTotalAmount"), "the sum of the lines"),
        allowance_total=decimal_of(totals.value("AllowanceTotalAmount"), "the allowances"),
        charge_total=decimal_of(totals.value("ChargeTotalAmount"), "the charges"),
        net_total=decimal_of(totals.value("TaxBasisTotalAmount"), "the total without tax"),
        tax_total=decimal_of(_in_currency(totals, "TaxTotalAmount", currency), "the tax total"),
        gross_total=decimal_of(_in_currency(totals, "GrandTotalAmount", currency), "the total with tax"),
        prepaid=decimal_of(totals.value("TotalPrepaidAmount"), "the prepaid amount"),
        rounding=decimal_of(totals.value("RoundingAmount"), "the rounding"),
        payable=decimal_of(totals.value("DuePayableAmount"), "the payable amount"),
        tax_breakdown=tuple(map(_tax_line, settlement.all("ApplicableTradeTax"))),
        lines=tuple(_line(n) for n in trade.all("IncludedSupplyChainTradeLineItem") if _is_item(n)),
    )


def _in_currency(totals: Node, tag: str, currency: str | None) -> str | None:
    """The amount in the document's currency: a second one may give it in the currency of the tax office."""
    nodes = [n for n in totals.all(tag) if n.text]
    own = [n for n in nodes if n.attributes.get("currencyID", currency) == currency]
    return next((n.text for n in own or nodes), None)


def _vat_id(party: Node) -> str | None:
    for node in party.all("SpecifiedTaxRegistration/ID"):
        if node.attributes.get("schemeID") in ("VA", "VAT"):
            return node.text or None
    return None


def _ibans(settlement: Node) -> tuple[str, ...]:
    means = "SpecifiedTradeSettlementPaymentMeans/PayeePartyCreditorFinancialAccount"
    return tuple(n.text for n in settlement.all(f"{means}/IBANID") if looks_like_iban(n.text))


def _tax_line(tax: Node) -> TaxLine:
    return TaxLine(
        rate=decimal_of(tax.value("RateApplicablePercent", "ApplicablePercent"), "a tax rate"),
        basis=decimal_of(tax.value("BasisAmount"), "a taxable amount"),
        amount=decimal_of(tax.value("CalculatedAmount"), "a tax amount"),
    )


def _is_item(line: Node) -> bool:
    """A line with a product; ZUGFeRD 1 writes free remarks as lines without one."""
    return line.first("SpecifiedTradeProduct") is not None


def _line(line: Node) -> Line:
    agreement = line.first("SpecifiedLineTradeAgreement", "SpecifiedSupplyChainTradeAgreement") or _EMPTY
    delivery = line.first("SpecifiedLineTradeDelivery", "SpecifiedSupplyChainTradeDelivery") or _EMPTY
    settlement = line.first("SpecifiedLineTradeSettlement", "SpecifiedSupplyChainTradeSettlement") or _EMPTY
    amount = settlement.value(
        "SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount",
        "SpecifiedTradeSettlementMonetarySummation/LineTotalAmount",
    )
    return Line(
        name=line.value("SpecifiedTradeProduct/Name"),
        quantity=decimal_of(delivery.value("BilledQuantity"), "a quantity"),
        unit_price=decimal_of(agreement.value("NetPriceProductTradePrice/ChargeAmount"), "a price"),
        net_amount=decimal_of(amount, "a line amount"),
    )
