"""What a person decides on, and what a signal says in somebody's name: for `skerry.people` to judge."""

from __future__ import annotations

from typing import Any

import msgspec

from skerry.core import api
from skerry.core import events as ev
from skerry.core.commands import Wait
from skerry.core.execution import Execution
from skerry.core.ids import person_of
from skerry.core.review import Decision
from skerry.errors import Conflict, Denied
from skerry.people import People, Question


def asked_of(
    people: People, run: Execution, step: str, answer: api.Answer, entered: ev.StateEntered | None
) -> Question:
    """The question that an answer is to. `entered` is how the run's state began, as it was read a moment ago.

    Raises `Conflict` when the run has gone on since: it would be another question that is answered.
    """
    if entered is None or entered.entry != run.entry:
        raise Conflict(f"run {run.row.run} has gone on meanwhile", hint="look at it again: skerry show")
    worth, currency = people.worth(run.row.workflow, _value(entered))
    return Question(
        workflow=run.row.workflow,
        decision=isinstance(run.pending[step].command, Wait),
        approved=answer.approved,
        worth=worth,
        currency=currency,
    )


def check_signal(people: People, signal: api.Signal) -> None:
    """A decision is an answer, and not a signal that says so; and nobody signals in another one's name.

    Raises `Denied`.
    """
    if signal.signal == Decision.__name__ and "admin" not in people.check("signal", signal.by).roles:
        raise Denied("a decision is not sent as a signal", hint="skerry approve, skerry reject")
    try:
        by = msgspec.json.decode(signal.value, type=dict[str, Any]).get("by")
    except msgspec.MsgspecError:
        return  # it names nobody; whether it fits, the run says
    if by is not None and by != person_of(signal.by):
        raise Denied(f"{person_of(signal.by)} cannot speak for {by!r}", hint="say who you are, or leave `by` out")


def _value(entered: ev.StateEntered) -> Any:
    return msgspec.json.decode(entered.value) if bytes(entered.value) else {}
