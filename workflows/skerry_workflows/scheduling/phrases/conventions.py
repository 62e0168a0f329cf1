"""What words mean that everybody means a little differently: how long an afternoon is, which Friday is the next one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


def _parts() -> dict[str, tuple[float, float]]:
    return {
        "dawn": (5, 8), "breakfast": (7, 9), "morning": (8, 12), "forenoon": (8, 12), "brunch": (10, 13),
        "noon": (12, 13), "lunch": (12, 14), "midday": (11, 14), "afternoon": (12, 18), "tea": (15, 17),
        "evening": (18, 22), "dinner": (18, 21), "night": (20, 24), "day": (8, 18), "work": (9, 17),
    }  # fmt: skip


@dataclass(frozen=True)
class Conventions:
    """The defaults are those of an office.

    `parts` of the day are in hours. `weekend` is counted in hours from Saturday 0:00. `same_weekday`: "on Monday", said
    on a Monday. `next_weekday`: "next Friday" is the one of the next week, or the first that comes. `blocks`: "the next
    two weeks" begin tomorrow, or with the next week. `edges`: the beginning and end of a stretch are its halves, or
    thirds. `workday_end` is the hour by which "end of the day" has come.
    """

    parts: Mapping[str, tuple[float, float]] = field(default_factory=_parts)
    weekend: tuple[float, float] = (0, 48)
    same_weekday: Literal["today", "next"] = "next"
    next_weekday: Literal["week", "first"] = "week"
    blocks: Literal["rolling", "calendar"] = "rolling"
    edges: Literal["halves", "thirds"] = "thirds"
    workday_end: float = 18
    offsets: Literal["day", "exact", "floored"] = "day"
    """ "In 3 days" is that whole day, at this time of that day, or from the beginning of this hour on."""
    prefer: Literal["future", "past"] = "future"
    """Which one a date without a year, or a weekday, is."""
    zones: bool = True
    """Whether a zone that is named ("5pm PST") is reckoned with."""


OFFICE = Conventions()
