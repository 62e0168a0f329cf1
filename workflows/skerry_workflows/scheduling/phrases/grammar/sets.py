"""What recurs: "every Tuesday and Thursday at 9", "weekly on Mondays", "the first Monday of every month"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from skerry_workflows.scheduling.phrases.grammar.days import WEEKDAY_NAMES as DAYS
from skerry_workflows.scheduling.phrases.grammar.spans import kind_of
from skerry_workflows.scheduling.phrases.nodes import Every, Fields, Node
from skerry_workflows.scheduling.phrases.parser import Caught, Rule

_WORKDAYS = ",".join(DAYS[:5])
_FREQUENCIES = {
    "day": "FREQ=DAILY", "night": "FREQ=DAILY", "workday": f"FREQ=WEEKLY;BYDAY={_WORKDAYS}", "week": "FREQ=WEEKLY",
    "weekend": "FREQ=WEEKLY;BYDAY=SA,SU", "fortnight": "FREQ=WEEKLY;INTERVAL=2", "month": "FREQ=MONTHLY",
    "quarter": "FREQ=MONTHLY;INTERVAL=3", "year": "FREQ=YEARLY",
}  # fmt: skip


def _unit(caught: Caught) -> Node:
    """ "Every day", "every other week", "every third month"."""
    rule = _FREQUENCIES.get(caught.name("u"), "")
    return Every(_each(rule, _step(caught)))


def _step(caught: Caught) -> float:
    return caught.real("n") if "n" in caught else 2 if "o" in caught else 1


def _each(rule: str, step: float) -> str:
    """The rule with an interval; none where it has one already, or counts in parts."""
    if step == 1 or not rule:
        return rule
    return f"{rule};INTERVAL={step:.0f}" if step % 1 == 0 and 1 < step < 100 and ";" not in rule else ""


def _weekdays(caught: Caught) -> Node:
    """ "Every Monday", "every other Tuesday", "every Monday, Wednesday and Friday"."""
    rule = _each("FREQ=WEEKLY", _step(caught))
    return Every(f"{rule};BYDAY={caught.name('d')}" if rule else "")


def _listed(caught: Caught) -> str:
    days = {DAYS[caught.number("w")], *caught.name("r", "").split(",")}
    return ",".join(day for day in DAYS if day in days)


def _of_month(caught: Caught) -> Node | None:
    """ "Every first Monday of the month", "the last Friday of every month"."""
    number = -1 if "l" in caught else 2 if "o" in caught else caught.number("n")
    if caught.name("u") != "month":
        return None
    return Every(f"FREQ=MONTHLY;BYDAY={number}{DAYS[caught.number('w')]}") if -1 <= number <= 5 else None


def _day_of_month(caught: Caught) -> Node | None:
    """ "The 15th of every month", "the last day of every month"."""
    if caught.name("u") != "month" or caught.name("d", "day") != "day":
        return None
    number = -1 if "l" in caught else caught.number("n")
    return Every(f"FREQ=MONTHLY;BYMONTHDAY={number}") if -1 <= number <= 31 else None


def _frequency(caught: Caught) -> Node:
    rule = caught.name("f")
    return Every(f"FREQ={rule}" if rule else "")


def _named(caught: Caught) -> Node:
    """ "Mondays", "weekdays"."""
    return Every(f"FREQ=WEEKLY;BYDAY={caught.name('d')}")


def _at(caught: Caught) -> Node | None:
    """A series with its time of day, or its day."""
    every, said = caught.node("e"), caught.node("t")
    assert isinstance(every, Every)
    if kind_of(said) == "time":
        return replace(every, node=said)
    if isinstance(said, Fields):
        return _on(every, said)
    return Every()


def _at_on(caught: Caught) -> Node | None:
    """ "Weekly at 10 on Tuesday"."""
    every, day = _at(caught), caught.node("d")
    return _on(every, day) if isinstance(every, Every) and isinstance(day, Fields) else None


def _on(every: Every, day: Fields) -> Every:
    """ "Weekly on Monday", "every month on the 15th"; a day that does not fit leaves the rule open."""
    if day.weekday is not None and day.day is None and every.rule.startswith("FREQ=WEEKLY") and "BY" not in every.rule:
        return replace(every, rule=f"{every.rule};BYDAY={DAYS[day.weekday]}")
    if day.day and day.month is None and day.weekday is None and every.rule.startswith("FREQ=MONTHLY"):
        return replace(every, rule=f"{every.rule};BYMONTHDAY={day.day}")
    if day.day and day.month and day.year is None and every.rule == "FREQ=YEARLY":
        return replace(every, rule=f"FREQ=YEARLY;BYMONTH={day.month};BYMONTHDAY={day.day}")
    return Every()


def _days_on(caught: Caught) -> Node:
    """ "Weekly on Mondays and Thursdays"."""
    every = caught.node("e")
    assert isinstance(every, Every)
    plain = every.rule.startswith("FREQ=WEEKLY") and "BY" not in every.rule
    return Every(f"{every.rule};BYDAY={caught.name('d')}", every.node) if plain else Every()


def _in_part(name: str) -> Callable[[Caught], Node]:
    """ "Every morning", "every Tuesday afternoon"."""

    def build(caught: Caught) -> Node:
        return Every(name or f"FREQ=WEEKLY;BYDAY={DAYS[caught.number('w')]}", caught.node("p"))

    return build


RULES = (
    Rule("every", "EVERY o:OTHER? u:UNIT", _unit),
    Rule("every", "EVERY n:count|ordinal u:UNIT", _unit),
    Rule("every", "EVERY o:OTHER? d:day_list", _weekdays),
    Rule("every", "EVERY n:count|ordinal d:day_list", _weekdays),
    Rule("every", "EVERY WEEKEND", lambda _: Every(_FREQUENCIES["weekend"])),
    Rule("every", "EVERY OTHER|count|ordinal? WEEKEND|month", lambda _: Every()),
    Rule("every", "EVERY p:part", _in_part("FREQ=DAILY")),
    Rule("every", "EVERY w:weekday p:part", _in_part("")),
    Rule("every", "EVERY DAYREF p:in_part?", lambda _: Every()),
    Rule("every", "ANY n:count|ordinal? UNIT|weekday|WEEKEND|PART|month", lambda _: Every()),
    Rule("every", "EVERY n:ordinal w:weekday OF|IN EVERY|A|THE? u:UNIT", _of_month),
    Rule("every", "EVERY l:LAST w:weekday OF|IN EVERY|A|THE? u:UNIT", _of_month),
    Rule("every", "EVERY o:OTHER w:weekday OF|IN EVERY|A|THE? u:UNIT", _of_month),
    Rule("every", "ON? THE? n:ordinal w:weekday OF|IN EVERY u:UNIT", _of_month),
    Rule("every", "ON? THE? l:LAST w:weekday OF|IN EVERY u:UNIT", _of_month),
    Rule("every", "ON? THE? l:LAST d:UNIT OF|IN EVERY u:UNIT", _day_of_month),
    Rule("every", "ON? THE? n:ordinal OF|IN EVERY u:UNIT", _day_of_month),
    Rule("every", "ON? d:WEEKDAYS|named_days", _named),
    Rule("every", "f:FREQ", _frequency),
    Rule("every", "n:count|ONCE TIMES? PER UNIT", lambda _: Every()),
    Rule("day_list", "w:weekday", _listed),
    Rule("day_list", "w:weekday COMMA|AND|OR|SLASH r:day_list", _listed),
    Rule("day_list", "w:weekday COMMA AND|OR r:day_list", _listed),
    Rule("named_days", "d:WEEKDAYS AND|COMMA e:WEEKDAYS|named_days", lambda c: f"{c.name('d')},{c.name('e')}"),
    Rule("day_every", "e:every ON? t:full_date|weekday_alone", _at),
    Rule("day_every", "e:every ON? d:WEEKDAYS|named_days|day_list", _days_on),
    Rule("set", "e:every|day_every", lambda c: c.node("e")),
    Rule("set", "e:every|day_every COMMA? t:clock_time|in_part", _at),
    Rule("set", "e:every COMMA? t:clock_time|in_part ON? d:full_date|weekday_alone", _at_on),
    Rule("set", "t:clock_time|in_part|full_date COMMA? ON? e:every|day_every", _at),
)
