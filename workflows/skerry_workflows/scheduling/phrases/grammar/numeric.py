"""Dates in figures. Which is the day and which the month depends on the writer, so that the reading may be doubtful."""

from __future__ import annotations

from collections.abc import Iterator

from skerry_workflows.scheduling.phrases.nodes import Clock, Either, Fields, Node, Within
from skerry_workflows.scheduling.phrases.parser import Caught, Rule

SWAPPED = "day and month may be the other way round"


def _valid(year: int | None, month: int, day: int) -> Fields | None:
    longest = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return Fields(year, month, day) if 1 <= month <= 12 and 1 <= day <= longest[month - 1] else None


def dated(first: int, second: int, year: int | None, order: str, sign: str) -> Node | None:
    """The date of two numbers. With dots it is the day that is first, everywhere."""
    day_first, month_first = _valid(year, second, first), _valid(year, first, second)
    if sign == "DOT":
        return day_first or (month_first if year is not None else None)
    likelier, other = (month_first, day_first) if order == "mdy" else (day_first, month_first)
    if likelier and other and likelier != other:
        return Either(likelier, other, SWAPPED) if order != "ymd" else likelier
    return likelier or other


def _dashed(first: int, second: int, order: str) -> Fields | None:
    """ "Friday 7-16" in the language's order; "Monday 9-11" is from 9 to 11."""
    if first < second <= (12 if order == "mdy" else 24):
        return None
    return _valid(None, first, second) if order == "mdy" else _valid(None, second, first)


def _iso(caught: Caught) -> Node | None:
    return _valid(caught.number("y"), caught.number("m"), caught.number("d"))


def _instant(caught: Caught) -> Node | None:
    """RFC 3339 and its like; the zone, where it is Z or an offset, is kept."""
    day = _iso(caught)
    if day is None or caught.number("h") > 24 or caught.number("n") > 59:
        return None
    return Within(day, Clock(caught.number("h"), caught.number("n"), caught.maybe("s"), "24", caught.name("z") or None))


def rules(order: str) -> Iterator[Rule]:
    """The rules, for a language's usual order."""
    for sign in ("SLASH", "DASH", "DOT"):

        def build(caught: Caught, sign: str = sign) -> Node | None:
            return dated(caught.number("a"), caught.number("b"), caught.maybe("y"), order, sign)

        yield Rule("figures", f"a:DD +{sign} +b:DD +{sign} +y:Y4|Y2", build)
        yield Rule("figures", f"y:Y4 +{sign} +m:MM +{sign} +d:DD", _iso)
    yield Rule(
        "figures",
        "a:DD DOT b:DD DOT y:Y4|Y2",
        lambda c: dated(c.number("a"), c.number("b"), c.number("y"), order, "DOT"),
    )
    yield Rule("figures", "a:DD +SLASH +b:DD", lambda c: dated(c.number("a"), c.number("b"), None, order, "SLASH"))
    if order == "dmy":
        yield Rule("figures", "a:DD +DOT +b:MM +DOT", lambda c: dated(c.number("a"), c.number("b"), None, order, "DOT"))
    # "7-6" and "7.6" are dates only beside a weekday, or after a word for "on the".
    yield Rule("two_figures", "a:DD +DASH +b:DD", lambda c: _dashed(c.number("a"), c.number("b"), order))
    yield Rule("two_figures", "a:DD +DOT +b:MM", lambda c: dated(c.number("a"), c.number("b"), None, order, "DOT"))
    yield Rule("instant", "y:Y4 +DASH +m:MM +DASH +d:DD +TMARK +h:HH +COLON +n:MI +z:UTCMARK?", _instant)
    yield Rule("instant", "y:Y4 +DASH +m:MM +DASH +d:DD +TMARK +h:HH +COLON +n:MI +COLON +s:MI +z:UTCMARK?", _instant)
