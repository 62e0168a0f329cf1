"""What a model says of an invoice is booked only where a second look at the page says the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry_workflows.invoice import seconding
from skerry_workflows.invoice.model import InvoiceFields, Reading
from skerry_workflows.invoice.rules import extract
from skerry_workflows.invoice.rules.likely import likely
from skerry_workflows.invoice.rules.page import lay_out
from skerry_workflows.invoice.seconding import seconded
from skerry_workflows.invoice.verify import VERIFIERS, verify
from tests.invoice.samples import FIELDS, READING, TEXT
from tests.invoice.synthetic import LAYOUTS, Facts, Sheet, invoice
from tests.invoice.test_accepted import WRONG

UNKNOWN = """Alderway Print Ltd
14 Harbour Road
NR1 4AB Norwick
hello@alderwayprint.example

                                             17 May 2024

Doc number: AP-1041
Your order no: PO-77

Corvane Bikes GmbH
Lindenallee 3
10115 Altdorf

Posters                     120.00 EUR
Folding                      30.00 EUR
Sum before                  150.00 EUR
Levy 19 %                    28.50 EUR
Sum after                   178.50 EUR
"""
"""Labels that no rule knows."""


def reading(text: str) -> Reading:
    return Reading(name="a.txt", media_type="text/plain", kind="text", text=text)


def said(fields: InvoiceFields, text: str) -> list[str]:
    return [objection.message for objection in seconded(fields, reading(text))]


def test_what_the_rules_leave_open_a_second_look_may_find() -> None:
    found = likely(lay_out(UNKNOWN))
    assert found.number == "AP-1041"
    assert found.issue_date == dt.date(2024, 5, 17)
    assert found.seller_name == "Alderway Print Ltd"
    assert found.sums == (Decimal("150.00"), Decimal("28.50"), Decimal("178.50"))
    rules = extract(reading(UNKNOWN))
    missing = (rules.number, rules.issue_date, rules.gross_total)
    assert missing == (None, None, None)
    filled = msgspec.structs.replace(
        rules,
        number="AP-1041",
        issue_date=dt.date(2024, 5, 17),
        seller_name="Alderway Print Ltd",
        net_total=Decimal("150.00"),
        tax_total=Decimal("28.50"),
        gross_total=Decimal("178.50"),
    )
    assert said(filled, UNKNOWN) == []
    assert verify(filled, reading(UNKNOWN)) == ()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("number", "PO-77", "number: only a model says PO-77"),
        ("issue_date", dt.date(2024, 5, 18), "issue date: only a model says 2024-05-18"),
        ("seller_name", "Corvane Bikes GmbH", "seller name: only a model says Corvane Bikes GmbH"),
        ("gross_total", Decimal("150.00"), "gross total: only a model says 150.00"),
        ("iban", ("DE78999500001234567890",), "iban: only a model says 1 of them"),
        ("doc_type", "credit_note", "doc type: the rules read invoice, a model credit_note"),
    ],
)
def test_a_model_alone_is_not_enough(name: str, value: object, message: str) -> None:
    fields = msgspec.structs.replace(extract(reading(UNKNOWN)), **{name: value})
    assert said(fields, UNKNOWN) == [message]


@pytest.mark.parametrize("name", ["number", "lines", "net_total", "seller_name", "iban", "issue_date"])
def test_what_the_rules_have_found_is_neither_changed_nor_dropped(name: str) -> None:
    fields = msgspec.structs.replace(FIELDS, payable=FIELDS.gross_total)
    assert said(fields, TEXT) == []
    dropped = msgspec.structs.replace(fields, **{name: () if name in ("lines", "iban") else None})
    assert len(said(dropped, TEXT)) == 1


def test_a_due_date_may_be_filled() -> None:
    fields = extract(reading(UNKNOWN))
    assert said(msgspec.structs.replace(fields, due_date=dt.date(2024, 6, 17)), UNKNOWN) == []


def test_no_second_look_adds_to_an_exact_source_and_a_long_text_gets_none() -> None:
    xml = msgspec.structs.replace(READING, xml="<Invoice/>", fields=InvoiceFields(number="1"))
    assert list(seconded(InvoiceFields(number="1"), xml)) == []
    messages = [o.message for o in seconded(FIELDS, xml)]
    assert "number: the rules read 1, a model AP-1041" in messages
    assert "issue date: only a model says 2024-05-17" in messages
    long = reading(TEXT + "\n" * seconding.CHARS_MAX)
    assert [o.rule for o in seconded(FIELDS, long)] == ["seconded"]


@pytest.mark.parametrize("case", WRONG)
def test_papers_that_mislead_mislead_no_two_readers(case: str) -> None:
    """Whatever a model says of what the rules left open: with the true values of the paper before it was falsified."""
    right, instead = WRONG[case]
    falsified = reading(TEXT.replace(right, instead))
    rules = extract(falsified)
    names = ("number", "issue_date", "seller_name", "currency", "net_total", "tax_total", "gross_total")
    second = likely(lay_out(falsified.text))
    guesses: dict[str, object] = {
        "number": second.number,
        "issue_date": second.issue_date,
        "seller_name": second.seller_name,
    }
    if second.sums:
        guesses |= dict(zip(("net_total", "tax_total", "gross_total"), second.sums, strict=True))
    filled = msgspec.structs.replace(
        rules, **{name: guesses[name] for name in names if getattr(rules, name) is None and guesses.get(name)}
    )
    objections = [o for verifier in (*VERIFIERS, seconded) for o in verifier(filled, falsified)]
    assert objections, filled


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_the_second_look_is_never_wrong_on_made_up_invoices(layout: Callable[[Facts], Sheet]) -> None:
    for seed in range(35):
        f = invoice(seed)
        found = likely(lay_out(layout(f).text()))
        assert found.number in (None, f.number)
        assert found.issue_date in (None, f.issued)
        assert found.seller_name in (None, f.seller.name)
        assert found.sums in (None, (f.net, f.tax, f.gross))


@given(st.text(max_size=300))
def test_any_text_can_be_looked_at(text: str) -> None:
    likely(lay_out(text))
