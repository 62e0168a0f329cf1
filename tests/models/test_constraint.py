"""The grammar of an answer: what it lets through, and what not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest

from skerry_workers.models import constraint
from skerry_workers.models.port import QUOTED

llguidance: Any = pytest.importorskip("llguidance", reason="llguidance is not installed (the extra `onnx`)")

TINY = Path(__file__).parent / "data" / "tiny"
Quoted = Annotated[str, msgspec.Meta(extra_json_schema={QUOTED: True})]
TEXT = 'Acme "Best" Gm\\bH & Söhne\tBranch   East\nInvoice No: INV-22\r\nTotal: 12.00EUR at 日本 ' + "7" * 30


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


class Judge:
    """Whether a grammar lets a text through, token by token."""

    def __init__(self) -> None:
        self.tokenizer = llguidance.LLTokenizer((TINY / "tokenizer.json").read_text(), n_vocab=512, eos_token=1)

    def __call__(self, grammar: constraint.Grammar, text: str) -> bool:
        matcher = llguidance.LLMatcher(self.tokenizer, grammar.lark)
        assert not matcher.get_error(), grammar.lark
        tokens = self.tokenizer.tokenize_str(text)
        return bool(matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting())


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge()


def answer(**fields: Any) -> str:
    return (
        json.dumps({"seller": None, "number": "", "kind": "a", "lines": []} | fields, ensure_ascii=False)
        .replace('": ', '":')
        .replace(', "', ',"')
        .replace(", {", ",{")
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"seller": 'Acme "Best" Gm\\bH & Söhne'},
        {"seller": "Branch"},
        {"number": "INV-22"},
        {"number": "INV", "kind": "ü"},
        {"number": "12.00"},
        {"number": "日本"},
        {"lines": [{"text": "Total: 12.00EUR", "amount": -1.25}, {"text": "EUR", "amount": 3, "pieces": 12}]},
        {"ok": True},
        {"free": "Grüße"},
        {"ok": True, "free": "nothing in between"},
        {"before": {"seller": None, "number": "22", "kind": "a", "lines": []}, "more": {"a": "Acme", "b": "Best"}},
        {"before": None},
    ],
    ids=lambda fields: ",".join(fields) or "all required",
)
def test_what_the_text_and_the_schema_allow(judge: Judge, fields: dict[str, Any]) -> None:
    written = answer(**fields)
    msgspec.json.decode(written, type=Invoice)
    assert judge(constraint.grammar(msgspec.json.schema(Invoice), TEXT), written)


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
        {"number": "7" * 30},
        {"kind": "b"},
        {"lines": [{"text": "INV-23", "amount": 1}]},
        {"lines": [{"text": "INV-22", "amount": 10**20}]},
        {"before": {"seller": "Nobody", "number": "", "kind": "a", "lines": []}},
        {"more": {"a": "Nobody"}},
        {"free": "x" * (constraint.STRING_CHARACTERS_MAX + 1)},
        {"other": 1},
    ],
    ids=str,
)
def test_what_they_do_not_allow(judge: Judge, fields: dict[str, Any]) -> None:
    assert not judge(constraint.grammar(msgspec.json.schema(Invoice), TEXT), answer(**fields))


def test_no_whitespace(judge: Judge) -> None:
    grammar = constraint.grammar(msgspec.json.schema(Invoice), TEXT)
    assert not judge(grammar, "{ " + answer()[1:])
    assert not judge(grammar, answer() + "\n")


@pytest.mark.parametrize(
    ("by", "quote", "allowed"),
    [
        ("characters", "NV-2", True),
        ("characters", "No. INV", False),
        ("words", "No: INV", True),
        ("lines", "Invoice No: INV-22", True),
        ("lines", "INV-22", False),
        ("lines", "Branch", True),
    ],
)
def test_granularity(judge: Judge, by: constraint.Granularity, quote: str, allowed: bool) -> None:
    assert judge(constraint.grammar(msgspec.json.schema(Quoted), TEXT, by=by), json.dumps(quote)) is allowed


@pytest.mark.parametrize(
    ("type_", "good", "bad"),
    [
        (int, "-12", "1.5"),
        (float, "1.25", "01"),
        (bool, "true", "1"),
        (str | None, "null", "nil"),
        (list[int], "[1,2]", "[1,]"),
        (tuple[int, bool], "[1,false]", "[1]"),
        (Annotated[list[int], msgspec.Meta(min_length=2, max_length=3)], "[1,2,3]", "[1]"),
        (Annotated[list[int], msgspec.Meta(max_length=0)], "[]", "[1]"),
        (Annotated[int, msgspec.Meta(ge=1, le=5)], "5", "6"),
        (dict[str, int], '{"a":1,"b":2}', '{"a":"b"}'),
        (Literal[1, "two"], '"two"', "2"),
        (Annotated[Quoted, msgspec.Meta(min_length=1)], '"Acme"', '""'),
        (int | Quoted, '"Acme"', '"Nobody"'),
    ],
    ids=str,
)
def test_types(judge: Judge, type_: Any, good: str, bad: str) -> None:
    grammar = constraint.grammar(msgspec.json.schema(type_), TEXT)
    assert judge(grammar, good)
    assert not judge(grammar, bad)


def test_an_empty_text_has_only_the_empty_quote(judge: Judge) -> None:
    grammar = constraint.grammar(msgspec.json.schema(Quoted), "")
    assert judge(grammar, '""')
    assert not judge(grammar, '"a"')


def test_the_longest_text_that_is_held(judge: Judge) -> None:
    text = "\n".join(f"word{n} {n * 7919} äöü" for n in range(10**5))[: constraint.GROUNDED_CHARACTERS_MAX]
    grammar = constraint.grammar(msgspec.json.schema(Invoice), text)
    assert grammar.quoted
    assert judge(grammar, answer(seller="word1000 7919000 äöü"))
    assert not judge(grammar, answer(seller="word1000 7919001"))


def test_a_longer_text_is_not_held_and_says_so(judge: Judge) -> None:
    grammar = constraint.grammar(msgspec.json.schema(Invoice), "a" * (constraint.GROUNDED_CHARACTERS_MAX + 1))
    assert not grammar.quoted
    assert "not held" in grammar.note
    assert judge(grammar, answer(seller="Nobody"))


def test_without_quotes_a_long_text_is_no_matter(judge: Judge) -> None:
    assert constraint.grammar(msgspec.json.schema(list[Line]), "a" * 10**6).quoted is False
    assert constraint.grammar({"type": "integer"}, "a" * 10**6).quoted


def test_a_tightened_schema() -> None:
    tight = constraint.tightened(msgspec.json.schema(Invoice))
    assert tight["x-guidance"] == constraint.COMPACT
    invoice = tight["$defs"]["Invoice"]
    assert invoice["additionalProperties"] is False
    assert invoice["properties"]["free"] == {"type": "string", "maxLength": constraint.STRING_CHARACTERS_MAX}
    assert QUOTED not in json.dumps(tight)
    assert "title" not in json.dumps(tight)
