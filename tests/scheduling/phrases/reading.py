"""What the tests read against: a Wednesday morning in Berlin."""

from __future__ import annotations

import datetime as dt

from skerry_workflows.scheduling.phrases import Reading, times

NOW = dt.datetime(2026, 11, 25, 10, 30, tzinfo=dt.UTC)
ZONE = "Europe/Berlin"


def told(text: str, language: str | None = "en") -> list[str]:
    """Every reading of a text in a line: its span to the minute, its length, or that it recurs."""
    return [tell(reading) for reading in times(text, NOW, ZONE, language)]


def tell(reading: Reading) -> str:
    """`2026-11-30 09:00 2026-11-30 10:00`, without the times where both are midnight; `?` for each doubt."""
    mark = "?" * len(reading.doubts) + ("!" if reading.negated else "")
    if reading.length is not None:
        return f"{reading.length.total_seconds / 60:g} min{mark}"
    if reading.span is None:
        return f"{reading.kind}{mark}"
    ends = [each.strftime("%Y-%m-%d %H:%M") if each else "..." for each in (reading.span.start, reading.span.end)]
    if all(each.endswith(("00:00", "...")) for each in ends):
        ends = [each.removesuffix(" 00:00") for each in ends]
    return " ".join(ends) + mark
