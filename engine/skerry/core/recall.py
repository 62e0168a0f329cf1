"""Driving a run again from its events: after a restart (from the last state entry), or whole, in a replay.

The events are fed to the code in journal order, each outcome to the step that it belongs to. A step is recognised by
its path, kind and target. Where code and journal disagree, `NondeterminismError` says what was expected and what came;
where only the arguments differ, that is drift: noted, and the recorded outcome stands (promise J6).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, NamedTuple

from msgspec import Raw

from skerry.core import events as ev
from skerry.core.budget import spent_by
from skerry.core.commands import Ask, Call, Command, Sleep, Start, Wait
from skerry.core.execution import Execution, next_look
from skerry.core.failures import ENDLESS_LOOP, OUTCOME_UNKNOWN, error_of, unknown
from skerry.core.fleet import Fleet
from skerry.core.machine import Machine, Raised, Returned
from skerry.core.pending import Pending, Transition, keep_best
from skerry.core.projection import RunRow
from skerry.core.state import Done, State, is_done, tag_of
from skerry.core.workflow import Workflow
from skerry.errors import Cancelled, DataError, NondeterminismError

Placed = tuple[int, int, ev.AnyEvent]
"""(n, at_us, event)."""


class Drift(NamedTuple):
    """A step was asked for with other arguments than are recorded."""

    step: str
    expected: str
    got: str


class Recall:
    """Feeds recorded events into an `Execution`."""

    def __init__(self, run: Execution) -> None:
        self.run = run
        self.drifts: list[Drift] = []
        self._version = 0
        self._noted: set[str] = set()
        self._dropped: set[str] = set()
        self._killed = False

    def feed(self, events: Iterable[Placed]) -> None:
        """All of these, in order. Raises `NondeterminismError`, or `DataError` when something no longer decodes."""
        for n, at_us, event in events:
            self.run.n = n
            try:
                self._FEED[type(event)](self, event, at_us)
            except DataError as error:
                raise DataError(
                    f"run {self.run.row.run}, event {n} ({ev.kind_of(event)}): {error.message}", hint=error.hint
                ) from error

    # --- states and ends --------------------------------------------------------------------------------------------

    def _entered(self, event: ev.StateEntered, at_us: int) -> None:
        run = self.run
        self._version = event.version or run.row.version
        state = run.workflow.decode_state(event.state, event.value, self._version)
        if run.machine is not None:
            self._check_transition(event, state)
            run.machine.close()
        run.entry, run.entry_n = event.entry, run.n
        run.seed = event.seed or run.row.run
        run.inbox = list(event.inbox)
        run.pending.clear()
        run.machine = Machine(state, entry=event.entry, seed=run.seed)
        run.machine.begin(at_us)
        self._absorb()

    def _check_transition(self, event: ev.StateEntered, state: State) -> None:
        ended = self.run.machine.ended if self.run.machine is not None else None
        if not isinstance(ended, Returned) or not isinstance(ended.value, State):
            raise self._mismatch("", f"state {event.state} next", _describe(ended, self.run))
        raw, _ = self.run.workflow.encode_state(ended.value)
        if tag_of(ended.value) != tag_of(state):
            raise self._mismatch("", f"state {tag_of(state)} next", f"state {tag_of(ended.value)} next")
        if self._version == self.run.workflow.version and raw != bytes(event.value):
            raise self._mismatch("", f"state {event.state} with {_text(event.value)}", f"the same with {_text(raw)}")

    def _completed_run(self, event: ev.RunCompleted, at_us: int) -> None:
        ended = self.run.machine.ended if self.run.machine is not None else None
        value = ended.value if isinstance(ended, Returned) else None
        if not is_done(value):
            raise self._mismatch("", f"the end with {event.result}", _describe(ended, self.run))
        tag, raw = self.run.workflow.encode_result(value.result)
        if (tag, raw) != (event.result, bytes(event.value)):
            raise self._mismatch("", f"the result {event.result} {_text(event.value)}", f"{tag} {_text(raw)}")

    def _failed_run(self, event: ev.RunFailed, at_us: int) -> None:
        kind = event.failure.kind
        if kind in (ENDLESS_LOOP, OUTCOME_UNKNOWN):
            return  # not the code's own doing
        ended = self.run.machine.ended if self.run.machine is not None else None
        if self._failure(ended) != kind:
            raise self._mismatch("", f"to fail with {kind}", _describe(ended, self.run))

    def _failure(self, ended: Returned | Raised | None) -> str:
        """The kind of failure that an end is; empty when it is none."""
        if isinstance(ended, Raised):
            return type(ended.error).__name__
        value = ended.value if ended is not None else None
        try:
            if is_done(value):
                self.run.workflow.encode_result(value.result)
            elif isinstance(value, State):
                self.run.workflow.encode_state(value)
        except DataError:
            return DataError.__name__
        return DataError.__name__ if ended is not None and not isinstance(value, Done | State) else ""

    def _cancelled_run(self, event: ev.RunCancelled, at_us: int) -> None:
        ended = self.run.machine.ended if self.run.machine is not None else None
        by_code = isinstance(ended, Raised) and isinstance(ended.error, Cancelled)
        on_the_way = isinstance(ended, Returned) and not isinstance(ended.value, Done)
        if not (self._killed or by_code or on_the_way):
            raise self._mismatch("", "a cancelled end", _describe(ended, self.run))

    # --- steps ------------------------------------------------------------------------------------------------------

    def _scheduled(self, event: ev.StepScheduled, at_us: int) -> None:
        pending = self._expect(event)
        used = self.run.used.get(event.step, 0)
        if pending.attempt <= used < event.attempt:  # it was retried by hand
            pending = self.run.pending[event.step] = Pending(pending.command, event.attempt)
        if isinstance(pending.command, Sleep) and pending.command.due_us != event.due_us:
            self._drift(event.step, str(event.due_us), str(pending.command.due_us))
        pending.scheduled = True
        pending.begun_us = at_us
        pending.attempt = event.attempt
        pending.tries = max(1, event.attempt - used)
        pending.size = event.size
        pending.due_us = event.due_us
        pending.retry_us = 0
        pending.review = ""
        pending.in_flight = pending.command.kind not in ("wait", "sleep") and bool(
            event.size or not isinstance(pending.command, Ask)
        )

    def _completed(self, event: ev.StepCompleted, at_us: int) -> None:
        self._expect(event)
        if event.signal:
            self.run.inbox = [s for s in self.run.inbox if s.id != event.signal]
        machine = self.run.machine
        assert machine is not None
        machine.feed(event.step, event.value, event.result, at_us, bool(self.run.pending[event.step].review))
        del self.run.pending[event.step]
        self._absorb()

    def _erred(self, event: ev.StepErred, at_us: int) -> None:
        self._expect(event)
        machine = self.run.machine
        assert machine is not None
        del self.run.pending[event.step]
        machine.fail(event.step, error_of(event.failure, event.attempt), at_us)
        self._absorb()

    def _cancelled(self, event: ev.StepCancelled, at_us: int) -> None:
        if event.step not in self._dropped:
            goes_on = event.step in self.run.pending
            raise self._mismatch(event.step, "a cancelled step", "a step that goes on" if goes_on else "no such step")
        self._dropped.discard(event.step)

    def _attempt_failed(self, event: ev.AttemptFailed, at_us: int) -> None:
        pending = self.run.pending.get(event.step)
        if pending is not None:
            pending.attempt = event.attempt
            pending.tries = max(1, event.attempt - self.run.used.get(event.step, 0))
            pending.retry_us = event.retry_us
            pending.in_flight = False

    def _judged(self, event: ev.AnswerJudged, at_us: int) -> None:
        pending = self.run.pending.get(event.step)
        if pending is None or event.choice == "accept":
            return
        pending.spent = pending.spent.plus(spent_by(event.model))
        keep_best(pending, event.value, event.objections)

    def _review(self, event: ev.ReviewOpened, at_us: int) -> None:
        pending = self.run.pending.get(event.step)
        if pending is None:
            return
        pending.review = event.question
        pending.due_us = event.due_us
        if isinstance(pending.command, Ask):
            pending.in_flight = False
            pending.size = ""
            pending.objections = event.objections
            pending.best = event.value if bytes(event.value) else None

    def _signalled(self, event: ev.SignalReceived, at_us: int) -> None:
        self.run.inbox.append(
            ev.HeldSignal(id=event.id, signal=event.signal, key=event.key, value=event.value, by=event.by)
        )

    def _cancel_requested(self, event: ev.CancelRequested, at_us: int) -> None:
        self.run.cancelling = True
        machine = self.run.machine
        assert machine is not None
        if event.kill:
            self._killed = True
            self._dropped.update(self.run.pending)
            self.run.pending.clear()
            machine.close()
        else:
            machine.cancel(at_us)
            self._absorb()

    def _fenced(self, event: ev.ResultFenced, at_us: int) -> None:
        if event.signal:
            self.run.inbox = [s for s in self.run.inbox if s.id != event.signal]

    def _nothing(self, event: ev.Event, at_us: int) -> None:
        """An event that says something to people and changes nothing here."""

    # --- helpers ----------------------------------------------------------------------------------------------------

    def _absorb(self) -> None:
        """Takes over what the code has just asked for and given up."""
        run, machine = self.run, self.run.machine
        assert machine is not None
        for step in machine.opened:
            if step in machine.waiting:
                run.pending[step] = Pending(machine.waiting[step], run.used.get(step, 0) + 1)
        machine.opened.clear()
        for step in machine.dropped:
            run.pending.pop(step, None)
            self._dropped.add(step)
        machine.dropped.clear()

    def _expect(self, event: ev.StepScheduled | ev.StepCompleted | ev.StepErred) -> Pending:
        pending = self.run.pending.get(event.step)
        if pending is None:
            ended = self.run.machine.ended if self.run.machine is not None else None
            asked = ", ".join(f"{p.command.kind} {p.command.target} (step {s})" for s, p in self.run.pending.items())
            raise self._mismatch(event.step, _words(event), asked or _describe(ended, self.run))
        command = pending.command
        if command.kind != event.kind or command.target != event.target:
            raise self._mismatch(event.step, _words(event), _words(command))
        got = command.digest()
        if got != event.args:
            self._drift(event.step, event.args, got)
        return pending

    def _drift(self, step: str, expected: str, got: str) -> None:
        if step not in self._noted:
            self._noted.add(step)
            self.drifts.append(Drift(step, expected, got))

    def _mismatch(self, step: str, expected: str, got: str) -> NondeterminismError:
        row = self.run.row
        at = f" step {step}" if step else ""
        return NondeterminismError(
            f"run {row.run}, state entry {self.run.entry} ({row.workflow}){at}: "
            f"the journal has {expected}, the code comes with {got}",
            step=step,
            expected=expected,
            got=got,
        )

    _FEED: ClassVar[dict[type[ev.Event], Any]] = {
        ev.RunStarted: _nothing,
        ev.StateEntered: _entered,
        ev.RunCompleted: _completed_run,
        ev.RunFailed: _failed_run,
        ev.RunCancelled: _cancelled_run,
        ev.RunParked: _nothing,
        ev.RunRetried: _nothing,
        ev.CancelRequested: _cancel_requested,
        ev.StepScheduled: _scheduled,
        ev.StepCompleted: _completed,
        ev.StepErred: _erred,
        ev.StepCancelled: _cancelled,
        ev.AttemptFailed: _attempt_failed,
        ev.AnswerJudged: _judged,
        ev.SizePassed: _nothing,
        ev.ReviewOpened: _review,
        ev.ReviewAnswered: _nothing,
        ev.AnswerRefused: _nothing,
        ev.AnswerAudited: _nothing,
        ev.DriftNoticed: _nothing,
        ev.ResultFenced: _fenced,
        ev.SignalReceived: _signalled,
        ev.NodeStarted: _nothing,
        ev.NodeAdopted: _nothing,
        ev.BodiesRemoved: _nothing,
    }


_OF_A_STEP = (
    ev.StepScheduled,
    ev.StepCompleted,
    ev.StepErred,
    ev.StepCancelled,
    ev.AttemptFailed,
    ev.AnswerJudged,
    ev.SizePassed,
    ev.ReviewOpened,
    ev.ReviewAnswered,
)


def effective(events: Iterable[Placed]) -> tuple[list[Placed], dict[str, int]]:
    """The events that count, and the last attempt of each step of which some do not: it begins again.

    A `run.retried` takes back everything from its `from_n` on, but for signals: what came from outside stays.
    """
    kept: list[Placed] = []
    used: dict[str, int] = {}
    for placed in events:
        event = placed[2]
        if not isinstance(event, ev.RunRetried):
            kept.append(placed)
            continue
        begin_again = {_begins_again(p[2]) for p in kept if p[0] >= event.from_n}
        for _, _, past in kept:
            if isinstance(past, _OF_A_STEP) and past.step in begin_again:
                used[past.step] = max(used.get(past.step, 0), getattr(past, "attempt", 0))
        failed = any(isinstance(p[2], ev.RunFailed) for p in kept if p[0] >= event.from_n)
        kept = [p for p in kept if p[0] < event.from_n or isinstance(p[2], ev.SignalReceived)]
        if failed:
            used.update(_children(kept))
    return kept, used


def _children(events: Iterable[Placed]) -> dict[str, int]:
    """The last attempt of each step that has started a child and waits for it: they were cancelled with the run."""
    open: dict[str, int] = {}
    for _, _, event in events:
        if isinstance(event, ev.StepScheduled) and event.kind == "start":
            open[event.step] = event.attempt
        elif isinstance(event, ev.StepCompleted | ev.StepErred | ev.StepCancelled):
            open.pop(event.step, None)
    return open


def _begins_again(gone: ev.AnyEvent) -> str:
    """The step that begins again because this event does not count any more."""
    if isinstance(gone, ev.RunFailed) and gone.failure.kind == OUTCOME_UNKNOWN:
        return gone.failure.step  # to retry the run is to allow just that
    return gone.step if isinstance(gone, _OF_A_STEP) else ""


def resume(
    workflow: Workflow[Any], row: RunRow, events: Sequence[Placed], now_us: int, fleet: Fleet | None = None
) -> tuple[Execution, Transition]:
    """A run as it stood, from its last `state.entered` on; the transition holds what is new (such as drift).

    Its effects are those of all steps under way, so that what was sent and not heard of is sent again.
    Raises `NondeterminismError` or `DataError`; the run is then to be parked.
    """
    run = Execution(workflow, row, fleet)
    kept, used = effective(events)
    run.used = used
    run.cleared = any(isinstance(e, ev.RunRetried) and at_us >= run.fleet.adopted_us for _, at_us, e in events)
    recall = Recall(run)
    recall.feed(kept)
    run.n = events[-1][0]
    run.entries = max((e.entry for _, _, e in events if isinstance(e, ev.StateEntered)), default=0)
    known = {(e.step, e.got) for _, _, e in kept if isinstance(e, ev.DriftNoticed)}
    drifts = [d for d in recall.drifts if (d.step, d.got) not in known]
    transition = Transition([ev.DriftNoticed(step=d.step, expected=d.expected, got=d.got) for d in drifts])
    for step, pending in tuple(run.pending.items()):
        if step in run.pending:
            _take_up(run, transition, step, pending, now_us)
    run.settle(transition, now_us)
    again = tuple(run.effects())
    transition.effects = [e for e in transition.effects if e not in again]
    transition.effects.extend(again)
    return run, transition


def _take_up(run: Execution, transition: Transition, step: str, pending: Pending, now_us: int) -> None:
    """Goes on with a step that has no outcome: begins it if it was not begun, or again if it was retried by hand."""
    command = pending.command
    if pending.attempt <= run.used.get(step, 0):
        run.pending[step] = Pending(command, run.used[step] + 1)
        run.open(transition, step, now_us)
    elif not pending.scheduled:
        if not pending.retry_us:  # a local call, which records nothing when it begins
            run.open(transition, step, now_us)
    elif isinstance(command, Wait):
        run.take_early(transition, step, now_us)  # signals come even while a run is dead or parked
    elif isinstance(command, Start):
        pending.retry_us = next_look(pending, now_us)  # it is looked for right now, as all that is under way is
    elif isinstance(command, Call) and command.task.once and pending.in_flight:
        told = "was begun once, and a crash came before its outcome was known"
        run.die(transition, unknown(step, command.target, told), now_us)


def _words(step: ev.StepScheduled | ev.StepCompleted | ev.StepErred | Command) -> str:
    return f"{step.kind} {step.target}".rstrip()


def _text(raw: bytes | Raw) -> str:
    return bytes(raw)[:200].decode("utf-8", "replace")


def _describe(ended: Returned | Raised | None, run: Execution) -> str:
    if ended is None:
        return "more steps"
    if isinstance(ended, Raised):
        if isinstance(ended.error, Cancelled):
            return "a cancelled end"
        return f"{type(ended.error).__name__}: {ended.error}"
    if isinstance(ended.value, State):
        return f"state {tag_of(ended.value)} next"
    return f"the end with {type(getattr(ended.value, 'result', ended.value)).__name__}"
