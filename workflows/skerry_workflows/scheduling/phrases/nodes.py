"""What the grammar makes of words: expressions of time, not yet resolved against an instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Now:
    """This instant."""


@dataclass(frozen=True, slots=True)
class Fields:
    """A date by what was said of it: "March 3", "Friday the 13th", "2015".

    `fitting`: it is only meant if its weekday is the right one ("Friday 7-6").
    """

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    fitting: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day. `half` is "either" where the hour may be before or after noon."""

    hour: int
    minute: int | None = None
    second: int | None = None
    half: Literal["am", "pm", "24", "either"] = "24"
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the day, by its name in `Conventions.parts`; `edge` for "early" and "late"."""

    name: str
    edge: Literal["", "early", "late"] = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """A unit of the calendar counted from the present one: 0 is this week, 1 the next."""

    unit: str
    offset: int


@dataclass(frozen=True, slots=True)
class Relative:
    """A weekday, month, season... counted from now: "next Friday" (1), "this March" (0), "last summer" (-1).

    `coming` is "this coming Friday": the first one from now.
    """

    of: Fields | Named
    offset: int
    coming: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Some units from now on or until now: "the next two days", "the last 3 weeks"."""

    unit: str
    count: float
    forward: bool


@dataclass(frozen=True, slots=True)
class Named:
    """What has a name and its place in each year (or week): a season, a quarter, a holiday, the weekend."""

    what: Literal["season", "quarter", "half", "holiday", "weekend"]
    name: str
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Years:
    """A decade or century: `count` years from `first`."""

    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Within:
    """The inner one, inside the outer one: "Monday of next week", "tomorrow at 5"."""

    outer: Node
    inner: Node


@dataclass(frozen=True, slots=True)
class Nth:
    """The `number`th unit or weekday inside of the outer one, from its end where negative; `count` of them."""

    number: int
    unit: str
    outer: Node
    count: int = 1


@dataclass(frozen=True, slots=True)
class Edge:
    """The beginning, middle or end of the outer one."""

    which: str
    outer: Node


@dataclass(frozen=True, slots=True)
class Amount:
    """A length of time; `unit` is the finest that was said, `about` that it is not meant exactly."""

    months: float = 0
    days: float = 0
    seconds: float = 0
    unit: str = "day"
    about: bool = False


@dataclass(frozen=True, slots=True)
class Offset:
    """A length after (or, with sign -1, before) an anchor: "in 3 days", "2 weeks after Easter"."""

    amount: Amount
    sign: int
    anchor: Node


@dataclass(frozen=True, slots=True)
class Range:
    """From the first to the last."""

    first: Node
    last: Node


@dataclass(frozen=True, slots=True)
class Bound:
    """What is open on one side; `past`: it has begun already ("since Monday")."""

    side: Literal["before", "after", "until", "since", "by"]
    node: Node
    past: bool = False


@dataclass(frozen=True, slots=True)
class Lasting:
    """From a beginning, for a length."""

    start: Node
    amount: Amount


@dataclass(frozen=True, slots=True)
class SameClock:
    """ "This time tomorrow", "this time next week": on another day what the clock shows now."""

    outer: Node


@dataclass(frozen=True, slots=True)
class Every:
    """What recurs: its RRULE without an end (RFC 5545; empty where it cannot be told), and the time of day."""

    rule: str = ""
    node: Node | None = None


@dataclass(frozen=True, slots=True)
class Either:
    """One of two, the likelier first."""

    first: Node
    second: Node
    reason: str


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Meant so, probably."""

    node: Node
    reason: str


Node: TypeAlias = (
    Now | Fields | Clock | Part | Shift | Relative | Block | Named | Years | Within | Nth | Edge | Amount | Offset
    | Range | Bound | Lasting | SameClock | Every | Either | Doubtful
)  # fmt: skip
