"""What a worker counts, as Prometheus reads it (text format 0.0.4). Names follow vLLM's, where it has one."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels: TypeAlias = tuple[tuple[str, str], ...]

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


class Kind(NamedTuple):
    """What a name stands for. `buckets`: upper bounds of a histogram."""

    type: Literal["counter", "gauge", "histogram"]
    help: str
    buckets: tuple[float, ...] = ()


KINDS: dict[str, Kind] = {
    "slm_requests_running": Kind("gauge", "Tasks in work."),
    "slm_requests_waiting": Kind("gauge", "Questions that wait for a slot of a model, or for it to be loaded."),
    "slm_request_success_total": Kind("counter", "Questions answered, by how the answer ended."),
    "slm_request_failure_total": Kind("counter", "Questions without an answer, by the kind of failure."),
    "slm_prompt_tokens_total": Kind("counter", "Tokens read, those from a cache included."),
    "slm_generation_tokens_total": Kind("counter", "Tokens written."),
    "slm_prefix_cache_queries_total": Kind("counter", "Tokens of prompts that a cache was asked for."),
    "slm_prefix_cache_hits_total": Kind("counter", "Tokens of prompts that came from a cache."),
    "slm_cost_total": Kind("counter", "Money that answers cost, by the prices of the settings."),
    "slm_energy_joules_total": Kind("counter", "Energy that answers took of the processors, where it can be read."),
    "slm_request_queue_time_seconds": Kind("histogram", "Waiting for a slot of a model.", _SECONDS),
    "slm_time_to_first_token_seconds": Kind("histogram", "From the question to its first token.", _SECONDS),
    "slm_e2e_request_latency_seconds": Kind("histogram", "From the question to its answer.", _SECONDS),
    "slm_model_load_seconds": Kind("histogram", "Loading a model.", _SECONDS),
    "slm_models_loaded": Kind("gauge", "Models that are loaded."),
    "slm_model_memory_bytes": Kind("gauge", "Memory that a model's process holds."),
    "slm_field_confidence": Kind("histogram", "Smallest token probability of a field of an answer.", _SHARES),
    "slm_worker_state": Kind("gauge", "1 for the state that the worker is in, 0 for the others."),
    "slm_tasks_done_total": Kind("counter", "Results with a value."),
    "slm_tasks_failed_total": Kind("counter", "Results with a failure."),
    "slm_slots": Kind("gauge", "Tasks that the worker takes at a time."),
}


class _Histogram:
    __slots__ = ("counts", "sum")

    def __init__(self, buckets: int) -> None:
        self.counts = [0] * (buckets + 1)
        self.sum = 0.0


class Metrics:
    """Counters, gauges and histograms of one process. Not for several threads."""

    def __init__(self, **common: str) -> None:
        """`common` are labels that every line has."""
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
        buckets = KINDS[name].buckets
        by_labels = self._histograms.setdefault(name, {})
        histogram = by_labels.setdefault(_labels(labels), _Histogram(len(buckets)))
        histogram.counts[bisect.bisect_left(buckets, value)] += 1
        histogram.sum += value

    def text(self) -> str:
        """All of them."""
        lines: list[str] = []
        for name, kind in KINDS.items():
            body = [*self._plain(name), *self._buckets(name, kind.buckets)]
            if body:
                lines += [f"# HELP {name} {kind.help}", f"# TYPE {name} {kind.type}", *body]
        return "\n".join(lines) + "\n"

    def _add(self, name: str, type: str, amount: float, labels: dict[str, str]) -> None:
        assert KINDS[name].type == type, f"{name} is a {KINDS[name].type}"
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
