"""Bounds on calendars, which are untrusted files. Whatever is beyond them goes to a person instead of into memory."""

from __future__ import annotations

import time
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
SECONDS_MAX: Final = 20.0
"""Of processor time to work out one person's calendars; what is not done by then is left out, and said."""
WINDOW_DAYS_MAX: Final = 100 * 366
WARNINGS_MAX: Final = 20


class Budget:
    """Processor time of this thread from now on: each entry of a calendar costs little, and there may be many."""

    def __init__(self, seconds: float = SECONDS_MAX) -> None:
        self._until = time.thread_time() + seconds

    @property
    def spent(self) -> bool:
        """Whether it is used up."""
        return time.thread_time() > self._until
