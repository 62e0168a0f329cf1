"""What crosses a journal comes back as it was, or is refused where it stands."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypedDict, TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from skerry.core.commands import Command, Emit, Wait, crossing, signal_name
from skerry.core.types import Blob, Crossing, blobs_in, check, holds_blobs
from skerry.errors import DataError, DefinitionError
from tests.core.scripts import A, B

T = TypeVar("T")


class Colour(enum.Enum):
    RED = "red"


class Word(str, enum.Enum):  # noqa: UP042 - as people write it
    A = "a"


class Tree(msgspec.Struct):
    kids: list[Tree] = []
    name: str = ""


class Box(msgspec.Struct, Generic[T]):
    inner: T


class Two(msgspec.Struct):
    numbers: Box[int]
    names: Box[list[set[str]]]


class Pair(NamedTuple):
    left: int
    right: Any


class Keys(TypedDict):
    key: Any


@dataclass
class Data:
    value: Any


class Everything(msgspec.Struct):
    number: float
    amount: Decimal
    day: dt.date
    at: dt.datetime
    colour: Colour
    pair: Pair
    keys: Keys
    data: Data
    tree: Tree
    many: tuple[int, ...]
    blob: bytes
    either: int | str | None = None
    anything: Any = None


EVERYTHING = Everything(
    number=1.5,
    amount=Decimal("1.10"),
    day=dt.date(2024, 2, 29),
    at=dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
    colour=Colour.RED,
    pair=Pair(1, 2),
    keys={"key": 1},
    data=Data(1),
    tree=Tree([Tree(name="x")]),
    many=(1, 2),
    blob=b"\x00\xff",
)


def test_all_kinds_of_values_cross() -> None:
    raw, back = crossing(Everything, "all").cross(EVERYTHING)
    assert back == EVERYTHING
    assert b'"amount":"1.10"' in raw


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_whatever_json_can_say_crosses(value: Any) -> None:
    raw, back = crossing(Any, "any").cross(value)
    assert back == value
    assert crossing(Any, "any").cross(back)[0] == raw


def _circle() -> list[Any]:
    circle: list[Any] = []
    circle.append(circle)
    return circle


class Touchy(msgspec.Struct):
    value: int

    def __eq__(self, other: object) -> bool:
        raise KeyError("no comparing")

    def __hash__(self) -> int:
        return 0


@pytest.mark.parametrize(
    ("type", "value", "told"),
    [
        (float, float("nan"), "Expected `float`, got `null`"),
        (float | None, float("inf"), "inf comes back as None"),
        (Any, {"a": [1, float("nan")]}, "at $['a'][1], nan comes back as None"),
        (Any, [(1, 2)], "at $[0], (1, 2) comes back as [1, 2]"),
        (Any, {"a": {1, 2}}, "at $['a'], {1, 2} comes back as [1, 2]"),
        (Any, {1: 2}, "Only dicts with str keys are supported"),
        (Any, Decimal("1"), "Decimal('1') comes back as '1'"),
        (Tree, Tree(name=7), "Expected `str`, got `int`"),  # type: ignore[arg-type]
        (list[Any], [EVERYTHING], "at $[0], Everything("),
        (Data, Data((1,)), "Data(value=(1,)) comes back as Data(value=[1])"),
        (Pair, Pair(1, (2,)), "at $[1], (2,) comes back as [2]"),
        (Keys, {"key": (1,)}, "at $['key'], (1,) comes back as [1]"),
        (int, "x", "Expected `int`, got `str`"),
        (Any, object(), "Encoding objects of type object is unsupported"),
        (str, "half \ud800", "UnicodeEncodeError"),
        (Any, _circle(), "RecursionError"),
        (Touchy, Touchy(1), "KeyError: 'no comparing'"),
    ],
)
def test_what_would_not_come_back_is_refused_where_it_stands(type: Any, value: Any, told: str) -> None:
    with pytest.raises(DataError) as caught:
        crossing(type, "here").cross(value)
    assert caught.value.message.startswith("here: ")
    assert told in caught.value.message
    assert caught.value.hint


class Picky(msgspec.Struct):
    value: int

    def __post_init__(self) -> None:
        if self.value < 0:
            raise KeyError("negative")


@pytest.mark.parametrize(
    ("type", "raw", "told"),
    [
        (int, b'"x"', "Expected `int`, got `str`"),
        (str, b'"\xff"', "UnicodeDecodeError"),
        (Any, b"[" * 100_000, "RecursionError"),
        (Picky, b'{"value":-1}', "KeyError: 'negative'"),
        (Any, b"{", "truncated"),
    ],
)
def test_what_cannot_be_decoded_is_refused_whatever_it_raises(type: Any, raw: bytes, told: str) -> None:
    with pytest.raises(DataError, match=r"^here: ") as caught:
        crossing(type, "here").decode(Raw(raw))
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("type", "told"),
    [
        (set[int], "here: a set has no order"),
        (frozenset[int] | None, "here: a set"),
        (tuple[int, set[int]], "here[]: a set"),
        (Two, "here.names.inner[]: a set has no order"),
        (Data, ""),
        (Tree, ""),
        (tuple[int, str], ""),
        (object, "here: values of object cannot be written down"),
        (Tree | Two, "here: If a type union contains multiple Struct types"),
        (dict[str, set[int]], "here[]: a set"),
        ("Missing", "here: "),
        (dict[int, str], "here: the keys of a JSON object are text"),
        (list[dict[Colour, str]], "here[]: the keys"),
        (dict[Literal["a", 1], str], "here: the keys"),
        (dict[Literal["a", "b"], dict[Word, dict[str, dict[Any, int]]]], ""),
    ],
)
def test_types_that_cannot_cross_are_refused(type: Any, told: str) -> None:
    if not told:
        check(type, "here")
        return
    with pytest.raises(DefinitionError) as caught:
        check(type, "here")
    assert caught.value.message.startswith(told)


def test_a_crossing_is_made_once() -> None:
    assert crossing(Tree, "here") is crossing(Tree, "here")

    odd = Annotated[int, ["a list cannot be hashed"]]
    assert crossing(odd, "here").decode(b"1") == 1


def test_a_type_that_cannot_be_decoded_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(type: Any) -> Any:
        raise TypeError("not this one")

    monkeypatch.setattr(msgspec.json, "Decoder", refuses)
    with pytest.raises(DefinitionError, match="here: not this one"):
        Crossing(int, "here")


def test_blobs_are_found_wherever_they_are() -> None:
    one, two = Blob(sha256="1", size=1), Blob(sha256="2", size=2)
    tree = Box({"a": [one], "b": (two, 7)})
    assert list(blobs_in([tree, one])) == [one, two, one]
    assert (holds_blobs(Box[Blob]), holds_blobs(Box[int]), holds_blobs(Any)) == (True, False, True)


def test_signals_have_the_names_of_their_types() -> None:
    assert (signal_name(A), signal_name(B), signal_name(int)) == ("A", "b-signal", "int")
    wait = Wait((A, B), "", 0.0, "")
    assert wait.decode(Raw(b'{"text":"x"}'), "A") == A("x")
    with pytest.raises(DataError, match=r"a signal C where A\|b-signal was awaited"):
        wait.decode(Raw(b"1"), "C")
    assert Emit("x", None).digest() != ""
    with pytest.raises(NotImplementedError):
        Command("x").decode(Raw(b"1"), "")
    assert wait.digest() == ""
