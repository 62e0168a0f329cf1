"""One run: what is known of it, and what follows from each thing that happens to it.

Every method that something from outside calls (an outcome, a signal, a time) returns a `Transition`: the events that
follow, all of them, and the effects that may happen once these are on disk. The code of the state runs on at once,
before the events are written: that is safe because it can do nothing but ask for steps, and the steps' effects wait.
So one transition is one atomic append (promise J3), and nothing that it causes is visible before it is durable (J2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from skerry.core import events as ev
from skerry.core.asks import open_ask, out_of_time
from skerry.core.commands import Ask, Call, Command, Emit, Sleep, Start, Wait
from skerry.core.failures import ENDLESS_LOOP, error_of, failure_of, readable, unknown
from skerry.core.fleet import Fleet
from skerry.core.ids import TaskId, node_of
from skerry.core.machine import Machine, Raised, Returned
from skerry.core.pending import (
    CancelChild,
    DropTask,
    EmitEvent,
    Pending,
    RunCall,
    RunEnded,
    SendTask,
    StartChild,
    Transition,
)
from skerry.core.projection import ENDED, RunRow, Status
from skerry.core.state import State, is_done, tag_of
from skerry.core.structs import NOTHING
from skerry.core.times import after
from skerry.core.workflow import Workflow
from skerry.errors import Cancelled, DataError

TRANSITIONS_MAX = 100
"""So many states in a row without a step in between are taken for an endless loop."""
CHILD_CHECK_US, _CHILD_CHECK_MAX_US = 5_000_000, 640_000_000
"""A child tells its parent when it ends; in case a crash came in between, the parent looks too, ever more rarely."""


class Execution:
    """A run in memory. `n` is the place of its last event, `pending` its steps without an outcome, by id."""

    def __init__(self, workflow: Workflow[Any], row: RunRow, fleet: Fleet | None = None) -> None:
        self.workflow = workflow
        self.row = row
        self.fleet = fleet or Fleet()
        self.n = 0
        self.entry = 0
        self.entries = 0
        """The highest number of a state entry so far: after a retry, numbers are not used again (nor are step ids)."""
        self.entry_n = 0
        self.seed = row.run
        self.machine: Machine | None = None
        self.pending: dict[str, Pending] = {}
        self.inbox: list[ev.HeldSignal] = []
        self.cancelling = False
        self.used: dict[str, int] = {}
        """The last attempt of steps that were retried by hand: numbers are never used twice (fencing)."""
        self.cleared = False
        """Whether it was retried by hand since the node was adopted: a person has looked at what may have been done."""

    # --- beginning ------------------------------------------------------------------------------------------------

    @classmethod
    def begin(
        cls, workflow: Workflow[Any], started: ev.RunStarted, row: RunRow, state: bytes, fleet: Fleet | None = None
    ) -> tuple[Execution, Transition]:
        """A new run, up to its first steps. `state` is the JSON of its start state."""
        run = cls(workflow, row, fleet)
        transition = Transition([started])
        run._enter(transition, Raw(state), workflow.states[tag_of(workflow.start)].decode(state), row.started_us)
        run.settle(transition, row.started_us)
        return run, transition

    # --- what happens to a step -----------------------------------------------------------------------------------

    def complete(
        self, step: str, value: bytes | Raw, now_us: int, *, by: str = "", signal: str = "", result: str = ""
    ) -> Transition:
        """A step has its outcome. Raises `DataError`, and changes nothing, when it does not fit the step's type."""
        transition = Transition()
        self.put_outcome(transition, step, Raw(value), now_us, by=by, signal=signal, result=result)
        return self.settle(transition, now_us)

    def returned(self, step: str, raw: bytes, value: Any, now_us: int) -> Transition:
        """A local call has returned: `raw` is the outcome's JSON, and `value` what comes out of it."""
        transition, machine = Transition(), self._machine
        machine.give(step, value, now_us)
        self._record_outcome(transition, step, Raw(raw))
        if not (self.pending or machine.dropped or machine.ended) and len(machine.opened) == 1:
            # From one local call to the next there is nothing to schedule and the row stays: most steps pass here.
            following = machine.opened[0]
            call = machine.waiting[following]
            if type(call) is Call and call.task.is_plain and self.row.status == "running" and not self.row.wake_us:
                machine.opened.clear()
                pending = self.pending[following] = Pending(call, self.used.get(following, 0) + 1)
                pending.in_flight = True
                transition.effects.append(RunCall(following))
                return transition
        return self.settle(transition, now_us)

    def fail(
        self, step: str, failure: ev.Failure, now_us: int, *, by: str = "", retry_after_s: float = 0.0
    ) -> Transition:
        """The current attempt has failed: another one follows if the retry policy has one, else the step fails."""
        pending = self.pending[step]
        failure = msgspec.structs.replace(failure, message=readable(failure.message))
        transition = Transition()
        delay_s = None
        if failure.retryable and isinstance(pending.command, Call):
            delay_s = pending.command.task.retry.delay_s(pending.tries, f"{self.row.run}/{step}")
        if delay_s is None:
            self.put_failure(transition, step, failure, now_us, by=by)
        else:
            pending.retry_us = after(now_us, max(delay_s, retry_after_s))
            pending.in_flight = False
            transition.events.append(
                ev.AttemptFailed(step=step, attempt=pending.attempt, failure=failure, retry_us=pending.retry_us, by=by)
            )
        return self.settle(transition, now_us)

    def fence(self, step: str, attempt: int, reason: str, by: str, now_us: int) -> Transition:
        """A result that is not taken; it is recorded, and nothing else happens."""
        return self.settle(Transition([ev.ResultFenced(step=step, attempt=attempt, reason=reason, by=by)]), now_us)

    def note(self, event: ev.Event, now_us: int) -> Transition:
        """Something that changes nothing, and is recorded."""
        return self.settle(Transition([event]), now_us)

    def signal(self, signal: ev.HeldSignal, now_us: int, *, to: str = "") -> Transition:
        """Input from outside: taken by the step that waits for it (`to`, or the first one), or kept.

        Raises `DataError`, and changes nothing, when it is no JSON, or a step waits for it and it does not fit.
        """
        try:
            msgspec.json.decode(signal.value)
        except (ValueError, RecursionError) as error:
            raise DataError(f"signal {signal.signal}: its value is no JSON: {error}") from None
        received = ev.SignalReceived(
            id=signal.id, signal=signal.signal, key=signal.key, by=signal.by, value=signal.value
        )
        transition = Transition([received])
        for step, pending in self.pending.items():
            command = pending.command
            if isinstance(command, Wait) and command.takes(signal.signal, signal.key) and to in ("", step):
                command.decode(signal.value, signal.signal)  # raises before anything has changed
                self._take_signal(transition, step, signal, now_us)
                break
        else:
            self.inbox.append(signal)
        return self.settle(transition, now_us)

    def tick(self, now_us: int) -> Transition:
        """All that is due by now: sleeps end, waits and deadlines run out, failed attempts are tried again."""
        transition = Transition()
        while (step := self._next_due(now_us)) is not None:
            self._fall_due(transition, step, self.pending[step], now_us)
            self.settle(transition, now_us)
        return transition

    def cancel(self, by: str, reason: str, now_us: int, *, kill: bool = False, id: str = "") -> Transition:
        """The run is to end: `Cancelled` is thrown into its code; the second time, or with `kill`, it is not asked."""
        kill = kill or self.cancelling or self.machine is None
        transition = Transition([ev.CancelRequested(by=by, reason=reason, kill=kill, id=id)])
        self.cancelling = True
        if kill or self.machine is None:
            self._drop(transition, list(self.pending))
            self._end(transition, "cancelled", ev.RunCancelled(reason=reason), now_us, note=reason)
            return transition
        self.machine.cancel(now_us)
        return self.settle(transition, now_us)

    def park(self, parked: ev.RunParked, now_us: int) -> Transition:
        """The run cannot go on with the code that is here; it waits for a person."""
        transition = Transition([parked])
        self._end(transition, "parked", None, now_us, note=parked.reason)
        return transition

    # --- changes that are recorded as they are made ---------------------------------------------------------------

    def put_outcome(
        self,
        transition: Transition,
        step: str,
        value: Raw,
        now_us: int,
        *,
        by: str = "",
        signal: str = "",
        result: str = "",
    ) -> None:
        """Records an outcome and gives it to the code. Raises `DataError` before anything has changed."""
        self._machine.feed(step, value, result, now_us, bool(self.pending[step].review))
        self._record_outcome(transition, step, value, by=by, signal=signal, result=result)

    def _record_outcome(
        self, transition: Transition, step: str, value: Raw, *, by: str = "", signal: str = "", result: str = ""
    ) -> None:
        pending = self.pending.pop(step)
        command = pending.command
        transition.events.append(
            ev.StepCompleted(
                step=step,
                kind=command.kind,
                target=command.target,
                args=command.digest(),
                attempt=pending.attempt,
                signal=signal,
                result=result,
                by=by,
                value=value,
            )
        )

    def put_failure(self, transition: Transition, step: str, failure: ev.Failure, now_us: int, *, by: str = "") -> None:
        """Records that a step has failed for good, and raises it in the code."""
        pending = self.pending.pop(step)
        command = pending.command
        failure = msgspec.structs.replace(failure, step=step, retryable=False)
        transition.events.append(
            ev.StepErred(
                step=step,
                kind=command.kind,
                target=command.target,
                args=command.digest(),
                attempt=pending.attempt,
                failure=failure,
                by=by,
            )
        )
        self._machine.fail(step, error_of(failure, pending.attempt), now_us)

    def _take_signal(self, transition: Transition, step: str, signal: ev.HeldSignal, now_us: int) -> None:
        if self.pending[step].review:
            transition.events.append(answered_by(step, signal))
        self.put_outcome(transition, step, signal.value, now_us, by=signal.by, signal=signal.id, result=signal.signal)

    def _drop(self, transition: Transition, steps: Sequence[str]) -> None:
        for step in steps:
            pending = self.pending.pop(step, None)
            if pending is None:
                continue  # it was opened and dropped within this transition: nobody has heard of it
            transition.events.append(ev.StepCancelled(step=step))
            self.let_go(transition, step, pending)

    def let_go(self, transition: Transition, step: str, pending: Pending) -> None:
        """Takes back what is under way for the current attempt of a step."""
        attempt = TaskId(self.row.run, step, pending.attempt)
        if pending.in_flight and isinstance(pending.command, Call | Ask):
            transition.effects.append(DropTask(attempt, pending.size))
        elif isinstance(pending.command, Start) and not pending.command.detached:
            transition.effects.append(CancelChild(attempt))

    # --- settling: what the code asks for now ---------------------------------------------------------------------

    @property
    def _machine(self) -> Machine:
        assert self.machine is not None, "the run is not being driven"
        return self.machine

    def settle(self, transition: Transition, now_us: int) -> Transition:
        """Opens the steps that the code has asked for, follows its transitions, and renews the row."""
        for _ in range(TRANSITIONS_MAX):
            self._open_all(transition, now_us)
            if self.machine is None or self.machine.ended is None:
                break
            self._leave(transition, self.machine.ended, now_us)
        else:
            self.die(
                transition,
                ev.Failure(kind=ENDLESS_LOOP, message=f"{TRANSITIONS_MAX} states in a row without a step"),
                now_us,
            )
        self._renew_row(transition, now_us)
        return transition

    def _open_all(self, transition: Transition, now_us: int) -> None:
        machine = self.machine
        if machine is None:
            return
        while machine.opened or machine.dropped:
            dropped, machine.dropped = machine.dropped, []
            self._drop(transition, dropped)
            if machine.opened:
                step = machine.opened.pop(0)
                if step in machine.waiting:
                    self.pending[step] = Pending(machine.waiting[step], self.used.get(step, 0) + 1)
                    self.open(transition, step, now_us)
                    if self.machine is None:
                        return

    def open(self, transition: Transition, step: str, now_us: int) -> None:
        """Begins a step that the code has asked for: records what has to be, and says what is to be done."""
        pending = self.pending[step]
        command = pending.command
        if isinstance(command, Call):
            self._open_call(transition, step, pending, command, now_us)
        elif isinstance(command, Ask):
            open_ask(self, transition, step, pending, command, now_us)
        elif isinstance(command, Wait):
            self._open_wait(transition, step, pending, command, now_us)
        elif isinstance(command, Sleep):
            pending.due_us = command.due_us
            self.schedule(transition, step)
        elif isinstance(command, Start):
            pending.in_flight = True
            pending.begun_us = now_us
            pending.retry_us = next_look(pending, now_us)
            self.schedule(transition, step)
            transition.effects.append(StartChild(step))
        else:
            assert isinstance(command, Emit)
            pending.in_flight = True
            self.schedule(transition, step)
            transition.effects.append(EmitEvent(step))

    def schedule(self, transition: Transition, step: str) -> None:
        """Records that the current attempt of a step is on its way."""
        pending = self.pending[step]
        command = pending.command
        pending.scheduled = True
        transition.events.append(
            ev.StepScheduled(
                step=step,
                kind=command.kind,
                target=command.target,
                args=command.digest(),
                attempt=pending.attempt,
                size=pending.size,
                due_us=pending.due_us,
                value=Raw(command.args) if command.args else NOTHING,
            )
        )

    def _open_call(self, transition: Transition, step: str, pending: Pending, call: Call, now_us: int) -> None:
        pending.in_flight = True
        task = call.task
        if task.deadline is not None and not pending.due_us:
            pending.due_us = after(now_us, task.deadline.total_seconds())
        if task.size is None:
            if task.once or pending.due_us:
                self.schedule(transition, step)
            if task.once and self._adopted and not (self.cleared and step in self.used):
                self.die(transition, unknown(step, task.name, "may have been run by a node that was lost"), now_us)
            else:
                transition.effects.append(RunCall(step))
        else:
            pending.size = task.size
            self.schedule(transition, step)
            transition.effects.append(SendTask(step))

    @property
    def _adopted(self) -> bool:
        """Whether a lost node may have driven this run further than is known here, or started it as well."""
        since_us, row = self.fleet.adopted_us, self.row
        return since_us > 0 and (row.started_us < since_us or node_of(row.source) == node_of(row.run))

    def _open_wait(self, transition: Transition, step: str, pending: Pending, wait: Wait, now_us: int) -> None:
        if self.take_early(transition, step, now_us):
            return
        if wait.timeout_s:
            pending.due_us = after(now_us, wait.timeout_s)
        self.schedule(transition, step)
        if wait.question:
            pending.review = wait.question
            transition.events.append(ev.ReviewOpened(step=step, question=wait.question, due_us=pending.due_us))

    def take_early(self, transition: Transition, step: str, now_us: int) -> bool:
        """Gives a `wait` the first signal that came early; one that does not fit is fenced and kept no longer."""
        pending = self.pending[step]
        wait = pending.command
        assert isinstance(wait, Wait)
        for signal in [s for s in self.inbox if wait.takes(s.signal, s.key)]:
            self.inbox.remove(signal)
            try:
                wait.decode(signal.value, signal.signal)
            except DataError as error:
                transition.events.append(
                    ev.ResultFenced(
                        step=step, attempt=pending.attempt, reason=str(error), by=signal.by, signal=signal.id
                    )
                )
            else:
                self._take_signal(transition, step, signal, now_us)
                return True
        return False

    # --- transitions ------------------------------------------------------------------------------------------------

    def _leave(self, transition: Transition, ended: Returned | Raised, now_us: int) -> None:
        if isinstance(ended, Raised):
            self._raised(transition, ended.error, now_us)
            return
        value = ended.value
        try:
            if is_done(value):
                tag, raw = self.workflow.encode_result(value.result)
                completed = ev.RunCompleted(result=tag, value=Raw(raw))
                self._end(transition, "done", completed, now_us)
            elif self.cancelling:
                self._end(transition, "cancelled", ev.RunCancelled(), now_us)
            elif isinstance(value, State):
                raw, state = self.workflow.encode_state(value)
                self._enter(transition, Raw(raw), state, now_us)
            else:
                raise DataError(
                    f"state {self.row.state} returned {value!r:.80}", hint="return a state, or Done(result)"
                )
        except DataError as error:
            self._raised(transition, error, now_us)

    def _enter(self, transition: Transition, raw: Raw, state: State, now_us: int) -> None:
        self.entry = self.entries = max(self.entry, self.entries) + 1
        self.entry_n = self.n + len(transition.events) + 1
        self.pending.clear()
        self.used.clear()
        transition.events.append(
            ev.StateEntered(
                entry=self.entry,
                state=tag_of(state),
                seed="" if self.seed == self.row.run else self.seed,
                version=0 if self.workflow.version == self.row.version else self.workflow.version,
                inbox=tuple(self.inbox),
                value=raw,
            )
        )
        self.machine = Machine(state, entry=self.entry, seed=self.seed)
        self.row = msgspec.structs.replace(self.row, state=tag_of(state))
        self.machine.begin(now_us)

    def _raised(self, transition: Transition, error: BaseException, now_us: int) -> None:
        if isinstance(error, Cancelled) and self.cancelling:
            self._end(transition, "cancelled", ev.RunCancelled(), now_us)
            return
        transition.error = error
        self.die(transition, failure_of(error), now_us)

    def die(self, transition: Transition, failure: ev.Failure, now_us: int) -> None:
        """The run becomes a dead letter. What is under way for it is given up, and begins again after a retry."""
        for step, pending in self.pending.items():
            self.let_go(transition, step, pending)
        note = f"{failure.kind}: {failure.message}"
        self._end(transition, "failed", ev.RunFailed(failure=failure), now_us, note=note)

    def _end(self, transition: Transition, status: Status, event: ev.Event | None, now_us: int, note: str = "") -> None:
        if event is not None:
            transition.events.append(event)
        if self.machine is not None:
            self.machine.close()
            self.machine = None
        self.pending.clear()
        self.row = msgspec.structs.replace(
            self.row,
            status=status,
            note=note,
            wake_us=0,
            entry_n=self.entry_n,
            updated_us=now_us,
            ended_us=now_us if status in ENDED else 0,
        )
        transition.row = self.row
        transition.effects.append(RunEnded(self.row))

    # --- time -------------------------------------------------------------------------------------------------------

    def _next_due(self, now_us: int) -> str | None:
        due = [(p.wake_us, step) for step, p in self.pending.items() if 0 < p.wake_us <= now_us]
        return min(due)[1] if due else None

    def _fall_due(self, transition: Transition, step: str, pending: Pending, now_us: int) -> None:
        if isinstance(pending.command, Start):
            pending.retry_us = next_look(pending, now_us)
            transition.effects.append(StartChild(step))
        elif isinstance(pending.command, Sleep):
            self.put_outcome(transition, step, Raw(b"null"), now_us)
        elif not 0 < pending.due_us <= now_us:
            self.again(transition, step, now_us)
        elif isinstance(pending.command, Ask) and not pending.review:
            out_of_time(self, transition, step, pending, now_us)
        else:
            self.let_go(transition, step, pending)
            waited = "nobody answered" if pending.review else f"no {pending.command.kind} outcome"
            failure = ev.Failure(kind="TimedOut", message=f"{waited} in time ({pending.command.target or 'step'})")
            self.put_failure(transition, step, failure, now_us)

    def again(self, transition: Transition, step: str, now_us: int) -> None:
        """Begins the next attempt of a step."""
        pending = self.pending[step]
        pending.attempt += 1
        pending.tries += 1
        pending.retry_us = 0
        self.open(transition, step, now_us)

    # --- the row ----------------------------------------------------------------------------------------------------

    def _renew_row(self, transition: Transition, now_us: int) -> None:
        if self.machine is None:
            return
        row = self.row
        status, wake_us, note = self._standing()  # compared first: from step to step it mostly stays the same
        if (
            transition.row is None
            and row.status == status
            and row.wake_us == wake_us
            and row.entry_n == self.entry_n
            and row.note == note
        ):
            return
        self.row = transition.row = msgspec.structs.replace(
            row, status=status, wake_us=wake_us, entry_n=self.entry_n, note=note, updated_us=now_us
        )

    def _standing(self) -> tuple[Status, int, str]:
        status: Status = "waiting"
        wake_us, note = 0, ""
        for pending in self.pending.values():
            wake = pending.wake_us
            if wake and (not wake_us or wake < wake_us):
                wake_us = wake
            if pending.in_flight and not (isinstance(pending.command, Start) and pending.command.detached is False):
                status = "running"
            elif pending.review:
                note = note or pending.review
                if status == "waiting":
                    status = "review"
        return status, wake_us, note

    def effects(self) -> Iterator[Any]:
        """What is to be done for all steps under way: after a restart, exactly this is done again."""
        for step, pending in self.pending.items():
            if not pending.in_flight:
                continue
            command: Command = pending.command
            if isinstance(command, Start):
                yield StartChild(step)
            elif isinstance(command, Emit):
                yield EmitEvent(step)
            elif pending.size:
                yield SendTask(step)
            else:
                yield RunCall(step)


def next_look(pending: Pending, now_us: int) -> int:
    """When a parent looks for its child next: after as long again as it has waited."""
    return now_us + min(max(now_us - pending.begun_us, CHILD_CHECK_US), _CHILD_CHECK_MAX_US)


def answered_by(step: str, signal: ev.HeldSignal) -> ev.ReviewAnswered:
    """That a person's signal has answered a review."""
    try:
        said = msgspec.json.decode(signal.value, type=dict[str, Any])
    except msgspec.MsgspecError:  # a signal of another shape: it answers, but says nothing that we know
        said = {}
    return ev.ReviewAnswered(
        step=step, approved=bool(said.get("approved", True)), by=signal.by, reason=str(said.get("reason", ""))
    )
