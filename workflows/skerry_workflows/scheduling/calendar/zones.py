"""Time zones by all the names that calendars give them: IANA, Windows, Exchange, Lotus, with vendors' prefixes."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from functools import cache

from skerry_workflows.scheduling.calendar.places import ABBREVIATIONS, PLACES, WINDOWS

_OFFSET = re.compile(r"\(?\s*(?:utc|gmt|z)\s*(?:([+-−–])\s*(\d{1,2})(?::?([0-5]\d))?)?\s*\)?", re.IGNORECASE)
_STANDARD = re.compile(r"[\s,_]*\b(?:standard|daylight|summer|winter)?[\s_]*\btime\b", re.IGNORECASE)


@cache
def resolve(name: str) -> str | None:
    """The IANA name of a zone; None where the name does not say one for sure.

    Known are IANA names in any case and behind a vendor's prefix ("/example.org/20240101/Europe/Berlin"), Windows names
    (CLDR's table, and those without "Standard Time" that Lotus Notes writes), the names that Windows and Exchange show
    ("(UTC+01:00) Amsterdam, Berlin, Bern"), lists of cities, offsets of whole hours, and usual abbreviations.
    """
    name = " ".join(name.replace("\\,", ",").strip(" \"'").split())
    if not name or len(name) > 200:
        return None
    return _iana(name) or _windows(name) or ABBREVIATIONS.get(name.lower()) or _shown(name)


@cache
def is_exact(name: str) -> bool:
    """Whether it is the name of one zone, in IANA's or Windows' table: no description, no list of places."""
    name = " ".join(name.strip(" \"'").split())
    return bool(_iana(name) or _windows(name))


def zone(name: str) -> dt.tzinfo | None:
    """The zone of that name; None as in `resolve`."""
    iana = resolve(name)
    return None if iana is None else zoneinfo.ZoneInfo(iana)


@cache
def _all() -> dict[str, str]:
    """Every IANA name by its small letters."""
    names = zoneinfo.available_timezones() - {"Factory", "localtime"}
    return {name.lower(): name for name in sorted(names)}


@cache
def _cities() -> dict[str, str]:
    """The cities and regions that zones are named after: by the last part of the name, blanks for underscores."""
    cities: dict[str, str] = {}
    for name in sorted(_all().values(), key=lambda one: one.startswith(("Etc/", "SystemV/", "posix", "right"))):
        area, _, city = name.rpartition("/")
        if area and not area.startswith("Etc"):
            cities.setdefault(city.replace("_", " ").lower(), name)
    return cities


def _iana(name: str) -> str | None:
    parts = name.replace(" ", "_").strip("/").lower().split("/")
    for count in (len(parts), 3, 2, 1):
        found = _all().get("/".join(parts[-count:])) if count <= len(parts) else None
        # A bare last part ("Berlin", "utc") is no IANA name unless it is one; a prefix needs a vendor in front.
        if found and (count == len(parts) or "." in name or ":" in name):
            return found
    # Some write "US-Eastern" and "America-New_York".
    return _all().get(name.replace(" ", "_").lower().replace("-", "/", 1))


@cache
def _windows_names() -> dict[str, str]:
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    table = {name.lower(): iana for name, iana in WINDOWS_TO_OLSON.items()}
    return {**{name.removesuffix(" standard time"): iana for name, iana in table.items()}, **WINDOWS, **table}


def _windows(name: str) -> str | None:
    name = re.sub(r"\b(?:daylight|summer) time\b", "standard time", name.lower().replace("_", " ").strip())
    known = _windows_names()
    return known.get(name) or known.get(_STANDARD.sub("", name).strip())


def _shown(name: str) -> str | None:
    """A name as people see it: an offset, or places, or both."""
    offset, rest = _split_offset(name)
    if not rest:
        return None if offset is None else _fixed(offset)
    # "Eniwetok, Kwajalein, Dateline Time" names a zone of Windows among its places, and that one counts.
    timed = [_windows(part) for part in re.split(r"[,;]", rest) if _STANDARD.search(part)]
    candidates = [_iana(rest), _windows(rest), *timed, *map(_place, _places(rest))]
    found = [iana for iana in candidates if iana]
    if offset is not None:
        fitting = [iana for iana in found if _standard_offset(iana) == offset]
        # "GMT; Dublin, London" is a name of a zone and no offset of it; otherwise the offset has to be the place's.
        found = fitting or (found if offset == dt.timedelta(0) and ";" in name else [])
    return found[0] if found else None


def _split_offset(name: str) -> tuple[dt.timedelta | None, str]:
    name = re.sub(r"^greenwich mean time\b", "GMT", name, flags=re.IGNORECASE)
    found = _OFFSET.match(name)
    if not found or (found.end() < len(name) and name[found.end()].isalpha()):
        return None, name
    sign = 1 if found[1] in (None, "+") else -1
    offset = sign * dt.timedelta(hours=int(found[2] or 0), minutes=int(found[3] or 0))
    return offset, name[found.end() :].strip(" ,;:-–/")


def _places(rest: str) -> list[str]:
    """The parts of a list of places: "Seoul, Korea Standard time" has Seoul and Korea."""
    plain = _STANDARD.sub("", re.sub(r"\([^)]*\)", "", re.sub(r"\((east|west)\)", r"\1", rest, flags=re.IGNORECASE)))
    plain = re.sub(r"\b(is\.|islands?|isles?)(?=\W|$)", "", plain, flags=re.IGNORECASE)
    return [part.strip(" .").lower() for part in re.split(r"[,;/&]|\band\b|(?<=\w)\s-\s", plain) if part.strip(" .")]


def _place(place: str) -> str | None:
    return PLACES.get(place) or _windows(place) or _cities().get(place) or _all().get(place) or _countries().get(place)


@cache
def _countries() -> dict[str, str]:
    """Countries that have one zone."""
    from importlib import resources

    try:
        folder = resources.files("tzdata.zoneinfo")
        names = _table((folder / "iso3166.tab").read_text(encoding="utf-8"))
        zones = _table((folder / "zone.tab").read_text(encoding="utf-8"))
    except (ModuleNotFoundError, FileNotFoundError):
        return {}
    by_code: dict[str, list[str]] = {}
    for code, _, iana in (row[:3] for row in zones):
        by_code.setdefault(code, []).append(iana)
    return {row[1].lower(): by_code[row[0]][0] for row in names if len(by_code.get(row[0], ())) == 1}


def _table(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


def _standard_offset(iana: str) -> dt.timedelta:
    """Its offset in winter: the smaller one of a year's two."""
    tz = zoneinfo.ZoneInfo(iana)
    offsets = [dt.datetime(2025, month, 1, tzinfo=tz).utcoffset() for month in (1, 7)]
    return min(offset for offset in offsets if offset is not None)


def _fixed(offset: dt.timedelta) -> str | None:
    hours, rest = divmod(offset, dt.timedelta(hours=1))
    if rest or not -12 <= hours <= 14:
        return None
    # The IANA names of fixed offsets have POSIX's sign: west is positive.
    return "Etc/UTC" if hours == 0 else f"Etc/GMT{-hours:+d}"
