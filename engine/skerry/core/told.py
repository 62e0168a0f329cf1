"""What a person types for the fields of an answer, as the values that those fields take."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from skerry.errors import DataError


def as_told(answer: Any, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes to an answer of this type: text that a field does not take becomes the number or truth it says.

    Where a field takes text, as for amounts, dates and names, it stays text. What is no struct takes all as it is.
    Raises `DataError` that names the field and what it takes.
    """
    if not (isinstance(answer, type) and issubclass(answer, msgspec.Struct)):
        return dict(changes)
    kinds = {field.encode_name: field.type for field in msgspec.structs.fields(answer)}
    return {name: _value(name, value, kinds[name]) for name, value in changes.items()}


def _value(name: str, value: Any, kind: Any) -> Any:
    if not isinstance(value, str):
        return value
    with suppress(msgspec.ValidationError):
        msgspec.convert(value, kind)
        return value
    try:
        return msgspec.to_builtins(msgspec.convert(value, kind, strict=False))
    except msgspec.ValidationError as error:
        raise DataError(f"{name} cannot be {value!r:.100}: {error}", hint="give it another value") from None
