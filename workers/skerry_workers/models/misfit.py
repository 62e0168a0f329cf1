"""Whether a value fits a JSON schema, and in one sentence why not.

The subset is what msgspec makes of types (and what people write by hand of the same kind). The worker decodes the
answer into the type again: what is not looked at here (formats, patterns that Python cannot read), is looked at there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeAlias, cast

from skerry_workers.models.port import ModelError

Schema: TypeAlias = dict[str, Any]

DEPTH_MAX = 64


def misfit(schema: Schema, value: object) -> str:
    """Why the value does not fit ("lines.0.amount: a string, not a number"); nothing if it does."""
    return next(_objections(schema, value, "", schema, 0), "")


def shown(text: str, characters_max: int = 200) -> str:
    """The first characters of what a model said, in quotes and in one line."""
    text = text.strip()
    return repr(text if len(text) <= characters_max else text[: characters_max - 3] + "...")


def referred(reference: str, root: Schema) -> Schema:
    """What a `$ref` stands for. Raises `ModelError`: nothing."""
    part: Any = root
    for name in reference.removeprefix("#/").split("/"):
        part = cast(Schema, part).get(name.replace("~1", "/").replace("~0", "~")) if isinstance(part, dict) else None
    if not isinstance(part, dict):
        raise ModelError(f"the schema of the answer refers to {reference!r}, which it does not hold")
    return cast(Schema, part)


_KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def _objections(schema: Schema, value: object, path: str, root: Schema, depth: int) -> Iterator[str]:
    where = f"{path}: " if path else ""
    if depth > DEPTH_MAX:
        yield f"{where}nested too deep"
        return
    if "$ref" in schema:
        yield from _objections(referred(schema["$ref"], root), value, path, root, depth + 1)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else cast(list[str], kinds)
    if kinds and not any(_is_kind(kind, value) for kind in kinds):
        yield f"{where}{_kind_of(value)}, not {' or '.join(kinds)}"
        return
    if "enum" in schema and not any(_same(value, each) for each in schema["enum"]):
        yield f"{where}{shown(str(value), 40)} is none of {', '.join(map(str, schema['enum']))[:200]}"
    if "const" in schema and not _same(value, schema["const"]):
        yield f"{where}{shown(str(value), 40)} is not {schema['const']!r}"
    for word in ("anyOf", "oneOf"):
        choices = cast(list[Schema], schema.get(word, []))
        against = [next(_objections(each, value, path, root, depth + 1), "") for each in choices]
        if against and all(against):
            yield (
                against[-1] if len(against) == 1 else f"{where}fits none of what it may be ({'; '.join(against)[:200]})"
            )
    for each in cast(list[Schema], schema.get("allOf", [])):
        yield from _objections(each, value, path, root, depth + 1)
    if isinstance(value, dict):
        yield from _in_object(schema, cast(dict[str, object], value), path, root, depth)
    elif isinstance(value, list):
        yield from _in_array(schema, cast(list[object], value), path, root, depth)
    elif isinstance(value, str):
        yield from _in_string(schema, value, where)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _in_number(schema, value, where)


def _in_object(schema: Schema, value: dict[str, object], path: str, root: Schema, depth: int) -> Iterator[str]:
    where = f"{path}: " if path else ""
    for name in cast(list[str], schema.get("required", [])):
        if name not in value:
            yield f"{where}{name} is missing"
    properties = cast(dict[str, Schema], schema.get("properties", {}))
    others = schema.get("additionalProperties", True)
    for name, each in value.items():
        below = f"{path}.{name}" if path else name
        if name in properties:
            yield from _objections(properties[name], each, below, root, depth + 1)
        elif isinstance(others, dict):
            yield from _objections(cast(Schema, others), each, below, root, depth + 1)
        elif not others:
            yield f"{where}there is no field {name[:80]!r}"
    yield from _count(schema, "Properties", len(value), where)


def _in_array(schema: Schema, value: list[object], path: str, root: Schema, depth: int) -> Iterator[str]:
    first = cast(list[Schema], schema.get("prefixItems", []))
    items = schema.get("items", True)
    for index, each in enumerate(value):
        below = f"{path}.{index}" if path else str(index)
        if index < len(first):
            yield from _objections(first[index], each, below, root, depth + 1)
        elif isinstance(items, dict):
            yield from _objections(cast(Schema, items), each, below, root, depth + 1)
        elif not items:
            yield f"{below}: one too many"
    yield from _count(schema, "Items", len(value), f"{path}: " if path else "")


def _in_string(schema: Schema, value: str, where: str) -> Iterator[str]:
    yield from _count(schema, "Length", len(value), where)
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and len(value) <= 10_000:
        try:
            if not re.search(pattern, value):
                yield f"{where}{shown(value, 40)} does not look like {pattern[:80]}"
        except re.error:
            pass  # another dialect of patterns; the worker's own decoder looks at it again


def _in_number(schema: Schema, value: float, where: str) -> Iterator[str]:
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{where}{value} is less than {schema['minimum']}"
    if "maximum" in schema and value > schema["maximum"]:
        yield f"{where}{value} is more than {schema['maximum']}"
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        yield f"{where}{value} is not more than {schema['exclusiveMinimum']}"
    if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        yield f"{where}{value} is not less than {schema['exclusiveMaximum']}"


def _count(schema: Schema, of: str, count: int, where: str) -> Iterator[str]:
    if f"min{of}" in schema and count < schema[f"min{of}"]:
        yield f"{where}{count} long, at least {schema[f'min{of}']}"
    if f"max{of}" in schema and count > schema[f"max{of}"]:
        yield f"{where}{count} long, at most {schema[f'max{of}']}"


def _is_kind(kind: str, value: object) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, _KINDS.get(kind, ()))


def _kind_of(value: object) -> str:
    names = {"dict": "an object", "list": "an array", "str": "a string", "NoneType": "null", "bool": "a boolean"}
    return names.get(type(value).__name__, "a number")


def _same(value: object, other: object) -> bool:
    return type(value) is type(other) and value == other
