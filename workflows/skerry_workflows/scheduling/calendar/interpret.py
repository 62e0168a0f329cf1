"""From the lossless tree to what it means: zones get their IANA names, slips that everybody makes are mended, and
`icalendar` reads the rest. What cannot be read is left out and named, entry by entry."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from skerry_workflows.scheduling.calendar import limits, zones
from skerry_workflows.scheduling.calendar.lines import Component, Line, unquoted
from skerry_workflows.scheduling.calendar.read import Source, Warnings
from skerry_workflows.scheduling.calendar.unreadable import Unreadable

_TIMES: Final = ("DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "EXDATE", "RDATE", "DTSTAMP", "COMPLETED")
_ONCE: Final = (
    "UID", "DTSTART", "DTEND", "DURATION", "DUE", "RECURRENCE-ID", "SUMMARY", "LOCATION", "STATUS", "TRANSP",
    "SEQUENCE", "ORGANIZER", "DTSTAMP", "PRIORITY", "X-MICROSOFT-CDO-BUSYSTATUS", "DESCRIPTION",
)  # fmt: skip
"""Of these an entry has one (RFC 5545, section 3.6.1); the first counts."""
_TIME = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ]?(\d\d):?(\d\d)(?::?(\d\d))?(?:\.\d+)?\s*(Z)?)?", re.IGNORECASE)
_FREQUENCIES: Final = ("SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")


TOO_LONG: Final = "working the calendar out takes too long, and the rest of it is left out"


class Interpreted(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar for `icalendar` and recurring-ical-events; `warnings` are sentences for people."""

    calendar: Any
    warnings: tuple[str, ...]


def interpret(
    source: Source, kinds: tuple[str, ...] = ("VEVENT",), *, budget: limits.Budget | None = None
) -> Interpreted:
    """What `source` means, as far as it is entries of these kinds; what comes when `budget` is spent is left out."""
    budget = budget or limits.Budget()
    icalendar: Any = importlib.import_module("icalendar")
    warn = Warnings(source.warnings)
    scale = source.calendar.value("CALSCALE").upper()
    if scale not in ("", "GREGORIAN"):
        raise Unreadable(f"it counts days by the calendar {scale[:30]}", hint="export it with Gregorian dates")
    calendar = icalendar.Calendar()
    for line in source.calendar.lines:
        if line.name == "X-WR-TIMEZONE" and (iana := zones.resolve(line.value)):
            calendar.add("X-WR-TIMEZONE", iana)
    rename = _zones(source.calendar, warn)
    for number, entry in enumerate(part for part in source.calendar.parts if part.name in kinds):
        if budget.spent:
            warn(TOO_LONG)
            break
        mended = mend(entry, warn, number).map_lines(rename)
        name = f"the entry {entry.text('SUMMARY') or entry.value('UID') or number + 1!r}"
        if mended.first("DTSTART") is None and entry.name == "VEVENT":
            warn(f"{name} has no start and is left out")
            continue
        try:
            calendar.add_component(icalendar.Event.from_ical(str(mended).replace("\n", "\r\n")))
        except (ValueError, KeyError, IndexError, TypeError, OverflowError) as error:
            warn(f"{name} cannot be read and is left out: {str(error)[:100]}")
    return Interpreted(calendar=calendar, warnings=tuple(warn.sentences))


def mend(entry: Component, warn: Callable[[str], None], number: int = 0) -> Component:
    """An entry with the usual slips put right: missing UID, times with hyphens or without VALUE=DATE, odd rules."""
    lines: list[Line] = []
    seen: set[str] = set()
    for line in entry.lines:
        mended = _mend_line(line, warn)
        if mended is None or (line.name in _ONCE and line.name in seen):
            continue
        seen.add(line.name)
        lines.append(mended)
    if not entry.value("UID"):
        warn("an entry has no UID")
        lines.append(Line("UID", (), f"without-uid-{number}"))
    start = next((line for line in lines if line.name == "DTSTART"), None)
    if start is not None:
        lines = [line for line in lines if not _ends_early(line, start, warn)]
    return Component(entry.name, tuple(lines), tuple(part for part in entry.parts if _readable_alarm(part)))


def _mend_line(line: Line, warn: Callable[[str], None]) -> Line | None:
    if line.name in _TIMES:
        return _mend_time(line, warn)
    if line.name == "EXRULE":
        warn("an EXRULE is not followed: there may be fewer occurrences")
        return None
    if line.name == "RRULE":
        rule = mend_rule(line.value, warn)
        return Line(line.name, line.params, rule) if rule else None
    if line.name in ("SEQUENCE", "PRIORITY") and not re.fullmatch(r"\s*-?\d{1,9}\s*", line.value):
        return None
    # Free text can do no harm where it is not interpreted; some of it `icalendar` refuses (GEO, ATTACH, CREATED, ...).
    keep = ("UID", "SUMMARY", "LOCATION", "STATUS", "TRANSP", "DURATION", "SEQUENCE", "TRIGGER", "REPEAT", "ACTION",
            "ORGANIZER", "ATTENDEE", "BUSYTYPE", "X-MICROSOFT-CDO-BUSYSTATUS", "DESCRIPTION")  # fmt: skip
    return line if line.name in keep else None


def _mend_time(line: Line, warn: Callable[[str], None]) -> Line | None:
    periods = line.param("VALUE").upper() == "PERIOD"
    values = [_mend_period(one) if periods or "/" in one else _mend_moment(one) for one in line.value.split(",")]
    known = [one for one in values if one]
    if len(known) < len(values):
        warn(f"a {line.name} is no time: {line.value[:40]!r}")
    if not known:
        return None
    kind = "DATE" if all(len(one) == 8 for one in known) else "PERIOD" if any("/" in one for one in known) else ""
    mended = Line(line.name, line.params, ",".join(known)).with_param("VALUE", kind)
    # A date has no zone, and a time in UTC has its own.
    return mended.with_param("TZID", "") if kind == "DATE" or all(one.endswith("Z") for one in known) else mended


def _mend_moment(value: str) -> str:
    found = _TIME.fullmatch(value.strip())
    if not found:
        return ""
    year, month, day, hour, minute, second, utc = found.groups()
    date = year + month + day
    second = "59" if second == "60" else second or "00"  # a leap second is no time that Python knows
    try:
        dt.datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second))
    except ValueError:
        return ""
    return date if hour is None else f"{date}T{hour}{minute}{second}{'Z' if utc else ''}"


def _mend_period(value: str) -> str:
    start, _, end = value.partition("/")
    begins = _mend_moment(start)
    ends = end.strip().upper() if end.strip().upper().startswith("P") else _mend_moment(end)
    return f"{begins}/{ends}" if begins and ends else begins


def mend_rule(value: str, warn: Callable[[str], None]) -> str:
    """A recurrence rule without blanks and impossible parts; empty where none is left."""
    parts: dict[str, str] = {}
    for part in value.upper().replace(" ", "").strip(";").split(";"):
        key, _, said = part.partition("=")
        if key and said:
            parts.setdefault(key, said.strip(","))
    if parts.get("FREQ") not in _FREQUENCIES:
        warn(f"a rule repeats by nothing that is known: {value[:60]!r}")
        return ""
    if parts.pop("RSCALE", "GREGORIAN") != "GREGORIAN" or parts.pop("SKIP", "OMIT") != "OMIT":
        warn(f"a rule counts by another calendar, or moves days that there are not (RFC 7529): {value[:60]!r}")
        return ""
    for key in ("INTERVAL", "COUNT"):
        if key in parts and not (parts[key].isascii() and parts[key].isdigit() and 0 < int(parts[key]) < 1_000_000):
            warn(f"a rule has {key}={parts[key][:20]}, which is ignored")
            del parts[key]
    if "UNTIL" in parts:
        parts["UNTIL"] = _mend_moment(parts["UNTIL"])
        if not parts["UNTIL"] or "COUNT" in parts:
            warn("a rule has an UNTIL that is ignored")
            del parts["UNTIL"]
    return ";".join(f"{key}={said}" for key, said in parts.items())


def _ends_early(line: Line, start: Line, warn: Callable[[str], None]) -> bool:
    if line.name != "DTEND" or line.params != start.params or line.value.endswith("Z") != start.value.endswith("Z"):
        return False
    early = len(line.value) == len(start.value) and line.value < start.value
    if early:
        warn("an entry ends before it starts: its end is ignored")
    return early


def _readable_alarm(part: Component) -> bool:
    return part.name == "VALARM" and part.first("TRIGGER") is not None


def _zones(calendar: Component, warn: Callable[[str], None]) -> Callable[[Line], Line]:
    """How to rename the zones of lines. Defines in `icalendar` those that only the file itself knows."""
    defined = {part.text("TZID").strip("\"' "): part for part in calendar.named("VTIMEZONE")}
    names: dict[str, str] = {}

    def rename(line: Line) -> Line:
        tzid = unquoted(line.param("TZID"))
        if not tzid:
            return line
        if tzid not in names:
            names[tzid] = _name_of(tzid, defined, warn)
        return line.with_param("TZID", names[tzid])

    return rename


def _name_of(tzid: str, defined: dict[str, Component], warn: Callable[[str], None]) -> str:
    definition = defined.get(tzid) or defined.get(tzid.replace(",", "\\,"))
    iana = zones.resolve(tzid)
    if iana and (definition is None or zones.is_exact(tzid)):
        if not zones.is_exact(tzid):
            warn(f"the zone {tzid[:60]!r} is taken for {iana}")
        return iana
    if definition is not None and (own := _define(definition)):
        return own
    if iana:
        return iana
    warn(f"the zone {tzid[:60]!r} is not known: its times are read as local times")
    return ""


def _define(definition: Component) -> str:
    """Defines a zone in `icalendar`, under a name made of its content: two files may call different zones the same."""
    import icalendar

    plain = definition.without("TZID", "LAST-MODIFIED", "TZURL", "X-LIC-LOCATION")
    own = "skerry-" + hashlib.sha256(str(plain).encode()).hexdigest()[:16]
    try:
        icalendar.Timezone.from_ical(str(plain.with_line(Line("TZID", (), own))).replace("\n", "\r\n"))
    except (ValueError, KeyError, IndexError, TypeError, OverflowError):
        return ""
    return own
