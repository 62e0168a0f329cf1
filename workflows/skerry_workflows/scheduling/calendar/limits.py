"""Bounds on calendars, which are untrusted files. Whatever is beyond them goes to a person instead of into memory."""

from __future__ import annotations

from typing import Final

FILE_BYTES_MAX: Final = 10 * 1024 * 1024
LINES_MAX: Final = 300_000
DEPTH_MAX: Final = 8
"""VCALENDAR > VEVENT > VALARM is 3; what is nested deeper than this is an attack."""
OCCURRENCES_MAX: Final = 20_000
"""In one window. More is refused, with the name of the series."""
REPETITIONS_MAX: Final = 200_000
"""How many times a rule may have struck since it began, up to the window's end: they are counted one by one."""
ALARM_REPEATS_MAX: Final = 100
WINDOW_DAYS_MAX: Final = 100 * 366
WARNINGS_MAX: Final = 20
