"""Counters, gauges and histograms of a process, as Prometheus reads them (text format 0.0.4)."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels: TypeAlias = tuple[tuple[str, str], ...]


class Kind(NamedTuple):
    """What a name stands for. `buckets`: upper bounds of a histogram."""

    type: Literal["counter", "gauge", "histogram"]
    help: str
    buckets: tuple[float, ...] = ()


class _Histogram:
    __slots__ = ("counts", "sum")

    def __init__(self, buckets: int) -> None:
        self.counts = [0] * (buckets + 1)
        self.sum = 0.0


class Metrics:
    """Those of one process, of the `kinds` that are named. Not for several threads at a time."""

    def __init__(self, kinds: Mapping[str, Kind], **common: str) -> None:
        """`common` are labels that every line has."""
        self._kinds = kinds
        self._common = tuple(common.items())
        self._values: dict[str, dict[Labels, float]] = {}
        self._histograms: dict[str, dict[Labels, _Histogram]] = {}

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Adds to a counter."""
        self._add(name, "counter", amount, labels)

    def set(self, name: str, value: float, **labels: str) -> None:
        """Sets a gauge, or a counter that somebody else counts."""
        self._values.setdefault(name, {})[_labels(labels)] = value

    def move(self, name: str, by: float, **labels: str) -> None:
        """Raises or lowers a gauge."""
        self._add(name, "gauge", by, labels)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """One more value of a histogram."""
        buckets = self._kinds[name].buckets
        by_labels = self._histograms.setdefault(name, {})
        histogram = by_labels.setdefault(_labels(labels), _Histogram(len(buckets)))
        histogram.counts[bisect.bisect_left(buckets, value)] += 1
        histogram.sum += value

    def text(self) -> str:
        """All of them."""
        lines: list[str] = []
        for name, kind in self._kinds.items():
            body = [*self._plain(name), *self._buckets(name, kind.buckets)]
            if body:
                lines += [f"# HELP {name} {kind.help}", f"# TYPE {name} {kind.type}", *body]
        return "\n".join(lines) + "\n"

    def _add(self, name: str, type: str, amount: float, labels: dict[str, str]) -> None:
        assert self._kinds[name].type == type, f"{name} is a {self._kinds[name].type}"
        values, key = self._values.setdefault(name, {}), _labels(labels)
        values[key] = values.get(key, 0) + amount

    def _plain(self, name: str) -> Iterator[str]:
        for labels, value in self._values.get(name, {}).items():
            yield self._line(name, labels, value)

    def _buckets(self, name: str, buckets: tuple[float, ...]) -> Iterator[str]:
        for labels, histogram in self._histograms.get(name, {}).items():
            total = 0
            for bound, count in zip((*buckets, math.inf), histogram.counts, strict=True):
                total += count
                le = "+Inf" if math.isinf(bound) else f"{bound:g}"
                yield self._line(f"{name}_bucket", (*labels, ("le", le)), total)
            yield self._line(f"{name}_sum", labels, histogram.sum)
            yield self._line(f"{name}_count", labels, total)

    def _line(self, name: str, labels: Labels, value: float) -> str:
        written = ",".join(f'{key}="{_escaped(text)}"' for key, text in (*self._common, *labels))
        number = f"{value:.0f}" if float(value).is_integer() else repr(float(value))
        return f"{name}{{{written}}} {number}" if written else f"{name} {number}"


def _labels(labels: dict[str, str]) -> Labels:
    return tuple(labels.items())


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
