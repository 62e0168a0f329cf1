"""The header Date (RFC 5322, 3.3 and 4.3), and what comes close to it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from email.utils import parsedate_tz

_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, start=1)}
_USUAL = re.compile(
    r"(?P<day>\d{1,2})[\s-]+(?P<month>[A-Za-z]{3})[A-Za-z]*\.?[\s-]+(?P<year>\d{2,4})"
    r"(?:,?\s+(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{1,2}))?)?\s*(?P<zone>[+-]\s?\d{4}|[A-Z]{1,5})?"
)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})?")
_ZONES = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}


def parse(value: str) -> dt.datetime | None:
    """The moment of a Date header, with its offset; UTC where it has none. None for what is no date."""
    text = re.sub(r"\([^()]*\)", " ", value[:200])
    text = re.sub(r"\s+", " ", text).strip()
    if found := _USUAL.search(text):
        return _usual(found)
    if iso := _ISO.search(text):
        return _made(lambda: dt.datetime.fromisoformat(iso[0].replace(" ", "T", 1).replace(" ", "")))
    try:
        parts = parsedate_tz(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    if parts is None:
        return None
    return _made(lambda: dt.datetime(*parts[:6], tzinfo=dt.timezone(dt.timedelta(seconds=parts[9] or 0))))


def _usual(found: re.Match[str]) -> dt.datetime | None:
    month = _MONTHS.get(found["month"].lower(), 0)
    year = int(found["year"])
    if len(found["year"]) < 4:  # RFC 5322, 4.3
        year += 2000 if year < 50 else 1900
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    zone = _zone(found["zone"] or "")
    return _made(
        lambda: dt.datetime(year, month, int(found["day"]), hour, minute, min(second, 59), tzinfo=dt.timezone(zone))
    )


def _zone(text: str) -> dt.timedelta:
    if text[:1] in ("+", "-"):
        digits = text[1:].strip()
        offset = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return -offset if text[0] == "-" else offset
    return dt.timedelta(hours=_ZONES.get(text, 0))


def _made(make: Callable[[], dt.datetime]) -> dt.datetime | None:
    try:
        made = make()
    except (ValueError, OverflowError, TypeError):
        return None
    return made if made.tzinfo else made.replace(tzinfo=dt.UTC)
