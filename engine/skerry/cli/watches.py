"""How watches are shown."""

from __future__ import annotations

from skerry.cli import words
from skerry.cli.out import Cell, Column
from skerry.core import api

COLUMNS = (
    Column("WATCH"),
    Column("KIND"),
    Column(""),
    Column("TAKEN", "right"),
    Column("KNOWN", "right"),
    Column("REFUSED", "right"),
    Column("LAST"),
    Column("", wrap=True),
)
_STYLES = {"watching": "green", "failing": "yellow", "ended": "yellow"}


def row(watch: api.WatchStatus) -> list[str | Cell]:
    """One watch in a line of `COLUMNS`."""
    return [
        watch.name,
        watch.kind,
        Cell(watch.state, _STYLES.get(watch.state, "")),
        str(watch.taken),
        str(watch.again),
        Cell(str(watch.refused), "yellow" if watch.refused else ""),
        words.moment(watch.last_us) if watch.last_us else "-",
        watch.note,
    ]
