"""The search for a series: of the times of its first meeting those that go on well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from skerry.errors import DataError
from skerry_workflows.scheduling.calendar.periods import Period
from skerry_workflows.scheduling.calendar.unreadable import Unreadable
from skerry_workflows.scheduling.series import times_of_rule
from skerry_workflows.scheduling.slots.model import Participant, Proposal, Span, Wanted
from skerry_workflows.scheduling.slots.search import cannot, overlaps

STARTS_MAX: Final = 200
"""Of the times of a first meeting, the best that are followed up."""
_CLASH: Final = 35.0
"""What each meeting costs that has to be left out because somebody cannot."""
_SHARE_MAX: Final = 1 / 3
"""Of a series this many may be left out; with more it is none."""


def whole(
    wanted: Wanted, firsts: Sequence[Proposal], needed: Sequence[Participant]
) -> tuple[list[Proposal], tuple[str, ...]]:
    """The proposals as series, best first, and why there is none: who cannot when, of the one that comes nearest.

    A meeting on an excluded day is left out as was wished; one at which somebody cannot is left out too, and said.
    """
    found: list[Proposal] = []
    why: tuple[str, ...] = ()
    fewest = 0
    for first in firsts[:STARTS_MAX]:
        try:
            times = times_of_rule(wanted.repeat, Span(start=first.start, end=first.end), wanted.zone)
        except (DataError, Unreadable) as error:
            why = why or (error.message,)
            continue
        held = [one for one in times if not any(_meet(one, other) for other in wanted.excluded)]
        clashes = {one.start: who for one in held if (who := _who_cannot(wanted, needed, one))}
        said = tuple(f"not on {start:%d.%m.%Y}: {who} cannot" for start, who in clashes.items())
        if len(clashes) > _SHARE_MAX * len(held) or first.start in clashes:
            if not why or len(clashes) < fewest:
                why, fewest = (f"the series from {first.start:%d.%m.%Y} clashes too often", *said), len(clashes)
            continue
        kept = tuple(one for one in held if one.start not in clashes)
        skipped = tuple(one.start for one in times if one not in kept)
        reasons = (*first.reasons, f"{len(kept)} meetings, the last on {kept[-1].start:%d.%m.%Y}", *said)
        cost = round(first.cost + _CLASH * len(clashes), 3)
        found.append(replace(first, cost=cost, reasons=reasons, times=kept, skipped=skipped, clashes=said))
    return sorted(found, key=lambda one: (one.cost, one.start)), why


def _who_cannot(wanted: Wanted, needed: Sequence[Participant], time: Span) -> str:
    slot = Period(start=time.start, end=time.end)
    return " and ".join(person.called for person in needed if cannot(wanted, person, slot))


def _meet(time: Span, other: Span) -> bool:
    return overlaps(Period(start=time.start, end=time.end), other.start, other.end)
