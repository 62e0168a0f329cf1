"""How values are said: times, durations, states, bits of JSON."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

import msgspec
from msgspec import Raw

from skerry.cli.out import Cell
from skerry.core.projection import Status

STYLES: dict[str, str] = {
    "running": "cyan",
    "waiting": "blue",
    "review": "bold yellow",
    "failed": "bold red",
    "parked": "magenta",
    "done": "green",
    "cancelled": "dim",
}
VALUE_CHARS = 100


def status_cell(status: Status | str) -> Cell:
    """A run's status, in its colour."""
    return Cell(status, STYLES.get(status, ""))


def now_us() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


def moment(at_us: int, *, now: int = 0) -> str:
    """A time of day; the minute is enough for another day than today."""
    at = _local(at_us)
    today = _local(now or now_us()).date()
    return at.strftime("%H:%M:%S") if at.date() == today else at.strftime("%Y-%m-%d %H:%M")


def clock(at_us: int) -> str:
    """A time of day with milliseconds."""
    return _local(at_us).strftime("%H:%M:%S.") + f"{at_us // 1000 % 1000:03d}"


def date(at_us: int) -> str:
    """A date."""
    return _local(at_us).strftime("%Y-%m-%d")


def _local(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us / 1e6).astimezone()


def duration(seconds: float) -> str:
    """`0.12 s`, `3.4 s`, `2 min`, `5 h`, `3 d`: as exact as one wants to know."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 100:
        return f"{seconds:.1f} s"
    for unit, length in (("min", 60), ("h", 3600)):
        if seconds < length * 100:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86400:.0f} d"


def ago(at_us: int, *, now: int = 0) -> str:
    """How long since, or until."""
    seconds = ((now or now_us()) - at_us) / 1e6
    return f"{duration(seconds)} ago" if seconds >= 0 else f"in {duration(-seconds)}"


def servers(urls: str) -> str:
    """NATS servers, by commas, without the user and password that may be in them."""
    return re.sub(r"[^/,\s]*@", "", urls)


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError("unreachable")


def plural(count: int, one: str, many: str = "") -> str:
    """`1 run`, `2 runs`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def value(raw: Raw | bytes, *, chars: int = VALUE_CHARS) -> str:
    """A JSON value as one short line; `chars` 0: all of it."""
    data = bytes(raw)
    if not data or data == b"null":
        return ""
    try:
        text = spoken(msgspec.json.decode(data))
    except msgspec.MsgspecError:
        text = data.decode(errors="replace")
    return cut(text, chars)


def cut(text: str, chars: int) -> str:
    """A text of at most so many characters; `chars` 0: all of it."""
    return text if not chars or len(text) <= chars else text[: chars - 1].rstrip(" ,") + "…"


def spoken(thing: Any) -> str:
    """Decoded JSON without most of its punctuation: `number 7, gross total 12.00`."""
    if isinstance(thing, dict):
        items = cast("dict[str, Any]", thing).items()
        parts = (f"{key.replace('_', ' ')} {_inner(item)}" for key, item in items if item not in (None, "", [], {}))
        return ", ".join(parts)
    return _inner(thing)


def _document(thing: dict[str, Any]) -> str:
    """What stands for a document: its name, its size, and as much of its hash as tells it from others."""
    match thing:
        case {"sha256": str(sha256), "size": int(count), **more} if more.keys() <= {"name", "media_type"}:
            return f"{_inner(more.get('name') or 'blob')} ({size(count)}, {sha256[:12]})"
        case _:
            return ""


def _inner(thing: Any) -> str:
    if isinstance(thing, str):
        return " ".join(thing.split())
    if isinstance(thing, dict):
        return _document(cast("dict[str, Any]", thing)) or "{" + spoken(thing) + "}"
    if isinstance(thing, list):
        return "[" + ", ".join(_inner(each) for each in cast("Iterable[Any]", thing)) + "]"
    return json.dumps(thing)
