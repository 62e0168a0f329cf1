"""What a worker is sent when it is asked again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from skerry import Budget
from skerry.core.answers import Objection
from skerry.core.budget import Spent
from skerry.core.commands import Ask
from skerry.core.execution import Execution
from skerry.core.pending import Pending
from skerry.core.projection import RunRow
from skerry.core.tasks import Prompt
from skerry.core.wire import Task
from skerry.runtime.sending import task_message
from tests.core.support import workflow_of

RUN = "node-01HF7YAT00AAAAAAAAAAAAAAAA"


class Bill(msgspec.Struct, frozen=True):
    number: str
    total: int


def sent(budget: Budget | None = None, timeout_s: float = 0.0, *, local_only: bool = False, **pending: Any) -> Task:
    async def body(step: Any) -> None: ...

    prompt = Prompt(name="bill", text="Which?")
    ask = Ask(Bill, prompt, "it", (), ("small",), timeout_s, 0.0, budget=budget, local_only=local_only)
    run = Execution(workflow_of(body), RunRow(run=RUN, workflow="only", version=1))
    return task_message(run, "1-1", Pending(ask, 2, size="small", **pending))


def test_a_first_attempt_asks_for_everything() -> None:
    task = sent()
    assert (task.fields, task.objections, task.prompt, task.timeout_s) == ((), (), "Which?", 0.0)
    assert msgspec.json.decode(task.schema) == msgspec.json.schema(Bill)


def test_a_worker_is_told_what_has_to_stay() -> None:
    assert (sent().local_only, sent(local_only=True).local_only) == (False, True)


def test_another_one_asks_for_what_was_objected_to() -> None:
    negative = Objection(rule="sign", message="the total is negative", fields=("total",))
    task = sent(best=Raw(b'{"number":"1","total":-5}'), objections=(negative,))
    assert (task.fields, task.objections) == (("total",), ("the total is negative",))
    assert msgspec.json.decode(task.schema) == {
        "title": "Bill",
        "type": "object",
        "properties": {"total": {"type": "integer"}},
        "required": ["total"],
    }


@pytest.mark.parametrize(
    ("budget", "timeout_s", "used_s", "left_s"),
    [
        (None, 20.0, 5.0, 20.0),
        (Budget(tokens=5), 20.0, 5.0, 20.0),
        (Budget(seconds=30), 20.0, 5.0, 20.0),
        (Budget(seconds=30), 20.0, 18.0, 12.0),
        (Budget(seconds=30), 0.0, 5.0, 25.0),
        (Budget(seconds=30), 0.0, 40.0, 0.001),
    ],
)
def test_an_attempt_may_run_as_long_as_the_budget_lasts(
    budget: Budget | None, timeout_s: float, used_s: float, left_s: float
) -> None:
    assert sent(budget, timeout_s, spent=Spent(seconds=used_s)).timeout_s == left_s
