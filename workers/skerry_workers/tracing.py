"""What a worker tells of its tasks: a span for each, a child of the one whose id came with it, and one for the model.

Only imported where telemetry is on. A task costs a worker some 20 us then; a thread of its own does the rest.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skerry.core.structs import Frozen
from skerry.core.wire import Task
from skerry.errors import SkerryError
from skerry.telemetry import genai, otlp
from skerry.telemetry.otlp import CLIENT, CONSUMER, Span, Value
from skerry.telemetry.sender import Collector, Sender
from skerry.telemetry.settings import Telemetry, folder_of, resource
from skerry.telemetry.spool import Spool
from skerry.version import __version__
from skerry_workers.failures import Outcome

_MB = 1024 * 1024
_SPANS, _SPANS_MAX = 500, 20_000
"""In one batch; and in memory, where the disk takes none."""
_TEXT_MAX = 4096
_log = logging.getLogger("skerry.worker")


class Began(Frozen):
    """A task in work: its span's ids, when it began, and what gives its surroundings back."""

    trace: str
    span: str
    parent: str
    at_us: int
    token: Any = None


class Tracing:
    """The spans of one worker."""

    def __init__(self, settings: Telemetry, folder: Path, worker: str, size: str) -> None:
        """Raises `SkerryError` when the endpoint is none, `OSError` when the folder is of no use."""
        self._settings = settings
        self._worker = worker
        self._size = size
        self._spool = Spool(folder, f"worker-{worker}", settings.spool_mb * _MB)
        self._sender: Sender | None = None
        if settings.endpoint:
            self._sender = Sender(self._spool, Collector(settings.endpoint, settings.header_lines()))
        self._resource = resource(
            os.environ,
            service__name="skerry-worker",
            service__version=__version__,
            service__instance__id=worker,
            host__name=socket.gethostname(),
        )
        self._surroundings = _Surroundings()
        self._lock = threading.Lock()
        self._spans: list[Span] = []
        self._news = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="skerry telemetry", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()
        if self._sender is not None:
            self._sender.start()

    def close(self, within_s: float = 2.0) -> None:
        """Puts the rest where it is handed over from, and hands over what it can in so many seconds."""
        self._ending = True
        self._news.set()
        self._thread.join(within_s)
        if self._sender is not None:
            self._sender.stop(within_s)

    # --- a task -------------------------------------------------------------------------------------------------------

    def begin(self, task: Task, headers: Mapping[str, str]) -> Began:
        """A task comes to this worker. What it does itself, under OpenTelemetry, becomes a child of its span."""
        trace, parent = _context(headers.get("traceparent", "")) or otlp.ids(task.run, f"{task.step}/{task.attempt}")
        span = os.urandom(8).hex()
        return Began(
            trace=trace, span=span, parent=parent, at_us=_now_us(), token=self._surroundings.enter(trace, span)
        )

    def ended(self, began: Began, task: Task, outcome: Outcome | None, why: str) -> Outcome | None:
        """What came of it; None: it was stopped (`why`). It comes back with the id of the model's span."""
        self._surroundings.leave(began.token)
        now_us = _now_us()
        failure = outcome.failure if outcome is not None else None
        named: dict[str, Value] = {
            "skerry.run": task.run,
            "skerry.workflow": task.workflow,
            "skerry.step": task.step,
            "skerry.attempt": task.attempt,
            "skerry.step.kind": task.kind,
            "skerry.step.target": task.target,
            "skerry.size": self._size,
            "skerry.worker": self._worker,
            "skerry.outcome": "failed" if failure else "done" if outcome is not None else f"stopped ({why})",
            "messaging.system": "nats",
            "messaging.operation.type": "process",
            "messaging.destination.name": f"task.{self._size}",
            "messaging.message.id": str(task.id),
        }
        if self._settings.content and outcome is not None and outcome.value:
            named["skerry.value"] = outcome.value[:_TEXT_MAX].decode("utf-8", "replace")
        error = failure.kind if failure is not None else ""
        message = failure.message[:_TEXT_MAX] if failure is not None and self._settings.content else ""
        spans = [
            otlp.span(
                (began.trace, began.span),
                f"work {task.target}",
                began.at_us,
                now_us,
                parent=began.parent,
                kind=CONSUMER,
                named=named,
                error=error,
                message=message,
            )
        ]
        if outcome is not None and genai.is_model(self._size, outcome.model):
            asked = self._model_span(began, task, outcome, now_us, error, message)
            spans.append(asked)
            outcome = outcome._replace(model={**outcome.model, genai.TOLD: asked.span_id})
        self._add(spans)
        return outcome

    def _model_span(self, began: Began, task: Task, outcome: Outcome, now_us: int, error: str, message: str) -> Span:
        named = genai.attributes(outcome.model, self._size, task.target)
        if self._settings.content and outcome.value:
            named["gen_ai.output.messages"] = outcome.value[:_TEXT_MAX].decode("utf-8", "replace")
        return otlp.span(
            (began.trace, os.urandom(8).hex()),
            genai.span_name(outcome.model),
            max(began.at_us, now_us - int(genai.seconds_of(outcome.model) * 1e6)),
            now_us,
            parent=began.span,
            kind=CLIENT,
            named=named,
            error=error,
            message=message,
        )

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _add(self, spans: list[Span]) -> None:
        with self._lock:
            room = _SPANS_MAX - len(self._spans)
            self._spans += spans[:room]
            full = len(self._spans) >= _SPANS
        if room < len(spans):
            self._spool.lost("traces", len(spans) - max(0, room))
        if full:
            self._news.set()

    def _run(self) -> None:
        while True:
            self._news.wait(self._settings.every_s)
            last = self._ending
            self._news.clear()
            try:
                self._put()
            except OSError as error:
                _log.warning("telemetry cannot be kept: %s", error)
            if last:
                return

    def _put(self) -> None:
        while True:
            with self._lock:
                spans = self._spans[:_SPANS]
            if not spans:
                return
            self._spool.put("traces", otlp.traces(spans, self._resource), len(spans))
            with self._lock:
                del self._spans[: len(spans)]
            if self._sender is not None:
                self._sender.wake()


class _Surroundings:
    """The span that code sees as the current one, for whatever of it uses OpenTelemetry itself."""

    def __init__(self) -> None:
        try:
            from opentelemetry import context, trace
        except ImportError:
            self._attach = None
            return
        self._attach, self._detach = context.attach, context.detach

        def current(trace_id: str, span_id: str) -> Any:
            flags = trace.TraceFlags(trace.TraceFlags.SAMPLED)
            ids = trace.SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=flags)
            return trace.set_span_in_context(trace.NonRecordingSpan(ids))

        self._current = current

    def enter(self, trace: str, span: str) -> Any:
        return None if self._attach is None else self._attach(self._current(trace, span))

    def leave(self, token: Any) -> None:
        if token is not None:
            self._detach(token)


def open_tracing(settings: Telemetry, data: Path | None, worker: str, size: str) -> Tracing | None:
    """The worker's telemetry, begun; None when it cannot be. Without a data folder it keeps its own."""
    try:
        folder = folder_of(data or Path(os.environ.get("SKERRY_DATA") or "skerry-data"))
        tracing = Tracing(settings, folder, worker, size)
    except (SkerryError, OSError) as error:
        _log.warning("there is no telemetry: %s", error)
        return None
    tracing.start()
    return tracing


def _context(header: str) -> tuple[str, str] | None:
    """Trace and parent of a `traceparent`, or None when it is none."""
    parts = header.split("-")
    if len(parts) < 4 or len(parts[1]) != 32 or len(parts[2]) != 16:
        return None
    return parts[1], parts[2]


def _now_us() -> int:
    return time.time_ns() // 1000
