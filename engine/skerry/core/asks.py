"""How an `ask` goes through its sizes: opened, handed on, out of time, and at last before a person."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from skerry.core import events as ev
from skerry.core.answers import Objection
from skerry.core.cascade import CLOUD, Climb, climb, too_late
from skerry.core.commands import Ask
from skerry.core.pending import Pending, SendTask, Transition, keep_best
from skerry.core.structs import NOTHING
from skerry.core.times import after
from skerry.core.wire import Size

if TYPE_CHECKING:
    from skerry.core.execution import Execution


def open_ask(run: Execution, transition: Transition, step: str, pending: Pending, ask: Ask, now_us: int) -> None:
    """Begins with the first size that can be asked, or with a person."""
    if ask.deadline_s and ask.sizes:
        pending.due_us = after(now_us, ask.deadline_s)
    up = next_size(run, step, pending, ask, now_us)
    if up.size is None:
        run.schedule(transition, step)
        transition.events.extend(up.passed)
        nobody = f"No size of model here can answer {ask.prompt.name}." if ask.sizes else ask.prompt.text
        question = ask.prompt.question or nobody
        ask_person(run, transition, step, f"{question}{_why(up.passed)}", now_us)
        return
    transition.events.extend(up.passed)
    send(run, transition, step, pending, up.size)


def next_size(run: Execution, step: str, pending: Pending, ask: Ask, now_us: int) -> Climb:
    """The size after the one that has answered (the first, if none has), as things stand now."""
    left_s = _left_s(pending, now_us)
    return climb(ask, run.fleet, step, after=pending.size, spent=pending.spent, left_s=left_s)


def look_again(run: Execution, step: str, now_us: int) -> Transition | None:
    """When a task for the cloud can go, which may be days after it was chosen: what follows if time and budget do not
    allow it any more; None when they do."""
    pending = run.pending[step]
    ask = pending.command
    if pending.size != CLOUD or not isinstance(ask, Ask):
        return None
    passed = too_late(ask, run.fleet, step, spent=pending.spent, left_s=_left_s(pending, now_us))
    if passed is None:
        return None
    transition = Transition([passed])
    run.let_go(transition, step, pending)
    up = next_size(run, step, pending, ask, now_us)
    hand_on(run, transition, step, pending, up, now_us, told=_why([passed]))
    return run.settle(transition, now_us)


def _left_s(pending: Pending, now_us: int) -> float:
    return (pending.due_us - now_us) / 1e6 if pending.due_us else math.inf


def send(run: Execution, transition: Transition, step: str, pending: Pending, size: Size) -> None:
    """Sends the current attempt to a size."""
    pending.size = size
    pending.review = ""
    pending.in_flight = True
    run.schedule(transition, step)
    transition.effects.append(SendTask(step))


def hand_on(
    run: Execution, transition: Transition, step: str, pending: Pending, up: Climb, now_us: int, *, told: str = ""
) -> None:
    """Goes on to the next size, or to a person, who is `told` more than what was passed over now."""
    transition.events.extend(up.passed)
    if up.size is not None:
        pending.attempt += 1
        pending.tries += 1
        send(run, transition, step, pending, up.size)
        return
    ask_person(run, transition, step, f"{_question(pending)}{told}{_why(up.passed)}", now_us)


def out_of_time(run: Execution, transition: Transition, step: str, pending: Pending, now_us: int) -> None:
    """The deadline has come before an answer that holds: a person is asked, with the best one so far."""
    late = Objection(rule="TimedOut", message="no answer came before the deadline")
    transition.events.append(
        ev.AnswerJudged(
            step=step, attempt=pending.attempt, size=pending.size, choice="review", objections=(late,), value=NOTHING
        )
    )
    run.let_go(transition, step, pending)
    keep_best(pending, NOTHING, (late,))
    hand_on(run, transition, step, pending, Climb(None, []), now_us)


def ask_person(run: Execution, transition: Transition, step: str, question: str, now_us: int) -> None:
    """Opens a review: the cascade's last rung."""
    pending = run.pending[step]
    ask = pending.command
    assert isinstance(ask, Ask)
    pending.in_flight = False
    pending.size = ""
    pending.review = question
    pending.due_us = after(now_us, ask.review_s) if ask.review_s else 0
    transition.events.append(
        ev.ReviewOpened(
            step=step,
            question=question,
            attempt=pending.attempt,
            objections=pending.objections,
            due_us=pending.due_us,
            value=pending.best if pending.best is not None else NOTHING,
        )
    )


def _question(pending: Pending) -> str:
    """What a person is asked, and the first objection to the best answer, if there is one."""
    ask = pending.command
    assert isinstance(ask, Ask)
    if not pending.objections:
        return ask.prompt.question or f"Nobody has answered {ask.target}."
    doubt = pending.objections[0].message
    if not ask.prompt.question:
        return f"No answer to {ask.target} that holds: {doubt}"
    return f"{ask.prompt.question} {doubt}" if pending.best is not None else ask.prompt.question


def _why(passed: Sequence[ev.SizePassed]) -> str:
    """The sizes that were passed over, at the end of a question."""
    return "".join(f" Not asked: {each.size}, {each.message}." for each in passed)
