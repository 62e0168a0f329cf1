"""What is put together: times on days, from and to, before and after, for how long, how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from skerry_workflows.scheduling.phrases.grammar.atoms import amount, in_part, part, part_of
from skerry_workflows.scheduling.phrases.grammar.days import grain_of
from skerry_workflows.scheduling.phrases.nodes import (
    Amount,
    Bound,
    Clock,
    Doubtful,
    Edge,
    Either,
    Fields,
    Lasting,
    Node,
    Now,
    Offset,
    Part,
    Range,
    Relative,
    SameClock,
    Shift,
    Within,
)
from skerry_workflows.scheduling.phrases.parser import Caught, Rule


def _at(caught: Caught) -> Node | None:
    """A time on a day."""
    day, time = caught.node("d"), caught.node("t")
    return None if isinstance(time, Now) or not _is_day(day) else Within(day, time)


def _is_day(node: Node) -> bool:
    """Whether a time of day can be on it. "In 3 years" is a day; "next week in the morning" is more than one time."""
    return grain_of(node) == "day" or (isinstance(node, Offset) and grain_of(node) not in ("hour", "minute", "second"))


def _on_part(caught: Caught) -> Node | None:
    """A time on a day, in a part of it ("9 tomorrow evening")."""
    day = caught.node("d")
    if not _is_day(day):
        return None
    time = in_part(caught.node("t"), caught.node("p"))
    return Within(day, time) if time else None


def _part_ref(caught: Caught) -> Node:
    """ "tonight", "last night": a part of a day that is counted from today."""
    offset, _, name = caught.name("x").partition(" ")
    return Within(Shift("day", int(offset)), part_of(name, caught.name("e")))


def _day_part(caught: Caught) -> Node:
    """ "Freitagnachmittag": a weekday and a part of it, in one word."""
    weekday, _, name = caught.name("x").partition(" ")
    return Within(Fields(weekday=int(weekday)), Part(name))


def _day_part_at(caught: Caught) -> Node | None:
    weekday, _, name = caught.name("x").partition(" ")
    time = in_part(caught.node("t"), Part(name))
    return Within(Fields(weekday=int(weekday)), time) if time else None


def _part_ref_at(caught: Caught) -> Node | None:
    offset, _, name = caught.name("x").partition(" ")
    time = in_part(caught.node("t"), Part(name))
    return Within(Shift("day", int(offset)), time) if time else None


def _range(caught: Caught) -> Node | None:
    return between(caught.node("a"), caught.node("b"))


def _range_without_from(caught: Caught) -> Node | None:
    """As above; but "ce soir à 20 h" is a time: there the word for "to" is that for "at"."""
    first, last = caught.node("a"), caught.node("b")
    inner = first.inner if isinstance(first, Within) else first
    return None if isinstance(inner, Part) and isinstance(last, Clock) else between(first, last)


def _range_with_dash(caught: Caught) -> Node | None:
    """ "Friday - June 15" is one day, with its weekday."""
    first, last = caught.node("a"), caught.node("b")
    of = first.of if isinstance(first, Relative) else first
    weekday = isinstance(of, Fields) and of.weekday is not None and of.day is None
    if weekday and isinstance(last, Fields) and last.month is not None and last.weekday is None:
        return None
    return _range_without_from(caught)


def between(first: Node, last: Node) -> Node | None:
    """From one to another, of one kind: two times of day, or two dates; a later time of the first's day."""
    if _is_range(first) or _is_range(last):
        return None
    if isinstance(first, Fields) and isinstance(last, Fields) and first.year is None and _is_year(last):
        return None  # "Jan-2027" is a month
    if _zone_in(first) == "UTC" and isinstance(last, Clock) and last.minute is None and last.zone is None:
        return None  # "14:00 UTC-5" is a zone
    one, two = kind_of(first), kind_of(last)
    zone = _zone_in(last)
    if zone:
        first = _put_zone(first, zone)
    if one == two or {one, two} <= {"day", "moment", "now"} or (one == "moment" and two == "time"):
        return Range(first, last)
    if one == "now" or two == "now":
        return Range(first, last)
    return None


def _is_year(node: Fields) -> bool:
    return node.year is not None and node.month is None and node.day is None


def _zone_in(node: Node) -> str | None:
    if isinstance(node, Within):
        return _zone_in(node.inner)
    return node.zone if isinstance(node, Clock) else None


def _put_zone(node: Node, zone: str) -> Node:
    """ "10 to 11 CET": the zone is that of both."""
    if isinstance(node, Within):
        return Within(node.outer, _put_zone(node.inner, zone))
    return replace(node, zone=node.zone or zone) if isinstance(node, Clock) else node


def kind_of(node: Node) -> Literal["time", "day", "moment", "now"]:
    """A time of day, a date (or stretch of the calendar), a time on a date, or the present."""
    match node:
        case Clock() | Part():
            return "time"
        case Now():
            return "now"
        case Within():
            return "moment" if kind_of(node.inner) == "time" else "day"
        case Doubtful():
            return kind_of(node.node)
        case Bound():
            return kind_of(node.node)
        case Range():
            return kind_of(node.first)
        case Either():
            return kind_of(node.first)
        case _:
            return "day"


def _days_of_month(caught: Caught) -> Node | None:
    """ "3 to 12 September 2020": both in one month."""
    first, last, month, year = caught.number("a"), caught.number("b"), caught.number("m"), caught.maybe("y")
    return Range(Fields(year, month, first), Fields(year, month, last)) if 1 <= first < last <= 31 else None


def _days(caught: Caught) -> Node | None:
    first, last = caught.number("a"), caught.number("b")
    return Range(Fields(day=first), Fields(day=last)) if 1 <= first < last <= 31 else None


def _months_of_year(caught: Caught) -> Node:
    year = caught.number("y")
    return Range(Fields(year, caught.number("a")), Fields(year, caught.number("b")))


def _years(caught: Caught) -> Node | None:
    first, last = caught.number("a"), caught.number("b")
    last += first // 100 * 100 if last < 100 else 0
    return Range(Fields(year=first), Fields(year=last)) if 1000 <= first < last < 2300 else None


def _bound(
    side: Literal["before", "after", "until", "since", "by"], past: bool = False
) -> Callable[[Caught], Node | None]:
    def build(caught: Caught) -> Node | None:
        node = caught.node("p")
        # "From 9 to 5 today" is no beginning alone.
        return None if _is_range(node) else Bound(side, node, past)

    return build


def _is_range(node: Node) -> bool:
    return isinstance(node, Range | Bound) or (isinstance(node, Within) and _is_range(node.inner))


def _lasting(caught: Caught) -> Node | None:
    """From a beginning; "45 minutes, starting on Friday" is a length, and a day."""
    length, start = caught.node("a"), caught.node("p")
    assert isinstance(length, Amount)
    is_part = length.seconds and not length.days and not length.months
    return None if is_part and kind_of(start) == "day" else Lasting(start, length)


def _this_part(caught: Caught) -> Node | None:
    """ "This morning"."""
    return Within(Shift("day", 0), caught.node("p")) if caught.number("r") == 0 else None


def _on_part_range(caught: Caught) -> Node | None:
    """ "Tuesday afternoon between 3 and 5"."""
    span = caught.node("t")
    if not isinstance(span, Range) or not _is_day(caught.node("d")):
        return None

    def put(node: Node) -> Node:
        return (in_part(node, caught.node("p")) or node) if isinstance(node, Clock) else node

    return Within(caught.node("d"), Range(put(span.first), put(span.last)))


def _at_four_figures(caught: Caught) -> Node | None:
    """ "At 1700" is a time of day; "at 2030" may be the year."""
    hour, minute = divmod(caught.number("n"), 100)
    if hour >= 24 or minute >= 60:
        return None
    time = Clock(hour, minute)
    return Either(time, Fields(year=100 * hour + minute), "a time, or a year?") if hour >= 20 else time


def _day_edge(caught: Caught) -> Node | None:
    """ "Friday EOD"."""
    which, _, unit = caught.name("u").partition(" ")
    return Edge(which, caught.node("d")) if unit == "day" and _is_day(caught.node("d")) else None


def _half_day(caught: Caught) -> Node | None:
    """ "Wednesday pm"."""
    day = caught.node("d")
    return Within(day, Part("morning" if caught.name("h") == "am" else "afternoon")) if _is_day(day) else None


def _either_hour(caught: Caught) -> Node | None:
    """ "3 or 4 pm"."""
    one, two = caught.node("t"), caught.node("u")
    assert isinstance(one, Clock) and isinstance(two, Clock)
    if one.half == "either" and two.half == "24" and one.hour <= 12:
        one = replace(one, hour=one.hour % 12 + 12 * (two.hour >= 12), half="24", zone=two.zone)
    return Either(one, two, "which of the two?")


def _clear(time: Node) -> bool:
    """Whether a bare figure behind a date can only be a time: with minutes."""
    return isinstance(time, Clock) and time.minute is not None


def _on_early_part(caught: Caught) -> Node | None:
    """ "Early tomorrow morning"."""
    day = caught.node("d")
    return Within(day, part_of(caught.name("p"), caught.name("e"))) if _is_day(day) else None


def _lasting_from(caught: Caught) -> Node | None:
    """ "Two weeks starting Monday"; "two days from now" is a day."""
    return None if isinstance(caught.node("p"), Now) else _lasting(caught)


_MOMENTS = (
    Rule("part_ref", "x:PARTREF", lambda c: c.name("x")),
    Rule("part_ref", "r:REL p:PART", lambda c: f"0 {c.name('p')}" if c.number("r") == 0 else None),
    Rule("moment", "e:EARLY|LATE d:day p:part_name", _on_early_part),
    Rule("clock_time", "p:time", lambda c: c.node("p")),
    Rule("clock_time", "t:range_of_times|bound_time", lambda c: c.node("t")),
    Rule("moment", "i:instant", lambda c: c.node("i")),
    Rule("moment", "AT n:HHMM", _at_four_figures),
    Rule("moment", "THE? THISTIME ON|IN? d:day", lambda c: SameClock(c.node("d"))),
    Rule("moment", "d:day h:AM|PM", _half_day),
    Rule("moment", "d:day COMMA? u:EDGEUNIT", _day_edge),
    Rule("moment", "d:day ABOUT t:bare", _at),
    Rule("moment", "e:DAYEDGE ON? d:day p:part_name", _on_early_part),
    Rule("moment", "e:DAYEDGE IN|DURING THE? p:part_name", part),
    Rule("moment", "d:day", lambda c: c.node("d")),
    Rule("moment", "d:day COMMA|LP? t:clock_time RP?", _at),
    Rule("moment", "d:day t:bare", lambda c: _at(c) if isinstance(c.node("t"), Clock) and
         (_clear(c.node("t"))) else None),
    Rule("moment", "t:clock_time COMMA? ON|OF|FROM? THE? d:day", _at),
    Rule("moment", "t:bare d:shift p:in_part", _on_part),
    Rule("moment", "t:bare ON d:day", _at),
    Rule("moment", "d:day COMMA? t:in_part", _at),
    Rule("moment", "t:in_part OF|ON|COMMA? d:day", _at),
    Rule("moment", "t:clock_time|bare d:day p:in_part", _on_part),
    Rule("moment", "d:day p:in_part AT|COMMA? t:zoned|bare", _on_part),
    Rule("moment", "d:day COMMA? p:in_part t:range_of_times", _on_part_range),
    Rule("moment", "r:REL p:part", _this_part),
    Rule("moment", "THE? p:part r:RELPOST", _this_part),
    Rule("moment", "e:EARLY|LATE? x:part_ref", _part_ref),
    Rule("moment", "x:DAYPART", _day_part),
    Rule("moment", "x:DAYPART COMMA? t:clock_time|bare", _day_part_at),
    Rule("moment", "d:day DASH t:clock_time", _at),
    Rule("moment", "d:day COMMA? t:bare_range", _at),
    Rule("moment", "x:part_ref COMMA? t:clock_time|bare", _part_ref_at),
    Rule("moment", "t:clock_time x:part_ref", _part_ref_at),
    Rule("moment", "x:part_ref ABOUT t:bare", _part_ref_at),
    Rule("moment", "t:bare x:PARTREF", _part_ref_at),
    Rule("bare_part", "t:bare x:part_ref", _part_ref_at),
    Rule("moment", "t:bare OR u:zoned", _either_hour),
    Rule("moment", "IN|DURING|AT|ABOUT THE? p:part", lambda c: c.node("p")),
    Rule("moment", "e:EARLY|LATE IN|DURING THE? p:part_name", part),
    Rule("moment", "p:PARTADV", part),
    Rule("moment", "t:time", lambda c: c.node("t")),
)  # fmt: skip


_RANGES = (
    Rule("to", "TO|UNTIL|DASH|THROUGH THE?", lambda _: 0),
    Rule("and", "AND THE?", lambda _: 0),
    Rule("range", "BETWEEN THE? a:day_number +DOT? and b:day_number +DOT? OF? m:month COMMA? y:year?", _days_of_month),
    Rule("range", "BETWEEN m:month THE? a:day_number +DOT? and b:day_number COMMA? y:year?", _days_of_month),
    Rule("range", "BETWEEN THE? a:ordinal and b:ordinal", _days),
    Rule("range", "BETWEEN a:month and b:month OF|COMMA? y:year", _months_of_year),
    Rule("range", "BETWEEN a:Y4 and b:Y4|MI", _years),
    Rule("range", "from? a:day_number +DOT? to b:day_number +DOT? OF? m:month COMMA? y:year?", _days_of_month),
    Rule("range", "THE a:day_number +DOT? to b:day_number +DOT? OF? m:month COMMA? y:year?", _days_of_month),
    Rule("from", "FROM|BETWEEN THE?", lambda _: 0),
    Rule("range", "FROM|BETWEEN? m:month from? a:day_number +DOT? to b:day_number COMMA? y:year?", _days_of_month),
    Rule("range", "FROM|BETWEEN? THE a:ordinal to b:ordinal", _days),
    Rule("range", "FROM|BETWEEN? a:month to b:month OF|COMMA? y:year", _months_of_year),
    Rule("range", "FROM|BETWEEN? a:Y4 to b:Y4|MI", _years),
    Rule("edge_time", "t:time|zoned|bare", lambda c: c.node("t")),
    Rule("edge_time", "p:in_part", lambda c: c.node("p")),
    Rule("edge_moment", "m:moment", lambda c: c.node("m")),
    Rule("edge_moment", "t:bare", lambda c: c.node("t")),
    Rule("range_of_times", "FROM a:edge_time TO|UNTIL|DASH b:edge_time", _range),
    Rule("range_of_times", "BETWEEN a:edge_time AND|TO|DASH b:edge_time", _range),
    Rule("range_of_times", "a:zoned|time DASH|TO|UNTIL b:edge_time", _range_without_from),
    Rule("range_of_times", "a:bare DASH|TO|UNTIL b:zoned", _range),
    Rule("bare_range", "a:bare DASH|TO|UNTIL b:bare", _range),
    Rule("range_of_times", "AT? a:bare DASH b:zoned", _range),
    Rule("range", "FROM a:edge_moment TO|UNTIL|DASH b:edge_moment", _range),
    Rule("range", "BETWEEN a:edge_moment AND|TO|DASH b:edge_moment", _range),
    Rule("range", "a:moment TO|UNTIL|THROUGH b:edge_moment", _range_without_from),
    Rule("range", "a:moment DASH b:edge_moment", _range_with_dash),
    Rule("range", "t:range_of_times", lambda c: c.node("t")),
)  # fmt: skip


_OPEN = (
    Rule("bound_time", "BEFORE p:edge_time", _bound("before")),
    Rule("bound_time", "AFTER p:edge_time", _bound("after")),
    Rule("bound_time", "UNTIL p:edge_time", _bound("until")),
    Rule("bound_time", "BY p:edge_time", _bound("by")),
    Rule("bound_time", "SINCE p:edge_time", _bound("since")),
    Rule("bound_time", "EVERSINCE p:edge_time", _bound("since", past=True)),
    Rule("bound_time", "p:time ORLATER", _bound("since")),
    Rule("bound_time", "p:time OREARLIER", _bound("until")),
    Rule("bound", "BEFORE|SOONERTHAN THE? p:moment|bare_part", _bound("before")),
    Rule("bound", "AFTER|LATERTHAN THE? p:moment|bare_part", _bound("after")),
    Rule("bound", "UNTIL THE? p:moment|bare_part", _bound("until")),
    Rule("bound", "BY THE? p:moment|bare_part", _bound("by")),
    Rule("bound", "EVERSINCE THE? p:moment", _bound("since", past=True)),
    Rule("bound", "SINCE THE? p:moment", _bound("since")),
    Rule("bound", "MORE p:shift", lambda c: Bound("after", c.node("p")) if isinstance(c.node("p"), Offset) else None),
    Rule("bound", "p:moment ORLATER", _bound("since")),
    Rule("bound", "p:moment OREARLIER", _bound("until")),
    Rule("bound", "p:bound_time", lambda c: c.node("p")),
)

_LASTING = (
    Rule("lasting", "FOR|DURING a:amounts COMMA? FROM|SINCE|STARTING THE? p:moment", _lasting),
    Rule("lasting", "a:amounts COMMA FROM|SINCE|STARTING THE? p:moment", _lasting),
    Rule("lasting", "a:amounts STARTING THE? p:moment", _lasting_from),
    Rule("lasting", "STARTING FROM? p:moment FOR a:amounts", _lasting),
    Rule("lasting", "FROM p:moment FOR a:amounts", _lasting),
    Rule("limit", "WITHIN a:length", lambda c: Range(Now(), _later(c))),
    Rule("limit", "WITHIN THE? p:shift", lambda c: c.node("p")),
    Rule("limit", "WITHIN THE u:UNIT", lambda c: _one_more(c)),
)


def _one_more(caught: Caught) -> Node | None:
    """ "Within the hour"."""
    length = amount(1, caught.name("u"))
    return Range(Now(), Offset(length, 1, Now())) if length else None


def _later(caught: Caught) -> Node:
    amount = caught.node("a")
    assert isinstance(amount, Amount)
    return Offset(amount, 1, Now())


# Of two that are equally long the first counts.
_TOP = (
    Rule("expression", "e:range", lambda c: c.node("e")),
    Rule("expression", "e:bound", lambda c: c.node("e")),
    Rule("expression", "e:lasting|limit", lambda c: c.node("e")),
    Rule("expression", "e:moment", lambda c: c.node("e")),
    Rule("expression", "e:set", lambda c: c.node("e")),
    Rule("expression", "FOR? e:length", lambda c: c.node("e")),
)

RULES = (*_MOMENTS, *_RANGES, *_OPEN, *_LASTING, *_TOP)
