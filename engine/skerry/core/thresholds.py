"""From which confidence on a field of a model's answer is taken. `core.calibration` finds these from outcomes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

from skerry.core.structs import Frozen

Key: TypeAlias = tuple[str, str, str]
"""The prompt's name, the field, the model's digest. Another model, even another file of it, has its own."""

DEFAULT = 0.5
"""Where nothing was calibrated: a value with a token in it that had less than even odds is a guess."""
NEVER = 2.0
"""The threshold of a field that is never taken on a model's word: no confidence reaches it."""


class Thresholds(Frozen):
    """The thresholds of a node, and the one for all fields that have none."""

    values: Mapping[Key, float] = {}
    default: float = DEFAULT

    def of(self, prompt: str, field: str, digest: str) -> float:
        """From which confidence on this field is taken."""
        return self.values.get((prompt, field, digest), self.default)


_INSIDE = re.compile(r"[.\[]")


def field_of(path: str) -> str:
    """The field of an answer that a path is in: "lines" of "lines.0.amount" and of "lines[0].amount"."""
    return _INSIDE.split(path, maxsplit=1)[0]
