"""The rules of EN 16931, on an invoice that is made up here and keeps them all, changed in one place at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry_workflows.invoice import en16931, limits, xml_tree
from skerry_workflows.invoice.en16931.table import Rule, cents
from skerry_workflows.invoice.evaluate import TASKS
from skerry_workflows.invoice.read import read
from skerry_workflows.invoice.unreadable import Unreadable
from skerry_workflows.invoice.verify import verify
from tests.invoice.demo_xml import cii, ubl
from tests.invoice.make_demo import FRENCH, LAMPS, PAPER, hybrid
from tests.invoice.samples import shared_invoices

MAKERS: dict[str, Callable[[], bytes]] = {"ubl": lambda: ubl(LAMPS), "cii": lambda: cii(LAMPS)}


def broken(data: bytes | str) -> set[str]:
    text = data.encode() if isinstance(data, str) else data
    return {rule.id for rule in en16931.broken(xml_tree.parse(text).root)}


def without(document: str, begin: str, end: str, count: int = 1) -> str:
    """The document without what stands between two marks, which are left out as well."""
    for _ in range(count):
        head, found, rest = document.partition(begin)
        assert found, begin
        document = head + rest.partition(end)[2]
    return document


def test_every_rule_has_an_id_of_its_own_and_words() -> None:
    assert len({rule.id for rule in en16931.RULES}) == len(en16931.RULES) > 150
    assert all(rule.id.startswith("BR-") and rule.words for rule in en16931.RULES)


@pytest.mark.parametrize("syntax", MAKERS)
def test_an_invoice_that_keeps_all_of_them(syntax: str) -> None:
    assert broken(MAKERS[syntax]()) == set()


UBL_EDITS: dict[str, tuple[str, str, set[str]]] = {
    "no number": ("<cbc:ID>", "</cbc:ID>", {"BR-02"}),
    "no date": ("<cbc:IssueDate>", "</cbc:IssueDate>", {"BR-03"}),
    "no type": ("<cbc:InvoiceTypeCode>", "</cbc:InvoiceTypeCode>", {"BR-04"}),
    "no totals of lines": (
        "<cbc:LineExtensionAmount", "</cbc:LineExtensionAmount>", {"BR-12", "BR-CO-10", "BR-CO-13"}
    ),
    "no amount due": ("<cbc:PayableAmount", "</cbc:PayableAmount>", {"BR-15", "BR-CO-16"}),
    "no breakdown": ("<cac:TaxSubtotal>", "</cac:TaxSubtotal>", {"BR-CO-18", "BR-S-01"}),
}  # fmt: skip


@pytest.mark.parametrize("edit", UBL_EDITS)
def test_what_is_missing_is_named(edit: str) -> None:
    begin, end, rules = UBL_EDITS[edit]
    assert broken(without(ubl(LAMPS).decode(), begin, end)) == rules


def with_net(document: str, tag: str, amount: Decimal) -> str:
    head, found, rest = document.partition(f"<cbc:{tag} ")
    assert found
    attribute, _, rest = rest.partition(">")
    return f"{head}{found}{attribute}>{amount}<" + rest.partition("<")[2]


@pytest.mark.parametrize(
    ("tag", "rules"),
    [
        ("TaxExclusiveAmount", {"BR-CO-13", "BR-CO-15"}),
        ("TaxInclusiveAmount", {"BR-CO-15", "BR-CO-16"}),
        ("PayableAmount", {"BR-CO-16"}),
    ],
)
@given(st.decimals(min_value="0.01", max_value=10**6, places=2))
def test_a_sum_that_is_wrong_by_a_cent_or_more(tag: str, rules: set[str], off: Decimal) -> None:
    right = {"TaxExclusiveAmount": LAMPS.net, "TaxInclusiveAmount": LAMPS.gross, "PayableAmount": LAMPS.gross}[tag]
    assert broken(with_net(ubl(LAMPS).decode(), tag, right + off)) == rules
    assert broken(with_net(ubl(LAMPS).decode(), tag, right)) == set()


@given(st.decimals(min_value=-(10**6), max_value=10**6, places=4))
def test_cents_round_half_up(amount: Decimal) -> None:
    assert abs(cents(amount) - amount) <= Decimal("0.005")
    assert cents(Decimal("2.345")) == Decimal("2.35")


def test_the_rate_and_the_category_of_lines_must_agree() -> None:
    other = ubl(LAMPS).decode().replace(f"<cbc:Percent>{LAMPS.rate}", "<cbc:Percent>5", 1)
    assert {"BR-CO-17", "BR-S-08", "BR-S-09"} <= broken(other)


CATEGORY = {
    "Z": {"BR-Z-05", "BR-Z-09"},
    "AE": {"BR-AE-05", "BR-AE-09", "BR-AE-10"},
    "K": {"BR-IC-05", "BR-IC-09", "BR-IC-10", "BR-IC-12"},
    "O": {"BR-O-02", "BR-O-05", "BR-O-09", "BR-O-10"},
}


@pytest.mark.parametrize("code", CATEGORY)
def test_another_category_has_other_rules(code: str) -> None:
    changed = ubl(LAMPS).decode().replace("<cbc:ID>S</cbc:ID>", f"<cbc:ID>{code}</cbc:ID>")
    assert changed.count(f"<cbc:ID>{code}</cbc:ID>") > 1
    assert broken(changed) >= CATEGORY[code]


def test_codes() -> None:
    document = ubl(LAMPS).decode()
    assert "BR-CL-04" in broken(document.replace(">EUR<", ">EUX<", 1))
    assert "BR-CL-14" in broken(document.replace("<cbc:IdentificationCode>NL<", "<cbc:IdentificationCode>XX<"))
    assert "BR-CO-09" in broken(document.replace(f">{LAMPS.seller.vat_id}<", ">123456789<"))


def test_an_older_syntax_and_a_lesser_profile_are_not_asked() -> None:
    assert broken("<CrossIndustryDocument/>") == set()
    marked = cii(LAMPS).decode()
    start = marked.index("urn:cen.eu:en16931:2017")
    lesser = marked[:start] + "urn:factur-x.eu:1p0:minimum" + marked[marked.index("<", start) :]
    assert broken(lesser.replace("BilledQuantity", "Other")) == set()


def test_a_broken_rule_is_an_objection_by_its_id() -> None:
    for data in (ubl(LAMPS), hybrid(PAPER, FRENCH)):
        reading = read(data, "x")
        assert reading.fields is not None and verify(reading.fields, reading) == ()
    broken_one = with_net(ubl(LAMPS).decode(), "PayableAmount", LAMPS.gross - 1)
    reading = read(broken_one.encode(), "x")
    assert reading.fields is not None
    objections = verify(reading.fields, reading)
    assert "BR-CO-16" in {o.rule for o in objections}
    assert any("rule BR-CO-16 of EN 16931 is broken: the amount due is" in o.message for o in objections)


def test_what_is_too_much_is_refused_before_its_rules_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(root: xml_tree.Node) -> tuple[Rule, ...]:
        raise AssertionError(root.tag)

    monkeypatch.setattr(en16931, "broken", asked)
    many = ubl(LAMPS).decode().replace("</Invoice>", "<cac:InvoiceLine/>" * (limits.LINE_ITEMS_MAX + 1) + "</Invoice>")
    with pytest.raises(Unreadable, match="line items, more than"):
        read(many.encode(), "x")


# --- the real ones --------------------------------------------------------------------------------------------------

SHARED = shared_invoices()


@pytest.mark.skipif(SHARED is None, reason="the shared data is not there")
def test_real_invoices_with_and_without_an_edit() -> None:
    assert SHARED is not None
    predicted, failures = TASKS["rules"](SHARED, None)
    assert failures == []
    for line in (SHARED / "rules.jsonl").read_text().splitlines():
        row = json.loads(line)
        assert set(predicted[row["id"]]) == set(row["all_reported"]), row["id"]


@pytest.mark.skipif(SHARED is None, reason="the shared data is not there")
def test_real_verdicts() -> None:
    assert SHARED is not None
    predicted, failures = TASKS["validity"](SHARED, None)
    assert failures == []
    for case in json.loads((SHARED / "manifest.json").read_text())["cases"]:
        if "validation" in case:
            wanted = {rule for rule in case["validation"]["fatal"] if rule.startswith("BR-")}
            assert set(predicted[case["id"]]) == wanted, case["id"]
