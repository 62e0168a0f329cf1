"""Is it the same invoice? Written differently it is; with another date or total a person must look."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry_workflows.invoice.duplicates import compare
from skerry_workflows.invoice.identity import identity_of, normal_name, normal_number
from skerry_workflows.invoice.read import read
from skerry_workflows.invoice.rules import extract
from tests.invoice.demo_xml import ubl
from tests.invoice.make_demo import GERMAN, TOOLS, pdf
from tests.invoice.samples import FIELDS, D, changed


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "same"),
        ({"number": "ap 1041"}, "same"),
        ({"seller_vat_id": None, "seller_name": "ALDERWAY PRINT"}, "same"),
        ({"seller_name": "Trading name"}, "same"),
        ({"issue_date": None}, "same"),
        ({"gross_total": D("-178.50")}, "same"),
        ({"issue_date": dt.date(2024, 5, 18)}, "review"),
        ({"gross_total": D("187.50")}, "review"),
        ({"currency": "USD"}, "review"),
        ({"doc_type": "credit_note"}, "review"),
        ({"issue_date": None, "gross_total": None}, "review"),
        ({"seller_vat_id": None, "seller_name": None}, "review"),
        ({"seller_vat_id": None, "seller_name": None, "gross_total": D(1)}, "different"),
        ({"number": "AP-1042"}, "different"),
        ({"number": None}, "different"),
        ({"seller_vat_id": "DE876543219"}, "different"),
        ({"seller_vat_id": None, "seller_name": "Birkholm Print"}, "different"),
    ],
)
def test_verdicts(changes: dict[str, object], verdict: str) -> None:
    assert compare(FIELDS, changed(**changes)) == verdict
    assert compare(changed(**changes), FIELDS) == verdict


def test_one_invoice_as_a_page_and_as_xml() -> None:
    page, xml = read(pdf(TOOLS, GERMAN), "a"), read(ubl(TOOLS), "b")
    assert xml.fields is not None
    assert compare(extract(page), xml.fields) == "same"
    assert identity_of(extract(page)) == identity_of(xml.fields)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller GmbH & Co. KG", "Muller GmbH"),
        ("Acme S.à r.l.", "acme"),
        ("Acme, Inc.", "ACME INC"),
        ("Acme B.V.", "Acme bv"),
    ],
)
def test_names_with_and_without_their_legal_form(one: str, other: str) -> None:
    assert normal_name(one) == normal_name(other) != ""


def test_a_name_of_a_legal_form_only_is_kept() -> None:
    assert normal_name("AG") == "ag" and normal_name("") == normal_name(None) == ""


@given(st.text(max_size=40))
def test_normal_forms_are_normal(text: str) -> None:
    assert normal_number(normal_number(text)) == normal_number(text)
    assert not normal_name(text) or normal_name(text).isalnum()
    assert normal_name(f" {text.upper()}, ") == normal_name(text.upper())


def test_no_identity_without_its_parts() -> None:
    for missing in (
        {"number": None},
        {"issue_date": None},
        {"seller_name": None, "seller_vat_id": None},
        {"number": "-"},
    ):
        assert identity_of(changed(**missing)) is None
