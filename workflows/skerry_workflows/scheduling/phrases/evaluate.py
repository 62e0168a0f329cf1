"""The reader over a folder of time expressions, for a scorer.

The rows come from several projects' tests, and those mean different things by "afternoon" or "next weekend"; so each
file is read by its project's `Conventions`, and told in its shape. Which reading is chosen, and whether it is sure,
does not depend on the file. No expected answer is read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from skerry.errors import DataError
from skerry_workflows.evaluation import Failure, Predicted, Progress, Task
from skerry_workflows.scheduling.phrases.calendar_units import add_months
from skerry_workflows.scheduling.phrases.conventions import OFFICE, Conventions
from skerry_workflows.scheduling.phrases.documents import DOCUMENT, date_in
from skerry_workflows.scheduling.phrases.model import Length, Reading
from skerry_workflows.scheduling.phrases.reader import read

# The hours that the projects document for the parts of a day, and how they count weeks and blocks.
_RECOGNIZERS = Conventions(
    parts={
        "dawn": (4, 8), "breakfast": (8, 12), "morning": (8, 12), "forenoon": (8, 12), "brunch": (8, 12),
        "noon": (11, 13), "lunch": (11, 13), "midday": (11, 13), "afternoon": (12, 16), "tea": (16, 18),
        "evening": (16, 20), "dinner": (16, 20), "night": (20, 24 - 1 / 3600), "day": (8, 18), "work": (8, 18),
    },
    same_weekday="today", blocks="rolling", edges="halves", zones=False,
)  # fmt: skip
_DUCKLING = Conventions(
    parts={
        "dawn": (3, 8), "breakfast": (5, 10), "morning": (4, 12), "forenoon": (4, 12), "brunch": (10, 13),
        "noon": (11, 13), "lunch": (12, 14), "midday": (11, 14), "afternoon": (12, 19), "tea": (15, 17),
        "evening": (18, 24), "dinner": (18, 21), "night": (18, 24), "day": (8, 18), "work": (9, 17),
    },
    weekend=(-6, 48), same_weekday="next", blocks="calendar", edges="thirds", offsets="floored", zones=False,
)  # fmt: skip


class _Row(msgspec.Struct, frozen=True):
    id: str
    text: str = ""
    reference: str = "2013-02-12T04:30:00"
    lang: str = "en"
    subject: str = ""
    body: str = ""


def predict(folder: Path, progress: Progress | None = None) -> Predicted:
    """Read every row of every file that the folder has.

    Raises:
        DataError: the folder has none of the files.
    """
    rows = list(_shaped(folder))
    if not rows:
        raise DataError(f"{folder} has no time expressions", hint=f"it should have {', '.join(_SHAPES)}")
    predictions: dict[str, Any] = {}
    failures: list[Failure] = []
    for done, (row, shape) in enumerate(rows, start=1):
        try:
            predictions[row.id] = shape.tell(row, readings(row, shape.conventions))
        except Exception as error:  # whatever one row does, the others are still wanted
            failures.append(Failure(id=row.id, reason=f"{type(error).__name__}: {error}"))
        if progress:
            progress(done, len(rows))
    return predictions, failures


TASKS: Mapping[str, Task] = {"timex": predict}


def unsure(folder: Path) -> set[str]:
    """The ids of the rows in which something was read with a doubt, so that it would be asked about."""
    return {row.id for row, shape in _shaped(folder) if not all(one.sure for one in readings(row, shape.conventions))}


def readings(row: _Row, conventions: Conventions) -> tuple[Reading, ...]:
    """What is read in a row; the zone of the reference does not matter, all is told in its local time."""
    return read(row.text or _mail(row), _now(row), "UTC", row.lang, conventions)


def _now(row: _Row) -> dt.datetime:
    return dt.datetime.fromisoformat(row.reference).replace(tzinfo=dt.UTC)


def _mail(row: _Row) -> str:
    return f"{row.subject}\n\n{row.body}"


def _recognizers(row: _Row, found: Sequence[Reading]) -> list[dict[str, str]]:
    del row
    return [_recognized(reading) for reading in found]


def _recognized(reading: Reading) -> dict[str, str]:
    """Durations in seconds; ends as they were said ("March to May" ends with the first of May)."""
    said = {"text": reading.words}
    if reading.kind == "recurring":
        return {**said, "value": "not resolved"}
    if reading.length is not None:
        return {**said, "value": f"{reading.length.total_seconds:.3f}".rstrip("0").rstrip(".")}
    span = reading.span
    assert span is not None
    fine = span.grain in ("second", "minute", "hour")

    def tell(moment: dt.datetime) -> str:
        if not reading.dated:
            return moment.strftime("%H:%M:%S")
        return moment.strftime("%Y-%m-%d %H:%M:%S") if fine else moment.strftime("%Y-%m-%d")

    if reading.kind == "point" and (fine or span.grain == "day") and span.start:
        return {**said, "value": tell(span.start)}
    # What is open begins and ends with the first day that was named; after a whole month it begins with the next one.
    named = span.last if reading.kind == "open" and (fine or span.grain == "day") else None
    start = (named or span.start) if span.start else None
    end = (span.last or span.end) if span.end else None
    return said | {name: tell(moment) for name, moment in (("start", start), ("end", end)) if moment}


def _duckling(row: _Row, found: Sequence[Reading]) -> dict[str, str] | None:
    """Its ends are exclusive by the grain of what was said: 2 to 3 o'clock ends at 4."""
    del row
    timed = [reading for reading in found if reading.span is not None]
    if not timed:
        return None
    reading = max(timed, key=lambda each: each.stop - each.begin)
    span = reading.span
    assert span is not None
    if reading.kind == "open":
        edge = span.start or span.end
        return {"value": _plain(edge)} if edge else None
    assert span.start is not None and span.end is not None
    if reading.kind == "point":
        return {"value": _plain(span.start)}
    end = span.end
    if span.last == span.end and span.grain in ("hour", "minute"):
        end += dt.timedelta(**{f"{span.grain}s": 1})
    return {"from": _plain(span.start), "to": _plain(end)}


def _negative(row: _Row, found: Sequence[Reading]) -> list[str] | None:
    del row
    return [reading.words for reading in found if reading.span is not None] or None


def _absolute(row: _Row, found: Sequence[Reading]) -> dict[str, str] | None:
    del found
    moment = date_in(row.text, _now(row), "UTC")
    return {"value": _plain(moment)} if moment else None


def _relative(row: _Row, found: Sequence[Reading]) -> dict[str, str] | None:
    """In this project a bare length is so long ago; the workflow itself takes it for a length and asks."""
    for reading in found:
        if reading.span is not None and reading.span.start is not None:
            return {"value": _plain(reading.span.start)}
        if reading.length is not None and reading.words == row.text.strip():
            return {"value": _plain(_before(_now(row), reading.length))}
    return None


def _event(row: _Row, found: Sequence[Reading]) -> dict[str, str] | None:
    from skerry_workflows.scheduling.phrases.wishes import read_wish

    del found
    wish = read_wish(_mail(row), _now(row), "UTC")
    if wish is None or not wish.windows or wish.windows[0].start is None:
        return None
    window, length = wish.windows[0], wish.duration
    assert window.start is not None
    end = window.start + dt.timedelta(seconds=length.total_seconds) if length else window.end
    return {"start": _plain(window.start), **({"end": _plain(end)} if end else {})}


class _Shape(NamedTuple):
    """How the rows of a file are read, and how what was read is told."""

    tell: Callable[[_Row, Sequence[Reading]], Any]
    conventions: Conventions


_SHAPES: Mapping[str, _Shape] = {
    "recognizers_en.jsonl": _Shape(_recognizers, _RECOGNIZERS),
    "recognizers_other.jsonl": _Shape(_recognizers, _RECOGNIZERS),
    "duckling_en.jsonl": _Shape(_duckling, _DUCKLING),
    "duckling_negative.jsonl": _Shape(_negative, OFFICE),
    "dateparser_absolute.jsonl": _Shape(_absolute, DOCUMENT),
    "dateparser_relative_en.jsonl": _Shape(_relative, Conventions(offsets="exact")),
    "thunderbird_event_extract.jsonl": _Shape(_event, OFFICE),
}


def _shaped(folder: Path) -> Iterator[tuple[_Row, _Shape]]:
    """Every row of every file that is there."""
    for file, shape in _SHAPES.items():
        for row in _rows(folder / file):
            yield row, shape


def _before(moment: dt.datetime, length: Length) -> dt.datetime:
    """So long before a moment; months by the calendar."""
    return add_months(moment, -int(length.months)) - dt.timedelta(days=length.days, seconds=length.seconds)


def _plain(moment: dt.datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="seconds")


def _rows(path: Path) -> list[_Row]:
    if not path.is_file():
        return []
    try:
        return [msgspec.json.decode(line, type=_Row) for line in path.read_bytes().splitlines() if line.strip()]
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise DataError(
            f"{path} has a row that is no time expression: {error}", hint="one JSON object a line"
        ) from None
