"""Asking again: which fields of an answer, with what schema, and how what comes back goes over the best answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import Raw

from skerry.core.answers import FieldNote, Objection
from skerry.core.codec import encode_json
from skerry.core.commands import Ask
from skerry.core.tasks import Prompt
from skerry.core.thresholds import field_of

_REF = "#/$defs/"
_REFERENCE = re.compile(r'"\$ref":"#/\$defs/([^"\\]+)"')
"""One in JSON as msgspec writes it: the names in `$defs` are those of classes."""


def asked_again(ask: Ask, best: Raw | None, objections: Sequence[Objection]) -> tuple[str, ...]:
    """The fields that the next size is asked for; empty: all of them.

    Those of the best answer that objections name, if every objection names some. An answer that does not decode has
    an objection without fields, and so has a failed attempt.
    """
    if best is None:
        return ()
    known = fields_of(ask.answer.type)
    named: set[str] = set()
    for objection in objections:
        fields = {field_of(path) for path in objection.fields}
        if not fields or not fields <= known.keys():
            return ()
        named |= fields
    return tuple(name for name in known if name in named)


def merged(best: Raw | None, answer: Raw, names: Sequence[str]) -> Raw:
    """The best answer with these fields from another one. A field that the other leaves out is left out."""
    if not names or best is None or not bytes(answer):
        return answer
    try:
        new = msgspec.json.decode(answer, type=dict[str, Raw])
    except msgspec.MsgspecError:
        return answer  # no object: it is judged as it is, and does not fit
    old = msgspec.json.decode(best, type=dict[str, Raw])
    kept = {name: value for name, value in old.items() if name not in names}
    return Raw(encode_json({**kept, **{name: new[name] for name in names if name in new}}))


def in_quotes(prompt: Prompt, names: Sequence[str] = ()) -> bool:
    """Whether a model answers in `prompt.quotes`: if there is one and, asked for some fields only, it has these."""
    return prompt.quotes is not None and set(names) <= quote_names(prompt).keys()


def quote_names(prompt: Prompt) -> Mapping[str, str]:
    """What the fields of `prompt.quotes` are called for the model, by their names in Python and in the answer."""
    type = prompt.quotes
    names: Sequence[str] = getattr(type, "__struct_fields__", None) or tuple(fields_of(type))
    told: Sequence[str] = getattr(type, "__struct_encode_fields__", names)
    return dict(zip(names, told, strict=True))


def noted(ask: Ask, size: str, asked: Sequence[str], notes: Mapping[str, FieldNote]) -> dict[str, FieldNote]:
    """Notes by the answer's own names: a model that answered in quotes knows only those that it was told."""
    if size == "rules" or not in_quotes(ask.prompt, asked):
        return dict(notes)
    names = {told: name for name, told in quote_names(ask.prompt).items()}
    return {names.get(top := field_of(path), top) + path[len(top) :]: note for path, note in notes.items()}


def schema_of(ask: Ask, size: str, names: Sequence[str] = ()) -> Raw:
    """The JSON schema of what a size is to answer: all of it, or only these fields, which are then all required."""
    type = ask.answer.type
    if size != "rules" and in_quotes(ask.prompt, names):
        type, told = ask.prompt.quotes, quote_names(ask.prompt)
        names = [told[name] for name in names]
    return _shape(type).only(names) if names else _shape(type).schema


def fields_of(type: Any) -> Mapping[str, Any]:
    """The fields of a type as its JSON has them, in order, with their schemas; none if it is no object with fields."""
    return _shape(type).properties


class _Shape:
    """The JSON schema of a type."""

    def __init__(self, type: Any) -> None:
        self._whole = msgspec.json.schema(type)
        self.schema = Raw(msgspec.json.encode(self._whole))
        self._defs: Mapping[str, Any] = self._whole.get("$defs", {})
        name = self._whole.get("$ref", "").removeprefix(_REF)
        self._object: Mapping[str, Any] = self._defs[name] if name else self._whole
        self.properties: Mapping[str, Any] = self._object.get("properties", {})

    def only(self, names: Sequence[str]) -> Raw:
        """That of an object which has just these fields."""
        properties = {name: self.properties[name] for name in names}
        asked = {**self._object, "properties": properties, "required": list(names)}
        needed = self._referred(properties)
        return Raw(msgspec.json.encode({**asked, "$defs": needed} if needed else asked))

    def _referred(self, part: Mapping[str, Any]) -> dict[str, Any]:
        """The definitions that a part of the schema refers to, and those that they refer to."""
        needed: dict[str, Any] = {}
        texts = [msgspec.json.encode(part).decode()]
        while texts:
            for name in _REFERENCE.findall(texts.pop()):
                if name not in needed:
                    needed[name] = self._defs[name]
                    texts.append(msgspec.json.encode(needed[name]).decode())
        return needed


_cached = cache(_Shape)


def _shape(type: Any) -> _Shape:
    try:
        return _cached(type)
    except TypeError:  # an unhashable type form, such as one with a list in it
        return _Shape(type)
