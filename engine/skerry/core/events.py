"""The facts that a journal holds: frozen, closed, past tense.

Every event has a header (its place, time, kind and hashes: see `core.chain`) and a body, which is one of these
structs as JSON. A body that carries a value of the user's (a state, an argument, an outcome) has it in `value`;
the codec moves a value over 4 KiB into a blob and leaves its hash in `blob` (promise J8).

Don't subclass these, and don't change what is written: add a field with a default, or raise `VERSION` and write
an upcaster. Every version that was ever released is read for ever (promise J7).
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Raw

from skerry.core.answers import FieldNote, Objection
from skerry.core.structs import NOTHING, Frozen

VERSION = 1
"""The version in which this code writes bodies. It reads this one and all before it."""


class Event(Frozen, omit_defaults=True, tag_field="type", forbid_unknown_fields=True):
    """Base of all events."""


class Failure(Frozen, omit_defaults=True):
    """What went wrong: `kind` for programs (an error's class name), `message` for people."""

    kind: str
    message: str
    step: str = ""
    retryable: bool = False


class HeldSignal(Frozen, omit_defaults=True):
    """A signal that came before anybody waited for it. A long value is in the blob of its `signal.received`."""

    id: str
    signal: str
    key: str = ""
    value: Raw = NOTHING
    by: str = ""
    blob: str = ""


# --- a run begins, moves, ends --------------------------------------------------------------------------------------


class RunStarted(Event, tag="run.started"):
    """`source` and `event_id` name the trigger; `parent` is the step (`run/step`) that started it, if one did."""

    workflow: str
    version: int
    source: str = ""
    event: str = ""
    event_id: str = ""
    parent: str = ""
    detached: bool = False
    priority: int = 0
    by: str = ""


class StateEntered(Event, tag="state.entered"):
    """From here a run is resumed: `value` is all that its code knows, `inbox` the signals that came too early.

    `seed` feeds `step.uuid()` and `step.random()`; it is the run's id unless the run is a fork. `version` is the
    workflow's, when it is no longer the one under which the run began.
    """

    entry: int
    state: str
    seed: str = ""
    version: int = 0
    inbox: tuple[HeldSignal, ...] = ()
    value: Raw = NOTHING
    blob: str = ""


class RunCompleted(Event, tag="run.completed"):
    """`result` is the tag of the declared result type that `value` is."""

    result: str = ""
    value: Raw = NOTHING
    blob: str = ""


class RunFailed(Event, tag="run.failed"):
    """The run's code raised. It is a dead letter: kept, shown, and driven again by `skerry retry`."""

    failure: Failure


class RunCancelled(Event, tag="run.cancelled"):
    """The run has ended because it was asked to."""

    reason: str = ""


class RunParked(Event, tag="run.parked"):
    """The code does not do what the journal says it did; the run waits for a person."""

    reason: str
    step: str = ""
    expected: str = ""
    got: str = ""


class RunRetried(Event, tag="run.retried"):
    """A dead or parked run is driven again: from `from_n` on, its events no longer count (signals still do)."""

    from_n: int
    by: str = ""
    reason: str = ""
    id: str = ""


class CancelRequested(Event, tag="cancel.requested"):
    """Thrown into the code as `Cancelled`; with `kill`, the code is not asked."""

    by: str = ""
    reason: str = ""
    kill: bool = False
    id: str = ""


# --- steps ----------------------------------------------------------------------------------------------------------


class StepScheduled(Event, tag="step.scheduled"):
    """An attempt of a step is on its way (a task for a worker, a timer, a question); `due_us` is its deadline.

    `args` is the digest of the arguments, `value` the arguments themselves, `size` the workers that may take it.
    """

    step: str
    kind: str
    target: str
    args: str = ""
    attempt: int = 1
    size: str = ""
    due_us: int = 0
    value: Raw = NOTHING
    blob: str = ""


class StepCompleted(Event, tag="step.completed"):
    """The step has its outcome, `value`; `by` is who or what answered.

    `signal` is the id of the signal that a `wait` consumed; `result` names the type of `value` where there are several.
    """

    step: str
    kind: str
    target: str
    args: str = ""
    attempt: int = 1
    signal: str = ""
    result: str = ""
    by: str = ""
    value: Raw = NOTHING
    blob: str = ""


class StepErred(Event, tag="step.failed"):
    """The step has failed for good; the code gets the failure as an exception."""

    step: str
    kind: str
    target: str
    failure: Failure
    args: str = ""
    attempt: int = 1
    by: str = ""


class StepCancelled(Event, tag="step.cancelled"):
    """The step is no longer wanted: its run was cancelled, or a sibling branch failed."""

    step: str


class AttemptFailed(Event, tag="attempt.failed"):
    """One attempt failed and another follows at `retry_us`."""

    step: str
    attempt: int
    failure: Failure
    retry_us: int = 0
    by: str = ""


class AnswerJudged(Event, tag="answer.judged"):
    """An answer was held against its verifiers: what they object to, and what was chosen then.

    `choice` is "accept", "escalate" (to the size in `next`), "wait" (for the size itself, which cannot be reached) or
    "review". Replay reads it and does not judge again. `asked`: only these fields were asked for (empty: all), and
    the rest is from the best answer before; `fields` are the model's notes on them. `value` is the whole answer, unless
    it was accepted (then the step's outcome is).
    """

    step: str
    attempt: int
    size: str
    choice: str
    next: str = ""
    asked: tuple[str, ...] = ()
    objections: tuple[Objection, ...] = ()
    model: dict[str, str | int | float] = {}
    fields: dict[str, FieldNote] = {}
    value: Raw = NOTHING
    blob: str = ""


class SizePassed(Event, tag="size.passed"):
    """A size of an `ask` was not asked. `why` is "local_only", "budget", "queue" or "offline"; `message` tells people.

    `choice` says what was done instead: "skip" (the next size was asked, or a person, if there was none), "review" (a
    person was asked) or "wait" (its task waits until the size can be reached).
    """

    step: str
    size: str
    why: str
    choice: str = "skip"
    message: str = ""


class ReviewOpened(Event, tag="review.opened"):
    """A person is asked. `value` is the best answer so far, `objections` why it was doubted."""

    step: str
    question: str
    attempt: int = 1
    objections: tuple[Objection, ...] = ()
    due_us: int = 0
    value: Raw = NOTHING
    blob: str = ""


class ReviewAnswered(Event, tag="review.answered"):
    """A person has answered. Objections that still stand were overruled by `by`, for `reason`.

    `changed` are the fields of the best answer that the person set; their values are in the step's outcome. `id` is
    the answer's, where no signal carries it.
    """

    step: str
    approved: bool
    by: str = ""
    reason: str = ""
    changed: tuple[str, ...] = ()
    overruled: tuple[Objection, ...] = ()
    id: str = ""


class AnswerRefused(Event, tag="answer.refused"):
    """A second person has answered a review that somebody had answered before: it has changed nothing.

    `message` is what they were told, `reason` theirs, `id` the answer's.
    """

    step: str
    approved: bool
    by: str = ""
    reason: str = ""
    message: str = ""
    id: str = ""


class AnswerAudited(Event, tag="answer.audited"):
    """A person has looked again, after the run's end, at an answer that was taken without one; it stands as it is.

    `changed` are the fields that were wrong, `value` what they should have been. The latest audit of a step counts.
    """

    step: str
    by: str = ""
    reason: str = ""
    changed: tuple[str, ...] = ()
    value: Raw = NOTHING
    blob: str = ""


class DriftNoticed(Event, tag="drift.noticed"):
    """The code asks with other arguments than it did; the recorded outcome stands."""

    step: str
    expected: str
    got: str


class ResultFenced(Event, tag="result.fenced"):
    """A worker's result was not taken: late, doubled, senseless, or for another's task. `reason` says which.

    `signal` is set for a signal that came early and did not fit the `wait` that found it: it is kept no longer.
    """

    step: str
    attempt: int
    reason: str
    by: str = ""
    signal: str = ""


# --- from outside ---------------------------------------------------------------------------------------------------


class SignalReceived(Event, tag="signal.received"):
    """Input from outside, kept until a `wait` consumes it."""

    id: str
    signal: str
    key: str = ""
    by: str = ""
    value: Raw = NOTHING
    blob: str = ""


# --- the node itself (these have no run) ----------------------------------------------------------------------------


class NodeStarted(Event, tag="node.started"):
    """An engine has opened the journal for writing."""

    node: str
    software: str


class NodeAdopted(Event, tag="node.adopted"):
    """The node was lost: from here on, in a new epoch, another one (`by`) drives its runs, from what the hub has.

    `person` said so, for `reason`. What the lost node did after the event before this one is not known here.
    """

    node: str
    by: str
    person: str = ""
    reason: str = ""


class BodiesRemoved(Event, tag="bodies.removed"):
    """The bodies of a run were removed (pruned, withheld, erased); their headers stay (promise J4)."""

    of: str
    events: int
    by: str = ""
    reason: str = ""


AnyEvent: TypeAlias = (
    RunStarted
    | StateEntered
    | RunCompleted
    | RunFailed
    | RunCancelled
    | RunParked
    | RunRetried
    | CancelRequested
    | StepScheduled
    | StepCompleted
    | StepErred
    | StepCancelled
    | AttemptFailed
    | AnswerJudged
    | SizePassed
    | ReviewOpened
    | ReviewAnswered
    | AnswerRefused
    | AnswerAudited
    | DriftNoticed
    | ResultFenced
    | SignalReceived
    | NodeStarted
    | NodeAdopted
    | BodiesRemoved
)


_KINDS: dict[type[Event], str] = {each: str(each.__struct_config__.tag) for each in Event.__subclasses__()}


def kind_of(event: Event) -> str:
    """The event's tag ("step.completed"), as it stands in its header and body."""
    return _KINDS[type(event)]
