"""From the bytes of a file to its calendars. Broken ones are mended where there is one way to do so, and it is said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

from skerry_workflows.scheduling.calendar import limits
from skerry_workflows.scheduling.calendar.lines import Component, Line, parse_line
from skerry_workflows.scheduling.calendar.unreadable import Unreadable

_HINT = "export the calendar again, as an iCalendar (.ics) file"
_ENTRIES = ("VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What was read: `calendar` with everything that stood in the file, and `warnings`, sentences for people.

    Several VCALENDARs in one file (RFC 5545, section 3.4) become one: the properties are those of the first.
    """

    calendar: Component
    warnings: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        """The iTIP method, in capitals; empty for a calendar that is no message."""
        return self.calendar.value("METHOD").upper()

    def entries(self, name: str = "VEVENT") -> tuple[Component, ...]:
        """The entries of a kind, in order."""
        return self.calendar.named(name)


class Warnings:
    """Sentences for people, each once, not too many."""

    def __init__(self, sentences: tuple[str, ...] = ()) -> None:
        self.sentences = list(sentences)

    def __call__(self, sentence: str) -> None:
        if sentence not in self.sentences and len(self.sentences) < limits.WARNINGS_MAX:
            self.sentences.append(sentence)


def read(data: bytes) -> Source:
    """The calendars of a file.

    Raises:
        Unreadable: it is no iCalendar, or beyond the limits.
    """
    if len(data) > limits.FILE_BYTES_MAX:
        raise Unreadable(
            f"the calendar has {len(data) >> 20} MB, more than the {limits.FILE_BYTES_MAX >> 20} MB that are read",
            hint="split it, or export fewer years",
        )
    reader = _Reader()
    lines = list(reader.lines(_decoded(data, reader.warn)))
    calendars = reader.tree(lines)
    if not calendars:
        raise _no_calendar(data)
    if calendars[0].value("VERSION") == "1.0":
        raise Unreadable("this is a vCalendar 1.0, from before iCalendar", hint=_HINT)
    first = calendars[0]
    parts = tuple(part for calendar in calendars for part in calendar.parts)
    return Source(calendar=Component("VCALENDAR", first.lines, parts), warnings=tuple(reader.warn.sentences))


def _no_calendar(data: bytes) -> Unreadable:
    head = data[:200].lstrip().lower()
    if not head:
        return Unreadable("the file is empty", hint=_HINT)
    if head.startswith((b"<!doctype html", b"<html")):
        return Unreadable("this is a web page, not a calendar (a page to log in?)", hint=_HINT)
    if head.startswith(b"begin:vcard"):
        return Unreadable("these are contacts (vCard), not a calendar", hint=_HINT)
    return Unreadable("there is no calendar in it: it has no BEGIN:VCALENDAR and no entry", hint=_HINT)


def _decoded(data: bytes, warn: Callable[[str], None]) -> str:
    # A fold may part a character, so lines are put together before they are decoded; not in UTF-16, where it cannot.
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return re.sub("(?:\r\n|\r|\n)[ \t]", "", data.decode("utf-16", "replace"))
    data = re.sub(rb"(?:\r\n|\r|\n)[ \t]", b"", data.removeprefix(b"\xef\xbb\xbf"))
    try:
        return data.decode()
    except UnicodeDecodeError:
        warn("it is not in UTF-8: letters with accents may be wrong")
        return data.decode("cp1252", "replace")


class _Reader:
    """Reads one file; keeps what it had to mend."""

    def __init__(self) -> None:
        self.warn = Warnings()

    def lines(self, text: str) -> Iterator[Line]:
        """The content lines. What is none continues the line before it: a fold whose blank got lost."""
        last: Line | None = None
        for number, raw in enumerate(re.split("\r\n|\r|\n", text.replace("\x00", ""))):
            if number >= limits.LINES_MAX:
                raise Unreadable(
                    f"the calendar has more than the {limits.LINES_MAX:,} lines that are read", hint="split it"
                )
            if not raw.strip():
                continue
            line = parse_line(raw.strip() if last is None or raw[:1] in " \t" else raw)
            if line is None and last is not None:
                self.warn(f"a line of {last.name} was broken in two without the blank that a fold needs")
                last = Line(last.name, last.params, last.value + raw)
                continue
            if last is not None:
                yield last
            last = line
        if last is not None:
            yield last

    def tree(self, lines: list[Line]) -> list[Component]:
        """The VCALENDARs. Entries outside one, or one inside an entry, are put where they belong."""
        calendars: list[Component] = []
        loose: list[Component] = []
        stack: list[_Open] = []
        for line in lines:
            if line.name == "BEGIN":
                if len(stack) >= limits.DEPTH_MAX:
                    raise Unreadable("its components are nested too deeply", hint=_HINT)
                stack.append(_Open(line.value.strip().upper()))
            elif line.name == "END":
                self._end(line.value.strip().upper(), stack, calendars, loose)
            elif stack:
                stack[-1].lines.append(line)
        if stack:
            self.warn(f"it breaks off inside {stack[-1].name}: what follows is missing")
            while stack:
                self._close(stack, calendars, loose)
        if loose:
            self.warn("entries stand outside of a VCALENDAR")
            calendars.append(Component("VCALENDAR", (), tuple(loose)))
        return calendars

    def _end(self, name: str, stack: list[_Open], calendars: list[Component], loose: list[Component]) -> None:
        if not any(opened.name == name for opened in stack):
            self.warn(f"there is an END:{name[:30]} without its BEGIN")
            return
        while stack[-1].name != name:
            self.warn(f"the END of {stack[-1].name[:30]} is missing")
            self._close(stack, calendars, loose)
        self._close(stack, calendars, loose)

    def _close(self, stack: list[_Open], calendars: list[Component], loose: list[Component]) -> None:
        done = stack.pop().component()
        if done.name == "VCALENDAR":
            if stack:
                self.warn(f"a VCALENDAR stands inside a {stack[-1].name}")
            calendars.append(done)
        elif stack:
            stack[-1].parts.append(done)
        elif done.name in _ENTRIES:
            loose.append(done)


class _Open:
    """A component whose END has not come yet."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[Line] = []
        self.parts: list[Component] = []

    def component(self) -> Component:
        return Component(self.name, tuple(self.lines), tuple(self.parts))
