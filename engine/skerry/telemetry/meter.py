"""Counters and histograms that only grow, and go into a file as they are: a restart loses and doubles nothing."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from skerry.core.structs import Frozen
from skerry.telemetry.otlp import attributes, nanos

SECONDS: Final = (0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0, 86400.0)
ANSWER_SECONDS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS: Final = tuple(float(4**power) for power in range(14))
"""The bounds that the GenAI conventions give for their two histograms, and ours."""
_CUMULATIVE = 2
_SERIES_MAX = 2000
"""Beyond so many, new ones are counted together: names come from code, but targets of steps may be many."""

_Key: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]


class Instrument(NamedTuple):
    """What a metric is. `bounds` makes it a histogram."""

    unit: str
    what: str
    bounds: tuple[float, ...] = ()


INSTRUMENTS: Final[Mapping[str, Instrument]] = {
    "skerry.events": Instrument("{event}", "Events in the journal."),
    "skerry.runs.started": Instrument("{run}", "Runs that were started."),
    "skerry.runs.ended": Instrument("{run}", "Runs that were completed, cancelled, failed or parked."),
    "skerry.run.duration": Instrument("s", "From a run's start to its end.", SECONDS),
    "skerry.steps": Instrument("{step}", "Steps that have an outcome."),
    "skerry.step.duration": Instrument("s", "From when a step was asked for to its outcome.", SECONDS),
    "skerry.attempts": Instrument("{attempt}", "Tasks that were sent to workers."),
    "skerry.attempts.failed": Instrument("{attempt}", "Attempts that failed."),
    "skerry.answers": Instrument("{answer}", "Answers of a size that were judged."),
    "skerry.escalations": Instrument("{answer}", "Answers that did not hold, and who was asked next."),
    "skerry.sizes.passed": Instrument("{size}", "Sizes of an ask that were not asked, and why."),
    "skerry.reviews.opened": Instrument("{review}", "Questions to a person."),
    "skerry.reviews.answered": Instrument("{review}", "Questions that a person answered."),
    "skerry.answers.audited": Instrument("{answer}", "Accepted answers that a person has looked at again."),
    "gen_ai.client.token.usage": Instrument("{token}", "Number of input and output tokens used.", TOKENS),
    "gen_ai.client.operation.duration": Instrument("s", "GenAI operation duration.", ANSWER_SECONDS),
}


class Series(Frozen, omit_defaults=True):
    """One counter or histogram as it lies in the state file."""

    name: str
    labels: dict[str, str] = {}
    count: int = 0
    sum: float = 0.0
    buckets: list[int] = []


class Meter:
    """What was counted since `since_us`."""

    def __init__(self, since_us: int, series: Iterable[Series] = ()) -> None:
        self.since_us = since_us
        self._counts: dict[_Key, int] = {}
        self._sums: dict[_Key, float] = {}
        self._buckets: dict[_Key, list[int]] = {}
        for each in series:
            key = self._key(each.name, each.labels)
            self._counts[key] = each.count
            if each.buckets:
                self._sums[key], self._buckets[key] = each.sum, list(each.buckets)

    def count(self, name: str, labels: Mapping[str, str], by: int = 1) -> None:
        """Adds to a counter."""
        key = self._key(name, labels)
        self._counts[key] = self._counts.get(key, 0) + by

    def record(self, name: str, labels: Mapping[str, str], value: float) -> None:
        """Adds a value to a histogram."""
        key, bounds = self._key(name, labels), INSTRUMENTS[name].bounds
        buckets = self._buckets.get(key)
        if buckets is None:
            buckets = self._buckets[key] = [0] * (len(bounds) + 1)
        buckets[bisect_left(bounds, value)] += 1
        self._counts[key] = self._counts.get(key, 0) + 1
        self._sums[key] = self._sums.get(key, 0.0) + value

    def _key(self, name: str, labels: Mapping[str, str]) -> _Key:
        key = (name, tuple(sorted(labels.items())))
        if len(self._counts) < _SERIES_MAX or key in self._counts:
            return key
        return (name, (("otel.metric.overflow", "true"),))

    def series(self) -> list[Series]:
        """All of it, for the state file."""
        return [
            Series(
                name=key[0],
                labels=dict(key[1]),
                count=count,
                sum=self._sums.get(key, 0.0),
                buckets=self._buckets.get(key, []),
            )
            for key, count in self._counts.items()
        ]

    def told(self, now_us: int) -> Iterator[dict[str, Any]]:
        """The metrics in OTLP's form, cumulative."""
        by_name: dict[str, list[_Key]] = {}
        for key in self._counts:
            by_name.setdefault(key[0], []).append(key)
        for name, keys in by_name.items():
            instrument = INSTRUMENTS[name]
            points = [self._point(key, instrument, now_us) for key in keys]
            form = "histogram" if instrument.bounds else "sum"
            data: dict[str, Any] = {"aggregationTemporality": _CUMULATIVE, "dataPoints": points}
            if not instrument.bounds:
                data["isMonotonic"] = True
            yield {"name": name, "unit": instrument.unit, "description": instrument.what, form: data}

    def _point(self, key: _Key, instrument: Instrument, now_us: int) -> dict[str, Any]:
        point: dict[str, Any] = {
            "attributes": attributes(dict(key[1])),
            "startTimeUnixNano": nanos(self.since_us),
            "timeUnixNano": nanos(now_us),
        }
        if not instrument.bounds:
            return {**point, "asInt": str(self._counts[key])}
        return {
            **point,
            "count": str(self._counts[key]),
            "sum": self._sums[key],
            "bucketCounts": [str(each) for each in self._buckets[key]],
            "explicitBounds": list(instrument.bounds),
        }


class Reading(NamedTuple):
    """A number as it stands: a gauge, or (`since_us` set) a counter that began then."""

    name: str
    unit: str
    what: str
    value: int | float
    labels: Mapping[str, str] = {}
    since_us: int = 0


def readings(taken: Iterable[Reading], now_us: int) -> Iterator[dict[str, Any]]:
    """Readings in OTLP's form."""
    by_name: dict[str, list[Reading]] = {}
    for each in taken:
        by_name.setdefault(each.name, []).append(each)
    for name, found in by_name.items():
        points: list[dict[str, Any]] = []
        for each in found:
            number: dict[str, Any] = (
                {"asDouble": each.value} if isinstance(each.value, float) else {"asInt": str(each.value)}
            )
            start = {"startTimeUnixNano": nanos(each.since_us)} if each.since_us else {}
            points.append(
                {"attributes": attributes(dict(each.labels)), "timeUnixNano": nanos(now_us), **start, **number}
            )
        grows = bool(found[0].since_us)
        data: dict[str, Any] = {"dataPoints": points}
        if grows:
            data |= {"aggregationTemporality": _CUMULATIVE, "isMonotonic": True}
        yield {"name": name, "unit": found[0].unit, "description": found[0].what, "sum" if grows else "gauge": data}


def points(metric: Mapping[str, Any]) -> int:
    """How many numbers a metric in OTLP's form has."""
    return next((len(metric[form]["dataPoints"]) for form in ("sum", "gauge", "histogram") if form in metric), 0)
