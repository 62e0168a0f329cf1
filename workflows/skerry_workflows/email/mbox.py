"""Mailbox files: messages one after the other, each behind a line `From ...` (RFC 4155, and what came before it)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import NamedTuple

from skerry_workflows.email import dates

_SEPARATOR = re.compile(rb"(?:\A|(?<=\n))From [^\r\n]*\d{2}:\d{2}[^\r\n]*\r?\n")
_WHEN = re.compile(r"([A-Z][a-z]{2})\s+(\d{1,2})\s+(\d{2}:\d{2}(?::\d{2})?)\s+(?:[A-Z]{3,4}\s+)?(\d{4})\s*([+-]\d{4})?")


class Stored(NamedTuple):
    """One message of a mailbox: its bytes without the separator, and when it came there, where that is said."""

    data: bytes
    arrived: dt.datetime | None


def read(data: bytes) -> Iterator[Stored]:
    """The messages of a mailbox file. `>From ` at the beginning of a line is put back to what it was."""
    found = list(_SEPARATOR.finditer(data))
    for index, separator in enumerate(found):
        end = found[index + 1].start() if index + 1 < len(found) else len(data)
        message = re.sub(rb"(?m)^>(>*From )", rb"\1", data[separator.end() : end])
        if message.endswith((b"\n\n", b"\r\n\r\n")):  # the empty line before a separator belongs to it
            message = message[:-2] if message.endswith(b"\r\n") else message[:-1]
        yield Stored(message, _arrived(separator[0].decode("latin-1")))


def _arrived(line: str) -> dt.datetime | None:
    when = _WHEN.search(line)
    return dates.parse(f"{when[2]} {when[1]} {when[4]} {when[3]} {when[5] or ''}") if when else None
