"""Categories of the user's own, and what a message wants."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.errors import DataError
from skerry_workflows.email.categories import UNKNOWN, Category, Classifier, load
from skerry_workflows.email.mime import parse
from skerry_workflows.email.tokens import counts, words
from skerry_workflows.email.wishes import language_of, wish_of

CATEGORIES = (
    Category(
        name="order",
        description="A customer orders something or asks for an offer",
        examples=("Please send us 20 boxes of screws", "What would 500 labels cost?"),
    ),
    Category(
        name="complaint",
        description="Something is broken, missing, late or wrong",
        examples=("The parcel arrived damaged", "Three of the lamps do not work, we want them replaced"),
    ),
    Category(
        name="job", description="Somebody applies for a job", examples=("Attached you find my application and CV",)
    ),
)


def test_messages_find_their_category() -> None:
    classifier = Classifier(CATEGORIES)
    for text, name in {
        "Could you send us an offer for 200 boxes?": "order",
        "The boxes arrived damaged, two lamps are missing": "complaint",
        "I would like to apply for the job, my CV is attached": "job",
    }.items():
        assert classifier.guess(text).category == name, text
    strange = classifier.guess("The weather in the mountains was lovely")
    assert strange.category == UNKNOWN or not strange.sure


def test_corrections_change_the_answer() -> None:
    text = "Regarding the terms of the framework agreement with the municipality"
    assert not Classifier(CATEGORIES).guess(text).sure
    lessons = {"order": ["About the framework agreement with the municipality and its terms"]}
    taught = Classifier(CATEGORIES, lessons).guess(text)
    assert taught.category == "order" and taught.sure


def test_a_bare_name_is_never_sure() -> None:
    bare = (Category(name="parking_permit"), *CATEGORIES)
    text = "my parking permit"
    assert Classifier(bare).guess(text).category == "parking_permit"
    assert not Classifier(bare).guess(text).sure
    assert Classifier(bare, {"parking_permit": ["A permit for parking"]}).guess(text).sure
    assert not Classifier(bare[:1]).guess("The weather in the mountains was lovely").sure


def test_the_file(tmp_path: Path) -> None:
    file = tmp_path / "categories.toml"
    file.write_text('[category.order]\ndescription = "orders"\nexamples = ["a"]\nowner = "sales@example.org"\n')
    assert load(file) == (Category(name="order", description="orders", examples=("a",), owner="sales@example.org"),)
    file.write_text("[category.order]\ndescripton = 1\n")
    with pytest.raises(DataError, match="descripton"):
        load(file)
    with pytest.raises(DataError, match="cannot be read"):
        load(tmp_path / "none.toml")


def test_words_are_cut_to_what_they_share() -> None:
    # A short word keeps its ending: what would be left says too little.
    assert words("The payments were stopped, paying stops!") == ["payment", "were", "stop", "paying", "stop"]
    assert words("orders ordering ordered")[0] == words("order")[0]
    assert counts("order form")["order form"] == 1


@given(st.text(max_size=200))
def test_any_text_gets_a_guess(text: str) -> None:
    guess = Classifier(CATEGORIES).guess(text)
    assert 0 <= guess.probability <= 1
    assert Classifier(()).guess(text).category == UNKNOWN


NOW = dt.datetime(2025, 1, 3, 9, tzinfo=dt.UTC)


def message(text: str, *more: str) -> bytes:
    lines = ["From: ada@example.org", "Date: Fri, 3 Jan 2025 09:00:00 +0000", *more, "", text]
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("text", "asks", "priority", "language"),
    [
        ("Could you send me the contract? It is for the board and we have no copy of it.", True, "normal", "en"),
        ("Können Sie mir bitte den Vertrag schicken? Wir haben ihn nicht mehr.", True, "normal", "de"),
        ("Pourriez-vous nous envoyer le contrat pour la réunion ?", True, "normal", "fr"),
        ("¿Podría enviarnos el contrato por favor? Es para la reunión de los socios.", True, "normal", "es"),
        ("URGENT: the server is down and the shop with it.", False, "high", "en"),
        ("Thank you, that was all we wanted to know.", False, "normal", "en"),
        ("您好，请问500个标签多少钱？谢谢。", True, "normal", "zh"),
        ("Спасибо, мы получили ваш договор.", False, "normal", "ru"),
    ],
)
def test_what_a_message_wants(text: str, asks: bool, priority: str, language: str) -> None:
    wish = wish_of(parse(message(text)), text, NOW)
    assert (wish.asks, wish.priority, wish.language) == (asks, priority, language)


def test_by_when() -> None:
    text = "Please send us the figures by 10 January 2025."
    wish = wish_of(parse(message(text)), text, NOW, "Europe/Berlin")
    assert wish.by is not None and wish.by.date() in (dt.date(2025, 1, 10), dt.date(2025, 1, 11))


def test_letters_to_many_ask_nothing() -> None:
    text = "Would you like to know more?"
    wish = wish_of(parse(message(text, "List-Unsubscribe: <mailto:x@y.example>")), text, NOW)
    assert (wish.asks, wish.priority) == (False, "low")


def test_a_language_that_does_not_show() -> None:
    assert language_of("42") == "" and language_of("") == ""
