"""What becomes of an answer: a worker's result is fenced, judged and escalated; a person's goes through the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from skerry.core import events as ev
from skerry.core.answers import Objection
from skerry.core.asking import asked_again, merged, noted
from skerry.core.asks import hand_on, next_size
from skerry.core.budget import spent_by
from skerry.core.cascade import CLOUD, UNREACHED, Climb, doubts, judge
from skerry.core.commands import Ask, Wait
from skerry.core.execution import Execution
from skerry.core.ids import person_of
from skerry.core.pending import Pending, Transition, keep_best
from skerry.core.review import Decision
from skerry.core.structs import NOTHING
from skerry.core.told import as_told
from skerry.core.wire import Result
from skerry.errors import Conflict, DataError


def fenced(run: Execution, result: Result) -> str:
    """Why a result is not to be taken; empty when it is. Each attempt has one, and only the current one counts."""
    pending = run.pending.get(result.step)
    if pending is None:
        return "the step has its outcome already, or was never asked for"
    if result.attempt != pending.attempt:
        return f"attempt {result.attempt} is not the current one, {pending.attempt}"
    if not pending.in_flight or not pending.size:
        return "nobody is waiting for a worker's result here"
    if result.size != pending.size:
        return f"it comes from a worker of size {result.size or '?'}, the task was for {pending.size}"
    return ""


def take_result(run: Execution, result: Result, now_us: int) -> Transition:
    """A worker's result, fenced by its attempt number; a value of the wrong type counts as a failed attempt."""
    if reason := fenced(run, result):
        return run.fence(result.step, result.attempt, reason, result.worker, now_us)
    pending = run.pending[result.step]
    result = _readable(result)
    if isinstance(pending.command, Ask):
        return _take_answer(run, pending, pending.command, result, now_us)
    if result.failure is not None:
        return run.fail(result.step, result.failure, now_us, by=result.worker, retry_after_s=result.retry_after_s)
    try:
        return run.complete(result.step, result.value, now_us, by=result.worker)
    except DataError as error:
        failure = ev.Failure(kind="DataError", message=f"the worker's answer does not fit: {error}")
        return run.fail(result.step, failure, now_us, by=result.worker)


def _readable(result: Result) -> Result:
    """The result, or a failed one in its place: what is recorded of a value must be JSON to its last byte."""
    if result.failure is not None:
        return msgspec.structs.replace(result, value=NOTHING)
    try:
        msgspec.json.decode(result.value)
    except (ValueError, RecursionError) as error:
        failure = ev.Failure(kind="DataError", message=f"the worker's answer is no JSON: {error}", retryable=True)
        return msgspec.structs.replace(result, value=NOTHING, failure=failure)
    return result


def _take_answer(run: Execution, pending: Pending, ask: Ask, result: Result, now_us: int) -> Transition:
    step, size = result.step, pending.size
    asked = asked_again(ask, pending.best, pending.objections)
    whole = merged(pending.best, result.value, asked)
    notes = noted(ask, size, asked, result.fields)
    gone = False
    if result.failure is not None:
        objections = [Objection(rule=result.failure.kind, message=result.failure.message)]
        gone = size == CLOUD and result.failure.kind in UNREACHED
    else:
        objections = judge(ask, whole, model=size != "rules")
        if not any(o.rule == "schema" for o in objections):
            objections += doubts(ask, run.fleet, result.model, notes, asked)
    pending.spent = pending.spent.plus(spent_by(result.model))
    up = next_size(run, step, pending, ask, now_us) if objections else Climb(None, [])
    if gone and ask.offline != "skip":
        up = Climb(CLOUD if ask.offline == "wait" else None, [])
    choice = "accept" if not objections else "review" if up.size is None else "wait" if up.size == size else "escalate"
    judged = ev.AnswerJudged(
        step=step,
        attempt=result.attempt,
        size=size,
        choice=choice,
        next=up.size or "",
        asked=asked,
        objections=tuple(objections),
        model=result.model,
        fields=notes,
        value=NOTHING if choice == "accept" else whole,
    )
    transition = Transition([judged])
    if choice == "accept":
        run.put_outcome(transition, step, whole, now_us, by=result.worker)
        return run.settle(transition, now_us)
    keep_best(pending, whole, objections)
    hand_on(run, transition, step, pending, up, now_us)
    return run.settle(transition, now_us)


def open_review(run: Execution, step: str = "") -> str:
    """The step that a person is asked about. Raises `Conflict` when there is none, or several and none is named."""
    steps = [s for s, p in run.pending.items() if p.review and (not step or s == step)]
    if len(steps) == 1:
        return steps[0]
    if not steps:
        raise Conflict(f"run {run.row.run} asks nobody anything" + (f" at step {step}" if step else ""))
    raise Conflict(f"run {run.row.run} has {len(steps)} open reviews", hint=f"name one of the steps {', '.join(steps)}")


def take_review(
    run: Execution, step: str, approved: bool, changes: Mapping[str, Any], by: str, reason: str, id: str, now_us: int
) -> Transition:
    """A person's answer to a review.

    An approval of an `ask` takes the best answer, with `changes` put over it; it passes the same verifiers, and
    objections that still stand need a `reason` to be overruled. A rejection raises `Refused` in the code.
    Raises `Conflict` or `DataError`, and changes nothing, when the answer cannot be taken.
    """
    pending = run.pending[step]
    if isinstance(pending.command, Wait):
        if changes:
            raise Conflict(f"step {step} waits for a yes or no: no fields can be changed there", hint="leave them out")
        return _decide_wait(run, step, pending.command, approved, by, reason, id, now_us)
    ask = pending.command
    assert isinstance(ask, Ask), "only asks and waits are reviewed"
    transition = Transition()
    if not approved:
        transition.events.append(ev.ReviewAnswered(step=step, approved=False, by=by, reason=reason, id=id))
        failure = ev.Failure(kind="Refused", message=reason or f"{by or 'a person'} said no")
        run.put_failure(transition, step, failure, now_us, by=by)
        return run.settle(transition, now_us)
    value = _changed(ask, pending, changes)
    objections = judge(ask, value)
    if any(o.rule == "schema" for o in objections):
        raise DataError(
            f"the answer to step {step} does not fit: {objections[0].message}", hint="set the fields that are missing"
        )
    if objections and not reason:
        told = "; ".join(o.message for o in objections)
        raise Conflict(
            f"step {step}: the answer still meets objections: {told}",
            hint="correct its fields, or give a reason to overrule them",
        )
    transition.events.append(
        ev.ReviewAnswered(
            step=step,
            approved=True,
            by=by,
            reason=reason,
            changed=tuple(sorted(changes)),
            overruled=tuple(objections),
            id=id,
        )
    )
    run.put_outcome(transition, step, value, now_us, by=by)
    return run.settle(transition, now_us)


def _changed(ask: Ask, pending: Pending, changes: Mapping[str, Any]) -> Raw:
    best: Any = msgspec.json.decode(pending.best) if pending.best is not None else {}
    fields: tuple[str, ...] = getattr(ask.answer.type, "__struct_encode_fields__", ())
    hint = f"its fields: {', '.join(fields)}" if fields else "set its fields"
    if not changes:
        if pending.best is None:
            raise Conflict("there is no answer yet that could be approved", hint=hint)
        return pending.best
    unknown = [name for name in changes if fields and name not in fields]
    if unknown:  # decoding would pass over it, and the correction would be lost
        raise DataError(f"the answer has no field {', '.join(unknown)}", hint=hint)
    if not isinstance(best, dict):
        best = {}
    return Raw(msgspec.json.encode({**best, **as_told(ask.answer.type, changes)}))


def _decide_wait(
    run: Execution, step: str, wait: Wait, approved: bool, by: str, reason: str, id: str, now_us: int
) -> Transition:
    name = Decision.__name__
    if name not in wait.types:
        raise Conflict(f"step {step} waits for {wait.target}, not for a yes or no", hint="send it with `skerry signal`")
    value = msgspec.json.encode(Decision(approved=approved, by=person_of(by), reason=reason))
    held = ev.HeldSignal(id=id, signal=name, key=wait.key, value=Raw(value), by=by)
    return run.signal(held, now_us, to=step)
