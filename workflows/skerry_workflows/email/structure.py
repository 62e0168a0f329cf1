"""The parts of a message (RFC 2045, 2046), from bytes that may be anything. Bounded in depth and number of parts."""

from __future__ import annotations

import binascii
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from skerry_workflows.email import charsets, headers, limits

_DASHES = re.compile(rb"--([^\r\n]*)")
_NAMELESS = "text/plain"


@dataclass(slots=True)
class Part:
    """One part: its header, its body as it came, and the parts in it. `place` is as IMAP counts ("1.2")."""

    place: str
    fields: list[tuple[str, str]]
    body: bytes
    media_type: str
    params: dict[str, str]
    disposition: str
    name: str
    parts: list[Part] = field(default_factory=list["Part"])
    broken: bool = False
    """A multipart in which no boundary was found."""

    def field(self, name: str) -> str:
        """The first field of this name; empty when there is none."""
        return next((value for key, value in self.fields if key.lower() == name), "")

    def content(self) -> bytes:
        """The body without its transfer encoding. What is not known is taken as it is."""
        encoding = re.sub(r"\([^()]*\)|\s", "", self.field("content-transfer-encoding")).lower()
        if encoding == "base64":
            return headers.unbase64(self.body)
        if encoding in ("quoted-printable", "quotedprintable"):
            return binascii.a2b_qp(self.body)
        if encoding in ("x-uuencode", "uuencode", "x-uue"):
            return _uudecoded(self.body)
        return self.body

    def text(self) -> str:
        """The content as text, with \\n as its line ends."""
        text = charsets.decode(self.content()[: limits.TEXT_BYTES_MAX], self.params.get("charset", ""))
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def walk(self) -> Iterator[Part]:
        """This part and all in it, in order."""
        yield self
        for part in self.parts:
            yield from part.walk()


def parse(data: bytes) -> tuple[Part, list[str]]:
    """The message as a tree of parts, and what was wrong with it."""
    flaws: list[str] = []
    # What looks like a delimiter is looked for once, whatever is nested in what.
    found = [
        (each.start(), each.end(), each[1].rstrip(b" \t"))
        for each in _DASHES.finditer(data)
        if each.start() == 0 or data[each.start() - 1] in b"\r\n"
    ]
    return _Parser(data, found, flaws).part(0, len(data), "", _NAMELESS, 0), flaws


class _Parser:
    def __init__(self, data: bytes, delimiters: list[tuple[int, int, bytes]], flaws: list[str]) -> None:
        self._data = data
        self._delimiters = delimiters
        self._starts = [start for start, _, _ in delimiters]
        self._flaws = flaws
        self._count = 0

    def part(self, start: int, end: int, place: str, default: str, depth: int) -> Part:
        self._count += 1
        fields, body_at = headers.split(self._data[start : min(end, start + limits.HEADER_BYTES_MAX + 1024)])
        made = _made(place, fields, default)
        body_at = min(start + body_at, end)
        if not made.media_type.startswith("multipart/"):
            made.body = self._data[body_at:end]
            return made
        ranges = self._ranges(body_at, end, made.params.get("boundary", ""))
        if depth >= limits.DEPTH_MAX or self._count + len(ranges) > limits.PARTS_MAX:
            self._flaw("parts are nested too deeply, or there are too many: not all were read")
            ranges = []
        elif not ranges:
            self._flaw("the boundary between the parts is missing")
        made.broken = not ranges
        if made.broken:
            made.body = self._data[body_at:end]
        inner = "message/rfc822" if made.media_type == "multipart/digest" else _NAMELESS
        for number, (first, last) in enumerate(ranges, start=1):
            where = f"{place}.{number}" if place else str(number)
            made.parts.append(self.part(first, last, where, inner, depth + 1))
        return made

    def _ranges(self, start: int, end: int, boundary: str) -> list[tuple[int, int]]:
        """Where the parts of a multipart begin and end. One that is not closed ends with what is around it."""
        if not boundary:
            return []
        mark = boundary.rstrip().encode("utf-8", "replace")
        ranges: list[tuple[int, int]] = []
        begun = -1
        for index in range(bisect_left(self._starts, start), len(self._starts)):
            at, behind, text = self._delimiters[index]
            if at >= end:
                break
            closing = text == mark + b"--"
            if text != mark and not closing:
                continue
            if begun >= 0:
                ranges.append((begun, max(begun, self._line_end_before(at))))
            begun = -1 if closing else self._line_behind(behind)
        if begun >= 0:
            if begun < end:
                ranges.append((begun, end))
            self._flaw("the last part is not closed: the message may have been cut")
        return ranges[: limits.PARTS_MAX + 1]

    def _line_end_before(self, at: int) -> int:
        """The line end before a delimiter belongs to the delimiter (RFC 2046, 5.1.1)."""
        if self._data[at - 2 : at] == b"\r\n":
            return at - 2
        return at - 1 if self._data[at - 1 : at] in (b"\r", b"\n") else at

    def _line_behind(self, at: int) -> int:
        if self._data[at : at + 2] == b"\r\n":
            return at + 2
        return min(at + 1, len(self._data))

    def _flaw(self, said: str) -> None:
        if said not in self._flaws:
            self._flaws.append(said)


def _made(place: str, fields: list[tuple[str, str]], default: str) -> Part:
    named: dict[str, str] = {}
    for key, value in fields:
        named.setdefault(key.lower(), value)
    media_type, params = headers.parameters(named.get("content-type", ""))
    if not re.fullmatch(r"[\w.+-]+/[\w.+-]+", media_type):
        media_type = default
    disposition, told = headers.parameters(named.get("content-disposition", ""))
    name = told.get("filename") or params.get("name") or told.get("name") or ""
    name = re.sub(r"[\x00-\x1f\x7f]+", " ", name).strip()[: limits.NAME_CHARS_MAX]
    return Part(place, fields, b"", media_type, params, disposition, name)


def _uudecoded(data: bytes) -> bytes:
    pieces: list[bytes] = []
    for line in data.splitlines():
        if line.startswith(b"begin ") or not line.strip():
            continue
        if line.strip() == b"end":
            break
        try:
            pieces.append(binascii.a2b_uu(line))
        except binascii.Error:
            continue
    return b"".join(pieces)
