"""A run in a world without clock, bus and disk: inputs go in, events are kept as bytes, and anything may crash.

`Sim` drives one `Execution`. A crash drops it, and builds another one from the last `state.entered` in the journal; the
`Sim` itself goes on, and at each crash it checks that nothing was forgotten and nothing made up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw

from skerry.core import codec
from skerry.core import events as ev
from skerry.core.asks import look_again
from skerry.core.commands import Call, Start
from skerry.core.execution import Execution
from skerry.core.failures import OUTCOME_UNKNOWN
from skerry.core.fleet import Fleet
from skerry.core.ids import check_token
from skerry.core.pending import Effect, Pending, Transition
from skerry.core.projection import LIVE, Life, RunRow, live_on
from skerry.core.recall import Placed, resume
from skerry.core.replay import Replay, replay
from skerry.core.state import Done, State
from skerry.core.step import Step
from skerry.core.verdicts import take_result, take_review
from skerry.core.wire import SIZES, Result, Size
from skerry.core.workflow import Workflow

START_US = 1_700_000_000_000_000
RUN = "node-01HF7YAT00AAAAAAAAAAAAAAAA"


Body: TypeAlias = Callable[[Step], Awaitable[Any]]
"""The code of a workflow with one state."""


class Outcome(msgspec.Struct, frozen=True):
    """What such code returned."""

    value: Any


def workflow_of(body: Body) -> Workflow[Outcome]:
    """A workflow that is one function."""

    class Only(State):
        async def run(self, step: Step) -> Done[Outcome]:
            value = await body(step)
            return value if isinstance(value, Done) else Done(Outcome(value))

    return Workflow("only", version=1, start=Only, result=Outcome)


def sim_of(body: Body, sizes: Sequence[Size] | Fleet = SIZES) -> Sim:
    """A run of one function."""
    workflow = workflow_of(body)
    return Sim(workflow, workflow.start(), sizes)


def kinds(events: Sequence[ev.Event]) -> list[str]:
    """What events are called."""
    return [ev.kind_of(event) for event in events]


class Journal:
    """Events as bytes."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, bytes]] = []
        self.blobs: dict[str, bytes] = {}

    def append(self, at_us: int, events: Sequence[ev.Event]) -> None:
        """One atomic append."""
        for event in events:
            encoded = codec.encode(event)
            if encoded.blob:
                self.blobs[encoded.blob] = encoded.data
            self.rows.append((len(self.rows) + 1, at_us, encoded.body))

    def read(self, from_n: int = 1) -> list[Placed]:
        """Events as they were, from a place on."""
        return [(n, at_us, codec.restore(codec.decode(body), self.blobs)) for n, at_us, body in self.rows[from_n - 1 :]]


class Sim:
    """One run and its journal."""

    def __init__(self, workflow: Workflow[Any], state: State, sizes: Sequence[Size] | Fleet = SIZES) -> None:
        self.workflow = workflow
        self.fleet = sizes if isinstance(sizes, Fleet) else Fleet(sizes)
        self.journal = Journal()
        self.now_us = START_US
        self.row = RunRow(run=RUN, workflow=workflow.name, version=workflow.version, started_us=START_US)
        started = ev.RunStarted(workflow=workflow.name, version=workflow.version)
        self.run, first = Execution.begin(workflow, started, self.row, workflow.encode_start(state), self.fleet)
        self.last = self._take(first)

    # --- inputs -------------------------------------------------------------------------------------------------

    def _take(self, transition: Transition) -> Transition:
        self.run.n += len(transition.events)
        self.journal.append(self.now_us, transition.events)
        if transition.row is not None:
            self.row = transition.row
        assert self.row == self.run.row
        assert all(check_token("step", step) for step in self.run.pending)
        self.last = transition
        return transition

    def pass_time(self, seconds: float) -> Transition:
        """Time goes by, and what is due happens."""
        self.now_us += int(seconds * 1e6)
        return self._take(self.run.tick(self.now_us))

    def complete(self, step: str, value: Any, result: str = "") -> Transition:
        """The engine itself has done a step: a local call, an event, a child."""
        if isinstance(self.run.pending[step].command, Call):
            return self._take(self.run.returned(step, msgspec.json.encode(value), value, self.now_us))
        return self._take(self.run.complete(step, msgspec.json.encode(value), self.now_us, result=result))

    def fail(self, step: str, kind: str = "ValueError", *, retryable: bool = False, after_s: float = 0.0) -> Transition:
        """An attempt that the engine itself made has failed."""
        failure = ev.Failure(kind=kind, message="it failed", retryable=retryable)
        return self._take(self.run.fail(step, failure, self.now_us, retry_after_s=after_s))

    def result(self, step: str, value: Any = None, **more: Any) -> Transition:
        """A worker's result for the current attempt, unless `more` says otherwise."""
        pending = self.run.pending.get(step)
        fields: dict[str, Any] = {
            "attempt": pending.attempt if pending is not None else 1,
            "size": pending.size if pending is not None else "small",
            "value": Raw(msgspec.json.encode(value)),
            **more,
        }
        return self._take(take_result(self.run, Result(run=RUN, step=step, worker="w", **fields), self.now_us))

    def broken(self, step: str, *, retryable: bool = False, after_s: float = 0.0) -> Transition:
        """A worker's failure."""
        failure = ev.Failure(kind="ValueError", message="it failed", retryable=retryable)
        return self.result(step, failure=failure, retry_after_s=after_s)

    def signal(self, signal: str, value: Any, *, id: str, key: str = "") -> Transition:
        """A signal."""
        held = ev.HeldSignal(id=id, signal=signal, key=key, value=Raw(msgspec.json.encode(value)), by="somebody")
        return self._take(self.run.signal(held, self.now_us))

    def review(
        self, step: str, approved: bool, changes: Any = None, *, reason: str = "", id: str = "review"
    ) -> Transition:
        """A person's answer."""
        return self._take(take_review(self.run, step, approved, changes or {}, "somebody", reason, id, self.now_us))

    def look_again(self, step: str) -> Transition | None:
        """There is room on the bus for a task; None when it goes."""
        transition = look_again(self.run, step, self.now_us)
        return None if transition is None else self._take(transition)

    def cancel(self, *, kill: bool = False) -> Transition:
        """Somebody cancels the run."""
        return self._take(self.run.cancel("somebody", "because", self.now_us, kill=kill))

    def retry(self, from_n: int | None = None) -> Transition:
        """Drives a dead run again, from the failure on as the engine does, or from another place."""
        assert self.row.status in ("failed", "parked")
        retried = ev.RunRetried(from_n=from_n if from_n is not None else self.retry_point())
        self.journal.append(self.now_us, [retried])
        live = msgspec.structs.replace(self.row, status="running", note="")
        first = live.entry_n if from_n is None or from_n > live.entry_n else 1
        self.run, transition = resume(self.workflow, live, self.journal.read(first), self.now_us, self.fleet)
        self.row = self.run.row
        return self._take(transition)

    def retry_point(self) -> int:
        """The failure of the step that killed the run, or its end."""
        events = self.journal.read(self.row.entry_n)
        n, _, last = next(p for p in reversed(events) if isinstance(p[2], ev.RunFailed | ev.RunParked))
        step = last.failure.step if isinstance(last, ev.RunFailed) else ""
        erred = [n for n, _, e in events if step and isinstance(e, ev.StepErred) and e.step == step]
        return max(erred, default=n)

    # --- crashes ------------------------------------------------------------------------------------------------

    @property
    def once_in_flight(self) -> bool:
        """Whether a crash now would leave an outcome unknown."""
        return any(
            isinstance(p.command, Call) and p.command.task.once and p.in_flight for p in self.run.pending.values()
        )

    def crash(self) -> Transition:
        """Loses the memory between a transition and its effects, and rebuilds it. Nothing is forgotten or made up."""
        before, effects, doomed = snapshot(self.run), set(self.run.effects()), self.once_in_flight
        counted = len(self.journal.rows)
        if self.run.machine is not None:
            self.run.machine.close()  # `finally` blocks run, and leave no trace
        assert len(self.journal.rows) == counted
        run, transition = resume(self.workflow, self.row, self.journal.read(self.row.entry_n), self.now_us, self.fleet)
        self.run = run
        if doomed:
            assert isinstance(transition.events[-1], ev.RunFailed)
            assert transition.events[-1].failure.kind == OUTCOME_UNKNOWN
            return self._take(transition)
        due = run.tick(self.now_us)  # an attempt of a local call whose time had come
        assert transition.events == []
        assert due.events == []
        after = snapshot(run)
        assert after == before, f"live: {before}\nresumed: {after}"
        assert {*transition.effects, *due.effects} - _looks(run) == effects - _looks(run)
        assert len(transition.effects) == len(set(transition.effects))
        self.row = run.row
        return transition

    def replay(self) -> Replay:
        """The whole journal, driven again."""
        return replay(self.workflow, self.row, self.journal.read())

    def outcome(self) -> Any:
        """What the one function returned."""
        assert self.row.status == "done", self.row
        (completed,) = self.events(ev.RunCompleted)
        return msgspec.json.decode(completed.value, type=Outcome).value

    def failure(self) -> ev.Failure:
        """Why the run is dead."""
        assert self.row.status == "failed", self.row
        failure: ev.Failure = self.events(ev.RunFailed)[-1].failure
        return failure

    def life(self) -> Life:
        """What the kinds of the events say about the row."""
        life = Life()
        for n, _, event in self.journal.read():
            life = live_on(life, n, ev.kind_of(event))
        return life

    @property
    def live(self) -> bool:
        """Whether it goes on."""
        return self.row.status in LIVE

    def events(self, *kinds: type[ev.Event]) -> list[Any]:
        """All events, or those of some kinds."""
        return [e for _, _, e in self.journal.read() if not kinds or isinstance(e, kinds)]


def _looks(run: Execution) -> set[Effect]:
    """A child is looked for at every restart, and now and then in between."""
    return {e for e in run.effects() if isinstance(run.pending[getattr(e, "step", "")].command, Start)}


def snapshot(run: Execution) -> dict[str, Any]:
    """All that a run in memory knows, but for when it looks for its children again."""
    return {
        "n": run.n,
        "entry": (run.entry, run.entry_n, max(run.entry, run.entries)),
        "seed": run.seed,
        "inbox": run.inbox,
        "cancelling": run.cancelling,
        "status": run.row.status,
        "note": run.row.note,
        "state": run.row.state,
        "pending": [(step, *_known(pending)) for step, pending in run.pending.items()],
    }


def _known(pending: Pending) -> tuple[Any, ...]:
    child = isinstance(pending.command, Start)
    return (
        pending.command.kind,
        pending.command.target,
        pending.command.args,
        pending.attempt,
        pending.size,
        pending.due_us,
        pending.scheduled,
        pending.in_flight,
        pending.review,
        bytes(pending.best) if pending.best is not None else None,
        pending.objections,
        pending.spent,
        0 if child else pending.retry_us,
        0 if child else pending.tries,
    )
