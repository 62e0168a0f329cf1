"""Calls that were asked for and knowingly not begun, because the engine stops."""

from __future__ import annotations

from skerry.core import events as ev
from skerry.core.commands import Call
from skerry.core.execution import Execution
from skerry.core.pending import RunCall, Transition


def put_off(run: Execution, transition: Transition, now_us: int) -> None:
    """Takes the calls out of a transition's effects: the engine that starts next begins them.

    Of a `once` call it stands in the journal that it was begun; so it has to stand there, too, that it was not.
    """
    calls = [effect for effect in transition.effects if isinstance(effect, RunCall)]
    if not calls:
        return
    transition.effects = [effect for effect in transition.effects if not isinstance(effect, RunCall)]
    for call in calls:
        pending = run.pending.get(call.step)
        if pending is None or not (isinstance(pending.command, Call) and pending.command.task.once):
            continue
        if pending.in_flight:
            pending.in_flight = False
            pending.retry_us = now_us
            failure = ev.Failure(kind="NotBegun", message="the engine was stopping", retryable=True)
            transition.events.append(
                ev.AttemptFailed(step=call.step, attempt=pending.attempt, failure=failure, retry_us=now_us)
            )
    run.settle(transition, now_us)
