"""Each verifier passes what is right, objects to what is not, and says which fields it is about."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry_workflows.invoice.model import InvoiceFields, Line, Reading, TaxLine
from skerry_workflows.invoice.read import read
from skerry_workflows.invoice.verify import HEADLINE, complete, grounded, places, verify
from tests.invoice.demo_xml import cii
from tests.invoice.make_demo import PAPER
from tests.invoice.samples import FIELDS, READING, TEXT, D, changed


def objections(fields: InvoiceFields, reading: Reading = READING) -> set[str]:
    """What objects, apart from grounding: a value that was changed is of course nowhere in the text."""
    return {o.rule for o in verify(fields, reading)} - {"grounded"}


def test_what_is_right_passes() -> None:
    assert verify(FIELDS, READING) == ()


@pytest.mark.parametrize("name", HEADLINE)
def test_a_missing_headline_field(name: str) -> None:
    found = list(complete(changed(**{name: None}), READING))
    assert [(o.rule, o.fields) for o in found] == [("complete", (name,))]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"tax_total": D("28.00"), "tax_breakdown": ()}, "totals"),
        ({"gross_total": D("178.53")}, "totals"),
        ({"payable": D("170.00")}, "totals"),
        ({"payable": D("178.50"), "prepaid": D("10.00")}, "totals"),
        ({"line_total": D("160.00"), "lines": ()}, "totals"),
        ({"line_total": D("160.00"), "allowance_total": D("9.00"), "lines": ()}, "totals"),
        ({"lines": FIELDS.lines[:1]}, "lines"),
        ({"tax_breakdown": (TaxLine(rate=D(19), basis=D(150), amount=D("28.40")),)}, "lines"),
        ({"tax_breakdown": (TaxLine(rate=D(7), basis=D(150), amount=D("28.50")),)}, "lines"),
        ({"tax_breakdown": (TaxLine(rate=D(19), basis=D(140), amount=D("28.50")),)}, "lines"),
        ({"due_date": dt.date(2024, 5, 16)}, "dates"),
        ({"due_date": dt.date(2034, 5, 16)}, "dates"),
        ({"issue_date": dt.date(1924, 5, 17), "due_date": None}, "dates"),
        ({"seller_vat_id": "DE987654320"}, "vat_id"),
        ({"buyer_vat_id": "DE12"}, "vat_id"),
        ({"buyer_vat_id": "DE 987 654 328"}, "vat_id"),
        ({"iban": ("DE79999500001234567890",)}, "iban"),
        ({"currency": "EUX"}, "currency"),
        (
            {
                "net_total": D(-150),
                "tax_total": D("-28.50"),
                "gross_total": D("-178.50"),
                "line_total": None,
                "lines": (),
                "tax_breakdown": (),
            },
            "kind",
        ),
    ],
)
def test_what_is_wrong_is_objected_to(changes: dict[str, object], rule: str) -> None:
    assert objections(changed(**changes)) == {rule}


@pytest.mark.parametrize(
    "changes",
    [
        {"payable": D("178.50")},
        {"payable": D("168.50"), "prepaid": D("10.00")},
        {"payable": D("178.00"), "rounding": D("-0.50")},
        {"gross_total": D("178.51"), "payable": None},
        {"line_total": D("160.00"), "allowance_total": D("10.00"), "lines": ()},
        {"line_total": None, "lines": (Line(name="Delivery", net_amount=D("178.50")),)},
        {"due_date": dt.date(2024, 5, 17)},
        {"seller_vat_id": "JP1234567890"},
        {"tax_breakdown": (TaxLine(amount=D("28.50")),)},
        {"lines": (Line(name="Delivery"), *FIELDS.lines[:1])},
    ],
)
def test_what_is_allowed_passes(changes: dict[str, object]) -> None:
    assert objections(changed(**changes)) == set()


def test_prices_with_tax_are_no_excuse_in_xml() -> None:
    """A shop's page may list prices with tax; in XML a line's amount is without, by the standard."""
    fields = changed(line_total=None, lines=(Line(name="Delivery", net_amount=D("178.50")),))
    in_xml = Reading(name="x", media_type="application/xml", kind="xml-ubl", text="<a/>", fields=fields)
    assert objections(fields, in_xml) == {"lines"}


def test_objections_are_for_people() -> None:
    (objection,) = [o for o in verify(changed(gross_total=D("180.00")), READING) if o.rule == "totals"]
    assert objection.message == "net 150.00 and tax 28.50 make 178.50, not 180.00"
    assert objection.fields == ("net_total", "tax_total", "gross_total")


def test_every_value_has_its_place() -> None:
    found = places(FIELDS, READING)
    assert {p: TEXT[found[p].start : found[p].end] for p in ("number", "issue_date", "gross_total", "iban[0]")} == {
        "number": "AP-1041", "issue_date": "17 May 2024", "gross_total": "178.50",
        "iban[0]": "DE78 9995 0000 1234 5678 90",
    }  # fmt: skip
    assert found["lines[1].name"].text == "Delivery" and found["currency"].text == "EUR"
    assert all(p.text == TEXT[p.start : p.end] for p in found.values())


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "AP-104"}, {"number": "P-1041"}, {"issue_date": dt.date(2024, 5, 18)},
        {"seller_name": "Alderwa"},
        {"seller_name": "Alderway Prints Ltd"}, {"gross_total": D("178.05")}, {"currency": "USD"},
        {"buyer_name": "Nobody"},
        {"iban": ("DE78999500001234567891",)}, {"purchase_order": "12.5"}, {"seller_vat_id": "DE98765432"},
    ],
)  # fmt: skip
def test_what_is_nowhere_in_the_text_is_not_grounded(changes: dict[str, object]) -> None:
    assert [o.rule for o in grounded(changed(**changes), READING)] == ["grounded"]


def test_a_tax_total_follows_from_its_lines() -> None:
    text = TEXT.replace("VAT 19 %                                          28.50", "VAT 7 %   3.50\nVAT 19 %  25.00")
    lines = (TaxLine(rate=D(7), amount=D("3.50")), TaxLine(rate=D(19), amount=D("25.00")))
    reading = msgspec.structs.replace(READING, text=text)
    assert list(grounded(changed(tax_breakdown=lines), reading)) == []
    assert [o.fields for o in grounded(changed(tax_breakdown=()), reading)] == [("tax_total",)]


def test_a_name_that_columns_break_up() -> None:
    text = "Hand-made oak          2     10.00\nboard, oiled\n"
    reading = msgspec.structs.replace(READING, text=text)
    fields = InvoiceFields(lines=(Line(name="Hand-made oak board, oiled"),))
    assert list(grounded(fields, reading)) == []
    assert list(grounded(InvoiceFields(lines=(Line(name="oiled board Hand-made oak"),)), reading))


MONEY = st.decimals(min_value=1, max_value=10**8, places=2, allow_nan=False, allow_infinity=False)


@given(MONEY, st.sampled_from(["{:,.2f}", "{:.2f}", "EUR {:,.2f}", "-{:,.2f}", "{:,.2f}-"]), st.booleans())
def test_an_amount_is_grounded_in_every_format_and_no_other_is(amount: Decimal, form: str, continental: bool) -> None:
    written = form.format(amount)
    if continental:
        written = written.translate(str.maketrans(",.", ".,"))
    reading = msgspec.structs.replace(READING, text=f"Something 12 to pay {written} until then")
    assert list(grounded(InvoiceFields(gross_total=amount), reading)) == []
    assert list(grounded(InvoiceFields(gross_total=amount + D("0.01")), reading)) != []


@given(
    st.dates(dt.date(2000, 1, 1), dt.date(2050, 1, 1)),
    st.sampled_from(["%d.%m.%Y", "%d/%m/%Y", "%Y-%m-%d", "%d %B %Y"]),
)
def test_a_date_is_grounded_in_every_format_and_no_other_is(day: dt.date, form: str) -> None:
    reading = msgspec.structs.replace(READING, text=f"Issued {day.strftime(form)} in Norwick")
    assert list(grounded(InvoiceFields(issue_date=day), reading)) == []
    other = day + dt.timedelta(days=13)
    assert list(grounded(InvoiceFields(issue_date=other), reading)) != []


@given(st.text(min_size=1, max_size=30), st.text(max_size=30))
def test_grounding_takes_any_text(name: str, text: str) -> None:
    reading = msgspec.structs.replace(READING, text=text)
    found = places(InvoiceFields(seller_name=name), reading)
    assert all(0 <= p.start < p.end <= len(text) and p.text == text[p.start : p.end] for p in found.values())


def test_exact_fields_stand_in_their_xml() -> None:
    reading = read(cii(PAPER), "x")
    assert reading.fields is not None
    assert list(grounded(reading.fields, reading)) == []
    place = places(reading.fields, reading)["issue_date"]
    assert (place.text, place.source) == ("20250227", "text")
    altered = msgspec.structs.replace(reading.fields, gross_total=D("1.23"), seller_name="Papiers")
    assert {f for o in grounded(altered, reading) for f in o.fields} == {"gross_total"}
