"""GBNF: what a grammar lets through, as a reader of its own sees it. The tests of the backends ask llama.cpp."""

from __future__ import annotations

import json
import re
import time
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry_workers.models import constraint, gbnf
from skerry_workers.models.port import QUOTED
from tests.models.gbnf_judge import Judge

Quoted = Annotated[str, msgspec.Meta(extra_json_schema={QUOTED: True})]
TEXT = 'Acme "Best" Gm\\bH & Söhne\tBranch   East\nInvoice No: INV-22\r\nTotal: 12.00EUR at 日本 \x7f'

WORDS = st.sampled_from(["a", "ab", "abc", "b", "12", "120", ".", '"', "\\", "é", "日", "\x1b", "[", "?"])
SPACES = st.sampled_from([" ", "", "\n", "  ", "\t"])
TEXTS = st.lists(st.tuples(WORDS, SPACES), max_size=14).map(
    lambda pairs: "".join(word + space for word, space in pairs)
)


class Line(msgspec.Struct):
    text: Quoted
    amount: float
    pieces: int = 0


class Invoice(msgspec.Struct):
    seller: Quoted | None
    number: Annotated[str, msgspec.Meta(extra_json_schema={QUOTED: True}, max_length=20)]
    kind: Literal["a", "ü"]
    lines: list[Line]
    ok: bool = False
    before: Invoice | None = None
    more: dict[str, Quoted] = {}
    free: str = ""
    count: Annotated[int, msgspec.Meta(ge=0)] = 0
    pair: tuple[int, str] = (0, "")


def written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def quotes(text: str) -> set[str]:
    """Every run of chunks within a line, as JSON writes it: the definition, in the plainest words."""
    parts = constraint.chunks(text, "words")
    runs = {tuple(parts[start:end]) for start in range(len(parts)) for end in range(start + 1, len(parts) + 1)}
    return {"".join(run) for run in runs if "\n" not in run and not run[0].isspace() and not run[-1].isspace()}


def judge_of_quotes(text: str) -> Judge | None:
    rules = gbnf.quote_rules(constraint.chunks(text, "words"))
    return Judge("".join(f"{name} ::= {body}\n" for name, body in rules.items())) if rules else None


@given(TEXTS)
def test_quotes_are_all_runs_of_words_and_nothing_else(text: str) -> None:
    allowed, judge = quotes(text), judge_of_quotes(text)
    if judge is None:
        assert not allowed
        return
    assert all(judge(each, "quote") for each in allowed)
    near = {each[:-1] for each in allowed} | {each + more for each in allowed for more in ("a", "1", " ", ".", "\\")}
    for each in near - allowed:
        assert not judge(each, "quote"), each


@given(TEXTS, st.lists(WORDS | SPACES, max_size=5).map("".join))
def test_other_texts_are_no_quotes(text: str, other: str) -> None:
    judge = judge_of_quotes(text)
    inside = json.dumps(other, ensure_ascii=False)[1:-1]
    assert (judge is not None and judge(inside, "quote")) == (inside in quotes(text))


@given(TEXTS)
def test_a_quote_is_json_and_occurs_in_the_text(text: str) -> None:
    judge = Judge(gbnf.grammar({"type": "string", QUOTED: True, "minLength": 1}, text).text)
    for each in quotes(text):
        assert judge(f'"{each}"')
        assert json.loads(f'"{each}"') in text


@settings(max_examples=30)
@given(st.lists(st.sampled_from("ab 1\n"), max_size=300).map("".join))
def test_rules_are_linear_in_the_text(text: str) -> None:
    parts = constraint.chunks(text, "characters")
    rules = gbnf.quote_rules(parts)
    assert len(rules) <= 2 * len(parts)
    assert sum(map(len, rules.values())) <= 40 * len(parts) + 40


def test_no_two_alternatives_begin_alike() -> None:
    body = gbnf.quote_rules(constraint.chunks("Rechnung Rech nung Rechen rechnen 12 120 1", "words"))["quote"]
    heads = re.findall(r'(?:^|\| )"(.)', re.sub(r"\((?:[^()]|\([^()]*\))*\)", "", body))
    assert len(heads) == len(set(heads)) >= 4


def test_the_longest_text_takes_less_than_a_few_seconds_and_megabytes() -> None:
    text = "\n".join(f"Item {n} INV-{n * 7919 % 10007} 12.{n % 100:02} EUR" for n in range(2200))
    text = text[: constraint.GROUNDED_CHARACTERS_MAX]
    began = time.process_time()
    made = gbnf.grammar({"type": "string", QUOTED: True}, text)
    assert made.quoted
    assert len(made.text) < 60 * len(text)
    assert time.process_time() - began < 10
    assert gbnf.grammar({"type": "string", QUOTED: True}, text + "more").note.startswith("quotes are not held")
    assert not gbnf.grammar({"type": "string", QUOTED: True}, text + "more").quoted


FULL: dict[str, Any] = {"seller": None, "number": "", "kind": "a", "lines": []}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"seller": 'Acme "Best" Gm\\bH & Söhne'},
        {"seller": "Branch", "number": "INV-22", "kind": "ü"},
        {"number": "日本 \x7f"},
        {"lines": [{"text": "Total: 12.00EUR", "amount": -1.25}, {"text": "EUR", "amount": 3, "pieces": 12}]},
        {"ok": True, "free": "nothing in between"},
        {"before": FULL | {"number": "22"}, "more": {"a": "Acme", "b": "Best"}},
        {"before": None, "count": 12, "pair": [-1, "\n"]},
        {"pair": [0, ""]},
    ],
    ids=lambda fields: ",".join(fields) or "all required",
)
def test_what_the_text_and_the_schema_allow(fields: dict[str, Any]) -> None:
    said = written(FULL | fields)
    msgspec.json.decode(said, type=Invoice)
    assert Judge(gbnf.grammar(msgspec.json.schema(Invoice), TEXT).text)(said)


@pytest.mark.parametrize(
    "fields",
    [
        {"seller": ""},
        {"seller": "Acme Ltd"},
        {"seller": "Acm"},
        {"seller": "cme"},
        {"seller": "Acme "},
        {"seller": " Acme"},
        {"seller": "Söhne\tBranch"},
        {"seller": "Branch   East"},
        {"seller": "East\nInvoice"},
        {"number": "INV-2"},
        {"kind": "b"},
        {"lines": [{"text": "INV-23", "amount": 1}]},
        {"lines": [{"text": "INV-22", "amount": 10**20}]},
        {"before": FULL | {"seller": "Nobody"}},
        {"more": {"a": "Nobody"}},
        {"free": "x" * (constraint.STRING_CHARACTERS_MAX + 1)},
        {"count": -1},
        {"pair": [1]},
        {"another": 1},
    ],
    ids=written,
)
def test_what_the_text_or_the_schema_does_not_allow(fields: dict[str, Any]) -> None:
    assert not Judge(gbnf.grammar(msgspec.json.schema(Invoice), TEXT).text)(written(FULL | fields))


@pytest.mark.parametrize("said", ['{"seller": null}', '{ "a":1}', "", "{}", "null"])
def test_no_whitespace_and_nothing_missing(said: str) -> None:
    assert not Judge(gbnf.grammar(msgspec.json.schema(Invoice), TEXT).text)(said)


@given(st.lists(st.booleans(), min_size=1, max_size=5), st.data())
def test_optional_fields_are_written_in_order_or_left_out(required: list[bool], data: st.DataObject) -> None:
    names = [f"f{index}" for index in range(len(required))]
    schema = {
        "type": "object",
        "properties": {name: {"type": "boolean"} for name in names},
        "required": [name for name, must in zip(names, required, strict=True) if must],
    }
    chosen = [n for n, must in zip(names, required, strict=True) if data.draw(st.booleans()) or must]
    judge = Judge(gbnf.grammar(schema, "").text)
    assert judge(written(dict.fromkeys(chosen, True)))
    if len(chosen) > 1:
        assert not judge(written(dict.fromkeys(reversed(chosen), True)))
    if any(required):
        assert not judge(written({name: True for name in chosen if name not in schema["required"]}))


@given(st.text(max_size=20))
def test_strings_are_json(text: str) -> None:
    judge = Judge(gbnf.grammar({"type": "string", "maxLength": 20}, "").text)
    assert judge(json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f"))
    assert not judge(f'"{text}\n"')
    assert not judge('"' + "x" * 21 + '"')


@pytest.mark.parametrize("said", ['"\\ud800"', '"\\u12"', '"\\q"', '"a', '"\x00"'])
def test_what_is_no_string(said: str) -> None:
    assert not Judge(gbnf.grammar({"type": "string"}, "").text)(said)


@pytest.mark.parametrize(
    ("schema", "said", "not_said"),
    [
        ({}, '{"a":[1,"b",null,{"c":[]}]}', '{"a":}'),
        ({"type": "object"}, "{}", "[]"),
        ({"type": "array", "items": {"type": "null"}, "minItems": 2, "maxItems": 3}, "[null,null]", "[null]"),
        ({"type": "array", "maxItems": 0}, "[]", "[1]"),
        ({"type": "array", "maxItems": 2}, "[1,2]", "[1,2,3]"),
        ({"type": "array", "maxItems": 5000}, "[]", "[1,]"),
        ({"type": "string", "minLength": 5000, "maxLength": 9000}, '"' + "x" * 5000 + '"', '"' + "x" * 999 + '"'),
        ({"type": ["integer", "null"]}, "null", "1.5"),
        ({"const": 'a"b\\'}, '"a\\"b\\\\"', '"a"'),
        ({"oneOf": [{"type": "boolean"}, {"enum": [1, 2]}]}, "2", "3"),
        ({"type": "number", "exclusiveMinimum": 0}, "0.5", "-0.5"),
        ({"type": "integer"}, "-120", "012"),
    ],
    ids=str,
)
def test_other_schemas(schema: dict[str, Any], said: str, not_said: str) -> None:
    judge = Judge(gbnf.grammar(schema, "").text)
    assert judge(said)
    assert not judge(not_said)
    assert not judge(said + " ")


def test_every_name_has_a_rule() -> None:
    made = gbnf.grammar(msgspec.json.schema(Invoice), TEXT).text
    rules = Judge(made).rules
    bare = re.sub(r'"(\\.|[^"\\])*"|\[(\\.|[^\]\\])*\]|\{[^}]*\}', " ", made)
    assert set(re.findall(r"[a-z][a-z0-9]*", bare)) == set(rules)
