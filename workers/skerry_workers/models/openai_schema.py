"""Schemas for endpoints: the schema as they take it, and the JSON cut out of what they say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import cast

import msgspec

from skerry_workers.models.misfit import DEPTH_MAX, Schema, misfit, referred, shown
from skerry_workers.models.port import QUOTED, ModelError

_LIMITS = frozenset(
    ("minLength", "maxLength", "pattern", "format", "multipleOf", "uniqueItems", "minItems", "maxItems")
) | frozenset(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minProperties", "maxProperties"))
_NAMES = {"properties", "$defs"}
_THINKING = re.compile(r"\A\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_FENCE = re.compile(r"```[\w-]*[ \t]*\n(.*?)```", re.DOTALL)


def for_endpoint(schema: Schema, *, limits: bool = True) -> Schema:
    """The schema as strict endpoints want it: no reference at its root, every field required and no other allowed.

    Our own words (`x-...`) are left out; without `limits` lengths, ranges and formats as well.
    """
    return cast(Schema, _strict(inlined(schema if limits else without_limits(schema)), names=False))


def without_limits(schema: Schema) -> Schema:
    """The schema without lengths, ranges, patterns and formats."""
    return cast(Schema, _loosened(schema, names=False))


def inlined(schema: Schema) -> Schema:
    """The schema with what its root refers to at its root."""
    for _ in range(DEPTH_MAX):
        if "$ref" not in schema:
            return schema
        rest = {name: value for name, value in schema.items() if name != "$ref"}
        schema = {**rest, **referred(schema["$ref"], schema)}
    raise ModelError("the schema of the answer refers to itself at its root")


def is_object(schema: Schema) -> bool:
    """Whether an answer is an object: most endpoints take no other schema."""
    return inlined(schema).get("type") == "object"


def quoted_fields(schema: Schema) -> list[str]:
    """The paths of the texts that have to be copied from the question ("lines.*.name"), in the schema's order."""
    return list(dict.fromkeys(_quoted(inlined(schema), schema, "", 0)))


def answer_in(text: str, schema: Schema) -> str:
    """The JSON of the answer as it stands in the text: all of it, or out of a fence or prose if there is just one.

    Raises `ModelError` with the text's first characters: there is none, or it does not fit the schema.
    """
    text = _THINKING.sub("", text)
    found = list(_candidates(text))
    if not found:
        raise ModelError(f"the model answers no JSON but {shown(text)}")
    objections = [misfit(schema, value) for _, value in found]
    fitting = {part for (part, _), objection in zip(found, objections, strict=True) if not objection}
    if len(fitting) > 1:
        raise ModelError(f"the model gives more than one answer: {shown(text)}")
    if not fitting:
        raise ModelError(f"the answer does not fit its schema: {objections[0]}: {shown(text)}")
    return fitting.pop()


def _loosened(part: object, *, names: bool) -> object:
    if isinstance(part, list):
        return [_loosened(each, names=False) for each in cast(list[object], part)]
    if not isinstance(part, dict):
        return part
    return {
        name: each if name in ("enum", "const") and not names else _loosened(each, names=not names and name in _NAMES)
        for name, each in cast(Schema, part).items()
        if names or name not in _LIMITS
    }


def _strict(part: object, *, names: bool) -> object:
    if isinstance(part, list):
        return [_strict(each, names=False) for each in cast(list[object], part)]
    if not isinstance(part, dict):
        return part
    given = cast(Schema, part)
    if names:  # the keys are names of fields, not words of a schema
        return {name: _strict(each, names=False) for name, each in given.items()}
    made: Schema = {
        name: each if name in ("enum", "const") else _strict(each, names=name in _NAMES)
        for name, each in given.items()
        if not name.startswith("x-") and name not in ("default", "examples", "discriminator")
    }
    if made.get("type") == "object" and isinstance(made.get("properties"), dict):
        made["required"] = list(made["properties"])
        made.setdefault("additionalProperties", False)
    return made


def _quoted(schema: Schema, root: Schema, path: str, depth: int) -> Iterator[str]:
    if depth > DEPTH_MAX:
        return
    if schema.get(QUOTED):
        yield path
    if "$ref" in schema:
        if path.count(".") < 8:  # a type that holds itself has fields without end
            yield from _quoted(referred(schema["$ref"], root), root, path, depth + 1)
        return
    for name, each in cast(Mapping[str, Schema], schema.get("properties", {})).items():
        yield from _quoted(each, root, f"{path}.{name}" if path else name, depth + 1)
    for word in ("items", "additionalProperties"):
        if isinstance(inner := schema.get(word), dict):
            yield from _quoted(cast(Schema, inner), root, f"{path}.*" if path else "*", depth + 1)
    for word in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for each in cast(list[Schema], schema.get(word, [])):
            yield from _quoted(each, root, path, depth + 1)


def _candidates(text: str) -> Iterator[tuple[str, object]]:
    """The JSON values that stand in the text: the text itself; else what stands in fences; else every object in it."""
    if (whole := _value(text)) is not None:
        yield whole
        return
    fenced = [found for part in _FENCE.findall(text) if (found := _value(part)) is not None]
    if fenced:
        yield from fenced
        return
    decoder = json.JSONDecoder()
    at = 0
    while (at := text.find("{", at)) >= 0:
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
            continue
        if (found := _value(text[at:end])) is not None:
            yield found
        at = end


def _value(text: str) -> tuple[str, object] | None:
    text = text.strip()
    try:
        return text, msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
