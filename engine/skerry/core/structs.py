"""A msgspec struct that is frozen and keyword-only without saying so each time, for Python and for type checkers."""

from __future__ import annotations

from typing import Any, Final, dataclass_transform

import msgspec
from msgspec import Raw

NOTHING: Final = Raw()
"""No JSON at all. msgspec leaves a field out when it holds the very object that is its default: always use this one."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class FrozenMeta(msgspec.StructMeta):
    """Makes every struct of a family frozen and keyword-only."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> FrozenMeta:
        """Creates the class, as `msgspec.StructMeta` does, with these two settings on."""
        settings: dict[str, Any] = {**config, "frozen": True, "kw_only": True}
        return super().__new__(mcls, name, bases, namespace, **settings)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Frozen(msgspec.Struct, metaclass=FrozenMeta):
    """Base of such structs."""
