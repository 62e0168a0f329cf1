"""What a model quotes of an invoice is read by code, or left out."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
import pytest

from skerry_workflows.invoice.model import InvoiceFields, Reading
from skerry_workflows.invoice.quotes import InvoiceQuotes, read_quotes, shown

TEXT = """Mühlbach Druck GmbH
Rechnung Nr. 77-12 vom 03.04.2025, zahlbar bis 3. Mai 2025
Netto 1.234,50 EUR   USt 234,56   Gesamt 1.469,06 €"""
READING = Reading(name="a.txt", media_type="text/plain", kind="text", text=TEXT)
NOTHING = InvoiceQuotes(None, None, None, None, None, None, None, None)


def read(**quotes: str) -> InvoiceFields:
    return read_quotes(msgspec.structs.replace(NOTHING, **quotes), READING)


def test_quotes_become_fields() -> None:
    quotes = InvoiceQuotes(
        "Mühlbach Druck GmbH", "77-12", "03.04.2025", "3. Mai 2025", "1.234,50 EUR", "234,56", "1.469,06", "€"
    )
    assert read_quotes(quotes, READING) == InvoiceFields(
        seller_name="Mühlbach Druck GmbH",
        number="77-12",
        issue_date=dt.date(2025, 4, 3),
        due_date=dt.date(2025, 5, 3),
        net_total=Decimal("1234.50"),
        tax_total=Decimal("234.56"),
        gross_total=Decimal("1469.06"),
        currency="EUR",
    )


def test_what_is_not_there_stays_out() -> None:
    assert read_quotes(NOTHING, READING) == InvoiceFields()


@pytest.mark.parametrize("quote", ["vom", "03.04.2025, zahlbar bis 3. Mai 2025", "31.02.2025"])
def test_a_date_that_is_none_or_two_stays_out(quote: str) -> None:
    assert read(issue_date=quote).issue_date is None


@pytest.mark.parametrize("quote", ["Netto", "1.234,50 EUR   USt 234,56"])
def test_an_amount_that_is_none_or_two_stays_out(quote: str) -> None:
    assert read(net_total=quote).net_total is None


@pytest.mark.parametrize(("quote", "code"), [("eur", "EUR"), (" € ", "EUR"), ("$", None), ("Netto", None)])
def test_a_currency_is_known_or_stays_out(quote: str, code: str | None) -> None:
    assert read(currency=quote).currency == code


def test_a_model_is_shown_the_text_and_its_quotes_are_marked() -> None:
    assert shown(READING) == TEXT
    schema = msgspec.json.schema(InvoiceQuotes)["$defs"]["InvoiceQuotes"]["properties"]
    assert list(schema) == ["seller", "number", "date", "due", "net", "tax", "total", "currency"]
    assert all(
        {"type": "string", "maxLength": 80, "x-skerry-quoted": True} in each["anyOf"] for each in schema.values()
    )
