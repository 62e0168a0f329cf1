"""Which imports are found in a function's code."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from skerry_workers.preload import _imports


def _plain() -> None:
    import json.decoder  # noqa: F401


def _several() -> None:
    number = 3
    from json import decoder, loads  # noqa: F401

    assert number


def _relative() -> None:
    from ..support import waiting  # noqa: F401, TID252
    from . import engine  # noqa: F401


def _inner() -> None:
    def within() -> None:
        import json  # noqa: F401

    within()


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (_plain, {"json.decoder"}),
        (_several, {"json", "json.decoder", "json.loads"}),
        (_relative, {"tests.workers", "tests.workers.engine", "tests.support", "tests.support.waiting"}),
        (_inner, {"json"}),
    ],
)
def test_imports_of_a_function(function: Callable[[], None], names: set[str]) -> None:
    assert set(_imports(function.__code__, "tests.workers")) == names
