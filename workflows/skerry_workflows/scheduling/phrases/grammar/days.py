"""Dates, and stretches of the calendar from a day to a century."""

from __future__ import annotations

from collections.abc import Callable

from skerry_workflows.scheduling.phrases.nodes import (
    Amount,
    Block,
    Bound,
    Doubtful,
    Edge,
    Either,
    Fields,
    Named,
    Node,
    Now,
    Nth,
    Offset,
    Part,
    Range,
    Relative,
    SameClock,
    Shift,
    Within,
    Years,
)
from skerry_workflows.scheduling.phrases.parser import Caught, Rule

WEEKDAY_NAMES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
"""As rules of recurrence and tables of words know them."""


def _date(caught: Caught) -> Fields | None:
    day = caught.maybe("d")
    if day is not None and not 1 <= day <= 31:
        return None
    if (caught.maybe("m") == 2 and (day or 0) > 29) or (caught.maybe("m") in (4, 6, 9, 11) and (day or 0) > 30):
        return None
    return Fields(caught.maybe("y"), caught.maybe("m"), day, caught.maybe("w"))


def _fitting(caught: Caught) -> Node | None:
    """A date in figures beside a weekday, which tells the day from the month."""
    return _with_weekday(caught, fitting=True)


def _with_weekday(caught: Caught, fitting: bool = False) -> Node | None:
    weekday = caught.number("w")

    def put(node: Node) -> Node | None:
        if isinstance(node, Either):
            one, two = put(node.first), put(node.second)
            return Either(one, two, node.reason) if one and two else None
        if not isinstance(node, Fields) or node.day is None or node.weekday is not None:
            return None
        return Fields(node.year, node.month, node.day, weekday, fitting)

    return put(caught.node("d"))


def _relative(caught: Caught, coming: bool = False) -> Node:
    offset = caught.number("r", 1)
    if "w" in caught:
        return Relative(Fields(weekday=caught.number("w")), offset, coming)
    if "m" in caught:
        return Relative(Fields(month=caught.number("m"), day=caught.maybe("d")), offset, coming)
    of = caught.node("n")
    assert isinstance(of, Named)
    return Relative(of, offset, coming)


def _shift(caught: Caught) -> Node:
    unit, offset = caught.name("u"), caught.number("r", 0)
    if unit == "weekend":
        return Relative(Named("weekend", ""), offset)
    if unit == "night":
        return Within(Shift("day", offset), Part("night"))
    if unit in ("hour", "minute", "second"):
        # "The next hour" begins now; "this hour" is the one of the clock.
        return Block(unit, 1, offset > 0) if offset else Shift(unit, 0)
    return Shift({"workday": "day"}.get(unit, unit), offset)


def _block(caught: Caught) -> Node | None:
    if not 0 < caught.real("c") <= 1000:
        return None
    direction = caught.number("r", 1)
    return Block(caught.name("u"), caught.real("c"), direction > 0) if direction else None


def _nth(caught: Caught) -> Node | None:
    unit = f"weekday {caught.number('w')}" if "w" in caught else caught.name("u")
    number = caught.number("k") if "k" in caught else -1 if "l" in caught else caught.number("o", 1)
    count = caught.real("c") if "c" in caught else 1
    return Nth(number, unit, caught.node("p"), int(count)) if 0 < abs(number) <= 53 and 1 <= count <= 60 else None


def _coming(caught: Caught) -> Node:
    """ "The coming week"; the coming weekend is this week's."""
    unit = caught.name("u")
    return Relative(Named("weekend", ""), 0) if unit == "weekend" else Shift(unit, 1)


def _weekend_by(caught: Caught, week: str, days: int) -> Node | None:
    """The weekend of a day, before it or after it."""
    day = caught.node("p")
    if grain_of(day) != "day":
        return None
    return Within(Edge(week, Offset(Amount(days=days), 1, day) if days else day), Named("weekend", ""))


def _closest(caught: Caught) -> Node | None:
    """ "The closest Monday to October 5"."""
    day = caught.node("p")
    return Edge(f"closest {caught.number('w')}", day) if grain_of(day) == "day" else None


def _weekdays_away(caught: Caught, sign: int) -> Node | None:
    """ "Two Mondays ago", "in three Fridays"."""
    name, count = caught.name("d"), caught.real("c")
    if name not in WEEKDAY_NAMES or count % 1 or not 0 < count < 60:
        return None
    weekday = Relative(Fields(weekday=WEEKDAY_NAMES.index(name)), 1, coming=True)
    return Offset(Amount(days=7 * (count if sign < 0 else count - 1), unit="day"), sign, weekday)


def _nth_few(caught: Caught) -> Node | None:
    """ "The first few days of June"."""
    number = caught.number("o", -1)
    if number not in (1, -1):
        return None
    return Doubtful(Nth(number, caught.name("u"), caught.node("p"), 3), "how many?")


def _several(caught: Caught) -> Node | None:
    """ "The coming weeks": more than one, and nobody says how many."""
    direction = caught.number("r", 1)
    return Doubtful(Block(caught.name("u"), 3, direction > 0), "how many?") if direction else None


def _beyond(caught: Caught, day: Node) -> Node | None:
    """So many weeks after a day: "Friday week", "a fortnight tomorrow"."""
    if "n" in caught:
        return Offset(Amount(days=caught.number("n"), unit="day"), 1, day)
    amount = caught.node("a")
    assert isinstance(amount, Amount)
    return (
        Offset(amount, 1, day) if amount.unit in ("week", "fortnight", "month", "year") and not amount.about else None
    )


def _quarter_first(caught: Caught) -> Node | None:
    """ "3Q26"."""
    number = caught.number("n")
    return Named("quarter", str(number), caught.maybe("y")) if number <= 4 else None


def _offset(sign: int, anchor: Node | None = None) -> Callable[[Caught], Node | None]:
    def build(caught: Caught) -> Node | None:
        amount, start = caught.node("a"), anchor or caught.node("p")
        assert isinstance(amount, Amount)
        # "For 15 minutes from Monday on" says how long, and from when.
        is_part = amount.seconds and not amount.days and not amount.months
        return None if is_part and isinstance(start, Fields | Relative) else Offset(amount, sign, start)

    return build


def _weekday_in(caught: Caught) -> Node | None:
    """ "Mittwoch in einer Woche": so long after the first one."""
    return _beyond(caught, Fields(weekday=caught.number("w")))


def _decade(caught: Caught) -> Node | None:
    first = caught.number("y")
    if first < 100:
        first += 1900 if first >= 30 else 2000
    return Years(first, 10) if first % 10 == 0 else None


def _named(caught: Caught) -> Node:
    for label in ("season", "holiday"):
        if label in caught:
            return Named("season" if label == "season" else "holiday", caught.name(label), caught.maybe("y"))
    return Named("quarter" if "quarter" in caught else "half", str(caught.number("n")), caught.maybe("y"))


def _era(caught: Caught) -> Fields | None:
    year = caught.number("e") + caught.number("n")
    return Fields(year, caught.maybe("m"), caught.maybe("d")) if year < 2200 else None


def _week_of(caught: Caught) -> Node | None:
    """ "The week of December 7": the one that the day is in."""
    day = caught.node("p")
    return Edge("week 0", day) if caught.name("u") == "week" and grain_of(day) == "day" else None


def _unit_beside(caught: Caught, sign: int) -> Node | None:
    """ "The day after Thanksgiving", "the week before Christmas"."""
    unit, anchor = caught.name("u"), caught.node("p")
    if unit == "week":
        return Edge(f"week {sign}", anchor)
    return Offset(Amount(days=1), sign, anchor) if unit == "day" else None


def _rest(caught: Caught) -> Node | None:
    """ "The rest of the week", of this week."""
    return None if caught.number("r", 0) else Edge("rest", Shift(caught.name("u"), 0))


def _century(caught: Caught) -> Node | None:
    """ "The 21st century"; it is not said of the first ones."""
    number = caught.number("n")
    return Years(100 * (number - 1), 100) if 10 <= number <= 22 else None


_DATES = (
    # ---- with the month in words -------------------------------------------------------------------------------------
    Rule("date", "THE? d:day_number +DOT? OF? THE? m:month", _date),
    Rule("date", "THE? d:day_number +DOT? OF? m:month OF|COMMA? y:year", _date),
    Rule("date", "THE? d:day_number +DASH|SLASH +m:month +DASH|SLASH +y:year|Y2", _date),
    Rule("date", "THE? d:day_number DASH? m:month QUOTE? y:Y2", _date),
    Rule("date", "d:DD +SLASH +m:month", _date),
    Rule("date", "y:year +SLASH +m:month +SLASH +d:DD", _date),
    Rule("date", "m:month DASH? THE? d:day_number", _date),
    Rule("date", "m:month d:NUM", lambda c: _date(c) if c.number("d") >= 20 else None),
    Rule("date", "m:month THE? d:day_number OF|COMMA? y:year", _date),
    Rule("date", "y:year COMMA|DASH? m:month DASH? d:day_number", _date),
    Rule("date", "y:INT YEARMARK m:INT|NUM MONTHMARK d:INT|NUM DAYMARK?", _date),
    Rule("date", "m:INT|NUM MONTHMARK d:INT|NUM DAYMARK", _date),
    Rule("date", "THE? d:DD +DOT m:ORD +DOT? y:year", lambda c: _date(c) if c.number("m") <= 12 else None),
    Rule("date", "d:figures", lambda c: c.node("d")),
    # ---- with a weekday ----------------------------------------------------------------------------------------------
    Rule("full_date", "d:date", lambda c: c.node("d")),
    Rule("full_date", "REL? w:weekday COMMA|DASH? ON? THE? d:figures|two_figures", _fitting),
    Rule("full_date", "REL? w:weekday COMMA|DASH? ON? THE? d:date", _with_weekday),
    Rule("full_date", "REL? w:weekday LP THE? d:figures|two_figures RP", _fitting),
    Rule("full_date", "REL? w:weekday LP THE? d:date RP", _with_weekday),
    Rule("full_date", "d:date COMMA? w:weekday", _with_weekday),
    Rule("full_date", "d:date LP w:weekday RP", _with_weekday),
    Rule("full_date", "w:weekday COMMA? THE? d:ordinal", _date),
    Rule("full_date", "w:weekday THEDAY d:DD|NUM", _date),
    Rule("full_date", "THEDAY d:two_figures", lambda c: c.node("d")),
    Rule("full_date", "THE|ON d:ordinal", lambda c: Fields(day=c.number("d")) if 4 <= c.number("d") <= 31 else None),
    Rule("full_date", "ON THE d:ordinal", lambda c: Fields(day=c.number("d")) if 1 <= c.number("d") <= 31 else None),
    Rule("full_date", "THEDAY d:DD +DOT?", lambda c: Fields(day=c.number("d"))),
    Rule("weekday", "w:WEEKDAY +DOT?", lambda c: c.number("w")),
    Rule("month", "m:MONTH +DOT?", lambda c: c.number("m")),
)  # fmt: skip

_STRETCHES = (
    Rule("stretch", "w:weekday", _date),
    Rule("stretch", "m:month OF|COMMA|DASH|SLASH? y:year", _date),
    Rule("stretch", "m:month QUOTE y:Y2", _date),
    Rule("stretch", "y:year DASH|SLASH? m:month", _date),
    Rule("stretch", "m:month", _date),
    Rule("stretch", "m:MM +SLASH +y:Y4", _date),
    Rule("stretch", "y:year", lambda c: Fields(year=c.number("y")) if 1700 <= c.number("y") <= 2199 else None),
    Rule("stretch", "THE? YEARWORD y:year", lambda c: Fields(year=c.number("y"))),
    Rule("stretch", "y:INT YEARMARK", lambda c: Fields(year=c.number("y")) if c.number("y") > 1000 else None),
    Rule("stretch", "y:INT YEARMARK m:INT|NUM MONTHMARK", _date),
    Rule("stretch", "m:INT|NUM MONTHMARK", _date),
    Rule("stretch", "e:ERA n:INT|NUM YEARMARK", _era),
    Rule("stretch", "e:ERA n:INT|NUM YEARMARK m:INT|NUM MONTHMARK d:INT|NUM DAYMARK", _era),
    Rule("stretch", "THE? y:INT +DECADEMARK", _decade),
    Rule("stretch", "THE? DECADEPRE y:INT", _decade),
    Rule("stretch", "THE? season:SEASON OF? y:year", _named),
    Rule("stretch", "THE? season:SEASON", _named),
    Rule("stretch", "holiday:HOLIDAY COMMA|OF|IN? y:year?", _named),
    Rule("stretch", "quarter:QMARK +n:MM COMMA|OF|DASH|SLASH? y:year?", lambda c: _up_to(c, 4)),
    Rule("stretch", "y:year DASH|SLASH? quarter:QMARK +n:MM", lambda c: _up_to(c, 4)),
    Rule("stretch", "THE? n:ordinal quarter:QUARTERWORD OF|COMMA? y:year?", lambda c: _up_to(c, 4)),
    Rule("stretch", "y:year THE? n:ordinal quarter:QUARTERWORD", lambda c: _up_to(c, 4)),
    Rule("stretch", "THE? n:ordinal half:HALF OF? THE? y:year", lambda c: _up_to(c, 2)),
    Rule("stretch", "half:HMARKNAME +n:MM y:year?", lambda c: _up_to(c, 2)),
    Rule("weekend", "THE? WEEKEND", lambda _: Named("weekend", "")),
    Rule("stretch", "THE? WEEKWORD n:INT OF? y:year?", lambda c: Nth(
        c.number("n"), "isoweek", Fields(year=c.number("y")) if "y" in c else Shift("year", 0))
        if 1 <= c.number("n") <= 53 else None),
)  # fmt: skip


def _up_to(caught: Caught, most: int) -> Node | None:
    return _named(caught) if 1 <= caught.number("n") <= most else None


_RELATIVE = (
    Rule("shift", "r:DAYREF", lambda c: Shift("day", c.number("r"))),
    Rule("shift", "THE? r:REL u:UNITS", _several),
    Rule("shift", "THE? u:UNITS r:RELPOST", _several),
    Rule("shift", "THE? r:REL u:UNIT", _shift),
    Rule("shift", "THE? u:UNIT r:RELPOST", _shift),
    Rule("shift", "THE? r:REL WEEKEND", lambda c: Relative(Named("weekend", ""), c.number("r"))),
    Rule("shift", "THE? WEEKEND r:RELPOST", lambda c: Relative(Named("weekend", ""), c.number("r"))),
    Rule("shift", "THE? SAME u:UNIT", lambda c: Doubtful(_shift(c), "which one is meant?")),
    Rule(
        "shift",
        "THE? SAME u:UNIT OF? o:shift",
        lambda c: Doubtful(SameClock(c.node("o")), "which one is meant?") if c.name("u") == "day" else None,
    ),
    Rule("shift", "THE? SAMETIME ON|IN? THE? o:day", lambda c: Doubtful(c.node("o"), "at which time?")),
    Rule("shift", "THE? r:REL w:weekday", _relative),
    Rule("shift", "THE? r:REL m:month", _relative),
    Rule("shift", "THE? r:REL m:month THE? d:day_number", _relative),
    Rule("shift", "THE? w:weekday r:RELPOST", _relative),
    Rule("shift", "THE? m:month r:RELPOST", _relative),
    Rule("shift", "THE? r:REL n:named", _relative),
    Rule("shift", "THE? n:named r:RELPOST", _relative),
    Rule("shift", "THE|THIS? COMING w:weekday", lambda c: _relative(c, coming=True)),
    Rule("shift", "THE|THIS? COMING u:UNITS", _several),
    Rule("shift", "THE|THIS? COMING u:UNIT", _coming),
    Rule("shift", "THE|THIS? COMING WEEKEND", lambda _: Relative(Named("weekend", ""), 0)),
    Rule("shift", "THE? WEEKEND OF THE? p:full_date|stretch", lambda c: _weekend_by(c, "week 0", 0)),
    Rule("shift", "THE? WEEKEND BEFORE p:anchor", lambda c: _weekend_by(c, "week -1", 0)),
    Rule("shift", "THE? WEEKEND AFTER p:anchor", lambda c: _weekend_by(c, "week 0", 2)),
    Rule("shift", "holiday:HOLIDAY u:UNIT", lambda c: Edge("week 0", _named(c)) if c.name("u") == "week" else None),
    Rule("shift", "THE? CLOSEST w:weekday TO THE? p:full_date|stretch|shift", _closest),
    Rule("shift", "c:count d:WEEKDAYS AGO", lambda c: _weekdays_away(c, -1)),
    Rule("shift", "c:count d:WEEKDAYS HENCE", lambda c: _weekdays_away(c, 1)),
    Rule("shift", "INDUR c:count d:WEEKDAYS", lambda c: _weekdays_away(c, 1)),
    Rule("shift", "THE|THIS? COMING c:count u:UNIT", _block),
    Rule("shift", "THE|THIS? COMING n:named", lambda c: _relative(c, coming=True)),
    Rule("named", "season:SEASON", _named),
    Rule("named", "holiday:HOLIDAY", _named),
    Rule("shift", "THE? r:REL c:count u:UNIT", _block),
    Rule("shift", "THE? c:count r:REL u:UNIT", _block),
    Rule("shift", "THE? c:count u:UNIT r:RELPOST", _block),
    Rule("shift", "THE? r:REL FEW u:UNIT", lambda c: Doubtful(Block(c.name("u"), 3, c.number("r") > 0), "how many?")),
    Rule("shift", "THE? r:REL A? COUPLE OF? u:UNIT", lambda c: Block(c.name("u"), 2, c.number("r") > 0)),
    # ---- so many units before and after ------------------------------------------------------------------------------
    Rule("shift", "a:length AGO", _offset(-1, Now())),
    Rule("shift", "AGOPRE a:length", _offset(-1, Now())),
    Rule("shift", "WITHIN? INDUR a:length", _offset(1, Now())),
    Rule(
        "shift",
        "r:DAYREF INDUR a:length",
        lambda c: _offset(1, Shift("day", c.number("r")) if c.number("r") else Now())(c),
    ),
    Rule("shift", "a:length HENCE", _offset(1, Now())),
    Rule("shift", "a:length AFTER|FROM p:anchor", _offset(1)),
    Rule("shift", "a:length BEFORE p:anchor", _offset(-1)),
    Rule("shift", "NOW PLUS a:length", _offset(1, Now())),
    # "Friday week", "a week on Friday", "two weeks tomorrow": counted from the first such day.
    Rule("shift", "w:weekday n:WEEKON", lambda c: _beyond(c, Fields(weekday=c.number("w")))),
    Rule("shift", "r:DAYREF n:WEEKON", lambda c: _beyond(c, Shift("day", c.number("r")))),
    Rule("shift", "a:amounts ONDAY w:weekday", lambda c: _beyond(c, Fields(weekday=c.number("w")))),
    Rule("shift", "a:amounts r:DAYREF", lambda c: _beyond(c, Shift("day", c.number("r")))),
    Rule("shift", "w:weekday INDUR a:length", _weekday_in),
    # ---- counted inside of something ---------------------------------------------------------------------------------
    Rule("shift", "THE? o:ordinal u:UNIT OF|IN|FROM THE? p:outer", _nth),
    Rule("shift", "THE? o:ordinal w:weekday OF|IN|FROM THE? p:outer", _nth),
    Rule("shift", "THE? l:LAST u:UNIT OF|IN|FROM THE? p:outer", _nth),
    Rule("shift", "THE? l:LAST w:weekday OF|IN|FROM THE? p:outer", _nth),
    Rule("shift", "THE? k:NTHLAST w:weekday OF|IN|FROM THE? p:outer", _nth),
    Rule("shift", "THE? k:NTHLAST u:UNIT OF|IN|FROM THE? p:outer", _nth),
    Rule("shift", "THE? o:ordinal|LAST FEW u:UNIT OF|IN|FROM THE? p:outer", _nth_few),
    Rule("shift", "THE? o:ordinal c:count u:UNIT OF|IN|FROM THE? p:outer", _nth),
    Rule("shift", "THE? l:LAST c:count u:UNIT OF|IN|FROM THE? p:outer", _nth),
    Rule("shift", "AT? THE? e:EDGE OF THE? p:outer", lambda c: Edge(c.name("e"), c.node("p"))),
    Rule("shift", "AT? THE? e:EDGEPRE DASH? OF? THE? p:outer", lambda c: Edge(c.name("e"), c.node("p"))),
    Rule("shift", "AT? THE? e:EDGE OF THE? u:UNIT", lambda c: Edge(c.name("e"), Shift(c.name("u"), 0))),
    Rule("shift", "AT|BY? THE? u:EDGEUNIT", lambda c: Edge(*_edge_unit(c.name("u")))),
    Rule(
        "shift",
        "e:DAYEDGE ON? p:full_date|shift|weekday_alone",
        lambda c: Edge(c.name("e"), c.node("p")) if grain_of(c.node("p")) == "day" else None,
    ),
    Rule("weekday_alone", "w:weekday", _date),
    Rule(
        "shift",
        "THE? WEEKOF ON? THE? p:full_date|shift",
        lambda c: Edge("week 0", c.node("p")) if grain_of(c.node("p")) == "day" else None,
    ),
    Rule("shift", "u:EDGEUNIT OF|ON? p:outer", lambda c: Edge(_edge_unit(c.name("u"))[0], c.node("p"))),
    Rule(
        "shift",
        "THE? n:ordinal HALF OF THE? p:outer",
        lambda c: Edge(f"half {c.number('n')}", c.node("p")) if c.number("n") <= 2 else None,
    ),
    Rule(
        "shift",
        "THE? n:ordinal HALF OF THE? u:UNIT",
        lambda c: Edge(f"half {c.number('n')}", Shift(c.name("u"), 0)) if c.number("n") <= 2 else None,
    ),
    Rule(
        "shift",
        "THE? n:ordinal quarter:QUARTERWORD OF THE? o:shift",
        lambda c: finer(c.node("o"), _named(c)) if c.number("n") <= 4 else None,
    ),
    Rule("shift", "REST OF THE? r:REL? u:UNIT", _rest),
    Rule("shift", "u:TODATE", lambda c: Range(Edge("from", Shift(c.name("u"), 0)), Now())),
    Rule("shift", "THE? u:UNIT OF THE? p:full_date|stretch|shift", _week_of),
    Rule("shift", "THE? u:UNIT AFTER p:anchor", lambda c: _unit_beside(c, 1)),
    Rule("shift", "THE? u:UNIT BEFORE p:anchor", lambda c: _unit_beside(c, -1)),
    Rule("shift", "e:EARLY|LATE IN THE u:UNIT", lambda c: Edge(c.name("e"), Shift(c.name("u"), 0))),
    Rule("stretch", "THE? n:ordinal CENTURY", _century),
    Rule("stretch", "THE y:DECADEWORD", _decade),
    Rule("stretch", "n:MM +QMARK y:year?", _quarter_first),
    Rule("stretch", "n:MM +QMARK +y:Y4|Y2", _quarter_first),
    Rule("stretch", "quarter:QMARK +n:MM SLASH|QUOTE +y:Y2", lambda c: _up_to(c, 4)),
    Rule("shift", "e:EARLY|LATE IN? THE? p:outer", lambda c: Edge(c.name("e"), c.node("p"))),
    Rule("outer", "p:weekend|stretch|shift|date", lambda c: c.node("p")),
    Rule("outer", "u:UNIT", lambda c: Shift(c.name("u"), 0)),
    Rule("anchor", "THE? p:full_date|weekend|stretch|shift", lambda c: c.node("p")),
    Rule("anchor", "p:time", lambda c: c.node("p")),
)


def _edge_unit(name: str) -> tuple[str, Node]:
    which, _, unit = name.partition(" ")
    return which, Shift(unit, 0)


_DAYS = (
    Rule("one_day", "ON|IN|DURING? d:full_date|weekend|shift|stretch", lambda c: c.node("d")),
    # The finer one inside of the coarser one, in either order; the resolver refuses what does not fit.
    Rule("day", "d:one_day", lambda c: c.node("d")),
    Rule("day", "i:one_day OF|IN|COMMA? THE? o:shift|stretch", lambda c: finer(c.node("o"), c.node("i"))),
    Rule("day", "THE? i:day_number OF o:shift",
         lambda c: finer(c.node("o"), Fields(day=c.number("i")))),
    Rule("day", "ON? THE? i:ordinal OF THE? u:UNIT", lambda c: Fields(day=c.number("i"))
         if c.name("u") == "month" and 1 <= c.number("i") <= 31 else None),
    Rule("day", "o:shift COMMA? ON|IN? i:full_date|stretch", lambda c: finer(c.node("o"), c.node("i"))),
)  # fmt: skip

RULES = (*_DATES, *_STRETCHES, *_RELATIVE, *_DAYS)

_COARSE = ("day", "week", "weekend", "month", "quarter", "year", "decade", "century")


def grain_of(node: Node) -> str:
    """How coarse a stretch is, as far as that is known before it is resolved."""
    match node:
        case Fields():
            if node.day is not None or node.weekday is not None:
                return "day"
            return "month" if node.month is not None else "year"
        case Shift() | Block():
            return {"fortnight": "week"}.get(node.unit, node.unit)
        case Relative():
            return grain_of(node.of)
        case Named(what="season"):
            return "quarter"
        case Named():
            return {"weekend": "weekend", "quarter": "quarter", "half": "quarter", "holiday": "day"}[node.what]
        case Nth():
            return "day" if node.unit.startswith("weekday") else {"isoweek": "week"}.get(node.unit, node.unit)
        case Within():
            return grain_of(node.inner)
        case Either():
            return grain_of(node.first)
        case Doubtful():
            return grain_of(node.node)
        case Years():
            return "decade"
        case Offset():
            return {"night": "day", "workday": "day", "fortnight": "week"}.get(node.amount.unit, node.amount.unit)
        case SameClock():
            return "day"
        case Edge(which=which):
            return "week" if which.startswith("week") else grain_of(node.outer)
        case Bound():
            return grain_of(node.node)
        case _:
            return "hour"


def finer(outer: Node, inner: Node) -> Node | None:
    """The inner one inside of the outer one, where it is the finer of the two."""
    coarse, fine = grain_of(outer), grain_of(inner)
    if coarse not in _COARSE or fine not in _COARSE or _COARSE.index(fine) >= _COARSE.index(coarse):
        return None
    # A bare weekday is one of a week: "Monday in March" is none in particular.
    if (
        isinstance(inner, Fields)
        and inner.day is None
        and inner.weekday is not None
        and coarse not in ("week", "weekend")
    ):
        return None
    # A date that is fixed already needs no outer one, and a moment is none.
    if isinstance(inner, Shift | Relative | Block | Offset) or (isinstance(inner, Fields) and inner.year):
        return None
    return Within(outer, inner)
