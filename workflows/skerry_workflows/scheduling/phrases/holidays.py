"""Days that have a name in many countries: fixed, by weekday, by Easter, or by the Hebrew calendar."""

from __future__ import annotations

import datetime as dt

# Month and day.
_FIXED = {
    "new year": (1, 1), "new year eve": (12, 31), "epiphany": (1, 6), "valentine": (2, 14), "patrick": (3, 17),
    "fools": (4, 1), "earth": (4, 22), "labour": (5, 1), "juneteenth": (6, 19), "independence us": (7, 4),
    "bastille": (7, 14), "assumption": (8, 15), "unity de": (10, 3), "halloween eve": (10, 30), "halloween": (10, 31),
    "reformation": (10, 31), "all saints": (11, 1), "all souls": (11, 2), "guy fawkes": (11, 5), "veterans": (11, 11),
    "nicholas": (12, 6), "christmas eve": (12, 24), "christmas": (12, 25), "boxing": (12, 26), "groundhog": (2, 2),
    "women": (3, 8), "pi": (3, 14), "cinco de mayo": (5, 5), "king nl": (4, 27), "liberation it": (4, 25),
    "australia": (1, 26), "waitangi": (2, 6), "anzac": (4, 25), "canada": (7, 1), "burns": (1, 25), "david": (3, 1),
    "george": (4, 23), "andrew": (11, 30), "patriot": (9, 11), "flag us": (6, 14), "constitution us": (9, 17),
    "republic in": (1, 26), "gandhi": (10, 2), "orthodox christmas": (1, 7), "kwanzaa": (12, 26), "men": (11, 19),
    "lucia": (12, 13), "candlemas": (2, 2), "annunciation": (3, 25), "michaelmas": (9, 29), "tax us": (4, 15),
    "environment": (6, 5), "health": (4, 7), "boss": (10, 16), "twelfth night": (1, 5),
}  # fmt: skip
# Month, weekday (Monday is 0), which one (from the end where negative).
_WEEKDAYS = {
    "thanksgiving": (11, 3, 4), "mlk": (1, 0, 3), "presidents": (2, 0, 3), "memorial": (5, 0, -1),
    "labor us": (9, 0, 1), "mother": (5, 6, 2), "father": (6, 6, 3), "columbus": (10, 0, 2),
    "thanksgiving ca": (10, 0, 2), "early may": (5, 0, 1), "spring bank": (5, 0, -1), "summer bank": (8, 0, -1),
    "remembrance": (11, 6, 2),
}  # fmt: skip
# Days from Easter Sunday.
_EASTER = {
    "easter": 0, "good friday": -2, "easter monday": 1, "ascension": 39, "pentecost": 49, "whit monday": 50,
    "corpus christi": 60, "ash wednesday": -46, "palm sunday": -7, "maundy thursday": -3, "shrove tuesday": -47,
    "carnival monday": -48, "holy saturday": -1, "trinity": 56, "mothering": -21,
}  # fmt: skip
_ORTHODOX = {"orthodox easter": 0, "orthodox good friday": -2, "orthodox easter monday": 1}
# Days from the Jewish new year in autumn; in spring from that of the same year backwards, which is always as far.
_JEWISH = {
    "rosh hashanah": 0, "yom kippur": 9, "sukkot": 14, "simchat torah": 22, "passover": -163, "purim": -193,
    "shavuot": -113,
}  # fmt: skip
# Days from another named day, where that one moves.
_NEXT_TO = {
    "black friday": ("thanksgiving", 1), "cyber monday": ("thanksgiving", 4), "giving tuesday": ("thanksgiving", 5),
    "grandparents": ("labor us", 6),
}  # fmt: skip
# Of the Hebrew calendar: the first day of its first year, counted as Python counts days.
_HEBREW_EPOCH = -1373427


def _easter(year: int, *, orthodox: bool = False) -> dt.date:
    from dateutil.easter import EASTER_ORTHODOX, EASTER_WESTERN, easter

    return easter(year, EASTER_ORTHODOX if orthodox else EASTER_WESTERN)


def _jewish_new_year(year: int) -> dt.date:
    """Rosh Hashanah of a Gregorian year (Reingold and Dershowitz, Calendrical Calculations, chapter 8)."""

    def elapsed(hebrew: int) -> int:
        months = (235 * hebrew - 234) // 19
        day = 29 * months + (12084 + 13753 * months) // 25920
        return day + 1 if (3 * (day + 1)) % 7 < 3 else day

    hebrew = year + 3761
    before, this, after = elapsed(hebrew - 1), elapsed(hebrew), elapsed(hebrew + 1)
    delay = 2 if after - this == 356 else 1 if this - before == 382 else 0
    return dt.date.fromordinal(_HEBREW_EPOCH + this + delay)


def _hanukkah(year: int) -> dt.date:
    """Its first day, 25 Kislev: the month before has a day more in years of 355 or 385 days."""
    start = _jewish_new_year(year)
    is_complete = (_jewish_new_year(year + 1) - start).days % 10 == 5
    return start + dt.timedelta(days=84 if is_complete else 83)


def holiday(name: str, year: int) -> dt.date | None:
    """The day of a year, or None where the name is not known here."""
    if name in _FIXED:
        return dt.date(year, *_FIXED[name])
    if name in _EASTER:
        return _easter(year) + dt.timedelta(days=_EASTER[name])
    if name in _ORTHODOX:
        return _easter(year, orthodox=True) + dt.timedelta(days=_ORTHODOX[name])
    if name in _JEWISH:
        return _jewish_new_year(year) + dt.timedelta(days=_JEWISH[name])
    if name == "hanukkah":
        return _hanukkah(year)
    if name in _NEXT_TO:
        other, days = _NEXT_TO[name]
        day = holiday(other, year)
        return day + dt.timedelta(days=days) if day else None
    return _by_weekday(*_WEEKDAYS[name], year) if name in _WEEKDAYS else None


def _by_weekday(month: int, weekday: int, number: int, year: int) -> dt.date:
    if number > 0:
        first = dt.date(year, month, 1)
        return first + dt.timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))
    last = dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)
    return last - dt.timedelta(days=(last.weekday() - weekday) % 7 + 7 * (-number - 1))
