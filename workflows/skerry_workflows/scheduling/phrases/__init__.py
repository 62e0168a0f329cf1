"""Times in words, read by code that knows when it is unsure.

Three functions, all pure: `times` finds the time expressions of a text, `wish` reads what meeting a message asks for,
`deadline` by when it wants something. Each takes `now`, an instant with a zone, and `zone`, the reader's zone by its
IANA name: what was said without one is meant there. No text makes them raise: silence where there is no time.
"""

from __future__ import annotations

import datetime as dt

from skerry_workflows.scheduling.phrases.model import (
    Alternative,
    Deadline,
    Grain,
    Kind,
    Length,
    MeetingWish,
    Reading,
    Span,
    Window,
)

__all__ = [
    "Alternative",
    "Deadline",
    "Grain",
    "Kind",
    "Length",
    "MeetingWish",
    "Reading",
    "Span",
    "Window",
    "deadline",
    "times",
    "wish",
]


def times(text: str, now: dt.datetime, zone: str, language: str | None = None) -> tuple[Reading, ...]:
    """The time expressions of a text, in its order.

    Args:
        text: as a person wrote it.
        now: the instant it is read against, with a zone.
        zone: IANA name of the zone in which times without one are meant.
        language: two letters (ISO 639-1); found from the words where it is not given.

    Raises:
        ValueError: `now` has no zone, or `zone` is not known.
    """
    from skerry_workflows.scheduling.phrases.reader import read

    return read(text, now, zone, language)


def wish(text: str, now: dt.datetime, zone: str, language: str | None = None) -> MeetingWish | None:
    """What meeting a message asks for; None where it asks for none. Quoted history is not read.

    Takes and raises what `times` does.
    """
    from skerry_workflows.scheduling.phrases.wishes import read_wish

    return read_wish(text, now, zone, language)


def deadline(text: str, now: dt.datetime, zone: str, language: str | None = None) -> Deadline | None:
    """By when a message wants something ("please reply by Friday"); None where it does not say.

    Takes and raises what `times` does.
    """
    from skerry_workflows.scheduling.phrases.deadlines import read_deadline

    return read_deadline(text, now, zone, language)
