"""Numbers, lengths of time, times of day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from skerry_workflows.scheduling.phrases.nodes import Amount, Clock, Node, Now, Part, Range
from skerry_workflows.scheduling.phrases.parser import Caught, Rule

_Half = Literal["am", "pm", "24", "either"]

# Units of length in months, days, seconds; and what each is called as a grain.
_UNITS: dict[str, tuple[float, float, float]] = {
    "second": (0, 0, 1), "minute": (0, 0, 60), "hour": (0, 0, 3600), "day": (0, 1, 0), "week": (0, 7, 0),
    "fortnight": (0, 14, 0), "month": (1, 0, 0), "quarter": (3, 0, 0), "year": (12, 0, 0), "decade": (120, 0, 0),
    "century": (1200, 0, 0), "night": (0, 1, 0), "workday": (0, 1, 0),
}  # fmt: skip
_FINENESS = tuple(_UNITS)
# "A few", "some": somewhere about three.
_FEW = 3
# "8h30" is rather a length, "9h30" rather a time of day.
_LONGEST_H = 8


def amount(count: float, unit: str, about: bool = False) -> Amount | None:
    """So many units; None where such a thing has no length ("3 weekends")."""
    if unit not in _UNITS or count > 100_000:
        return None
    months, days, seconds = (count * each for each in _UNITS[unit])
    # Half a month is no number of months that a calendar knows, half a day is no day: told in the next finer unit.
    if months % 1:
        days, months = days + (months % 1) * 30, float(int(months))
    if days % 1:
        seconds, days = seconds + (days % 1) * 86400, float(int(days))
    return Amount(months, days, seconds, unit, about)


def _sum(one: Node, two: Node) -> Amount | None:
    assert isinstance(one, Amount) and isinstance(two, Amount)
    if _FINENESS.index(one.unit) <= _FINENESS.index(two.unit):
        return None  # "2 weeks and 3 weeks" are two lengths
    if _FINENESS.index(one.unit) > _FINENESS.index("day") and not (two.days or two.months):
        return None  # and so are "for six weeks, 30 minutes each"
    finer = min(one.unit, two.unit, key=_FINENESS.index)
    return Amount(
        one.months + two.months, one.days + two.days, one.seconds + two.seconds, finer, one.about or two.about
    )


def _hours_and(caught: Caught) -> Amount | None:
    """ "1h30", "1 hr 15"."""
    minutes = caught.number("m")
    return Amount(seconds=caught.number("n") * 3600 + minutes * 60, unit="minute") if minutes % 5 == 0 else None


def _about(node: Node) -> Amount:
    assert isinstance(node, Amount)
    return Amount(node.months, node.days, node.seconds, node.unit, about=True)


def _decimal(caught: Caught) -> float:
    return float(f"{caught.number('a')}.{caught.number('b')}")


def _spoken_year(caught: Caught) -> int | None:
    """ "nineteen seventy two", "twenty nineteen"."""
    hundreds, rest = caught.number("a"), caught.number("b")
    return hundreds * 100 + rest if 17 <= hundreds <= 20 and 10 <= rest <= 99 else None


def clock(hour: int, minute: int | None, half: str, second: int | None = None, exact: bool = False) -> Clock:
    """A time of day; an hour up to twelve without more is either half of the day.

    `exact` is what is written with a leading zero, or otherwise by the clock of 24 hours.
    """
    if half in ("am", "pm") and 1 <= hour <= 12:
        kind: _Half = "am" if half == "am" else "pm"
        return Clock(hour % 12 + (12 if kind == "pm" else 0), minute, second, "24")
    if exact or hour == 0 or hour > 12:
        return Clock(hour, minute, second, "24")
    return Clock(hour, minute, second, "either")


def _whole(caught: Caught) -> Clock | None:
    hour, minute = caught.number("h"), caught.maybe("m")
    if hour > 24 or (minute or 0) > 59 or (hour == 24 and minute):
        return None
    return clock(hour, minute, caught.name("p"), caught.maybe("s"))


def _to_the_second(caught: Caught) -> Clock | None:
    """So exactly only machines tell the time, and by 24 hours."""
    time = _whole(caught)
    return Clock(caught.number("h"), time.minute, time.second) if time else None


def _past(sign: int) -> Callable[[Caught], Clock | None]:
    """Minutes past or to an hour."""

    def build(caught: Caught) -> Clock | None:
        hour, minutes = caught.number("h"), caught.number("n", 30)
        if not (1 <= minutes <= 59 and 0 <= hour <= 24):
            return None
        if sign < 0:
            hour, minutes = (hour - 1 if hour > 1 else hour + 11), 60 - minutes
        return clock(hour % 24, minutes, caught.name("p"))

    return build


def _by_fives(build: Callable[[Caught], Clock | None]) -> Callable[[Caught], Clock | None]:
    """Without the word "minutes" nobody says "three past ten"; and "2 to 4" is rather a range."""
    return lambda caught: build(caught) if caught.number("n") % 5 == 0 else None


def _military(caught: Caught) -> Clock | None:
    hour, minute = divmod(caught.number("n"), 100)
    return Clock(hour, minute) if hour < 24 and minute < 60 else None


def in_part(time: Node, part: Node) -> Node | None:
    """An hour in the morning, in the evening: which half of the day it is; None where it cannot be."""
    assert isinstance(part, Part)
    if isinstance(time, Range):
        first, last = in_part(time.first, part), in_part(time.last, part)
        return Range(first, last) if first and last else None
    if not isinstance(time, Clock):
        return None
    if time.half != "either":
        return time
    early = part.name in ("morning", "dawn", "breakfast", "forenoon")
    if part.name == "night" and (time.hour <= 5 or time.hour == 12):
        early = True
    if part.name in ("noon", "lunch") and 10 <= time.hour <= 11:
        early = True
    return Clock(time.hour % 12 + (0 if early else 12), time.minute, time.second, "24", time.zone)


def _offset(caught: Caught, sign: str) -> str | None:
    """A zone's offset from UTC, as `dates.zone` reads it."""
    hours = caught.number("h")
    return f"{sign}{hours}:{caught.number('m', 0):02}" if hours <= 14 else None


def _zoned(caught: Caught) -> Node:
    time, zone = caught.node("t"), caught.name("z")
    assert isinstance(time, Clock)
    return Clock(time.hour, time.minute, time.second, time.half, zone)


_NUMBERS = (
    Rule("count", "a:INT +DOT|COMMA +b:INT", _decimal),
    Rule("count", "n:INT", lambda c: c.number("n")),
    Rule("count", "n:NUM", lambda c: c.number("n")),
    Rule("count", "n:INT|NUM +DASH? AND? f:FRACTION", lambda c: c.number("n") + c.real("f")),
    Rule("count", "n:INT|NUM AND A? HALF", lambda c: c.number("n") + 0.5),
    Rule("count", "f:FRACTION", lambda c: c.real("f")),
    Rule("ordinal", "n:DD +ORDMARK", lambda c: c.number("n")),
    Rule("ordinal", "n:ORD", lambda c: c.number("n")),
    Rule("day_number", "n:ordinal", lambda c: c.number("n") if 1 <= c.number("n") <= 31 else None),
    Rule("day_number", "n:DD", lambda c: c.number("n")),
    Rule("day_number", "n:NUM DAYOF", lambda c: c.number("n") if 1 <= c.number("n") <= 31 else None),
    Rule("year", "y:Y4", lambda c: c.number("y")),
    Rule("year", "QUOTE +y:Y2", lambda c: c.number("y")),
    Rule("year", "a:NUM b:NUM", _spoken_year),
)

_LENGTHS = (
    Rule("amount", "n:count +DASH? u:UNIT", lambda c: amount(c.real("n"), c.name("u"))),
    Rule("amount", "A u:UNIT", lambda c: amount(1, c.name("u"))),
    Rule("amount", "A? f:HALF DASH|OF? A? u:UNIT", lambda c: amount(0.5, c.name("u"))),
    Rule("amount", "f:FRACTION OF? A? u:UNIT", lambda c: amount(c.real("f"), c.name("u"))),
    Rule("amount", "A? n:QUARTEROF OF? A? u:UNIT", lambda c: amount(c.real("n"), c.name("u"))),
    Rule("amount", "n:count|A u:UNIT AND A? HALF", lambda c: amount(c.real("n") + 0.5, c.name("u"))),
    Rule("amount", "n:count|A AND A? HALF u:UNIT", lambda c: amount(c.real("n") + 0.5, c.name("u"))),
    Rule("amount", "n:count u:UNIT AND A? q:QUARTERMARK", lambda c: amount(c.real("n") + 0.25, c.name("u"))),
    Rule("amount", "A? FEW OF? u:UNIT", lambda c: amount(_FEW, c.name("u"), about=True)),
    Rule("amount", "A? COUPLE OF? u:UNIT", lambda c: amount(2, c.name("u"), about=True)),
    Rule("amount", "n:LENGTHWORD", lambda c: Amount(seconds=c.real("n"), unit="minute")),
    Rule(
        "amount",
        "n:HH +HMARK +m:MI",
        lambda c: Amount(seconds=c.number("n") * 3600 + c.number("m") * 60, unit="minute"),
    ),
    Rule("amount", "n:HH +HMARKNAME +m:MI", lambda c: _hours_and(c) if c.number("n") <= _LONGEST_H else None),
    Rule("amount", "n:HH u:UNIT m:BIG", lambda c: _hours_and(c) if c.name("u") == "hour" else None),
    Rule("amounts", "a:amount", lambda c: c.node("a")),
    Rule("amounts", "a:amount AND|COMMA? b:amounts", lambda c: _sum(c.node("a"), c.node("b"))),
    Rule("amounts", "a:amount COMMA AND b:amounts", lambda c: _sum(c.node("a"), c.node("b"))),
    Rule("length", "a:amounts", lambda c: c.node("a")),
    Rule("length", "ABOUT|MORE|LESS a:amounts", lambda c: _about(c.node("a"))),
    Rule("length", "a:amounts OR MORE|LESS|SO", lambda c: _about(c.node("a"))),
    Rule("length", "n:count DASH|TO|OR a:amounts", lambda c: _about(c.node("a"))),
)


def _times() -> Iterator[Rule]:
    whole = _whole
    yield Rule("half", "p:AM|PM", lambda c: c.name("p"))
    yield Rule("hour", "h:HH", lambda c: c.number("h"))
    yield Rule("hour", "MIDNIGHT", lambda _: 24)
    yield Rule("hour", "NOON", lambda _: 12)
    yield Rule("minutes", "n:INT|NUM|QUARTERMARK", lambda c: c.number("n"))
    yield Rule("part_name", "p:PART", lambda c: c.name("p"))

    # ---- by the clock ------------------------------------------------------------------------------------------------
    yield Rule("clock", "h:H0 +COLON +m:MI", lambda c: clock(c.number("h"), c.number("m"), "", exact=True))
    yield Rule("clock", "h:HH +COLON +m:MI +COLON +s:MI p:half", whole)
    yield Rule("clock", "h:HH +COLON +m:MI +COLON +s:MI", _to_the_second)
    yield Rule("clock", "h:HH +COLON|DOT +m:MI p:half", whole)
    yield Rule("clock", "h:HH +DOT +m:MI OCLOCK", whole)
    yield Rule("clock", "h:HH +HMARK +m:MI? ", whole)
    yield Rule("clock", "h:HH HMARK m:MI?", whole)
    yield Rule("clock", "h:HH +COLON +m:MI +p:AM1|PM1", whole)
    yield Rule("clock", "h:HH|NUM p:half", whole)
    yield Rule("clock", "h:HH +p:PM1", lambda c: clock(c.number("h"), None, "pm") if c.number("h") <= 12 else None)
    yield Rule("clock", "n:H3|HHMM p:half", lambda c: clock(*divmod(c.number("n"), 100), c.name("p")))
    yield Rule("clock", "h:hour OCLOCK m:MI|NUM? MINUTEWORD? p:half?", whole)
    yield Rule("clock", "h:hour m:NUM|MI p:half", whole)
    yield Rule("clock", "h:HH +DASH? +ISH", whole)
    yield Rule("clock", "h:HOURISH", whole)
    yield Rule("clock", "h:HH +COLON +m:MI HOURSWORD", _to_the_second)
    yield Rule("clock", "n:HHMM HOURSWORD", _military)
    yield Rule("clock", "h:INT|NUM HOURMARK", whole)
    yield Rule("clock", "h:INT|NUM HOURMARK m:INT|NUM MINUTEMARK?", whole)
    yield Rule("clock", "h:INT|NUM HOURMARK CLOCKHALF", lambda c: clock(c.number("h"), 30, ""))
    yield Rule("clock", "NOON", lambda _: Clock(12))
    yield Rule("clock", "MIDNIGHT", lambda _: Clock(24))

    # ---- as people say it --------------------------------------------------------------------------------------------
    yield Rule("clock", "HALFPAST h:hour OCLOCK? p:half?", _past(1))
    yield Rule("clock", "HALFTO h:hour OCLOCK? p:half?", _past(-1))
    yield Rule("clock", "A? n:minutes MINUTEWORD PAST h:hour OCLOCK? p:half?", _past(1))
    yield Rule("clock", "A? n:minutes PAST h:hour OCLOCK? p:half?", _by_fives(_past(1)))
    yield Rule("clock", "A? n:minutes MINUTEWORD TILL h:hour OCLOCK? p:half?", _past(-1))
    yield Rule("clock", "A? n:NUM|QUARTERMARK|BIG TILL h:hour OCLOCK? p:half?", _by_fives(_past(-1)))
    yield Rule("clock", "h:hour CLOCKAND n:CLOCKPART|NUM p:half?", _past(1))
    yield Rule("clock", "h:hour OCLOCK CLOCKAND n:CLOCKPART|NUM", _past(1))
    yield Rule("clock", "h:hour OCLOCK? CLOCKMINUS THE? n:CLOCKPART|NUM p:half?", _past(-1))


def _times_in_context() -> Iterator[Rule]:
    """Times of day with what may stand around them: zones, "at", parts of the day."""
    whole = _whole
    yield Rule("zoned", "t:clock", lambda c: c.node("t"))
    yield Rule("zoned", "t:clock|bare z:zone", _zoned)
    yield Rule("zoned", "t:clock LP z:zone RP", _zoned)
    yield Rule("zoned", "t:clock z:offset", _zoned)
    yield Rule("zone", "z:ZONE", lambda c: c.name("z"))
    yield Rule("zone", "z:ZONE +o:offset", lambda c: c.name("o") if c.name("z") == "UTC" else None)
    yield Rule("zone", "z:ZONE +DASH +h:HH +COLON? +m:MI?", lambda c: _offset(c, "-") if c.name("z") == "UTC" else None)
    yield Rule("offset", "PLUS +h:HH +COLON? +m:MI?", lambda c: _offset(c, "+"))
    yield Rule("offset", "PLUS +n:HHMM", lambda c: f"+{c.number('n') // 100}:{c.number('n') % 100:02}")
    yield Rule("bare", "h:hour", whole)
    yield Rule("bare", "h:HH +DOT +m:MI", whole)
    yield Rule("bare", "h:NUM m:NUM", lambda c: whole(c) if c.number("m") >= 10 and c.number("h") <= 12 else None)
    yield Rule("part", "e:EARLY|LATE? p:part_name", part)
    yield Rule("part", "e:EARLY|LATE IN|DURING THE? p:part_name", part)
    yield Rule("part", "p:part_name e:EARLY|LATE", part)
    yield Rule("in_part", "IN|DURING|AT? THE? p:part", lambda c: c.node("p"))
    yield Rule("time", "AT|ABOUT? ABOUT? THE? t:zoned", lambda c: c.node("t"))
    yield Rule("time", "t:zoned COMMA? p:in_part", lambda c: in_part(c.node("t"), c.node("p")))
    yield Rule("time", "AT ABOUT? THE? t:zoned|bare COMMA? p:in_part", lambda c: in_part(c.node("t"), c.node("p")))
    yield Rule("time", "t:bare p:in_part", lambda c: in_part(c.node("t"), c.node("p")))
    yield Rule("time", "p:in_part COMMA? AT? t:zoned", lambda c: in_part(c.node("t"), c.node("p")))
    yield Rule("time", "p:in_part AT t:bare", lambda c: in_part(c.node("t"), c.node("p")))
    yield Rule("time", "AT ABOUT? THE? t:bare", lambda c: c.node("t"))
    yield Rule("time", "AT n:HHMM", _military)
    yield Rule("time", "AT h:HH +HMARKNAME +m:MI", whole)
    yield Rule("time", "NOW", lambda _: Now())


def part(caught: Caught) -> Node:
    """A part of the day, with "early" or "late"."""
    return part_of(caught.name("p"), caught.name("e"))


def part_of(name: str, edge: str) -> Part:
    """The same, of their names."""
    return Part(name, "early" if edge.startswith("earl") else "late" if edge.startswith("late") else "")


def rules(hours: int) -> Iterator[Rule]:
    """The rules, for a clock of 12 hours, or of 24 as most of the world writes its times."""
    yield from _NUMBERS
    yield from _LENGTHS
    yield from _TIMES
    yield Rule("clock", "h:HH +COLON +m:MI OCLOCK?", _whole if hours == 12 else _by_24)
    # Who says "half past three" for 15:30 does not say "twenty" for 20:00: "twenty-five past" is no range.
    yield Rule("hour", "h:NUM", lambda c: c.number("h") if 0 < c.number("h") <= hours else None)


def _by_24(caught: Caught) -> Clock | None:
    time = _whole(caught)
    return Clock(time.hour, time.minute) if time else None


_TIMES = (*_times(), *_times_in_context())
