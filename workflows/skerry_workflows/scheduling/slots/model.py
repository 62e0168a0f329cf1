"""What a search is given, and what it proposes. Every time is an instant with a zone."""

from __future__ import annotations

import datetime as dt
from typing import Literal, TypeAlias

import msgspec

from skerry_workflows.scheduling.calendar.periods import Kind

PartOfDay: TypeAlias = Literal["", "early", "late", "morning", "afternoon"]
"""What is liked best: as soon as possible (also ""), as late as possible, before noon, after noon."""


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """When somebody works, by the clock of `zone` (IANA): for each weekday from Monday on, from-to pairs.

    A pair that ends at 00:00 ends at midnight. The default is Monday to Friday, 9 to 17.
    """

    zone: str = "UTC"
    days: tuple[tuple[tuple[dt.time, dt.time], ...], ...] = (
        *(((dt.time(9), dt.time(17)),) for _ in range(5)),
        (),
        (),
    )


class Engagement(msgspec.Struct, frozen=True, kw_only=True):
    """Time that somebody has given away; `place` is where, empty where that is not known or does not matter."""

    start: dt.datetime
    end: dt.datetime
    kind: Kind = "BUSY"
    place: str = ""


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is to come.

    `buffer` is what they want between two engagements, `travel` what they need between two different places.
    `doubts` say why their calendar may be incomplete; `hours` None means any time.
    """

    address: str
    name: str = ""
    engagements: tuple[Engagement, ...] = ()
    hours: Hours | None = None
    optional: bool = False
    buffer: dt.timedelta = dt.timedelta(0)
    travel: dt.timedelta = dt.timedelta(0)
    doubts: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        """The name, or the address of who has none."""
        return self.name or self.address


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """From `start` up to but not including `end`."""

    start: dt.datetime
    end: dt.datetime


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for: a time of `duration` in one of `windows` (better in the first) and outside of `excluded`.

    `exact`: it starts where a window starts. `zone` is whose clock starts are aligned to and preferences are meant by.
    `place` is where it is held, for travel; empty for a call.
    """

    duration: dt.timedelta
    windows: tuple[Span, ...]
    excluded: tuple[Span, ...] = ()
    exact: bool = False
    zone: str = "UTC"
    prefer: PartOfDay = ""
    place: str = ""
    repeat: str = ""
    """The RRULE of a series: windows and `exact` are of its first meeting."""
    step: dt.timedelta = dt.timedelta(minutes=30)
    count: int = 3


class Proposal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A time at which everybody who has to come can. `cost` is 0 for the best there could be; `reasons` say what
    speaks for and against it, and `missing` who (of those who need not come) could not.

    Of a series it is the first meeting; `times` are all, without those at `skipped`, which are left out: because that
    was wished, or because somebody cannot, which `clashes` say.
    """

    start: dt.datetime
    end: dt.datetime
    cost: float
    reasons: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    times: tuple[Span, ...] = ()
    skipped: tuple[dt.datetime, ...] = ()
    clashes: tuple[str, ...] = ()


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The proposals, best first; where there are none, `obstacles` say why. `doubts` are those of the participants."""

    proposals: tuple[Proposal, ...]
    obstacles: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
