"""From the schema of an answer (and the text that it quotes) to a grammar that lets a model write nothing else.

The grammar is in llguidance's Lark, which its Python package, onnxruntime-genai and xllamacpp (behind a line
`%llguidance {}`) understand. It allows no whitespace between tokens of JSON (a weak model fills pages with it), bounds
strings and digits, and writes the fields of an object in the order of its schema, optional ones or not at all.

A quoted string (`x-skerry-quoted`) can only be a run of the text's *words*: letters, digits, spaces and single other
characters, never cut inside. By characters, a model that has begun a name well may still leave its end out in the
middle of a word ("Muell"); by lines it can neither quote "INV-7" out of "Invoice no. INV-7" nor an amount out of a
table, which is most of what is asked for. A quote neither begins nor ends with a space, and never leaves its line or
its column (a tab, or three spaces): what runs on there is another field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias, cast

from skerry.core.structs import Frozen
from skerry_workers.models.port import QUOTED

Granularity: TypeAlias = Literal["characters", "words", "lines"]
Schema: TypeAlias = Mapping[str, Any]

STRING_CHARACTERS_MAX = 400
"""A string whose schema has no `maxLength` is no longer than this."""
GROUNDED_CHARACTERS_MAX = 60_000
"""Quotes out of a longer text are not held by the grammar (making it would take seconds): they are checked after."""
COMPACT: dict[str, Any] = {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}
"""llguidance's options for JSON without whitespace, `x-guidance` in a schema."""

_INTEGER = "/-?(0|[1-9][0-9]{0,17})/"
_NUMBER = r"/-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?/"
_BREAK = re.compile(r"[^\S ]*[\n\r\t\v\f\x1c-\x1e\x85\u2028\u2029]\s*|\s{3,}")
_WORD = re.compile(r"[^\W\d_]+|\d+|\s+|.", re.DOTALL)
_WITHIN = r"/[^\n \u00a0]([^\n]*[^\n \u00a0])?/"
_ANNOTATIONS = frozenset(("title", "description", "default", "examples", "$comment", "deprecated"))
_SIZED = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")


class Grammar(Frozen):
    """`lark` is the grammar; `quoted`: whether it holds the quoted strings, too. `note` says why it does not."""

    lark: str
    quoted: bool = True
    note: str = ""


def grammar(schema: Schema, text: str, *, by: Granularity = "words") -> Grammar:
    """The grammar of an answer about `text`. Never fails: what it has no words for is left to llguidance's `%json`."""
    wanted = _quotes(schema, schema, set())
    held = wanted and len(text) <= GROUNDED_CHARACTERS_MAX
    lark = _Lark(schema, chunks(text, by) if held else None).write()
    if wanted and not held:
        note = f"quotes are not held: {len(text)} characters of text, at most {GROUNDED_CHARACTERS_MAX}"
        return Grammar(lark=lark, quoted=False, note=note)
    return Grammar(lark=lark)


def tightened(schema: Schema) -> dict[str, Any]:
    """The schema for llguidance's JSON grammar: no whitespace, bounded strings, no properties that it does not name.

    What only explains (titles, descriptions, defaults) and the mark of quoted strings are left out.
    """
    return {**_tight(schema), "x-guidance": COMPACT}


def _tight(value: Any) -> Any:
    if isinstance(value, list):
        return [_tight(each) for each in cast(Sequence[Any], value)]
    if not isinstance(value, Mapping):
        return value
    schema = cast(Schema, value)
    tight = {key: each for key, each in schema.items() if key not in _ANNOTATIONS and key != QUOTED}
    for key in ("properties", "$defs", "patternProperties"):
        if key in tight:
            tight[key] = {name: _tight(each) for name, each in tight[key].items()}
    for key in ("items", "prefixItems", "anyOf", "oneOf", "allOf", "additionalProperties"):
        if key in tight:
            tight[key] = _tight(tight[key])
    if "string" in _types(tight) and not {"enum", "const", "pattern", "format", "maxLength"} & tight.keys():
        tight["maxLength"] = STRING_CHARACTERS_MAX
    if "properties" in tight:
        tight.setdefault("additionalProperties", False)
    return tight


def _types(schema: Schema) -> list[str]:
    kind = schema.get("type", [])
    return [kind] if isinstance(kind, str) else list(kind)


def resolved(schema: Schema, root: Schema) -> Schema:
    """What a `$ref` into the root's `$defs` stands for; the schema itself if it is none."""
    while "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        schema = root.get("$defs", {}).get(name, {})
    return schema


def _inner(schema: Schema) -> Iterator[Schema]:
    yield from schema.get("properties", {}).values()
    for key in ("anyOf", "oneOf", "prefixItems"):
        yield from schema.get(key, ())
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), Mapping):
            yield schema[key]


def _quotes(schema: Schema, root: Schema, seen: set[str]) -> bool:
    """Whether a quoted string is anywhere in it."""
    if "$ref" in schema:
        if schema["$ref"] in seen:
            return False
        seen.add(schema["$ref"])
    schema = resolved(schema, root)
    return bool(schema.get(QUOTED)) or any(_quotes(each, root, seen) for each in _inner(schema))


def chunks(text: str, by: Granularity) -> list[str]:
    """What quotes are made of, as JSON writes it in a string. A line feed, which no quote may contain, ends a line."""
    chunks = ["\n"]
    at = 0
    for found in [*_BREAK.finditer(text), None]:
        line = text[at : found.start() if found else None].strip()
        if line:
            parts: Iterable[str] = line if by == "characters" else [line] if by == "lines" else _WORD.findall(line)
            chunks += [_in_json(each) for each in parts]
            chunks.append("\n")
        at = found.end() if found else at
    return chunks


def _in_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


class Rules(dict[str, str]):
    """The rules of a grammar, by their names."""

    def of(self, body: str) -> str:
        """The name of the rule that says this, or of a new one: what stands in several places is written once."""
        for name, known in self.items():
            if known == body:
                return name
        name = f"r{len(self)}"
        self[name] = body
        return name


class _Lark:
    """Writes one grammar: a rule for each definition, the rest in line."""

    def __init__(self, root: Schema, chunks: list[str] | None) -> None:
        self._root = root
        self._chunks = chunks
        self._rules = Rules()
        self._terminals: dict[str, str] = {}

    def write(self) -> str:
        self._rules["start"] = self._any(self._root)
        rules = [f"{name}: {body}" for name, body in self._rules.items()]
        if "CHUNKS" in "".join(self._terminals.values()):
            self._terminals["CHUNKS"] = f"%regex {json.dumps({'substring_chunks': self._chunks}, ensure_ascii=False)}"
        return "\n".join([*rules, *(f"{name}: {body}" for name, body in self._terminals.items())]) + "\n"

    def _any(self, schema: Schema, *, nullable: bool = False) -> str:
        """An expression for the schema, in brackets where it has alternatives."""
        if "$ref" in schema:
            return self._named(str(schema["$ref"]))
        if "const" in schema or "enum" in schema:
            values = schema["enum"] if "enum" in schema else [schema["const"]]
            return self._one_of([_literal(compact(value)) for value in values])
        for key in ("anyOf", "oneOf"):
            if key in schema:
                null = any(_types(each) == ["null"] for each in schema[key])
                return self._one_of([self._any(each, nullable=null) for each in schema[key]])
        types = _types(schema)
        if len(types) > 1:
            return self._one_of([self._any({**schema, "type": t}, nullable="null" in types) for t in types])
        return self._typed(types[0] if types else "", schema, nullable)

    def _typed(self, kind: str, schema: Schema, nullable: bool) -> str:
        if kind == "string" and schema.get(QUOTED) and self._chunks is not None:
            return self._quoted(schema, nullable)
        if kind == "null":
            return '"null"'
        if kind == "boolean":
            return '("true" | "false")'
        if kind in ("integer", "number") and not any(key in schema for key in _SIZED):
            return self._terminal("INTEGER", _INTEGER) if kind == "integer" else self._terminal("NUMBER", _NUMBER)
        if kind == "object" and "properties" in schema:
            return self._object(schema)
        if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
            return self._map(schema["additionalProperties"])
        if kind == "array" and (isinstance(schema.get("items"), Mapping) or "prefixItems" in schema):
            return self._array(schema)
        return self._json(schema)

    def _json(self, schema: Schema) -> str:
        whole = tightened(schema)
        if '"$ref"' in compact(whole):
            whole["$defs"] = {name: _tight(each) for name, each in self._root["$defs"].items()}
        return f"%json {compact(whole)}"

    def _named(self, ref: str) -> str:
        """Definitions are rules, and so may contain themselves."""
        rule = "d_" + re.sub(r"\W", "_", ref.rpartition("/")[2]).lower()
        if rule not in self._rules:
            self._rules[rule] = ""
            self._rules[rule] = self._any(resolved({"$ref": ref}, self._root))
        return rule

    def _one_of(self, alternatives: list[str]) -> str:
        return alternatives[0] if len(alternatives) == 1 else f"({' | '.join(dict.fromkeys(alternatives))})"

    def _terminal(self, name: str, body: str) -> str:
        if self._terminals.setdefault(name, body) != body:
            raise AssertionError(f"two terminals {name}")
        return name

    def _quoted(self, schema: Schema, nullable: bool) -> str:
        """With null as an alternative, or a minimal length, there is no empty quote."""
        longest = schema.get("maxLength", STRING_CHARACTERS_MAX)
        name = self._terminal(f"QUOTE_{longest}", rf"CHUNKS & {_WITHIN} & /.{{1,{longest}}}/")
        empty = "" if nullable or schema.get("minLength", 0) > 0 else "?"
        return rf'"\"" {name}{empty} "\""'

    def _object(self, schema: Schema) -> str:
        """Rules from the last property to the first: what follows, if nothing was written yet, and if something was."""
        required = set(schema.get("required", ()))
        first, later = "", ""
        for name, each in reversed(list(schema["properties"].items())):
            key = _literal(compact(name) + ":")
            pair, more = f"{key} {self._any(each)}", '"," '
            both = [f"{pair} {later}".strip(), f"{more}{pair} {later}".strip()]
            if name not in required:
                both = [f"({both[0]} | {first})" if first else f"({both[0]})?", f"({both[1]} | {later})"]
                if not later:
                    both[1] = f"({more}{pair})?"
            first, later = (self._rules.of(each) for each in both)
        return f'"{{" {first} "}}"'.replace("  ", " ")

    def _map(self, values: Schema) -> str:
        key = self._json({"type": "string", "maxLength": 100})
        pair = self._rules.of(f'{key} ":" {self._any(values)}')
        return f'"{{" ({pair} ("," {pair})*)? "}}"'

    def _array(self, schema: Schema) -> str:
        if "prefixItems" in schema:
            return '"[" ' + ' "," '.join(self._any(each) for each in schema["prefixItems"]) + ' "]"'
        item = self._rules.of(self._any(schema["items"]))
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        if most == 0:
            return '"[]"'
        rest = f'("," {item}){{{max(least - 1, 0)},{"" if most is None else most - 1}}}'
        return f'"[" {item} {rest} "]"' if least else f'"[" ({item} {rest})? "]"'


def compact(value: Any) -> str:
    """As JSON, without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
