"""A made-up invoice as UBL and as CII, with what EN 16931 requires."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from tests.invoice.make_demo import Company, Invoice

_CUSTOMIZATION = "urn:cen.eu:en16931:2017"
_UBL = "urn:oasis:names:specification:ubl:schema:xsd"
_CII = "urn:un:unece:uncefact:data:standard"


def ubl(f: Invoice) -> bytes:
    """As a UBL 2.1 invoice."""
    currency = f'currencyID="{f.currency}"'
    order = f"<cac:OrderReference><cbc:ID>{f.order}</cbc:ID></cac:OrderReference>" if f.order else ""
    lines = "".join(
        f"""
  <cac:InvoiceLine>
    <cbc:ID>{number}</cbc:ID>
    <cbc:InvoicedQuantity unitCode="C62">{line.quantity}</cbc:InvoicedQuantity>
    <cbc:LineExtensionAmount {currency}>{line.amount}</cbc:LineExtensionAmount>
    <cac:Item><cbc:Name>{escape(line.name)}</cbc:Name>
      <cac:ClassifiedTaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>{f.rate}</cbc:Percent>
        <cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:ClassifiedTaxCategory></cac:Item>
    <cac:Price><cbc:PriceAmount {currency}>{line.price}</cbc:PriceAmount></cac:Price>
  </cac:InvoiceLine>"""
        for number, line in enumerate(f.items, start=1)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="{_UBL}:Invoice-2" xmlns:cac="{_UBL}:CommonAggregateComponents-2"
    xmlns:cbc="{_UBL}:CommonBasicComponents-2">
  <cbc:CustomizationID>{_CUSTOMIZATION}</cbc:CustomizationID>
  <cbc:ID>{f.number}</cbc:ID>
  <cbc:IssueDate>{f.issued}</cbc:IssueDate>
  <cbc:DueDate>{f.due}</cbc:DueDate>
  <cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>
  <cbc:DocumentCurrencyCode>{f.currency}</cbc:DocumentCurrencyCode>
  {order}
  <cac:AccountingSupplierParty>{_ubl_party(f.seller)}</cac:AccountingSupplierParty>
  <cac:AccountingCustomerParty>{_ubl_party(f.buyer)}</cac:AccountingCustomerParty>
  <cac:PaymentMeans><cbc:PaymentMeansCode>58</cbc:PaymentMeansCode>
    <cac:PayeeFinancialAccount><cbc:ID>{f.seller.iban}</cbc:ID></cac:PayeeFinancialAccount></cac:PaymentMeans>
  <cac:TaxTotal><cbc:TaxAmount {currency}>{f.tax}</cbc:TaxAmount>
    <cac:TaxSubtotal><cbc:TaxableAmount {currency}>{f.net}</cbc:TaxableAmount>
      <cbc:TaxAmount {currency}>{f.tax}</cbc:TaxAmount>
      <cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>{f.rate}</cbc:Percent>
        <cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>
  <cac:LegalMonetaryTotal>
    <cbc:LineExtensionAmount {currency}>{f.net}</cbc:LineExtensionAmount>
    <cbc:TaxExclusiveAmount {currency}>{f.net}</cbc:TaxExclusiveAmount>
    <cbc:TaxInclusiveAmount {currency}>{f.gross}</cbc:TaxInclusiveAmount>
    <cbc:PayableAmount {currency}>{f.gross}</cbc:PayableAmount>
  </cac:LegalMonetaryTotal>{lines}
</Invoice>
""".encode()


def _ubl_party(party: Company) -> str:
    return f"""<cac:Party>
    <cac:PostalAddress><cbc:StreetName>{escape(party.street)}</cbc:StreetName><cbc:CityName>{escape(party.town)}</cbc:CityName>
      <cbc:PostalZone>{party.postcode}</cbc:PostalZone>
      <cac:Country><cbc:IdentificationCode>{party.country}</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
    <cac:PartyTaxScheme><cbc:CompanyID>{party.vat_id}</cbc:CompanyID>
      <cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
    <cac:PartyLegalEntity><cbc:RegistrationName>{escape(party.name)}</cbc:RegistrationName></cac:PartyLegalEntity>
  </cac:Party>"""


def cii(f: Invoice) -> bytes:
    """As a Cross Industry Invoice, profile EN 16931."""
    lines = "".join(
        f"""
    <ram:IncludedSupplyChainTradeLineItem>
      <ram:AssociatedDocumentLineDocument><ram:LineID>{number}</ram:LineID></ram:AssociatedDocumentLineDocument>
      <ram:SpecifiedTradeProduct><ram:Name>{escape(line.name)}</ram:Name></ram:SpecifiedTradeProduct>
      <ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice><ram:ChargeAmount>{line.price}</ram:ChargeAmount>
        </ram:NetPriceProductTradePrice></ram:SpecifiedLineTradeAgreement>
      <ram:SpecifiedLineTradeDelivery><ram:BilledQuantity unitCode="C62">{line.quantity}</ram:BilledQuantity>
        </ram:SpecifiedLineTradeDelivery>
      <ram:SpecifiedLineTradeSettlement>
        <ram:ApplicableTradeTax><ram:TypeCode>VAT</ram:TypeCode><ram:CategoryCode>S</ram:CategoryCode>
          <ram:RateApplicablePercent>{f.rate}</ram:RateApplicablePercent></ram:ApplicableTradeTax>
        <ram:SpecifiedTradeSettlementLineMonetarySummation><ram:LineTotalAmount>{line.amount}</ram:LineTotalAmount>
          </ram:SpecifiedTradeSettlementLineMonetarySummation></ram:SpecifiedLineTradeSettlement>
    </ram:IncludedSupplyChainTradeLineItem>"""
        for number, line in enumerate(f.items, start=1)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="{_CII}:CrossIndustryInvoice:100" xmlns:udt="{_CII}:UnqualifiedDataType:100"
    xmlns:ram="{_CII}:ReusableAggregateBusinessInformationEntity:100">
  <rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>{_CUSTOMIZATION}</ram:ID>
    </ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>
  <rsm:ExchangedDocument><ram:ID>{f.number}</ram:ID><ram:TypeCode>380</ram:TypeCode>
    <ram:IssueDateTime><udt:DateTimeString format="102">{f.issued:%Y%m%d}</udt:DateTimeString></ram:IssueDateTime>
  </rsm:ExchangedDocument>
  <rsm:SupplyChainTradeTransaction>{lines}
    <ram:ApplicableHeaderTradeAgreement>
      <ram:SellerTradeParty>{_cii_party(f.seller)}</ram:SellerTradeParty>
      <ram:BuyerTradeParty>{_cii_party(f.buyer)}</ram:BuyerTradeParty>
      <ram:BuyerOrderReferencedDocument><ram:IssuerAssignedID>{f.order}</ram:IssuerAssignedID></ram:BuyerOrderReferencedDocument>
    </ram:ApplicableHeaderTradeAgreement>
    <ram:ApplicableHeaderTradeDelivery/>
    <ram:ApplicableHeaderTradeSettlement>
      <ram:InvoiceCurrencyCode>{f.currency}</ram:InvoiceCurrencyCode>
      <ram:SpecifiedTradeSettlementPaymentMeans><ram:TypeCode>58</ram:TypeCode><ram:PayeePartyCreditorFinancialAccount>
        <ram:IBANID>{f.seller.iban}</ram:IBANID></ram:PayeePartyCreditorFinancialAccount>
      </ram:SpecifiedTradeSettlementPaymentMeans>
      <ram:ApplicableTradeTax><ram:CalculatedAmount>{f.tax}</ram:CalculatedAmount><ram:TypeCode>VAT</ram:TypeCode>
        <ram:BasisAmount>{f.net}</ram:BasisAmount><ram:CategoryCode>S</ram:CategoryCode>
        <ram:RateApplicablePercent>{f.rate}</ram:RateApplicablePercent></ram:ApplicableTradeTax>
      <ram:SpecifiedTradePaymentTerms><ram:DueDateDateTime>
        <udt:DateTimeString format="102">{f.due:%Y%m%d}</udt:DateTimeString></ram:DueDateDateTime>
      </ram:SpecifiedTradePaymentTerms>
      <ram:SpecifiedTradeSettlementHeaderMonetarySummation>
        <ram:LineTotalAmount>{f.net}</ram:LineTotalAmount>
        <ram:TaxBasisTotalAmount>{f.net}</ram:TaxBasisTotalAmount>
        <ram:TaxTotalAmount currencyID="{f.currency}">{f.tax}</ram:TaxTotalAmount>
        <ram:GrandTotalAmount>{f.gross}</ram:GrandTotalAmount>
        <ram:DuePayableAmount>{f.gross}</ram:DuePayableAmount>
      </ram:SpecifiedTradeSettlementHeaderMonetarySummation>
    </ram:ApplicableHeaderTradeSettlement>
  </rsm:SupplyChainTradeTransaction>
</rsm:CrossIndustryInvoice>
""".encode()


def _cii_party(party: Company) -> str:
    return f"""<ram:Name>{escape(party.name)}</ram:Name>
        <ram:PostalTradeAddress><ram:PostcodeCode>{party.postcode}</ram:PostcodeCode><ram:LineOne>{escape(party.street)}</ram:LineOne>
          <ram:CityName>{escape(party.town)}</ram:CityName><ram:CountryID>{party.country}</ram:CountryID></ram:PostalTradeAddress>
        <ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">{party.vat_id}</ram:ID></ram:SpecifiedTaxRegistration>"""
