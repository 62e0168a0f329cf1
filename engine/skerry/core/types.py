"""The types that may cross a journal, and the one way across: encode, decode, compare.

State code gets the decoded value, live as in a replay, so it cannot come to depend on what JSON loses (a NaN, a
tuple in an untyped place, the order of a set). What does not come back equal is refused where it happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

import msgspec
from msgspec import Raw, inspect

from skerry.core.codec import encode_json
from skerry.core.structs import Frozen
from skerry.errors import DataError, DefinitionError

T = TypeVar("T")

_AS_THEY_ARE = (int, str, bool)
"""Whatever of these can be encoded comes back equal, so that nobody has to look."""
_UNORDERED = (inspect.SetType, inspect.FrozenSetType)
_LEAVES_WITH_ITEMS = (
    inspect.ListType,
    inspect.VarTupleType,
    inspect.CollectionType,
)


class Blob(Frozen, omit_defaults=True):
    """A document in the blob store, by content. A task reads its bytes with `skerry.read_blob`."""

    sha256: str
    size: int
    name: str = ""
    media_type: str = "application/octet-stream"


class Crossing(Generic[T]):
    """A type's way into the journal and out of it.

    Raises `DefinitionError` if a value of this type could not be written down and read again; `where` says whose
    type it is.
    """

    __slots__ = ("_as_it_is", "_decode", "type", "where")

    def __init__(self, type: Any, where: str) -> None:
        self.type = type
        self._as_it_is: Any = type if type in _AS_THEY_ARE else None
        self.where = where
        check(type, where)
        try:
            self._decode = msgspec.json.Decoder(type).decode
        except TypeError as error:
            raise DefinitionError(f"{where}: {error}") from None

    def decode(self, raw: bytes | Raw) -> T:
        """The value of its JSON. Raises `DataError` that says where and what does not fit."""
        try:
            return self._decode(raw)  # type: ignore[no-any-return]
        except Exception as error:  # bytes that are no text, a depth without end, a `__post_init__` of the user's
            raise DataError(f"{self.where}: {_words(error)}") from None

    def cross(self, value: Any) -> tuple[bytes, T]:
        """(the JSON of a value, the value as it comes back). Raises `DataError` when that is not the same."""
        try:
            raw = encode_json(value)
            back: Any = value if type(value) is self._as_it_is else self._decode(raw)
            same = bool(back == value)
        except Exception as error:
            hint = "is an `await` missing?" if "coroutine" in str(error) else "use a value of the declared type"
            raise DataError(f"{self.where}: {_words(error)}", hint=hint) from None
        if not same:
            raise DataError(
                f"{self.where}: {_first_difference(value, back)}",
                hint="use types that JSON keeps: no NaN, no tuple or set in an untyped place",
            )
        return raw, back


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, msgspec.MsgspecError | TypeError) else f"{type(error).__name__}: {error}"


def _first_difference(value: object, back: object) -> str:
    path, a, b = min(_pairs("$", value, back), key=lambda pair: bool(pair[1] == pair[2]))
    return f"at {path}, {a!r:.80} comes back as {b!r:.80}"


def _pairs(path: str, a: Any, b: Any) -> Iterator[tuple[str, Any, Any]]:
    """Pairs of corresponding leaves, then of the containers around them."""
    if isinstance(a, msgspec.Struct) and type(a) is type(b):
        for name in a.__struct_fields__:
            yield from _pairs(f"{path}.{name}", getattr(a, name), getattr(b, name))
    elif isinstance(a, dict) and isinstance(b, dict):
        one, other = cast(Mapping[Any, Any], a), cast(Mapping[Any, Any], b)
        for key in one:
            yield from _pairs(f"{path}[{key!r}]", one[key], other.get(key))
    elif isinstance(a, list | tuple) and type(cast(Any, a)) is type(b):
        for index, (left, right) in enumerate(zip(cast(Sequence[Any], a), b, strict=False)):
            yield from _pairs(f"{path}[{index}]", left, right)
    yield path, a, b


def check(type: Any, where: str) -> None:
    """Raises `DefinitionError` unless values of the type survive JSON, in an order that is the same everywhere."""
    try:
        info = inspect.type_info(type)
    except Exception as error:  # msgspec raises TypeError, NameError ... for what it cannot take
        raise DefinitionError(f"{where}: {error}") from None
    for path, part in _walk(info, "", set()):
        if isinstance(part, inspect.CustomType):
            raise DefinitionError(
                f"{where}{path}: values of {part.cls.__name__} cannot be written down",
                hint="use a msgspec.Struct, a dataclass, or a builtin type",
            )
        if isinstance(part, _UNORDERED):
            raise DefinitionError(
                f"{where}{path}: a set has no order that is the same on every machine",
                hint="use a list or a tuple",
            )
        if isinstance(part, inspect.DictType) and not _is_text(part.key_type):
            raise DefinitionError(
                f"{where}{path}: the keys of a JSON object are text", hint="use `str` keys, or a list of pairs"
            )


def _is_text(key: Any) -> bool:
    if isinstance(key, inspect.EnumType):
        return issubclass(key.cls, str)
    if isinstance(key, inspect.LiteralType):
        return all(isinstance(value, str) for value in key.values)
    return isinstance(key, inspect.StrType | inspect.AnyType)


def _walk(info: Any, path: str, seen: set[Any]) -> Iterator[tuple[str, Any]]:
    """All types inside a type, each with its path."""
    yield path, info
    if isinstance(info, _LEAVES_WITH_ITEMS):
        yield from _walk(info.item_type, f"{path}[]", seen)
    elif isinstance(info, inspect.TupleType):
        for item in info.item_types:
            yield from _walk(item, f"{path}[]", seen)
    elif isinstance(info, inspect.DictType):
        yield from _walk(info.value_type, f"{path}[]", seen)
    elif isinstance(info, inspect.UnionType):
        for option in info.types:
            yield from _walk(option, path, seen)
    elif isinstance(info, inspect.StructType | inspect.DataclassType | inspect.TypedDictType | inspect.NamedTupleType):
        if info.cls in seen:
            return
        seen.add(info.cls)
        for field in info.fields:
            yield from _walk(field.type, f"{path}.{field.name}", seen)


def holds_blobs(type: Any) -> bool:
    """Whether values of a type may have a `Blob` in them; of an untyped place it cannot be known."""
    parts = (part for _, part in _walk(inspect.type_info(type), "", set()))
    return any(isinstance(p, inspect.AnyType) or (isinstance(p, inspect.StructType) and p.cls is Blob) for p in parts)


def blobs_in(value: Any) -> Iterator[Blob]:
    """Every `Blob` inside a value."""
    if isinstance(value, Blob):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from blobs_in(getattr(value, name))
    elif isinstance(value, dict):
        for item in cast(Mapping[Any, Any], value).values():
            yield from blobs_in(item)
    elif isinstance(value, list | tuple):
        for item in cast(Sequence[Any], value):
            yield from blobs_in(item)
