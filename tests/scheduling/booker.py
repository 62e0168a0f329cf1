"""A process that wants slots, as fast as it can: `booker.py FILE NAME COUNT`. Prints how many it got."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

from skerry_workflows.scheduling.bookings import Booking, Bookings
from skerry_workflows.scheduling.slots.model import Span

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
QUARTER = dt.timedelta(minutes=15)


def slot(number: int) -> tuple[dt.datetime, dt.datetime]:
    """The number-th half hour; each overlaps its neighbours."""
    return NOON + number * QUARTER, NOON + number * QUARTER + 2 * QUARTER


def main(path: str, name: str, count: str) -> None:
    """Tries every slot once, each for a meeting of its own with Ana."""
    got = 0
    with Bookings(Path(path)) as bookings:
        for number in range(int(count)):
            starts, ends = slot(number)
            held = bookings.hold(
                uid=f"{name}-{number}", sequence=0, times=[Span(start=starts, end=ends)],
                people=["ana@example.org", f"{name}@example.org"], summary=name,
                key=f"{name}-{number}", now=NOON, held_until=NOON + dt.timedelta(days=1),
            )  # fmt: skip
            if isinstance(held, Booking):
                bookings.book(held.id)
                got += 1
    sys.stdout.write(f"{got}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
