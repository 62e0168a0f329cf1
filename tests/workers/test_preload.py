"""Which imports are found in a function's code."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from skerry_workers.preload import imports_of


def _plain() -> None:
    import json.decoder  # noqa: F401


def _several() -> None:
    number = 3
    from json import decoder, loads  # noqa: F401

    assert number


def _relative() -> None:
    from ..support import waiting  # noqa: F401, TID252
    from . import engine  # noqa: F401


@pytest.mark.parametrize(
    ("function", "imports"),
    [
        (_plain, [("json.decoder", ())]),
        (_several, [("json", ("decoder", "loads"))]),
        (_relative, [("tests.support", ("waiting",)), ("tests.workers", ("engine",))]),
    ],
)
def test_imports_of_a_function(function: Callable[[], None], imports: list[tuple[str, tuple[str, ...]]]) -> None:
    assert list(imports_of(function.__code__, "tests.workers")) == imports
