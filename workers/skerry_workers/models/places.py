"""Where in a text a quote stands, and which values of an answer are quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from skerry_workers.models.constraint import Schema, resolved
from skerry_workers.models.port import QUOTED

NOWHERE = (-1, -1)


class Leaf(NamedTuple):
    """A value of an answer that has no parts: its path ("lines.0.amount"), and whether it has to be a quote."""

    path: str
    value: Any
    quoted: bool


def find(text: str, quote: str) -> tuple[int, int]:
    """Start and end of a quote in the text, in characters; `NOWHERE` if it is not there.

    Exactly as it is, or else with other whitespace between its words. Of several places the first that does not cut a
    word or a number ("12" in "2012 ... 12") is taken.
    """
    words = quote.split()
    if not words:
        return NOWHERE
    return _first(text, re.escape(quote)) or _first(text, r"\s+".join(map(re.escape, words))) or NOWHERE


def _first(text: str, pattern: str) -> tuple[int, int] | None:
    alone = re.search(rf"(?<!\w){pattern}(?!\w)", text)
    found = alone or re.search(pattern, text)
    return found.span() if found else None


def leaves(schema: Schema, value: Any) -> Iterator[Leaf]:
    """The values of an answer, decoded from its JSON, with what the schema says of them."""
    yield from _leaves([schema], schema, value, "")


def _leaves(schemas: list[Schema], root: Schema, value: Any, path: str) -> Iterator[Leaf]:
    """`schemas` are the alternatives that the value may be of."""
    alternatives = [each for schema in schemas for each in _alternatives(schema, root)]
    if isinstance(value, Mapping):
        for name, each in cast(Mapping[str, Any], value).items():
            inner = [_member(schema, name) for schema in alternatives]
            yield from _leaves([found for found in inner if found is not None], root, each, _under(path, name))
    elif isinstance(value, list):
        for index, each in enumerate(cast(Sequence[Any], value)):
            inner = [_item(schema, index) for schema in alternatives]
            yield from _leaves([found for found in inner if found is not None], root, each, _under(path, str(index)))
    else:
        yield Leaf(path, value, isinstance(value, str) and any(schema.get(QUOTED) for schema in alternatives))


def _under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _alternatives(schema: Schema, root: Schema) -> Iterator[Schema]:
    schema = resolved(schema, root)
    inner = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if not inner:
        yield schema
    for each in inner:
        yield from _alternatives(each, root)


def _member(schema: Schema, name: str) -> Schema | None:
    found = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
    return cast(Schema, found) if isinstance(found, Mapping) else None


def _item(schema: Schema, index: int) -> Schema | None:
    first = schema.get("prefixItems", ())
    found = first[index] if index < len(first) else schema.get("items")
    return cast(Schema, found) if isinstance(found, Mapping) else None
