"""How telemetry stands in a data folder, for whoever looks from outside: `skerry doctor`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from skerry.journal.follow import Feed
from skerry.telemetry.follower import read_cursor
from skerry.telemetry.settings import Telemetry, folder_of
from skerry.telemetry.spool import batches, tallies


class Look(NamedTuple):
    """What was found. `behind` are events that nothing was made of yet, `waiting` is what waits to be handed over."""

    where: str
    behind: int
    waiting: int
    waiting_bytes: int
    dropped: int
    refused: int
    error: str


def look(settings: Telemetry, data: Path) -> Look:
    """Looks. Raises `SkerryError` when the journal cannot be read."""
    folder = folder_of(data)
    waiting = list(batches(folder))
    told = tallies(folder) if folder.is_dir() else []
    cursor = read_cursor(folder)
    behind = 0
    if cursor is not None:
        with Feed(data) as feed:
            behind = max(0, feed.end() - cursor.seq)
    newest = max(told, key=lambda tally: max(tally.error_us, tally.sent_us), default=None)
    return Look(
        where=settings.endpoint or str(folder),
        behind=behind,
        waiting=sum(batch.items for batch in waiting),
        waiting_bytes=sum(batch.size for batch in waiting),
        dropped=_sum(each.dropped for each in told),
        refused=_sum(each.refused for each in told),
        error=newest.error if newest is not None and settings.endpoint else "",
    )


def _sum(columns: Iterable[Mapping[str, int]]) -> int:
    return sum(sum(column.values()) for column in columns)
