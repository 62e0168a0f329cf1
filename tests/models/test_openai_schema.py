"""Schemas on their way to an endpoint, answers on their way back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from skerry_workers.models.misfit import misfit
from skerry_workers.models.openai_schema import answer_in, for_endpoint, inlined, quoted_fields, without_limits
from skerry_workers.models.port import QUOTED, ModelError

Quoted = Annotated[str, msgspec.Meta(extra_json_schema={QUOTED: True})]


class Kind(Enum):
    GOODS = "goods"
    WORK = "work"


class Line(msgspec.Struct):
    name: Quoted
    amount: Annotated[float, msgspec.Meta(ge=0)]
    kind: Kind = Kind.GOODS


class Party(msgspec.Struct, tag="party"):
    name: Quoted
    parent: Party | None = None


class Person(msgspec.Struct, tag="person"):
    first: str


class Invoice(msgspec.Struct):
    number: Annotated[str, msgspec.Meta(min_length=1, max_length=20, pattern="^[A-Z0-9-]+$")]
    day: date
    total: Decimal
    seller: Party | Person
    lines: tuple[Line, ...] = ()
    rates: dict[str, float] = {}
    currency: Literal["EUR", "USD"] | None = None
    pair: tuple[int, str] | None = None
    notes: Annotated[list[str], msgspec.Meta(max_length=2)] = []


SCHEMA: dict[str, Any] = msgspec.json.schema(Invoice)
GOOD: dict[str, Any] = {
    "number": "INV-7",
    "day": "2026-11-22",
    "total": "119.50",
    "seller": {"type": "party", "name": "A", "parent": {"type": "party", "name": "B", "parent": None}},
    "lines": [{"name": "x", "amount": 2, "kind": "work"}, {"name": "y", "amount": 0.5}],
    "rates": {"19": 19.0},
    "currency": None,
    "pair": [1, "x"],
}


def changed(**values: Any) -> dict[str, Any]:
    return {**GOOD, **values}


def test_what_fits_fits_both() -> None:
    assert misfit(SCHEMA, GOOD) == ""
    msgspec.convert(GOOD, Invoice)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([], "an array, not object"),
        ({}, "number is missing"),
        (changed(number=7), "number: a number, not string"),
        (changed(number=""), "number: 0 long, at least 1"),
        (changed(number="A" * 21), "number: 21 long, at most 20"),
        (changed(number="inv"), "number: 'inv' does not look like"),
        (changed(lines=[{"name": "x", "amount": -1}]), "lines.0.amount: -1 is less than 0"),
        (changed(lines=[{"name": "x", "amount": True}]), "lines.0.amount: a boolean, not number"),
        (changed(lines=[{"name": "x"}]), "lines.0: amount is missing"),
        (changed(lines=[{"name": "x", "amount": 1, "kind": "toys"}]), "'toys' is none of goods, work"),
        (changed(lines="none"), "lines: a string, not array"),
        (changed(rates={"19": "x"}), "rates.19: a string, not number"),
        (changed(currency="GBP"), "currency: 'GBP' is none of"),
        (changed(pair=["x", "x"]), "pair: fits none of what it may be"),
        (changed(pair=[1, "x", 2]), "pair: fits none"),
        (changed(notes=["a", "b", "c"]), "notes: 3 long, at most 2"),
        (changed(seller={"type": "robot", "name": "x"}), "seller: fits none"),
        (changed(seller={"type": "party", "name": "x", "parent": {"name": 5}}), "seller"),
    ],
)
def test_what_does_not_fit_is_named(value: object, why: str) -> None:
    assert why in misfit(SCHEMA, value)


def test_words_that_people_write() -> None:
    closed = {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False}
    assert misfit(closed, {"a": 1.0}) == ""
    assert misfit(closed, {"a": 1.5}) == "a: a number, not integer"
    assert misfit(closed, {"b": 1}) == "there is no field 'b'"
    assert misfit({"const": 1}, True) != ""
    assert misfit({"const": 1}, 1) == ""
    assert misfit({"type": ["string", "null"]}, 1) == "a number, not string or null"
    assert misfit({"allOf": [{"type": "number"}, {"maximum": 3, "exclusiveMinimum": 0}]}, 4) == "4 is more than 3"
    assert misfit({"exclusiveMinimum": 0}, 0) == "0 is not more than 0"
    assert misfit({"exclusiveMaximum": 0}, 0) == "0 is not less than 0"
    assert misfit({"type": "string", "pattern": "("}, "x") == "", "not Python's: somebody else looks at it"
    with pytest.raises(ModelError, match="does not hold"):
        misfit({"$ref": "#/$defs/Nothing"}, 1)


def test_a_schema_that_never_ends() -> None:
    tree = {"$ref": "#/$defs/T", "$defs": {"T": {"type": "array", "items": {"$ref": "#/$defs/T"}}}}
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    assert misfit(tree, deep).endswith("nested too deep")
    assert misfit(tree, [[[]]]) == ""
    with pytest.raises(ModelError, match="refers to itself"):
        inlined({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}})


class Small(msgspec.Struct, forbid_unknown_fields=True):
    a: int
    b: Annotated[str, msgspec.Meta(max_length=3)]
    c: bool | None
    d: list[float] = []


json_values = some.recursive(
    some.none() | some.booleans() | some.integers(-5, 5) | some.floats(allow_nan=False) | some.text(max_size=5),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.sampled_from("abcde"), inner, max_size=4),
    max_leaves=8,
)


def agrees(value: dict[str, Any]) -> None:
    try:
        msgspec.json.decode(msgspec.json.encode(value), type=Small)
        fits = True
    except msgspec.ValidationError:
        fits = False
    assert (misfit(msgspec.json.schema(Small), value) == "") == fits


@given(some.dictionaries(some.sampled_from("abcde"), json_values, max_size=5))
def test_the_checker_agrees_with_msgspec(value: dict[str, Any]) -> None:
    agrees(value)


@given(some.fixed_dictionaries({"a": some.integers(), "b": some.text(max_size=4), "c": some.none() | some.booleans()}))
def test_the_checker_agrees_with_msgspec_on_what_nearly_fits(value: dict[str, Any]) -> None:
    agrees(value)


# --- to the endpoint --------------------------------------------------------------------------------------------------


def test_for_strict_endpoints() -> None:
    wire = for_endpoint(SCHEMA)
    assert wire["type"] == "object" and "$ref" not in wire
    assert wire["required"] == list(wire["properties"])
    assert wire["additionalProperties"] is False
    line = wire["$defs"]["Line"]
    assert line["required"] == ["name", "amount", "kind"] and line["additionalProperties"] is False
    assert line["properties"]["amount"] == {"type": "number", "minimum": 0}
    assert wire["properties"]["rates"]["additionalProperties"] == {"type": "number"}
    assert QUOTED not in str(wire) and "default" not in str(wire)
    assert misfit(SCHEMA, GOOD) == ""


def test_for_endpoints_that_mind_limits() -> None:
    wire = str(for_endpoint(SCHEMA, limits=False))
    assert not any(word in wire for word in ("minimum", "maxLength", "pattern", "format", "maxItems"))


def test_without_limits_the_shape_is_left() -> None:
    loose = without_limits(SCHEMA)
    assert misfit(loose, changed(number="", notes=["a"] * 9, lines=[{"name": "x", "amount": -1}])) == ""
    assert misfit(loose, changed(currency="GBP")) != ""
    assert without_limits({"properties": {"format": {"const": {"format": 1}}}, "format": "x"}) == {
        "properties": {"format": {"const": {"format": 1}}}
    }


def test_fields_that_are_called_like_words_of_a_schema_stay() -> None:
    class Odd(msgspec.Struct):
        pattern: str
        format: str
        default: int

    wire = for_endpoint(msgspec.json.schema(Odd), limits=False)
    assert wire["required"] == ["pattern", "format", "default"]


def test_an_answer_to_the_endpoints_schema_fits_ours() -> None:
    everything = changed(notes=[], lines=[])
    wire = for_endpoint(SCHEMA)
    assert misfit(wire, everything) == ""
    assert misfit(SCHEMA, everything) == ""


def test_quoted_fields_have_paths() -> None:
    assert quoted_fields(SCHEMA)[0] == "seller.name"
    assert "lines.*.name" in quoted_fields(SCHEMA)
    assert quoted_fields({"type": "object", "properties": {"a": {"type": "string"}}}) == []


# --- and back ---------------------------------------------------------------------------------------------------------

SMALL = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


@pytest.mark.parametrize(
    ("text", "json"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ('A: {"a":1}.', '{"a":1}'),
        ('The shape {a: 1} is {"a": 1}', '{"a": 1}'),
        ('{"a": 1}{"b": 2}', '{"a": 1}'),
        ('{"b": {"a": 5}} no: {"a": 1}', '{"a": 1}'),
        ('```\n{"a": 1}\n```\nor\n```json\n{"a": 1}\n```', '{"a": 1}'),
        ('<thinking>{}</thinking>{"a": 1}', '{"a": 1}'),
    ],
)
def test_the_one_answer_is_found(text: str, json: str) -> None:
    assert answer_in(text, SMALL) == json


@pytest.mark.parametrize(
    "text", ['{"a": 1} {"a": 2}', '{"a": "1"}', "{}", "{" * 3000, '{"a": 1', "null", '{"a": "\\ud800"}']
)
def test_no_answer_or_several(text: str) -> None:
    with pytest.raises(ModelError):
        answer_in(text, SMALL)
