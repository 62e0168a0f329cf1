"""From a run's events to its spans. Pure: the same events give the same spans, with the same ids, at any time.

event            what started the run, if an event did
  run            from its start to its end; again after a retry
    state        one entry
      step       from when it was asked for to its outcome
        task     one attempt on the bus; its id travels with the task, and is the parent of the worker's span
          chat   the model's answer, unless the worker tells of it itself
        review   a question to a person
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from skerry.core import events as ev
from skerry.core.answers import Objection
from skerry.core.wire import span_id, trace_id
from skerry.telemetry import genai
from skerry.telemetry.otlp import CLIENT, CONSUMER, PRODUCER, Link, Note, Span, Value, ids, note, span

_TEXT_MAX = 4096
"""Of what a user's value or message is cut to, where content is told at all."""
_NOTES_MAX = 32


class Sink(Protocol):
    """Where spans go, and what is counted."""

    def span(self, span: Span) -> None:
        """A span that has ended."""
        ...

    def count(self, name: str, labels: Mapping[str, str]) -> None:
        """One more."""
        ...

    def record(self, name: str, labels: Mapping[str, str], value: float) -> None:
        """A value for a histogram."""
        ...


class _Open(msgspec.Struct, eq=False):
    """A span that has not ended."""

    key: str
    name: str
    start_us: int
    parent: str | None
    """Its key; that of the run is empty."""
    named: dict[str, Value]
    kind: int = 1
    notes: list[Note] = []
    links: list[Link] = []

    def add(self, note: Note) -> None:
        if len(self.notes) < _NOTES_MAX:
            self.notes.append(note)


class _Step(msgspec.Struct, eq=False):
    """A step without an outcome."""

    open: _Open
    kind: str
    target: str
    task: _Open | None = None
    attempt: int = 0
    size: str = ""
    review: _Open | None = None

    def call(self, kind: str, target: str) -> None:
        """What it is, if that was not said by what was first heard of it."""
        if not self.target and target:
            self.kind, self.target = kind, target
            self.open.name = f"{kind} {target}"
            self.open.named.update({"skerry.step.kind": kind, "skerry.step.target": target})


class RunSpans:
    """Follows one run: tell it of each of its events in order. What has ended goes to `sink`."""

    def __init__(self, run: str, sink: Sink, *, content: bool = False) -> None:
        self.run = run
        self._trace = trace_id(run)
        self.sink = sink
        self.over = False
        """Nothing of it is open: until it is retried, nothing more comes."""
        self._content = content
        self._workflow = ""
        self._event: _Open | None = None
        self._root: _Open | None = None
        self._state: _Open | None = None
        self._entry = 0
        self._steps: dict[str, _Step] = {}
        self._ended: set[str] = set()
        """Step ids of this state entry whose span was told, so that a step that is tried again gets another one."""
        self._retries = 0
        self._strands: dict[str, int] = {}
        """When the last step of each line of the code ended: then the next one of that line began."""
        self._forks: dict[str, int] = {}

    def take(self, at_us: int, event: ev.AnyEvent) -> None:
        """The next event of the run."""
        handle = HANDLERS.get(type(event))
        if handle is not None:
            handle(self, at_us, event)

    # --- the run ------------------------------------------------------------------------------------------------------

    def started(self, at_us: int, event: ev.RunStarted) -> None:
        """It begins."""
        self._workflow = event.workflow
        links = self._links(event)
        if event.event:
            named: dict[str, Value] = {
                "messaging.system": "nats",
                "messaging.operation.type": "receive",
                "messaging.destination.name": event.event,
                "messaging.message.id": event.event_id,
                "skerry.event.source": event.source,
            }
            self._event = _Open("event", f"event {event.event}", at_us, None, named, kind=CONSUMER, links=links)
        named = {
            "skerry.run": self.run,
            "skerry.workflow": event.workflow,
            "skerry.workflow.version": event.version,
            "skerry.parent": event.parent,
            "skerry.priority": event.priority,
        }
        parent = self._event.key if self._event else None
        self._root = _Open("", f"run {event.workflow}", at_us, parent, named, links=[] if self._event else links)
        self.sink.count("skerry.runs.started", {"skerry.workflow": event.workflow})

    def _links(self, event: ev.RunStarted) -> list[Link]:
        """To the step, in another run's trace, that started this one."""
        step = event.parent or (event.event_id if event.event_id.startswith(f"{event.source}/") else "")
        run, _, of = step.partition("/")
        if not run or not of or not event.source:
            return []
        trace, parent = ids(run, of.partition("/")[0])
        return [Link(trace_id=trace, span_id=parent)]

    def completed(self, at_us: int, event: ev.RunCompleted) -> None:
        """It is done."""
        self._end_run(at_us, "done", named={"skerry.result": event.result, **self._told("skerry.value", event.value)})

    def failed(self, at_us: int, event: ev.RunFailed) -> None:
        """It is a dead letter."""
        self._end_run(at_us, "failed", error=event.failure.kind, message=self._text(event.failure.message))

    def cancelled(self, at_us: int, event: ev.RunCancelled) -> None:
        """It was cancelled."""
        self._end_run(at_us, "cancelled", named=self._said("skerry.reason", event.reason))

    def parked(self, at_us: int, event: ev.RunParked) -> None:
        """Code and journal disagree."""
        self._end_run(at_us, "parked", error="parked", message=self._text(event.reason))

    def retried(self, at_us: int, event: ev.RunRetried) -> None:
        """It is driven again: a new span of a run, and of its state, in the same trace."""
        self._retries += 1
        self.over = False
        named: dict[str, Value] = {"skerry.run": self.run, "skerry.workflow": self._workflow, "skerry.retry": True}
        self._root = _Open(f"retry {self._retries}", f"run {self._workflow}", at_us, "", named)
        if self._state is not None:
            key = f"{self._state.key}/retry {self._retries}"
            self._state = _Open(key, self._state.name, at_us, self._root.key, self._state.named)
        self._forks.clear()
        self._strands = {str(self._entry): at_us}

    def cancelling(self, at_us: int, event: ev.CancelRequested) -> None:
        """It was asked to end."""
        if self._root is not None:
            self._root.add(note(at_us, "cancel.requested", {"skerry.kill": event.kill}))

    def _end_run(
        self, at_us: int, status: str, *, error: str = "", message: str = "", named: Mapping[str, Value] | None = None
    ) -> None:
        root = self._root
        if root is None or self.over:
            return
        for step in list(self._steps):
            self._end_step(step, at_us, outcome=status)
        if self._state is not None:
            self._tell(self._state, at_us, error=error, message=message)
        root.named.update({"skerry.status": status, **(named or {})})
        self._tell(root, at_us, error=error, message=message)
        if self._event is not None and not self._retries:
            self._tell(self._event, self._event.start_us)
        labels = {"skerry.workflow": self._workflow, "skerry.status": status}
        self.sink.count("skerry.runs.ended", labels)
        self.sink.record("skerry.run.duration", labels, _seconds(root.start_us, at_us))
        self.over = True

    # --- states -------------------------------------------------------------------------------------------------------

    def entered(self, at_us: int, event: ev.StateEntered) -> None:
        """From one state to the next."""
        for step in list(self._steps):  # those that the code has left behind
            self._end_step(step, at_us, outcome="left")
        if self._state is not None:
            self._tell(self._state, at_us)
        named: dict[str, Value] = {
            "skerry.run": self.run,
            "skerry.workflow": self._workflow,
            "skerry.state": event.state,
            "skerry.entry": event.entry,
            **self._told("skerry.value", event.value),
        }
        parent = self._root.key if self._root else ""
        self._state = _Open(f"state {event.entry}", f"state {event.state}", at_us, parent, named)
        self._entry = event.entry
        self._ended.clear()
        self._forks.clear()
        self._strands = {str(event.entry): at_us}

    # --- steps --------------------------------------------------------------------------------------------------------

    def scheduled(self, at_us: int, event: ev.StepScheduled) -> None:
        """A step is on its way, or its next attempt is."""
        step = self._steps.get(event.step) or self._open_step(event.step, event.kind, event.target, at_us)
        step.call(event.kind, event.target)
        self._end_task(step, at_us)
        step.attempt = event.attempt
        step.open.named.update(self._told("skerry.args", event.value))
        if event.size:
            self._open_task(step, event.step, event.size, at_us)

    def _open_step(self, name: str, kind: str, target: str, start_us: int) -> _Step:
        named: dict[str, Value] = {
            "skerry.run": self.run,
            "skerry.workflow": self._workflow,
            "skerry.step": name,
            "skerry.step.kind": kind,
            "skerry.step.target": target,
        }
        parent = self._state.key if self._state else ""
        key = f"{name}/retry {self._retries}" if name in self._ended else name
        self._fork(name)
        step = _Step(_Open(key, f"{kind} {target}".strip(), start_us, parent, named), kind, target)
        self._steps[name] = step
        return step

    def _open_task(self, step: _Step, name: str, size: str, at_us: int) -> None:
        step.size = size
        named: dict[str, Value] = {
            "skerry.run": self.run,
            "skerry.step": name,
            "skerry.attempt": step.attempt,
            "skerry.size": size,
            "messaging.system": "nats",
            "messaging.operation.type": "send",
            "messaging.destination.name": f"task.{size}",
            "messaging.message.id": f"{self.run}/{name}/{step.attempt}",
        }
        key = f"{name}/{step.attempt}"
        step.task = _Open(key, f"task {step.target}", at_us, step.open.key, named, kind=PRODUCER)
        labels = {"skerry.workflow": self._workflow, "skerry.size": size}
        self.sink.count("skerry.attempts", labels)

    def done(self, at_us: int, event: ev.StepCompleted) -> None:
        """A step has its outcome."""
        step = self._found(event, at_us)
        worker = event.by if step.task is not None else ""
        self._end_task(step, at_us, named={"skerry.worker": worker})
        named: dict[str, Value] = {"skerry.result": event.result, **self._told("skerry.value", event.value)}
        self._end_step(event.step, at_us, outcome="done", named=named)

    def erred(self, at_us: int, event: ev.StepErred) -> None:
        """A step has failed for good."""
        step, failure = self._found(event, at_us), event.failure
        worker = event.by if step.task is not None else ""
        message = self._text(failure.message)
        self._end_task(step, at_us, error=failure.kind, message=message, named={"skerry.worker": worker})
        self._end_step(event.step, at_us, outcome="failed", error=failure.kind, message=message)

    def dropped(self, at_us: int, event: ev.StepCancelled) -> None:
        """A step is no longer wanted."""
        if event.step in self._steps:
            self._end_step(event.step, at_us, outcome="cancelled")

    def stumbled(self, at_us: int, event: ev.AttemptFailed) -> None:
        """One attempt has failed, and another follows."""
        labels = {"skerry.workflow": self._workflow, "error.type": event.failure.kind}
        self.sink.count("skerry.attempts.failed", labels)
        step = self._steps.get(event.step)
        if step is None:  # a local call, of which nothing was noted so far
            step = self._open_step(event.step, "call", "", self._begun(event.step))
        worker = event.by if step.task is not None else ""
        told = {"skerry.worker": worker}
        self._end_task(step, at_us, error=event.failure.kind, message=self._text(event.failure.message), named=told)
        step.attempt = event.attempt
        step.open.add(
            note(at_us, "attempt.failed", {"skerry.attempt": event.attempt, "error.type": event.failure.kind})
        )

    def judged(self, at_us: int, event: ev.AnswerJudged) -> None:
        """An answer was held against its verifiers."""
        labels = {"skerry.workflow": self._workflow, "skerry.size": event.size}
        self.sink.count("skerry.answers", {**labels, "skerry.choice": event.choice})
        if event.choice in ("escalate", "review"):
            to = event.next or "person"
            self.sink.count(
                "skerry.escalations", {"skerry.workflow": self._workflow, "skerry.from": event.size, "skerry.to": to}
            )
        if genai.is_model(event.size, event.model):
            named = genai.labels(event.model)
            self.sink.record("gen_ai.client.operation.duration", named, genai.seconds_of(event.model))
            for kind, count in genai.tokens(event.model):
                self.sink.record("gen_ai.client.token.usage", {**named, "gen_ai.token.type": kind}, count)
        step = self._steps.get(event.step)
        if step is None:
            return
        judgement: dict[str, Value] = {
            "skerry.choice": event.choice,
            "skerry.next": event.next,
            "skerry.asked": event.asked,
            **self._objections(event.objections),
        }
        sure = [field.confidence for field in event.fields.values() if field.confidence >= 0]
        if sure:
            judgement["skerry.confidence"] = min(sure)
        if step.task is not None:
            self._tell_model(step, event, at_us)
            step.task.add(note(at_us, "answer.judged", judgement))
            step.task.named["skerry.choice"] = event.choice
        self._end_task(step, at_us)

    def _tell_model(self, step: _Step, event: ev.AnswerJudged, at_us: int) -> None:
        task, model = step.task, event.model
        if task is None or not genai.is_model(event.size, model) or model.get(genai.TOLD):
            return
        start_us = max(task.start_us, at_us - int(genai.seconds_of(model) * 1e6))
        named = genai.attributes(model, event.size, step.target)
        named.update(self._told("gen_ai.output.messages", event.value))
        asked = _Open(f"{task.key}/model", genai.span_name(model), start_us, task.key, named, kind=CLIENT)
        self._tell(asked, at_us)

    def passed(self, at_us: int, event: ev.SizePassed) -> None:
        """A size was not asked."""
        named = {"skerry.workflow": self._workflow, "skerry.size": event.size, "skerry.why": event.why}
        self.sink.count("skerry.sizes.passed", named)
        step = self._steps.get(event.step) or self._open_step(event.step, "ask", "", at_us)
        told: dict[str, Value] = {"skerry.size": event.size, "skerry.why": event.why, "skerry.choice": event.choice}
        step.open.add(note(at_us, "size.passed", {**told, **self._said("skerry.message", event.message)}))

    # --- reviews ------------------------------------------------------------------------------------------------------

    def asked(self, at_us: int, event: ev.ReviewOpened) -> None:
        """A person is asked."""
        self.sink.count("skerry.reviews.opened", {"skerry.workflow": self._workflow})
        step = self._steps.get(event.step) or self._open_step(event.step, "wait", "", at_us)
        named: dict[str, Value] = {
            "skerry.run": self.run,
            "skerry.step": event.step,
            **self._objections(event.objections),
            **self._said("skerry.question", event.question),
        }
        step.review = _Open(f"{step.open.key}/review {event.attempt}", "review", at_us, step.open.key, named)

    def answered(self, at_us: int, event: ev.ReviewAnswered) -> None:
        """A person has answered."""
        labels = {"skerry.workflow": self._workflow, "skerry.approved": str(event.approved).lower()}
        self.sink.count("skerry.reviews.answered", labels)
        step = self._steps.get(event.step)
        if step is not None and step.review is not None:
            step.review.named["skerry.approved"] = event.approved
            step.review.named["skerry.changed"] = event.changed
            step.review.named["skerry.overruled"] = tuple(each.rule for each in event.overruled)
            self._end_review(step, at_us)

    def refused(self, at_us: int, event: ev.AnswerRefused) -> None:
        """Somebody has answered what was answered."""
        if self._state is not None:
            self._state.add(note(at_us, "answer.refused", {"skerry.step": event.step}))

    def audited(self, at_us: int, event: ev.AnswerAudited) -> None:
        """A person has looked again, when the trace was long told."""
        labels = {"skerry.workflow": self._workflow, "skerry.right": str(not event.changed).lower()}
        self.sink.count("skerry.answers.audited", labels)

    # --- notes --------------------------------------------------------------------------------------------------------

    def fenced(self, at_us: int, event: ev.ResultFenced) -> None:
        """A result was not taken."""
        told = note(at_us, "result.fenced", {"skerry.step": event.step, "skerry.attempt": event.attempt})
        step = self._steps.get(event.step)
        where = step.open if step is not None else self._state
        if where is not None:
            where.add(told)

    def drifted(self, at_us: int, event: ev.DriftNoticed) -> None:
        """The code asks with other arguments than it did."""
        if self._state is not None:
            self._state.add(note(at_us, "drift.noticed", {"skerry.step": event.step}))

    def signalled(self, at_us: int, event: ev.SignalReceived) -> None:
        """Input from outside."""
        if self._root is not None:
            self._root.add(note(at_us, "signal.received", {"skerry.signal": event.signal}))

    # --- ending -------------------------------------------------------------------------------------------------------

    def _found(self, event: ev.StepCompleted | ev.StepErred, at_us: int) -> _Step:
        """The step, or the local call of which its outcome is the first that is heard."""
        step = self._steps.get(event.step)
        if step is None:
            step = self._open_step(event.step, event.kind, event.target, min(at_us, self._begun(event.step)))
        step.call(event.kind, event.target)
        step.attempt = event.attempt
        return step

    def _end_task(
        self,
        step: _Step,
        at_us: int,
        *,
        error: str = "",
        message: str = "",
        named: Mapping[str, Value] | None = None,
    ) -> None:
        task, step.task = step.task, None
        if task is not None:
            task.named.update(named or {})
            self._tell(task, at_us, error=error, message=message)

    def _end_review(self, step: _Step, at_us: int) -> None:
        review, step.review = step.review, None
        if review is not None:
            self._tell(review, at_us)

    def _end_step(
        self,
        name: str,
        at_us: int,
        *,
        outcome: str,
        error: str = "",
        message: str = "",
        named: Mapping[str, Value] | None = None,
    ) -> None:
        step = self._steps.pop(name)
        self._end_task(step, at_us)
        self._end_review(step, at_us)
        step.open.named.update({"skerry.outcome": outcome, "skerry.attempts": step.attempt, **(named or {})})
        self._tell(step.open, at_us, error=error, message=message)
        self._ended.add(name)
        self._moved(name, at_us)
        labels = {"skerry.workflow": self._workflow, "skerry.step.kind": step.kind, "skerry.outcome": outcome}
        self.sink.count("skerry.steps", labels)
        self.sink.record("skerry.step.duration", labels, _seconds(step.open.start_us, at_us))

    def _tell(self, open: _Open, at_us: int, *, error: str = "", message: str = "") -> None:
        parent = "" if open.parent is None else span_id(self.run, open.parent)
        self.sink.span(
            span(
                (self._trace, span_id(self.run, open.key)),
                open.name,
                open.start_us,
                at_us,
                parent=parent,
                kind=open.kind,
                named=open.named,
                notes=open.notes,
                links=open.links,
                error=error,
                message=message,
            )
        )

    # --- when a local call began: it is not written down, but it follows at once from what came before it -------------

    def _begun(self, step: str) -> int:
        """When the line of code that asked for a step got there."""
        strand = step.rpartition("-")[0]
        while strand:
            if strand in self._strands:
                return self._strands[strand]
            gather = strand.rpartition("-")[0]
            if gather in self._forks:
                return self._forks[gather]
            strand = gather.rpartition("-")[0]
        return self._state.start_us if self._state else 0

    def _fork(self, step: str) -> None:
        """The first that is heard of a gather: its branches began when the line that it belongs to had got there."""
        strand = step.rpartition("-")[0]
        while (gather := strand.rpartition("-")[0]) and (outer := gather.rpartition("-")[0]):
            if gather not in self._forks:
                self._forks[gather] = self._begun(gather)
            strand = outer

    def _moved(self, step: str, at_us: int) -> None:
        """A step has ended, and with it maybe the gathers around it."""
        strand = step.rpartition("-")[0]
        while strand:
            self._strands[strand] = at_us
            strand = strand.rpartition("-")[0].rpartition("-")[0]

    # --- content ------------------------------------------------------------------------------------------------------

    def _told(self, name: str, value: msgspec.Raw) -> dict[str, Value]:
        """A value of the user's, if content is told; a long one is in a blob, and is not told at all."""
        raw = bytes(value) if self._content else b""
        return {name: raw.decode("utf-8", "replace")[:_TEXT_MAX]} if raw else {}

    def _said(self, name: str, text: str) -> dict[str, Value]:
        return {name: self._text(text)} if self._content else {}

    def _text(self, text: str) -> str:
        return text[:_TEXT_MAX] if self._content else ""

    def _objections(self, objections: Sequence[Objection]) -> dict[str, Value]:
        named: dict[str, Value] = {
            "skerry.objections": tuple(each.rule for each in objections),
            "skerry.objections.fields": tuple(sorted({field for each in objections for field in each.fields})),
        }
        if self._content:
            named["skerry.objections.messages"] = tuple(each.message[:_TEXT_MAX] for each in objections)
        return named


def _seconds(start_us: int, end_us: int) -> float:
    return max(0, end_us - start_us) / 1e6


HANDLERS: dict[type[ev.Event], Callable[[RunSpans, int, Any], None]] = {
    ev.RunStarted: RunSpans.started,
    ev.StateEntered: RunSpans.entered,
    ev.RunCompleted: RunSpans.completed,
    ev.RunFailed: RunSpans.failed,
    ev.RunCancelled: RunSpans.cancelled,
    ev.RunParked: RunSpans.parked,
    ev.RunRetried: RunSpans.retried,
    ev.CancelRequested: RunSpans.cancelling,
    ev.StepScheduled: RunSpans.scheduled,
    ev.StepCompleted: RunSpans.done,
    ev.StepErred: RunSpans.erred,
    ev.StepCancelled: RunSpans.dropped,
    ev.AttemptFailed: RunSpans.stumbled,
    ev.AnswerJudged: RunSpans.judged,
    ev.SizePassed: RunSpans.passed,
    ev.ReviewOpened: RunSpans.asked,
    ev.ReviewAnswered: RunSpans.answered,
    ev.AnswerRefused: RunSpans.refused,
    ev.AnswerAudited: RunSpans.audited,
    ev.ResultFenced: RunSpans.fenced,
    ev.DriftNoticed: RunSpans.drifted,
    ev.SignalReceived: RunSpans.signalled,
}
