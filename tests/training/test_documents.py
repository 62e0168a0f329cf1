"""The documents: answers stand in them, seeds decide them, and what is held out stays out of the training set."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.documents import HELD_OUT, KNOWN, Set, invoice, make
from training.documents.words import LANGUAGES, readings
from training.scores import Scores, answered
from training.task import ANSWERS, TEXT_BYTES_MAX, Invoice, Kind, quoted, write

SETS = st.sampled_from(get_args(Set))
KINDS = st.sampled_from(get_args(Kind))
SEEDS = st.integers(min_value=0, max_value=10**9)


@settings(max_examples=300, deadline=None)
@given(SEEDS, SETS, KINDS)
def test_what_an_answer_quotes_stands_in_the_text(seed: int, of: Set, kind: Kind) -> None:
    document = make(seed, of, kind)
    assert len(document.text.encode()) <= TEXT_BYTES_MAX
    for name, value in quoted(document.answer).items():
        assert value in document.text, (document.family, name)
        assert value and value == value.strip()
        assert not set(value) & set('"\\\n\t')
        assert "  " not in value


@settings(max_examples=50, deadline=None)
@given(SEEDS, SETS)
def test_the_seed_decides(seed: int, of: Set) -> None:
    assert make(seed, of) == make(seed, of)


def test_a_seed_gives_the_same_document_everywhere() -> None:
    document = make(1, "known", "meeting")
    assert document.text == EXPECTED, "the generator has changed: is that meant?"


@settings(max_examples=200, deadline=None)
@given(SEEDS, SETS, KINDS)
def test_held_out_families_are_in_their_own_set_alone(seed: int, of: Set, kind: Kind) -> None:
    family = make(seed, of, kind).family
    assert (family in HELD_OUT[kind]) == (of == "layouts")
    assert (family in KNOWN[kind]) == (of != "layouts")


def test_there_is_variety() -> None:
    assert len(KNOWN["invoice"]) >= 40
    assert sum(map(len, HELD_OUT.values())) >= 8
    documents = [make(seed) for seed in range(2_000)]
    assert {document.language for document in documents} == set(LANGUAGES)
    assert {document.kind for document in documents} == set(get_args(Kind))
    assert {document.family for document in documents} == {family for families in KNOWN.values() for family in families}
    assert len({document.text for document in documents}) > 1_950


@pytest.mark.parametrize("word", ["number", "date", "due", "net", "tax", "total", "seller", "buyer"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_asked_for_has_wordings_that_are_held_out(language: str, word: str) -> None:
    known, held = readings(language, word)
    assert len(known) >= 4
    assert held
    assert not set(known) & set(held)


def test_parts_of_their_own_are_in_held_out_families_only() -> None:
    parts = {part for family in invoice.FAMILIES.values() for part in family.split()}
    assert not parts & {"arrows", "reversed_pairs", "t_reversed"}


def test_a_document_with_a_due_date_shows_it_and_one_without_answers_null() -> None:
    answers = [document.answer for document in (make(seed, "known", "invoice") for seed in range(300))]
    due = [answer.due for answer in answers if isinstance(answer, Invoice)]
    assert 0.4 < sum(each is not None for each in due) / len(due) < 0.9


@settings(max_examples=60, deadline=None)
@given(SEEDS, KINDS)
def test_an_answer_is_compact_json_in_the_order_of_its_struct(seed: int, kind: Kind) -> None:
    document = make(seed, "known", kind)
    text = write(document.answer)
    assert answered(kind, text) == document.answer
    assert list(msgspec.json.decode(text)) == [each.name for each in msgspec.structs.fields(ANSWERS[kind])]
    assert text.startswith('{"')


def test_scores_count_fields_and_whole_documents() -> None:
    document = make(5, "known", "invoice")
    assert isinstance(document.answer, Invoice)
    scores = Scores()
    scores.add(document, document.answer)
    scores.add(document, msgspec.structs.replace(document.answer, seller="Somebody Else"))
    scores.add(document, answered("invoice", "{not json"))
    rates = scores.rates()
    assert rates["invoice.seller"] == 0.333
    assert rates["invoice.number"] == 0.667
    assert rates["whole"] == 0.333


EXPECTED = """\
Hallo Ivan van Ferrari,

Ik wil graag een afspraak maken over inktpatronen.

Datum - zaterdag 13:45
Duur - twee uur
Zaal - Zoom

Dank
Emma Cigrou"""
