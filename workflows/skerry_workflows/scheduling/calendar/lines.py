"""The lossless layer: a calendar as the tree of components and content lines that stand in it (RFC 5545, section 3.1).

Nothing is interpreted here, so nothing can be lost: a property, parameter or component that nobody knows stays as it
was written. Changes (an answer, a new time) are made to this tree; `icalendar` interprets a copy of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

_FOLD_BYTES: Final = 75
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_PARAM = re.compile(r';\s*([A-Za-z0-9_-]+)\s*=\s*((?:"[^"]*"|[^;:",])*(?:,(?:"[^"]*"|[^;:",])*)*)')


class Line(msgspec.Struct, frozen=True):
    """A content line: `name` and names of `params` in capitals, `value` as written (escapes included)."""

    name: str
    params: tuple[tuple[str, str], ...]
    value: str

    def param(self, name: str) -> str:
        """The value of a parameter without its quotes; empty when it is not there."""
        return next((value.strip('"') for key, value in self.params if key == name), "")

    def with_param(self, name: str, value: str) -> Line:
        """The line with a parameter set, in its old place or at the end; `value` empty takes it away."""
        if any(key == name for key, _ in self.params):
            params = tuple((key, value if key == name else old) for key, old in self.params)
        else:
            params = (*self.params, (name, value))
        return Line(self.name, tuple((key, one) for key, one in params if one), self.value)

    @property
    def address(self) -> str:
        """The calendar address of an ATTENDEE or ORGANIZER, in small letters and without `mailto:`."""
        return address_of(self.value)

    def __str__(self) -> str:
        return self.name + "".join(f";{key}={value}" for key, value in self.params) + ":" + self.value


class Component(msgspec.Struct, frozen=True):
    """What stands between BEGIN and END: `name` in capitals, its lines, and the components inside it."""

    name: str
    lines: tuple[Line, ...] = ()
    parts: tuple[Component, ...] = ()

    def first(self, name: str) -> Line | None:
        """The first line of that name."""
        return next((line for line in self.lines if line.name == name), None)

    def all(self, name: str) -> tuple[Line, ...]:
        """Every line of that name, in order."""
        return tuple(line for line in self.lines if line.name == name)

    def value(self, name: str) -> str:
        """The value of the first line of that name as it is written, trimmed; empty when there is none."""
        line = self.first(name)
        return line.value.strip() if line else ""

    def text(self, name: str) -> str:
        """As `value`, with the escapes of a TEXT undone (section 3.3.11)."""
        return unescape(self.value(name))

    def named(self, name: str) -> tuple[Component, ...]:
        """The components of that name inside it."""
        return tuple(part for part in self.parts if part.name == name)

    def with_line(self, line: Line) -> Component:
        """The component with this line instead of all of its name: in the place of the first, else at the end."""
        lines: list[Line] = []
        placed = False
        for old in self.lines:
            if old.name != line.name:
                lines.append(old)
            elif not placed:
                placed = True
                lines.append(line)
        return Component(self.name, tuple(lines if placed else [*lines, line]), self.parts)

    def without(self, *names: str) -> Component:
        """The component without the lines of these names."""
        return Component(self.name, tuple(line for line in self.lines if line.name not in names), self.parts)

    def with_parts(self, parts: tuple[Component, ...]) -> Component:
        """The component with other components inside it."""
        return Component(self.name, self.lines, parts)

    def map_lines(self, change: Callable[[Line], Line]) -> Component:
        """The component with every line changed, in all its depth."""
        return Component(
            self.name, tuple(change(line) for line in self.lines), tuple(part.map_lines(change) for part in self.parts)
        )

    def walk(self) -> Iterator[Component]:
        """It and everything inside it, outermost first."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in _unfolded(self))


def line(name: str, value: str, /, **params: str) -> Line:
    """A line to write: parameters are quoted where that is needed, in the order given; empty ones are left out."""
    return Line(name, tuple((key, quoted(one)) for key, one in params.items() if one), value)


def quoted(value: str) -> str:
    """A parameter's value as it is written: never with a line end, and with RFC 6868's escapes."""
    value = value.replace("^", "^^").replace('"', "^'").replace("\r\n", "^n").replace("\n", "^n").replace("\r", "^n")
    return f'"{value}"' if re.search(r"[;:,]", value) or value != value.strip() else value


def unquoted(value: str) -> str:
    """What a parameter's value says (RFC 6868 undone)."""
    said = {"^": "^", "n": "\n", "'": '"'}
    return re.sub(r"\^([\^n'])", lambda found: said[found[1]], value.strip('"'))


def escape(text: str) -> str:
    """A TEXT value as it is written (section 3.3.11)."""
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return re.sub(r"\r\n|\r|\n", r"\\n", text)


def unescape(value: str) -> str:
    """What a TEXT value says."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


def address_of(value: str) -> str:
    """The address of a person, to be compared: in small letters, without `mailto:`."""
    return re.sub(r"^mailto:\s*", "", value.strip().strip("<>").lower())


def parse_line(text: str) -> Line | None:
    """A content line, or None where the text is none."""
    name = _NAME.match(text)
    if not name:
        return None
    params: list[tuple[str, str]] = []
    at = name.end()
    while at < len(text) and text[at] == ";":
        found = _PARAM.match(text, at)
        if not found:
            return None
        params.append((found[1].upper(), found[2].strip()))
        at = found.end()
    if at >= len(text) or text[at] != ":":
        return None
    return Line(name[0].upper(), tuple(params), text[at + 1 :])


def written(*calendars: Component) -> bytes:
    """Calendars as a file: UTF-8, lines end with CRLF and are folded after 75 bytes, never inside a character."""
    return b"".join(_folded(line) for calendar in calendars for line in _unfolded(calendar))


def _unfolded(component: Component) -> Iterator[str]:
    yield f"BEGIN:{component.name}"
    yield from (str(line) for line in component.lines)
    for part in component.parts:
        yield from _unfolded(part)
    yield f"END:{component.name}"


def _folded(text: str) -> bytes:
    data = text.encode()
    pieces: list[bytes] = []
    room = _FOLD_BYTES
    while len(data) > room:
        cut = room
        while data[cut] & 0xC0 == 0x80:  # inside a character
            cut -= 1
        pieces.append(data[:cut])
        data = data[cut:]
        room = _FOLD_BYTES - 1  # the blank in front counts
    return b"\r\n ".join([*pieces, data]) + b"\r\n"
