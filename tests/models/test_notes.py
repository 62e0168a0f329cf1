"""Where quotes stand, and how sure a model was of a field."""

from __future__ import annotations

import math
from typing import Annotated

import msgspec
import pytest

from skerry.core.answers import FieldNote
from skerry_workers.models.confidence import Token, confidences, notes
from skerry_workers.models.places import NOWHERE, find, leaves
from skerry_workers.models.port import QUOTED

Quoted = Annotated[str, msgspec.Meta(extra_json_schema={QUOTED: True})]


class Line(msgspec.Struct):
    text: Quoted
    amount: float


class Invoice(msgspec.Struct):
    seller: Quoted | None
    kind: str
    lines: list[Line] = []
    more: dict[str, Quoted] = {}


@pytest.mark.parametrize(
    ("text", "quote", "place"),
    [
        ("Total 12", "12", (6, 8)),
        ("2012-12-12: 12", "12", (5, 7)),
        ("in 2012 only", "12", (5, 7)),
        ("Acme\n  GmbH", "Acme GmbH", (0, 11)),
        ("Acme  GmbH, Acme GmbH", "Acme GmbH", (12, 21)),
        ("a+b", "a+b", (0, 3)),
        ("Acme", "Beta", NOWHERE),
        ("Acme", "", NOWHERE),
        ("Acme", "  ", NOWHERE),
        ("", "x", NOWHERE),
    ],
)
def test_find(text: str, quote: str, place: tuple[int, int]) -> None:
    assert find(text, quote) == place


def test_leaves_know_what_is_quoted() -> None:
    value = {"seller": "A", "kind": "b", "lines": [{"text": "t", "amount": 1}], "more": {"x": "q"}, "unknown": "u"}
    found = {leaf.path: leaf.quoted for leaf in leaves(msgspec.json.schema(Invoice), value)}
    assert found == {
        "seller": True,
        "kind": False,
        "lines.0.text": True,
        "lines.0.amount": False,
        "more.x": True,
        "unknown": False,
    }


def test_null_is_no_quote() -> None:
    (leaf,) = leaves(msgspec.json.schema(Quoted | None), None)
    assert (leaf.path, leaf.quoted) == ("", False)


def tokens(*pieces: tuple[str, float]) -> list[Token]:
    return [Token(text, math.log(probability)) for text, probability in pieces]


def test_the_smallest_probability_of_a_value_counts() -> None:
    found = confidences(
        tokens(('{"a', 0.1), ('":"', 0.9), ("x", 0.5), ("y", 0.7), ('","b":', 0.8), ("1", 0.6), ("2", 0.4), ("}", 0.2))
    )
    assert found == pytest.approx({"a": 0.5, "b": 0.4})


def test_a_character_of_several_tokens_belongs_to_its_value() -> None:
    found = confidences(tokens(('{"a":"', 1), ("", 0.25), ("é", 0.5), ('","b":null}', 0.9)))
    assert found == pytest.approx({"a": 0.25, "b": 0.9})


def test_nested_values_have_paths() -> None:
    found = confidences(tokens(('{"a":{"b":[', 1), ("1", 0.5), (",", 1), ('"\\"x"', 0.25), ('],"c":{},"d":[]}}', 1)))
    assert found == pytest.approx({"a.b.0": 0.5, "a.b.1": 0.25})


def test_a_bare_value() -> None:
    assert confidences(tokens(("tr", 0.5), ("ue", 0.75))) == pytest.approx({"": 0.5})


@pytest.mark.parametrize("text", ["", "{", '{"a"', '{"a":1', '{"a" 1}', "[1", '{"a":"', "[" * 5000])
def test_no_confidence_in_what_is_no_json(text: str) -> None:
    assert confidences(tokens((text, 0.5))) == {}


def test_notes_join_places_and_confidence() -> None:
    found = notes(
        msgspec.json.schema(Invoice),
        "Invoice of Acme GmbH",
        b'{"seller":"Acme GmbH","kind":"x","lines":[{"text":"Nobody","amount":1}]}',
        {"seller": 0.5, "kind": 0.25},
    )
    assert found == {"seller": FieldNote(confidence=0.5, start=11, end=20), "kind": FieldNote(confidence=0.25)}


def test_a_place_without_a_confidence() -> None:
    found = notes(msgspec.json.schema(Quoted), "Acme", b'"Acme"', {})
    assert found == {"": FieldNote(start=0, end=4)}


def test_no_notes_on_what_is_no_json() -> None:
    assert notes(msgspec.json.schema(Quoted), "Acme", b'"Ac', {"": 1.0}) == {}
