"""What a language model is asked of an invoice: to quote it. Dates, amounts and currencies are read by code."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import msgspec

from skerry_workflows.invoice import amounts, dates
from skerry_workflows.invoice.currencies import ISO_4217
from skerry_workflows.invoice.model import InvoiceFields, Reading

if TYPE_CHECKING:
    from skerry_workflows.invoice.rules.page import Page

Quote: TypeAlias = Annotated[str, msgspec.Meta(max_length=80, extra_json_schema={"x-skerry-quoted": True})]
"""A text that has to occur in the document as it is."""

_NAMES = {
    "seller_name": "seller",
    "issue_date": "date",
    "due_date": "due",
    "net_total": "net",
    "tax_total": "tax",
    "gross_total": "total",
}


_LONG_CHARS: Final = 1_200
_GAP = re.compile(r" {4,}")


class InvoiceQuotes(msgspec.Struct, frozen=True, rename=_NAMES):
    """Fields of an invoice as they stand on it; null for what is not there. The shipped model knows these names."""

    seller_name: Quote | None
    number: Quote | None
    issue_date: Quote | None
    due_date: Quote | None
    net_total: Quote | None
    tax_total: Quote | None
    gross_total: Quote | None
    currency: Quote | None


def shown(reading: Reading) -> str:
    """What a model sees of an invoice: of a long text the blanks between columns are cut down, each costs a token."""
    text = re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \f]+(?=\n|$)", "", reading.text))
    return text if len(text) <= _LONG_CHARS else _GAP.sub("    ", text)


def read_quotes(quotes: InvoiceQuotes, reading: Reading) -> InvoiceFields:
    """The fields that the quotes stand for. What cannot be read in one way only is left out: it is not guessed."""
    from skerry_workflows.invoice.rules.page import lay_out  # the engine knows this module, and reads no documents

    page = lay_out(reading.text)
    return InvoiceFields(
        seller_name=quotes.seller_name,
        number=quotes.number,
        issue_date=_date(quotes.issue_date, page),
        due_date=_date(quotes.due_date, page),
        net_total=_amount(quotes.net_total, page),
        tax_total=_amount(quotes.tax_total, page),
        gross_total=_amount(quotes.gross_total, page),
        currency=_currency(quotes.currency),
    )


def _date(quote: str | None, page: Page) -> dt.date | None:
    found = list(dates.find(quote or ""))
    return found[0].value(page.order) if len(found) == 1 else None


def _amount(quote: str | None, page: Page) -> Decimal | None:
    found = list(amounts.find(quote or "", page.mark))
    return found[0].value if len(found) == 1 else None


def _currency(quote: str | None) -> str | None:
    from skerry_workflows.invoice.rules.money import SYMBOLS

    mark = (quote or "").strip()
    return mark.upper() if mark.upper() in ISO_4217 else SYMBOLS.get(mark)
