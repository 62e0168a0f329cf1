"""Grammars: every right answer is allowed by the grammar of its document."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training import grammar
from training.documents import make
from training.task import Invoice, Kind


def tails(text: str) -> re.Pattern[str]:
    """What a seller may be, under the grammar of this text."""
    found = re.search(r"^TAIL: /(.*)/$", grammar.lark("invoice", text), re.MULTILINE)
    assert found
    return re.compile(found[1])


@settings(max_examples=200, deadline=None)
@given(st.integers(min_value=0, max_value=10**9))
def test_a_seller_goes_on_to_the_end_of_its_cell(seed: int) -> None:
    document = make(seed, "known", "invoice")
    assert isinstance(document.answer, Invoice) and document.answer.seller
    assert tails(document.text).fullmatch(document.answer.seller)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("Cloud Nine Ltd", True),
        ("Nine Ltd", True),
        ("Cloud Nine", False),
        ("12 Oak", False),
        ("12 Oak Street", True),
        ("Paper, Pens & Co.", True),
        ("Paper", True),
        ("Bolt GmbH", True),
        ("Bolt GmbH.", True),
        ("Total", False),
    ],
)
def test_names_are_not_cut_short(text: str, allowed: bool) -> None:
    page = "Seller: Cloud Nine Ltd     12 Oak Street\nPaper, Pens & Co.\nthis is from Bolt GmbH.\nTotal 12.00"
    assert bool(tails(page).fullmatch(text)) is allowed


def test_a_currency_is_one_that_stands_there_or_none() -> None:
    rules = grammar.lark("invoice", "Total CHF 12.00")
    assert 'f_currency: "null" | "\\"CHF\\""\n' in rules


@pytest.mark.parametrize("kind", ["invoice", "mail", "meeting"])
def test_quotation_marks_in_a_document_do_no_harm(kind: Kind) -> None:
    rules = grammar.lark(kind, 'a "b" \\ c / d').splitlines()
    assert rules[0].startswith('start: "{" ')
    assert 'WORDS: %regex {"substring_words": "a \\nb\\n \\n c / d"}' in rules
