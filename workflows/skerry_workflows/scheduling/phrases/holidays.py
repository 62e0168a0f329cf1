"""Days that have a name and are the same in many countries: fixed, by weekday, or by Easter."""

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
}  # fmt: skip
# Month, weekday (Monday is 0), which one (from the end where negative).
_WEEKDAYS = {
    "thanksgiving": (11, 3, 4), "mlk": (1, 0, 3), "presidents": (2, 0, 3), "memorial": (5, 0, -1),
    "labor us": (9, 0, 1), "mother": (5, 6, 2), "father": (6, 6, 3), "columbus": (10, 0, 2),
}  # fmt: skip
# Days from Easter Sunday.
_EASTER = {
    "easter": 0, "good friday": -2, "easter monday": 1, "ascension": 39, "pentecost": 49, "whit monday": 50,
    "corpus christi": 60, "ash wednesday": -46, "palm sunday": -7, "maundy thursday": -3, "shrove tuesday": -47,
    "carnival monday": -48,
}  # fmt: skip
# Days from another named day, where that one moves.
_NEXT_TO = {"black friday": ("thanksgiving", 1), "cyber monday": ("thanksgiving", 4)}


def easter(year: int) -> dt.date:
    """Western Easter Sunday (the anonymous Gregorian algorithm, Meeus, Astronomical Algorithms, chapter 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), f = divmod(b, 4), (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    el = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * el) // 451
    month, day = divmod(h + el - 7 * m + 114, 31)
    return dt.date(year, month, day + 1)


def holiday(name: str, year: int) -> dt.date | None:
    """The day of a year, or None where the name is not known here."""
    if name in _FIXED:
        return dt.date(year, *_FIXED[name])
    if name in _EASTER:
        return easter(year) + dt.timedelta(days=_EASTER[name])
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
