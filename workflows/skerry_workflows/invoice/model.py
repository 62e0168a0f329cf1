"""What an invoice is, and what a reader got off a file. Plain data: every value survives JSON and back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

DocType: TypeAlias = Literal["invoice", "credit_note", "receipt"]
Kind: TypeAlias = Literal["xml-ubl", "xml-cii", "xml-fatturapa", "pdf-text", "pdf-hybrid", "text", "image"]


class TaxLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rate of tax: `rate` in percent (19 means 19 %), `basis` the net amount it applies to, `amount` the tax."""

    rate: Decimal | None = None
    basis: Decimal | None = None
    amount: Decimal | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line item. `net_amount` is the line's amount as printed, after its own discounts."""

    name: str | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    net_amount: Decimal | None = None


class InvoiceFields(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The facts of one invoice, in the terms of EN 16931. `None` (or empty) means: not on the document, or not found.

    Amounts are in `currency`, an ISO 4217 code. `net_total` is without tax, `gross_total` with tax, `payable` what
    is still to be paid after `prepaid` and `rounding`. The amounts of a credit note are positive, as in EN 16931.
    """

    doc_type: DocType = "invoice"
    number: str | None = None
    issue_date: dt.date | None = None
    due_date: dt.date | None = None
    currency: str | None = None
    seller_name: str | None = None
    seller_vat_id: str | None = None
    buyer_name: str | None = None
    buyer_vat_id: str | None = None
    purchase_order: str | None = None
    iban: tuple[str, ...] = ()
    line_total: Decimal | None = None
    allowance_total: Decimal | None = None
    charge_total: Decimal | None = None
    net_total: Decimal | None = None
    tax_total: Decimal | None = None
    gross_total: Decimal | None = None
    prepaid: Decimal | None = None
    rounding: Decimal | None = None
    payable: Decimal | None = None
    tax_breakdown: tuple[TaxLine, ...] = ()
    lines: tuple[Line, ...] = ()


class Breach(msgspec.Struct, frozen=True, array_like=True):
    """A rule of EN 16931 that an e-invoice breaks: its id there, and what it asks for, for people."""

    rule: str
    words: str


class Word(msgspec.Struct, frozen=True, array_like=True):
    """A word that OCR has read: characters [start, end) of the text, and where it stands on its page.

    `confidence` is from 0 (a guess) to 100; `page` counts from 0; the box is in thousandths of the page's width (left,
    width) and height (top, height).
    """

    start: int
    end: int
    confidence: int
    page: int
    left: int
    top: int
    width: int
    height: int


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a reader got off one file.

    `text` is what a person sees (the pages joined by form feeds, columns kept by spaces) or, for a bare XML file,
    the XML; `xml` is the XML inside a PDF; `fields` are there when that XML was parsed exactly, and `breaches` are
    the rules of EN 16931 that it breaks; `warnings` are sentences for people. A picture has no text before it went
    through OCR; `words` are those of OCR, in the order of the text.
    """

    name: str
    media_type: str
    kind: Kind
    text: str
    pages: int = 1
    xml: str = ""
    fields: InvoiceFields | None = None
    warnings: tuple[str, ...] = ()
    breaches: tuple[Breach, ...] = ()
    words: tuple[Word, ...] = ()

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture that did not go through OCR yet."""
        return self.kind == "image" and not self.text

    @property
    def exact_source(self) -> str:
        """The XML that `fields` were parsed from; empty when they come from the page by rules."""
        return self.text if self.kind.startswith("xml-") else self.xml
