"""Follows a journal, and makes spans and metrics of what it says: after the fact, beside the engine, in a thread.

Where it has got to is in `cursor.json`, with what was counted until then, so a restart goes on where the last one
ended. A batch of spans is put into the spool first and the cursor is moved then; a batch's name says how far it
reaches, so that a crash in between doubles nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from skerry.core.events import kind_of
from skerry.core.projection import LIVE, STOPPED
from skerry.core.structs import Frozen
from skerry.errors import SkerryError
from skerry.journal.follow import Feed, Followed
from skerry.telemetry import otlp
from skerry.telemetry.meter import Meter, Reading, Series, points, readings
from skerry.telemetry.otlp import Attributes, Span
from skerry.telemetry.settings import Telemetry
from skerry.telemetry.spans import RunSpans
from skerry.telemetry.spool import Spool, batches, replace

log = logging.getLogger("skerry.telemetry")

CURSOR = "cursor.json"
_EVENTS = 500
"""Read at a time, and told in one batch: some 300 KB before it is compressed."""
_RUNS_MAX = 2000
"""So many runs are kept in mind; another one's earlier events are read again."""
_SHARE = 0.25
"""Of a processor's time, at most so much, while there is much to tell: the engine goes first, the journal can wait."""
_AGAIN_S = 5.0

Probe = Callable[[], Sequence[Reading]]


class Cursor(Frozen, omit_defaults=True):
    """Up to which event everything was told, and what was counted since `since_us`."""

    seq: int
    since_us: int
    series: list[Series] = []


class _Collected:
    """The spans of a batch, and the meter."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.spans: list[Span] = []
        self.tell = True
        self.counts = True

    def span(self, span: Span) -> None:
        if self.tell:
            self.spans.append(span)

    def count(self, name: str, labels: Mapping[str, str]) -> None:
        if self.counts:
            self.meter.count(name, labels)

    def record(self, name: str, labels: Mapping[str, str], value: float) -> None:
        if self.counts:
            self.meter.record(name, labels, value)


class Follower:
    """The thread. `probe` says how things stand in the engine; `told` hears that there is something to hand over."""

    def __init__(
        self,
        data: Path,
        spool: Spool,
        settings: Telemetry,
        resource: Attributes,
        *,
        probe: Probe = lambda: (),
        told: Callable[[], None] = lambda: None,
    ) -> None:
        """Where nothing was told before, it begins at the journal's end. Raises `SkerryError`, `OSError`."""
        self._data = data
        self.spool = spool
        self._settings = settings
        self._resource = resource
        self._probe = probe
        self._told = told
        self._path = spool.folder / CURSOR
        self._spans_upto = 0
        self._reading = 0
        """The last event of the batch that is being told of."""
        self._runs: OrderedDict[str, RunSpans] = OrderedDict()
        with Feed(data) as feed:
            end = feed.end()
        cursor = read_cursor(spool.folder)
        if cursor is None or cursor.seq > end:  # the second: the journal was restored from an older copy
            cursor = Cursor(seq=end, since_us=_now_us())
        self._resume(cursor)
        if self._spans_upto > end:
            self._spans_upto = 0
        self._stop_at = 0.0
        self._news = threading.Event()
        self._metrics_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="skerry telemetry", daemon=True)
        self._save()

    def _resume(self, cursor: Cursor) -> None:
        """Forgets what was read since, and goes on from there."""
        mine = (batch.upto for batch in batches(self.spool.folder) if batch.owner == self.spool.owner)
        self._spans_upto = max(self._spans_upto, max(mine, default=0))
        self._collected = _Collected(Meter(cursor.since_us, cursor.series))
        self._runs.clear()
        self.seq = cursor.seq

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self, within_s: float) -> None:
        """Tells what it can in so many seconds; the rest when it is started again."""
        self._stop_at = time.monotonic() + within_s
        self._news.set()
        self._thread.join(within_s + 0.5)

    def _run(self) -> None:
        while True:
            last = bool(self._stop_at)
            pause_s = self._settings.every_s
            try:
                with Feed(self._data) as feed:
                    self._follow(feed, last=last)
            except (SkerryError, OSError) as error:
                log.warning("telemetry waits: %s", error)
                self._resume(self._saved)
                pause_s = _AGAIN_S
            except Exception:  # a defect in here must not end the telling for good, let alone anything else
                log.exception("telemetry has failed; it goes on behind event %d", self._reading)
                self._skip()
                pause_s = _AGAIN_S
            if last:
                return
            self._news.wait(pause_s)

    def _skip(self) -> None:
        """Something there cannot be told: it is passed over, and counted, or nothing would be told any more."""
        upto = max(self._reading, self._saved.seq)
        self._resume(self._saved)
        self.spool.lost("events", upto - self.seq)
        self.seq = upto
        self._save()

    def _follow(self, feed: Feed, *, last: bool) -> None:
        """All that is new, bounded in processor time; until told to stop."""
        while True:
            began = time.thread_time()
            read = self._batch(feed)
            if time.monotonic() >= self._metrics_at or (last and read < _EVENTS):
                self._metrics_at = time.monotonic() + self._settings.metrics_s
                self._tell_metrics(feed)
            if read < _EVENTS or (last and time.monotonic() >= self._stop_at):
                return
            if not last and self._news.wait((time.thread_time() - began) * (1 / _SHARE - 1)):
                return  # told to stop: the last look comes next

    def _batch(self, feed: Feed) -> int:
        found = feed.after(self.seq, _EVENTS)
        if not found:
            return 0
        self._reading = found[-1].seq
        collected = self._collected
        lost = 0
        for each in found:
            collected.tell = each.seq > self._spans_upto
            lost += each.event is None
            self._take(feed, each)
        spans, collected.spans = collected.spans, []
        if spans:
            self.spool.put("traces", otlp.traces(spans, self._resource), len(spans), upto=found[-1].seq)
            self._spans_upto = found[-1].seq
        if lost:
            self.spool.lost("events", lost)
        self.seq = found[-1].seq
        self._save()
        if spans:
            self._told()
        return len(found)

    def _take(self, feed: Feed, found: Followed) -> None:
        event = found.event
        if event is None:
            return
        self._collected.meter.count("skerry.events", {"skerry.event.kind": kind_of(event)})
        if not found.run:
            return
        spans = self._runs.get(found.run)
        if spans is None:
            spans = self._recalled(feed, found)
        else:
            self._runs.move_to_end(found.run)
        spans.take(found.at_us, event)
        if spans.over:
            self._runs.pop(found.run, None)

    def _recalled(self, feed: Feed, found: Followed) -> RunSpans:
        """A run that is not in mind: what it did before was told then."""
        collected = self._collected
        spans = self._runs[found.run] = RunSpans(found.run, collected, content=self._settings.content)
        if found.n > 1:
            tell, collected.tell, collected.counts = collected.tell, False, False
            for at_us, event in feed.before(found.run_key, found.n):
                spans.take(at_us, event)
            collected.tell, collected.counts = tell, True
        if len(self._runs) > _RUNS_MAX:
            self._runs.popitem(last=False)
        return spans

    def _tell_metrics(self, feed: Feed) -> None:
        now_us = _now_us()
        tally = self.spool.tally
        since_us = self._collected.meter.since_us
        live = feed.live()
        own = [
            Reading("skerry.runs", "{run}", "Runs that have not ended.", live.get(status, 0), {"skerry.status": status})
            for status in sorted(LIVE | STOPPED)
        ]
        own.append(Reading("skerry.telemetry.behind", "{event}", "Events not told of.", feed.end() - self.seq))
        for column in ("sent", "dropped", "refused"):
            for signal, count in getattr(tally, column).items():
                what = "Spans, data points and events, by what became of them."
                labels = {"skerry.signal": signal, "skerry.fate": column}
                own.append(Reading("skerry.telemetry.items", "{item}", what, count, labels, since_us))
        try:
            own += self._probe()
        except RuntimeError as error:  # a dictionary changed while it was read: next time
            log.debug("no readings of the engine: %s", error)
        told = [*self._collected.meter.told(now_us), *readings(own, now_us)]
        count = sum(map(points, told))
        self.spool.put("metrics", otlp.metrics(told, self._resource), count)
        self._told()

    def _save(self) -> None:
        meter = self._collected.meter
        self._saved = Cursor(seq=self.seq, since_us=meter.since_us, series=meter.series())
        replace(self._path, msgspec.json.encode(self._saved))


def read_cursor(folder: Path) -> Cursor | None:
    """Where the telling has got to; None where nothing was told yet."""
    try:
        return msgspec.json.decode((folder / CURSOR).read_bytes(), type=Cursor)
    except (OSError, msgspec.MsgspecError):
        return None


def _now_us() -> int:
    return time.time_ns() // 1000
