"""Reads what the server sends. Messages to taps are cut out here; every other line is nats-py's.

nats-py's parser tries regular expressions one after the other on a growing buffer and makes a coroutine per message;
this one finds the line end and splits. It costs a quarter of it, and three messages come in for every step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from nats.protocol.parser import Parser

Tap: TypeAlias = Callable[[bytes, bytes, bytes, bytes], None]
"""Called with subject, reply, header block and data. It must not block."""

_CRLF = b"\r\n"


class TapParser(Parser):
    """`taps` are by subscription number; what a tap raises goes to `failed`, and the reading goes on."""

    def __init__(self, client: object, taps: dict[int, Tap], failed: Callable[[bytes], None]) -> None:
        self._taps = taps
        self._failed = failed
        self._parts: list[bytes] = []
        self._have = 0
        self._need = 0
        super().__init__(client)  # pyright: ignore[reportUnknownMemberType]

    def reset(self) -> None:
        """A new connection begins."""
        super().reset()
        self._parts.clear()
        self._have = self._need = 0

    async def parse(self, data: bytes = b"") -> None:
        """Takes the next piece of the stream."""
        self._have += len(data)
        self._parts.append(data)
        # A long message comes in many pieces: they are joined once.
        if self._have < self._need:
            return
        if len(self._parts) > 1:
            data = b"".join(self._parts)
        self._parts.clear()
        self._need = 0
        at = 0
        while (start := self._cut(data, at)) < len(data):
            end = self._end_of_other(data, start)
            if not end:
                break
            await super().parse(data[start:end])
            at = end
        rest = data[start:]
        self._have = len(rest)
        if rest:
            self._parts.append(rest)

    def _cut(self, data: bytes, at: int) -> int:
        """Hands out the messages from `at` on; where the first thing begins that is not a whole message to a tap."""
        find, taps = data.find, self._taps
        while True:
            line_end = find(_CRLF, at)
            if line_end < 0:
                return at
            words = data[at:line_end].split()
            if words[:1] == [b"MSG"]:
                header_size = 0
            elif words[:1] == [b"HMSG"]:
                header_size = int(words[-2])
                del words[-2]
            else:
                return at
            tap = taps.get(int(words[2]))
            if tap is None:
                return at
            start = line_end + 2
            end = start + int(words[-1])
            if end + 2 > len(data):
                self._need = end + 2 - at
                return at
            subject = words[1]
            try:
                tap(
                    subject,
                    words[3] if len(words) == 5 else b"",
                    data[start : start + header_size],
                    data[start + header_size : end],
                )
            except Exception:
                self._failed(subject)
            at = end + 2

    def _end_of_other(self, data: bytes, at: int) -> int:
        """Where a line ends that is for nats-py, with the message that belongs to it; 0 if it is not all there."""
        line_end = data.find(_CRLF, at)
        if line_end < 0 or self._need:
            return 0
        words = data[at:line_end].split()
        end = line_end + 2
        if words[:1] in ([b"MSG"], [b"HMSG"]):
            end += int(words[-1]) + 2
        if end > len(data):
            self._need = end - at
            return 0
        return end
