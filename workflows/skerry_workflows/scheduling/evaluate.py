"""The calendar's part of the work over folders of cases, for a scorer. Reads no expected answer but the question in it.

The cases of `calendars` keep the window that is asked for beside the answer (`expected`: start, end, until, queries
with `fn` and `args`); nothing else of it is read.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from skerry.errors import DataError
from skerry_workflows.evaluation import Failure, Predicted, Progress, Task

T = TypeVar("T", bound=msgspec.Struct)


class _Query(msgspec.Struct, frozen=True):
    fn: str
    args: list[Any]


class _Asked(msgspec.Struct, frozen=True):
    """Of `expected`, only what is asked."""

    start: str = ""
    end: str = ""
    until: str = ""
    floating_tz: str = ""
    queries: list[_Query] = []


class _Case(msgspec.Struct, frozen=True):
    id: str
    task: str
    input: str
    inputs: list[str] = []
    availability: str | None = None
    expected: _Asked = _Asked()


class _Manifest(msgspec.Struct, frozen=True):
    cases: list[_Case]


def _of_manifest(task: str, predict: Callable[[Path, _Case], Any]) -> Task:
    def run(folder: Path, progress: Progress | None) -> Predicted:
        path = folder / "manifest.json"
        cases = [case for case in _decoded(path, _read(path), _Manifest).cases if case.task == task]
        return _each(cases, lambda case: predict(folder, case), progress)

    return run


def _of_rows(file: str, row: type[T], predict: Callable[[T], Any]) -> Task:
    def run(folder: Path, progress: Progress | None) -> Predicted:
        path = folder / file
        rows = [_decoded(path, line, row) for line in _read(path).splitlines() if line.strip()]
        return _each(rows, predict, progress)

    return run


def _each(cases: Iterable[Any], predict: Callable[[Any], Any], progress: Progress | None) -> Predicted:
    predictions: dict[str, Any] = {}
    failures: list[Failure] = []
    todo = list(cases)
    for done, case in enumerate(todo, start=1):
        try:
            predictions[case.id] = predict(case)
        except Exception as error:  # whatever one case does, the others are still wanted
            failures.append(Failure(id=case.id, reason=str(error) or type(error).__name__))
        if progress:
            progress(done, len(todo))
    return predictions, failures


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})", hint=_HINT) from None


def _decoded(path: Path, data: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise DataError(f"{path} has another shape: {error}", hint=_HINT) from None


_HINT = "give the folder that holds manifest.json (or the .jsonl file) of the task"


# --- calendars --------------------------------------------------------------------------------------------------------


def _occurrences(folder: Path, case: _Case) -> dict[str, list[list[str]]]:
    from skerry_workflows.scheduling.calendar.moments import iso
    from skerry_workflows.scheduling.calendar.occurrences import occurrences
    from skerry_workflows.scheduling.calendar.read import read

    source = read((folder / case.input).read_bytes())
    answers: dict[str, list[list[str]]] = {}
    for number, query in enumerate(case.expected.queries):
        start, end = _between(*query.args) if query.fn == "between" else _at(query.args[0])
        found = occurrences(source, start, end).found
        answers[str(number)] = [[iso(one.start), iso(one.end)] for one in found]
    return answers


def _numbers(said: Any) -> list[int]:
    return msgspec.convert(said if isinstance(said, list) else [said], list[int])


def _at(said: Any) -> tuple[dt.datetime, dt.datetime]:
    """A year, month, day, hour, minute or second, or one instant."""
    if isinstance(said, str) and "T" in said:
        return _moment(said), _moment(said)
    if isinstance(said, str):
        day = dt.date.fromisoformat(said)
        said = [day.year, day.month, day.day]
    parts = _numbers(said)
    start = _moment(parts)
    if len(parts) == 1:
        return start, start.replace(year=start.year + 1)
    if len(parts) == 2:
        return start, (start + dt.timedelta(days=31)).replace(day=1)
    units = ("days", "hours", "minutes", "seconds")
    return start, start + dt.timedelta(**{units[len(parts) - 3]: 1})


def _between(start: Any, end: Any) -> tuple[dt.datetime, dt.datetime]:
    return _moment(start), _moment(end)


def _moment(said: Any) -> dt.datetime:
    if isinstance(said, str):
        return dt.datetime.fromisoformat(said)
    parts = _numbers(said)
    year, month, day, *time = [*parts, *[1, 1][: max(0, 3 - len(parts))]]
    hour, minute, second = [*time, 0, 0, 0][:3]
    return dt.datetime(year, month, day, hour, minute, second)


def _window(folder: Path, case: _Case) -> list[list[str]]:
    from skerry_workflows.scheduling.calendar.moments import iso
    from skerry_workflows.scheduling.calendar.occurrences import occurrences
    from skerry_workflows.scheduling.calendar.read import read

    start, end, local = _asked(case)
    found = occurrences(read((folder / case.input).read_bytes()), start, end, local=local).found

    def placed(moment: dt.datetime | dt.date) -> str:
        floats = isinstance(moment, dt.datetime) and moment.tzinfo is None and bool(case.expected.floating_tz)
        return iso(moment.replace(tzinfo=local) if floats and isinstance(moment, dt.datetime) else moment)

    return [[placed(one.start), placed(one.end)] for one in found]


def _asked(case: _Case) -> tuple[dt.datetime, dt.datetime, dt.tzinfo]:
    """The window of a case, and where floating times are placed."""
    from skerry_workflows.scheduling.calendar.occurrences import instant
    from skerry_workflows.scheduling.calendar.zones import zone

    local = zone(case.expected.floating_tz or "UTC") or dt.UTC
    asked = case.expected
    return (
        instant(dt.datetime.fromisoformat(asked.start), local),
        instant(dt.datetime.fromisoformat(asked.end), local),
        local,
    )


def _start_times(folder: Path, case: _Case) -> list[str]:
    from skerry_workflows.scheduling.calendar.moments import iso
    from skerry_workflows.scheduling.calendar.occurrences import occurrences
    from skerry_workflows.scheduling.calendar.read import read

    until = dt.datetime.fromisoformat(case.expected.until)
    start = until - dt.timedelta(days=10 * 366)
    return [iso(one.start) for one in occurrences(read((folder / case.input).read_bytes()), start, until).found]


def _freebusy(folder: Path, case: _Case) -> list[list[str]]:
    from skerry_workflows.scheduling.calendar.freebusy import busy
    from skerry_workflows.scheduling.calendar.moments import iso
    from skerry_workflows.scheduling.calendar.read import read

    start, end, local = _asked(case)
    sources = [read((folder / name).read_bytes()) for name in case.inputs or [case.input]]
    hours = read((folder / case.availability).read_bytes()) if case.availability else None
    found = busy(sources, start, end, hours=hours, local=local)
    return [[iso(one.start), iso(one.end), one.kind] for one in found.periods]


def _reminders(folder: Path, case: _Case) -> list[str]:
    from skerry_workflows.scheduling.calendar.moments import iso
    from skerry_workflows.scheduling.calendar.read import read
    from skerry_workflows.scheduling.calendar.reminders import reminders

    start, end, local = _asked(case)
    found, _ = reminders(read((folder / case.input).read_bytes()), start, end, local=local)
    return [iso(one.at) for one in found]


class _Rule(msgspec.Struct, frozen=True):
    id: str
    rrule: str
    dtstart: str
    tz: str = ""
    start_at: str = ""
    complete: bool = False


def _rrule(row: _Rule) -> list[str]:
    from skerry_workflows.scheduling.calendar.moments import iso, parse_iso
    from skerry_workflows.scheduling.calendar.rules import expand
    from skerry_workflows.scheduling.calendar.zones import zone

    since = parse_iso(row.start_at) if row.start_at else None
    found = expand(row.rrule, parse_iso(row.dtstart), zone=zone(row.tz), since=since)
    return [iso(one) for one in itertools.islice(found, _RULE_INSTANCES_MAX)]


_RULE_INSTANCES_MAX = 5_000


class _Name(msgspec.Struct, frozen=True):
    id: str
    name: str


def _zone(row: _Name) -> str | None:
    from skerry_workflows.scheduling.calendar.zones import resolve

    return resolve(row.name)


class _Exchange(msgspec.Struct, frozen=True):
    id: str
    direction: str
    user: str = ""
    old: str | None = None
    new: str | None = None
    message: str = ""
    existing: str | None = None


def _itip(row: _Exchange) -> list[dict[str, str]] | str | None:
    from skerry_workflows.scheduling.calendar.read import read
    from skerry_workflows.scheduling.itip.incoming import receive
    from skerry_workflows.scheduling.itip.outgoing import messages

    def parsed(text: str | None) -> Any:
        return read(text.encode()).calendar if text else None

    if row.direction == "outgoing":
        sent = messages(parsed(row.old), parsed(row.new), row.user, dt.datetime.now(dt.UTC))
        return [{"method": one.method, "recipient": f"mailto:{one.recipient}"} for one in sent]
    done = receive(read(row.message.encode()).calendar, parsed(row.existing))
    return None if done.calendar is None else str(done.calendar)


def _imip(folder: Path, case: _Case) -> dict[str, Any]:
    from skerry_workflows.scheduling.calendar.moments import iso
    from skerry_workflows.scheduling.imip import read_mail

    mailed = read_mail((folder / case.input).read_bytes())
    if mailed is None:
        return {"method": "", "events": []}
    events: list[dict[str, Any]] = []
    for one in mailed.events:
        said: dict[str, Any] = msgspec.to_builtins(one)
        for name in ("start", "end", "recurrence_id"):
            moment = getattr(one, name)
            said[name] = iso(moment) if moment is not None else None
        events.append(said)
    return {"method": mailed.method or mailed.mime_method, "events": events}


MAIL_TASKS: Mapping[str, Task] = {"imip": _of_manifest("imip", _imip)}
"""Those whose cases are mails; `evaluate_mail` has them."""

TASKS: Mapping[str, Task] = {
    "occurrences": _of_manifest("occurrences", _occurrences),
    "window": _of_manifest("window", _window),
    "start_times": _of_manifest("start_times", _start_times),
    "freebusy": _of_manifest("freebusy", _freebusy),
    "reminders": _of_manifest("reminders", _reminders),
    "rrule": _of_rows("rrule.jsonl", _Rule, _rrule),
    "itip": _of_rows("itip/itip.jsonl", _Exchange, _itip),
    "tz": _of_rows("timezone_names.jsonl", _Name, _zone),
}
