"""From the schema of an answer (and the text that it quotes) to a grammar in llama.cpp's own notation, GBNF.

What `constraint` does for llguidance, for builds of llama.cpp without it: the same JSON without whitespace, fields in
the order of the schema, quotes out of the same chunks of the text. What GBNF cannot count without a rule for each count
is left open: the length of a quote, and how large a number is. That is checked when the answer is there.

The quotes of a text are written as its *suffix automaton* over chunks: the smallest automaton that takes every run of
chunks and nothing else, with at most two states a chunk. A state is a rule, so the grammar is linear in the text; and
whatever may follow is told apart by its next character, so that llama.cpp has few alternatives to try at each token.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from skerry_workers.models.constraint import (
    GROUNDED_CHARACTERS_MAX,
    STRING_CHARACTERS_MAX,
    Granularity,
    Rules,
    Schema,
    chunks,
    compact,
    resolved,
)
from skerry_workers.models.port import QUOTED

_BREAK = "\n"
_TIMES_MAX = 1000
"""llama.cpp refuses grammars that repeat something more than 2000 times."""
_SHARED = {
    "char": r"""[^"\\\x00-\x1f\x7f] | "\\" (["\\/bfnrt] | "u" ([0-9a-cefA-CEF] hex hex hex | [dD] [0-7] hex hex))""",
    "hex": "[0-9a-fA-F]",
    "integer": '"-"? natural',
    "natural": '"0" | [1-9] [0-9]{0,17}',
    "number": '"-"? fraction',
    "fraction": 'natural ("." [0-9]{1,9})?',
    "boolean": '"true" | "false"',
    "text": r'"\"" char{0,' + str(STRING_CHARACTERS_MAX) + r'} "\""',
    "anything": 'text | number | boolean | "null" | items | fields',
    "items": '"[" (anything ("," anything)*)? "]"',
    "fields": '"{" (field ("," field)*)? "}"',
    "field": 'text ":" anything',
}
"""Rules that are written only where something needs them."""


class Gbnf(NamedTuple):
    """`text` is the grammar; `quoted`: whether it holds the quoted strings, too. `note` says why it does not."""

    text: str
    quoted: bool = True
    note: str = ""


def grammar(schema: Schema, text: str, *, by: Granularity = "words") -> Gbnf:
    """The grammar of an answer about `text`. Never fails: what it has no words for may be any JSON."""
    held = len(text) <= GROUNDED_CHARACTERS_MAX
    writer = _Writer(schema, chunks(text, by) if held else None)
    written = writer.write()
    if writer.asked_for_quotes and not held:
        note = f"quotes are not held: {len(text)} characters of text, at most {GROUNDED_CHARACTERS_MAX}"
        return Gbnf(written, quoted=False, note=note)
    return Gbnf(written)


class _Writer:
    """Writes one grammar: a rule for each definition and for what stands in several places, the rest in line."""

    def __init__(self, root: Schema, parts: list[str] | None) -> None:
        self._root = root
        self._parts = parts
        self._rules = Rules()
        self._names: dict[str, str] = {}
        self._empty: dict[str, bool] = {}
        self.asked_for_quotes = False

    def write(self) -> str:
        self._rules["root"] = self._any(self._root)
        needed = list(self._rules.values())
        while needed:
            for name in re.findall(r"[a-z]+", _without_literals(needed.pop())):
                if name in _SHARED and name not in self._rules:
                    self._rules[name] = _SHARED[name]
                    needed.append(_SHARED[name])
        return "".join(f"{name} ::= {body}\n" for name, body in self._rules.items())

    def _any(self, schema: Schema, *, nullable: bool = False) -> str:
        """An expression for the schema, in brackets where it has alternatives."""
        if "$ref" in schema:
            return self._named(str(schema["$ref"]))
        if "const" in schema or "enum" in schema:
            values = schema["enum"] if "enum" in schema else [schema["const"]]
            return _one_of(literal(compact(value)) for value in values)
        for key in ("anyOf", "oneOf"):
            if key in schema:
                null = any(each.get("type") == "null" for each in schema[key])
                return _one_of(self._any(each, nullable=null) for each in schema[key])
        kind = schema.get("type", "")
        if not isinstance(kind, str):
            return _one_of(self._any({**schema, "type": each}, nullable="null" in kind) for each in kind)
        return self._typed(kind, schema, nullable)

    def _typed(self, kind: str, schema: Schema, nullable: bool) -> str:
        match kind:
            case "string":
                return self._quoted(schema, nullable) if schema.get(QUOTED) else _string(schema)
            case "null":
                return '"null"'
            case "boolean":
                return kind
            case "integer" | "number":
                positive = schema.get("minimum", schema.get("exclusiveMinimum", -1)) >= 0
                return {"integer": "natural", "number": "fraction"}[kind] if positive else kind
            case "object" if "properties" in schema:
                return self._object(schema)
            case "object" if isinstance(schema.get("additionalProperties"), Mapping):
                pair = self._rules.of(f'"\\"" char{{0,100}} "\\"" ":" {self._any(schema["additionalProperties"])}')
                return f'"{{" ({pair} ("," {pair})*)? "}}"'
            case "object":
                return "fields"
            case "array":
                return self._array(schema)
            case _:
                return "anything"

    def _named(self, reference: str) -> str:
        """Definitions are rules, and so may contain themselves."""
        if reference not in self._names:
            name = self._names[reference] = f"d{len(self._names)}"
            self._rules[name] = ""
            self._rules[name] = self._any(resolved({"$ref": reference}, self._root))
        return self._names[reference]

    def _object(self, schema: Schema) -> str:
        """From the last property to the first: what follows, if nothing was written yet, and if something was."""
        required = set(schema.get("required", ()))
        first, later = "", ""
        for name, each in reversed(list(schema["properties"].items())):
            pair = self._rules.of(f"{literal(compact(name) + ':')} {self._any(each)}")
            if name in required:
                first, later = self._rules.of(f"{pair} {later}".strip()), self._rules.of(f'"," {pair} {later}'.strip())
            else:
                # Left out, or written: with nothing after it, the rule for what follows may be empty as well.
                rest = f'"," {pair} {later}'.strip()
                first = self._rules.of(f"{pair} {later} | {first}".strip() if first else f"({pair})?")
                later = self._rules.of(f"{rest} | {later}" if later else f"({rest})?")
        return f'"{{" {first} "}}"'.replace("  ", " ")

    def _array(self, schema: Schema) -> str:
        if "prefixItems" in schema:
            return '"[" ' + ' "," '.join(self._any(each) for each in schema["prefixItems"]) + ' "]"'
        item = self._rules.of(self._any(schema["items"])) if isinstance(schema.get("items"), Mapping) else "anything"
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        if most == 0:
            return '"[]"'
        rest = self._rules.of(f'"," {item}') + _times(max(least - 1, 0), None if most is None else most - 1)
        return f'"[" {item} {rest} "]"' if least else f'"[" ({self._rules.of(f"{item} {rest}")})? "]"'

    def _quoted(self, schema: Schema, nullable: bool) -> str:
        """With null as an alternative, or a minimal length, there is no empty quote."""
        self.asked_for_quotes = True
        if self._parts is None:
            return _string(schema)
        if "quote" not in self._rules:
            self._rules["quote"] = ""
            quotes = quote_rules(self._parts)
            if not quotes:
                del self._rules["quote"]
            self._rules.update(quotes)
        may_be_empty = not nullable and schema.get("minLength", 0) == 0
        if "quote" not in self._rules:
            return r'"\"\""'  # nothing can be quoted out of nothing
        return r'"\"" quote? "\""' if may_be_empty else r'"\"" quote "\""'


def quote_rules(parts: Sequence[str]) -> dict[str, str]:
    """Rules for every run of chunks within a line that neither begins nor ends with whitespace; the first is `quote`.

    None for a text of nothing. At most two rules a chunk, and in all of them no more than three times the characters.
    """
    automaton = _Automaton(parts)
    if not any(True for _ in automaton.steps(0)):
        return {}
    rules: dict[str, str] = {}
    todo = [0]
    while todo:
        state = todo.pop()
        if _name(state) in rules:
            continue
        follow: list[tuple[str, str]] = []
        for chunk, target in automaton.steps(state):
            goes_on = any(True for _ in automaton.steps(target))
            follow.append((chunk, "" if not goes_on else _name(target) + ("" if chunk.isspace() else "?")))
            if goes_on:
                todo.append(target)
        rules[_name(state)] = _branches(sorted(follow))
    return rules


def literal(text: str) -> str:
    """A text as GBNF writes it, for it alone."""
    return '"' + "".join(_ESCAPES.get(each, each) for each in text) + '"'


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x7f": "\\x7F"}


class _Automaton:
    """The suffix automaton of a sequence of chunks (Blumer et al. 1985), without what crosses the end of a line."""

    def __init__(self, parts: Iterable[str]) -> None:
        self._next: list[dict[str, int]] = [{}]
        self._link = [-1]
        self._length = [0]
        last = 0
        for part in parts:
            last = self._add(part, last)

    def _add(self, part: str, last: int) -> int:
        state = self._state({}, self._length[last] + 1)
        at = last
        while at >= 0 and part not in self._next[at]:
            self._next[at][part] = state
            at = self._link[at]
        if at < 0:
            self._link[state] = 0
            return state
        target = self._next[at][part]
        if self._length[target] == self._length[at] + 1:
            self._link[state] = target
            return state
        copy = self._state(dict(self._next[target]), self._length[at] + 1)
        self._link[copy] = self._link[target]
        self._link[target] = self._link[state] = copy
        while at >= 0 and self._next[at].get(part) == target:
            self._next[at][part] = copy
            at = self._link[at]
        return state

    def _state(self, following: dict[str, int], length: int) -> int:
        self._next.append(following)
        self._link.append(0)
        self._length.append(length)
        return len(self._next) - 1

    def steps(self, state: int) -> Iterator[tuple[str, int]]:
        """What may follow in a state. Lines are stripped: after whitespace there is always something that may."""
        for part, target in self._next[state].items():
            if part != _BREAK and not (state == 0 and part.isspace()):
                yield part, target


def _name(state: int) -> str:
    return f"q{state}" if state else "quote"


def _branches(follow: list[tuple[str, str]]) -> str:
    """An expression for sorted texts, each with what comes after it, in which no two alternatives begin alike."""
    alternatives: list[str] = []
    at = 0
    while at < len(follow):
        end = at + 1
        while end < len(follow) and follow[at][0] and follow[end][0][:1] == follow[at][0][0]:
            end += 1
        alternatives.append(_branch(follow[at:end]))
        at = end
    return " | ".join(alternatives)


def _branch(alike: list[tuple[str, str]]) -> str:
    """The same for texts of which all begin with the same character, or of which the only one is at its end."""
    if len(alike) == 1:
        text, after = alike[0]
        return " ".join(filter(None, (literal(text) if text else "", after)))
    first, last = alike[0][0], alike[-1][0]
    shared = next((i for i in range(len(first)) if first[i] != last[i]), len(first))
    rest = [(text[shared:], after) for text, after in alike]
    if rest[0] == ("", ""):
        return f"{literal(first[:shared])} ({_branches(rest[1:])})?"
    return f"{literal(first[:shared])} ({_branches(rest)})"


def _string(schema: Schema) -> str:
    least, most = schema.get("minLength", 0), schema.get("maxLength", STRING_CHARACTERS_MAX)
    return (
        "text" if (least, most) == (0, STRING_CHARACTERS_MAX) else f'"\\"" char{_times(least, max(least, most))} "\\""'
    )


def _times(least: int, most: int | None) -> str:
    """So many times; beyond what llama.cpp counts to, any number of times (or, at least, so many as it counts to)."""
    return f"{{{min(least, _TIMES_MAX)},{'' if most is None or most > _TIMES_MAX else most}}}"


def _one_of(alternatives: Iterable[str]) -> str:
    each = list(dict.fromkeys(alternatives))
    return each[0] if len(each) == 1 else f"({' | '.join(each)})"


def _without_literals(body: str) -> str:
    return re.sub(r'"(\\.|[^"\\])*"|\[(\\.|[^\]\\])*\]', " ", body)
