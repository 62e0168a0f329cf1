"""The policy file and the orders: what they say of an invoice, and how they are refused when they say nonsense."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.errors import TerminalError
from skerry_workflows.invoice import orders, policy
from skerry_workflows.invoice.orders import Match, Order
from skerry_workflows.invoice.policy import Approval, Policy, Reminders, Rule, needed
from tests.invoice.samples import D, changed

POLICY = """
currency = "EUR"
orders = "orders.csv"
order_tolerance_percent = 2

[reminders]
after_days = 3
delegate_after_days = 7

[deputies]
ada = "cy"

[[rule]]
name = "small and ordered"
with_order = true
up_to = 1000
approvals = 0

[[rule]]
name = "the printer"
vendors = ["alderway*"]
cost_centre = "4711"
up_to = 10_000
approvers = ["ada", "bo"]

[[rule]]
name = "all else"
approvers = ["ada", "bo", "dan"]
approvals = 2
"""
ORDERS = """number,vendor,total,currency,cost_centre
PO 88-1,Alderway Print,500.00,EUR,200
PO-99,DE987654328,100.00,EUR,300
"""
COVERED = Match(verdict="covered", cost_centre="200")


@pytest.fixture
def loaded(tmp_path: Path) -> Policy:
    (tmp_path / "policy.toml").write_text(POLICY)
    return policy.load(tmp_path / "policy.toml")


def test_the_first_rule_that_fits_decides(loaded: Policy) -> None:
    ordered = needed(loaded, changed(), COVERED)
    assert (ordered.approvals, ordered.cost_centre) == (0, "200")
    printer = needed(loaded, changed(), Match())
    assert (printer.approvals, printer.approvers, printer.deputies) == (1, ("ada", "bo"), ("cy",))
    assert printer.cost_centre == "4711" and "rule 'the printer' asks for 1 approval" in printer.why
    dear = needed(loaded, changed(gross_total=D("10000.01")), Match())
    assert (dear.approvals, dear.approvers) == (2, ("ada", "bo", "dan"))
    assert needed(loaded, changed(seller_name="Birkholm"), Match()).approvals == 2
    assert needed(loaded, changed(currency="USD"), COVERED).approvals == 2, (
        "an amount in another currency fits no limit"
    )
    assert needed(loaded, changed(gross_total=D("10000")), Match()).approvals == 1, "up to, and including"


def test_what_does_not_fit_its_order_is_never_let_through() -> None:
    lenient = Policy(rule=(Rule(approvals=0),))
    assert needed(lenient, changed(), Match()).approvals == 0
    over = needed(lenient, changed(), Match(verdict="over", told="its order has nothing left"))
    assert over.approvals == 1 and "nothing left" in over.why


def test_what_no_rule_fits_is_asked_of_anybody() -> None:
    assert needed(Policy(), changed(), Match()) == Approval(why="no rule of the policy fits it")


def test_a_vendor_by_its_vat_id() -> None:
    rule = Rule(vendors=("DE 987 654 328",), approvals=0)
    assert needed(Policy(rule=(rule,)), changed(), Match()).approvals == 0
    assert needed(Policy(rule=(rule,)), changed(seller_vat_id=None), Match()).approvals == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[rule]]\nupto = 3", "upto"),
        ("[[rule]]\napprovals = 11", "from 0 to 10"),
        ('[[rule]]\napprovers = ["ada"]\napprovals = 2', "2 approvals by 1 approvers"),
        ("[reminders]\nafter_days = -1", "days are from 0"),
        ("[[rule]]\nup_to = nan", "up_to is an amount"),
        ("order_tolerance_percent = inf", "order_tolerance_percent is from 0"),
        ("rule = 3", "rule"),
        ("not toml", "not understood"),
    ],
)
def test_a_policy_that_is_not_understood_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "p.toml"
    path.write_text(text)
    with pytest.raises(TerminalError, match=reason) as caught:
        policy.load(path)
    assert caught.value.hint


def test_a_policy_that_is_not_there_is_no_leave_to_post(tmp_path: Path) -> None:
    with pytest.raises(TerminalError, match="cannot be read"):
        policy.load(tmp_path / "gone.toml")


# --- days -----------------------------------------------------------------------------------------------------------


def test_the_days_on_which_something_happens() -> None:
    reminders = Reminders(after_days=3, delegate_after_days=7, give_up_after_days=10)
    days, day = list[int](), 0
    while day < 10:
        day = reminders.next_day(day)
        days.append(day)
    assert days == [3, 6, 7, 9, 10]
    assert Reminders().next_day(0) == 30


@given(st.integers(0, 20), st.integers(0, 20), st.integers(1, 40))
def test_days_go_on_until_the_last_one(after: int, delegate: int, give_up: int) -> None:
    reminders = Reminders(after_days=after, delegate_after_days=delegate, give_up_after_days=give_up)
    day = 0
    for _ in range(100):
        if day >= give_up:
            break
        following = reminders.next_day(day)
        assert day < following <= give_up
        day = following
    assert day == give_up


def test_deputies_and_whoever_was_let_decide() -> None:
    approval = Approval(approvers=("ada",), deputies=("cy",), reminders=Reminders(delegate_after_days=7))
    assert approval.may_decide(6) == {"ada"} and approval.may_decide(7) == {"ada", "cy"}
    assert approval.may_decide(0, ["dan"]) == {"ada", "dan"}
    assert Approval(deputies=("cy",)).may_decide(20) == frozenset()


# --- orders ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def known(tmp_path: Path) -> list[Order]:
    (tmp_path / "orders.csv").write_text(ORDERS)
    return orders.load(tmp_path / "orders.csv")


@pytest.mark.parametrize(
    ("changes", "invoiced", "verdict"),
    [
        ({"purchase_order": None}, "0", "none"),
        ({"purchase_order": "po88-1"}, "0", "covered"),
        ({"purchase_order": "PO 88-1"}, "321.50", "covered"),
        ({"purchase_order": "PO 88-1"}, "321.51", "over"),
        ({"purchase_order": "PO 88-1", "seller_name": "Birkholm", "seller_vat_id": None}, "0", "vendor"),
        ({"purchase_order": "PO 88-1", "currency": "GBP"}, "0", "currency"),
        ({"purchase_order": "PO 88-1", "gross_total": None}, "0", "over"),
        ({"purchase_order": "PO-99"}, "0", "over"),
        ({"purchase_order": "PO-99", "doc_type": "credit_note"}, "0", "covered"),
        ({"purchase_order": "PO-1"}, "0", "unknown"),
    ],
)
def test_an_invoice_and_its_order(known: list[Order], changes: dict[str, object], invoiced: str, verdict: str) -> None:
    found = orders.match(changed(**changes), known, Decimal(invoiced))
    assert found.verdict == verdict
    assert bool(found.told) == (verdict not in ("none", "covered"))
    assert bool(found.cost_centre) == (verdict not in ("none", "unknown"))


def test_a_tolerance(known: list[Order]) -> None:
    fields = changed(purchase_order="PO 88-1")
    assert orders.match(fields, known, D("331.50"), D(2)).verdict == "covered"
    assert orders.match(fields, known, D("331.51"), D(2)).verdict == "over"


def test_orders_in_other_files(tmp_path: Path, known: list[Order]) -> None:
    semicolons = tmp_path / "o.csv"
    semicolons.write_bytes(b"\xef\xbb\xbf" + ORDERS.replace(",", ";").encode())
    assert orders.load(semicolons) == known
    as_json = tmp_path / "o.json"
    as_json.write_text('[{"number": "PO 88-1", "vendor": "Alderway Print", "total": 500.00, "currency": "EUR"}]')
    assert [o.number for o in orders.load(as_json)] == ["PO 88-1"]


@pytest.mark.parametrize(
    "text",
    [
        "number,vendor\n1,2\n",
        "number,vendor,total,currency\nA,B,many,EUR\n",
        "number,vendor,total,currency\nA,B,NaN,EUR\n",
    ],
)
def test_orders_that_are_not_understood_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "o.csv"
    path.write_text(text)
    with pytest.raises(TerminalError, match="line 2"):
        orders.load(path)
    with pytest.raises(TerminalError, match="cannot be read"):
        orders.load(tmp_path / "gone.csv")
