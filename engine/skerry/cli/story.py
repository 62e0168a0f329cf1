"""What happened to a run, in words: one line for each event, with the reason beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from skerry.cli import words
from skerry.cli.effort import Model, of_answer
from skerry.client.ended import RunEvent
from skerry.core import events as ev
from skerry.core.answers import FieldNote, Objection

_GOOD, _BAD, _ASK, _DIM = "green", "red", "bold yellow", "dim"


class Said(NamedTuple):
    """An event in words: `what` happened, `why` (or with what), and how it looks."""

    what: str
    why: str = ""
    style: str = ""


class Told(NamedTuple):
    """A line of a timeline."""

    at_us: int
    n: int
    state: str
    step: str
    said: Said


def timeline(events: Iterable[RunEvent], *, full: bool = False) -> list[Told]:
    """The lines of a run's events. `full`: values as long as they are."""
    lines: list[Told] = []
    state = ""
    for each in events:
        event = each.event
        if isinstance(event, ev.StateEntered):
            state = event.state
        step = getattr(event, "step", "")
        lines.append(Told(each.at_us, each.n, state, step, say(each, chars=0 if full else words.VALUE_CHARS)))
    return lines


def say(each: RunEvent, *, chars: int = words.VALUE_CHARS) -> Said:
    """One event in words."""
    event = each.event
    if event is None:
        return Said(each.kind, "its body was removed", _DIM)
    teller: Callable[[Any, int], Said] | None = _TELLERS.get(type(event))
    return Said(each.kind) if teller is None else teller(event, chars)


def objections(found: Sequence[Objection]) -> str:
    """What verifiers say."""
    return "; ".join(each.message for each in found)


def _and(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _value(event: Any, chars: int) -> str:
    if event.blob:
        return f"(blob {event.blob[:12]})"
    return words.value(event.value, chars=chars)


def _started(event: ev.RunStarted, chars: int) -> Said:
    if event.parent:  # source and id are the parent's as well
        return Said(f"started by {event.parent}", _by(event.by))
    cause = event.event
    what = f"started by {cause}" if cause else "started"
    return Said(
        what,
        _and(
            f"by {event.by}" if event.by else "",
            f"from {event.source}" if event.source else "",
            f"id {event.event_id[:12]}" if event.event_id else "",
        ),
    )


def _entered(event: ev.StateEntered, chars: int) -> Said:
    kept = f"{words.plural(len(event.inbox), 'signal')} waiting" if event.inbox else ""
    return Said(f"enters {event.state}", kept, "bold")


def _completed(event: ev.RunCompleted, chars: int) -> Said:
    return Said(f"done: {event.result}", _value(event, chars), _GOOD)


def _failed(event: ev.RunFailed, chars: int) -> Said:
    return Said(f"failed: {event.failure.kind}", event.failure.message, _BAD)


def _cancelled(event: ev.RunCancelled, chars: int) -> Said:
    return Said("cancelled", event.reason)


def _parked(event: ev.RunParked, chars: int) -> Said:
    told = event.expected in event.reason and event.got in event.reason
    differs = "" if told else f"expected {event.expected}, got {event.got}"
    return Said("parked", _and(event.reason, differs), "magenta")


def _retried(event: ev.RunRetried, chars: int) -> Said:
    return Said(f"driven again, from event {event.from_n} on", _and(_by(event.by), event.reason))


def _asked_to_cancel(event: ev.CancelRequested, chars: int) -> Said:
    return Said("killed" if event.kill else "asked to stop", _and(_by(event.by), event.reason))


def _scheduled(event: ev.StepScheduled, chars: int) -> Said:
    again = f"attempt {event.attempt}" if event.attempt > 1 else ""
    until = f"until {words.moment(event.due_us)}" if event.due_us else ""
    size = f"size {event.size}" if event.size else ""
    given = _value(event, chars) if event.kind in ("call", "start", "emit") else ""
    what = {
        "call": f"calls {event.target}",
        "ask": f"asks {event.target}",
        "wait": f"waits for {event.target}",
        "sleep": "sleeps",
        "start": f"starts {event.target}",
        "emit": f"emits {event.target}",
    }.get(event.kind, f"{event.kind} {event.target}")
    return Said(what, _and(size, again, until, given if event.attempt == 1 else ""), _DIM)


def _answered(event: ev.StepCompleted, chars: int) -> Said:
    what = {
        "call": f"{event.target} returned",
        "ask": f"{event.target} answered",
        "wait": f"got {event.result or event.target}",
        "sleep": "woke up",
        "start": f"{event.target} ended",
        "emit": f"emitted {event.target}",
    }.get(event.kind, f"{event.kind} {event.target} done")
    return Said(what, _and(_by(event.by), _value(event, chars)))


def _erred(event: ev.StepErred, chars: int) -> Said:
    what = f"{event.kind} {event.target} failed: {event.failure.kind}"
    return Said(what, _and(event.failure.message, _by(event.by)), _BAD)


def _dropped(event: ev.StepCancelled, chars: int) -> Said:
    return Said("no longer wanted", "", _DIM)


def _attempt(event: ev.AttemptFailed, chars: int) -> Said:
    again = f"again at {words.moment(event.retry_us)}" if event.retry_us else ""
    return Said(f"attempt {event.attempt} failed: {event.failure.kind}", _and(event.failure.message, again), _BAD)


def _judged(event: ev.AnswerJudged, chars: int) -> Said:
    choice = {
        "accept": "accepted",
        "escalate": f"doubted, so {event.next} is asked",
        "wait": f"did not come, so it waits until {event.size} can be reached",
        "review": "doubted, so a person is asked",
    }.get(event.choice, event.choice)
    style = _GOOD if event.choice == "accept" else "yellow"
    asked = f"asked for {', '.join(event.asked)} only" if event.asked else ""
    why = _and(objections(event.objections), asked, _again(event.model), _notes(event.fields, chars), of_answer(event))
    return Said(f"answer of size {event.size} {choice}", why, style)


def _again(model: Model) -> str:
    """Whether more than one worker had the task: those before the one that answered were lost, or left in order."""
    times = model.get("deliveries", 1)
    return f"handed out {times} times, as a worker that had it was lost or left" if times != 1 else ""


def _notes(fields: Mapping[str, FieldNote], chars: int) -> str:
    """How sure the model was of each field, and where in its text it found it; the least sure first."""
    told: list[str] = []
    for path, note in sorted(fields.items(), key=lambda each: each[1].confidence):
        sure = f" {note.confidence:.2f}" if note.confidence >= 0 else ""
        place = f" at {note.start}-{note.end}" if note.start >= 0 else ""
        told.append(f"{path or 'answer'}{sure}{place}")
        if chars and sum(map(len, told)) > chars and len(told) < len(fields):
            told.append(f"and {len(fields) - len(told)} more")
            break
    return f"fields: {', '.join(told)}" if told else ""


def _size_passed(event: ev.SizePassed, chars: int) -> Said:
    done = {"review": ", so a person is asked", "wait": ": its task waits until it can"}.get(event.choice, "")
    return Said(
        f"size {event.size} passed over" if event.choice != "wait" else f"size {event.size} is awaited",
        f"{event.message}{done}",
        "yellow",
    )


def _opened(event: ev.ReviewOpened, chars: int) -> Said:
    best = _value(event, chars)
    until = f"until {words.moment(event.due_us)}" if event.due_us else ""
    # The question often says the first objection already.
    more = [each for each in event.objections if each.message not in event.question]
    why = _and(objections(more), until, f"best answer: {best}" if best else "")
    return Said(f"asks a person: {event.question}", why, _ASK)


def _decided(event: ev.ReviewAnswered, chars: int) -> Said:
    overruled = f"overruled: {objections(event.overruled)}" if event.overruled else ""
    who = event.by or "a person"
    return Said(
        f"{who} {'said yes' if event.approved else 'said no'}",
        _and(event.reason, f"set {', '.join(event.changed)}" if event.changed else "", overruled),
        _GOOD if event.approved else _BAD,
    )


def _late(event: ev.AnswerRefused, chars: int) -> Said:
    said = "yes" if event.approved else "no"
    return Said(f"{said}, which came too late", _and(_by(event.by), event.reason), "yellow")


def _audited(event: ev.AnswerAudited, chars: int) -> Said:
    who, value = event.by or "a person", _value(event, chars)
    what = f"{', '.join(event.changed)} {'was' if len(event.changed) == 1 else 'were'} wrong" if event.changed else ""
    why = _and(event.reason, f"it should have been: {value}" if value else "")
    return Said(f"{who} looked again: {what or 'all is right'}", why, _BAD if event.changed else _GOOD)


def _drifted(event: ev.DriftNoticed, chars: int) -> Said:
    return Said("the code asks differently now", "the recorded outcome stands", "yellow")


def _fenced(event: ev.ResultFenced, chars: int) -> Said:
    return Said(f"a result for attempt {event.attempt} was not taken", _and(event.reason, _by(event.by)), "yellow")


def _signalled(event: ev.SignalReceived, chars: int) -> Said:
    key = f" ({event.key})" if event.key else ""
    return Said(f"signal {event.signal}{key}", _and(_by(event.by), _value(event, chars)))


def _node(event: ev.NodeStarted, chars: int) -> Said:
    return Said("the engine started", f"skerry {event.software}")


def _adopted(event: ev.NodeAdopted, chars: int) -> Said:
    return Said(f"node {event.by} has adopted this node", _and(_by(event.person), event.reason), "yellow")


def _removed(event: ev.BodiesRemoved, chars: int) -> Said:
    return Said(f"{words.plural(event.events, 'body', 'bodies')} removed", _and(_by(event.by), event.reason), _DIM)


def _by(who: str) -> str:
    return f"by {who}" if who else ""


_TELLERS: dict[type[ev.Event], Callable[[Any, int], Said]] = {
    ev.RunStarted: _started,
    ev.StateEntered: _entered,
    ev.RunCompleted: _completed,
    ev.RunFailed: _failed,
    ev.RunCancelled: _cancelled,
    ev.RunParked: _parked,
    ev.RunRetried: _retried,
    ev.CancelRequested: _asked_to_cancel,
    ev.StepScheduled: _scheduled,
    ev.StepCompleted: _answered,
    ev.StepErred: _erred,
    ev.StepCancelled: _dropped,
    ev.AttemptFailed: _attempt,
    ev.AnswerJudged: _judged,
    ev.SizePassed: _size_passed,
    ev.ReviewOpened: _opened,
    ev.ReviewAnswered: _decided,
    ev.AnswerRefused: _late,
    ev.AnswerAudited: _audited,
    ev.DriftNoticed: _drifted,
    ev.ResultFenced: _fenced,
    ev.SignalReceived: _signalled,
    ev.NodeStarted: _node,
    ev.NodeAdopted: _adopted,
    ev.BodiesRemoved: _removed,
}


def in_a_line(events: Sequence[RunEvent]) -> str:
    """Why a run is where it is: the last thing that explains it, in few words."""
    for each in reversed(events):
        event = each.event
        if isinstance(event, ev.RunCompleted):
            said = _value(event, _LINE_CHARS)
            return f"{event.result}: {said}" if said else event.result
        if isinstance(event, ev.ReviewOpened):
            # Where there was no answer at all, they say why models gave none: nothing that a person could answer.
            doubted = event.objections if bytes(event.value) or event.blob else ()
            more = [other for other in doubted if other.message not in event.question]
            return _and(event.question, objections(more))
        if isinstance(event, ev.RunFailed | ev.RunParked | ev.RunCancelled):
            told = say(each)
            return f"{told.what} ({told.why})" if told.why else told.what
    return ""


_LINE_CHARS = 120
