"""What expressions are resolved to, and against."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Literal
from zoneinfo import ZoneInfo

from skerry_workflows.scheduling.phrases.calendar_units import floor
from skerry_workflows.scheduling.phrases.conventions import OFFICE, Conventions


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of local time, open where None; `model.Span` and `model.Reading` say what the fields mean.

    `why` is set on a meaning that is not the likeliest: what would make it the right one.
    """

    start: dt.datetime | None
    end: dt.datetime | None
    grain: str
    last: dt.datetime | None = None
    doubts: tuple[str, ...] = ()
    why: str = ""
    kind: Literal["point", "interval", "open"] = "point"
    dated: bool = True


@dataclass(frozen=True)
class Scope:
    """What an expression is read against: now, or inside of a slot, or as the end of what begins at `after`."""

    now: dt.datetime
    zone: ZoneInfo
    within: Slot | None = None
    after: dt.datetime | None = None
    conventions: Conventions = field(default=OFFICE)

    def day(self) -> dt.datetime:
        """The beginning of the day that a time of day is on."""
        base = self.within.start if self.within and self.within.start else self.after or self.now
        return floor(base, "day")

    def within_hour(self, hour: int, minute: int) -> dt.datetime:
        """That time on the day."""
        return self.day() + dt.timedelta(hours=hour, minutes=minute)


def doubtful(slots: list[Slot], reason: str) -> list[Slot]:
    """The same, with one more doubt."""
    return [replace(slot, doubts=(*slot.doubts, reason)) if reason not in slot.doubts else slot for slot in slots]
