"""What `import skerry` offers: few names, all of them on purpose."""

from __future__ import annotations

import types

import skerry

NAMES: list[str] = list(getattr(skerry, "__all__", []))


def test_the_front_door_is_small_and_in_order() -> None:
    assert len(NAMES) <= 21
    assert len(set(NAMES)) == len(NAMES)


def test_what_is_offered_is_there() -> None:
    assert [name for name in NAMES if not hasattr(skerry, name)] == []


def test_what_is_there_is_offered() -> None:
    there = {
        name
        for name, value in vars(skerry).items()
        if not name.startswith("_")
        and name not in ("annotations", "TYPE_CHECKING")
        and not isinstance(value, types.ModuleType)
    }
    assert there <= set(NAMES), f"imported by skerry/__init__.py, but not in __all__: {sorted(there - set(NAMES))}"
