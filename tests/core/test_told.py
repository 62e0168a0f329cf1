"""What a person types for a field."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.core.told import as_told
from skerry.errors import DataError


class Answer(msgspec.Struct, frozen=True, kw_only=True, rename={"by": "until"}):
    text: str = ""
    count: int = 0
    share: float | None = None
    sure: bool = False
    total: Decimal = Decimal(0)
    by: dt.date | None = None
    names: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("name", "typed", "taken"),
    [
        ("count", "5", 5),
        ("count", 5, 5),
        ("share", "0.5", 0.5),
        ("share", None, None),
        ("sure", "true", True),
        ("sure", True, True),
        ("text", "5", "5"),
        ("text", "true", "true"),
        ("total", "119.00", "119.00"),
        ("until", "2026-01-02", "2026-01-02"),
        ("names", ["a"], ["a"]),
    ],
)
def test_a_field_gets_what_it_takes(name: str, typed: Any, taken: Any) -> None:
    told = as_told(Answer, {name: typed})
    assert told == {name: taken} and type(told[name]) is type(taken)
    msgspec.json.decode(msgspec.json.encode(told), type=Answer)


@pytest.mark.parametrize(("name", "typed"), [("count", "five"), ("count", "1.5"), ("sure", "perhaps"), ("names", "a")])
def test_what_does_not_fit_is_named(name: str, typed: Any) -> None:
    with pytest.raises(DataError, match=rf"^{name} cannot be {typed!r}: Expected"):
        as_told(Answer, {name: typed})


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_every_whole_number_is_taken_as_one(number: int) -> None:
    assert as_told(Answer, {"count": str(number)}) == {"count": number}


def test_what_is_no_struct_takes_all_as_it_is() -> None:
    assert as_told(dict[str, int], {"a": "5"}) == {"a": "5"}
    assert as_told(int, {"a": "5"}) == {"a": "5"}
