"""The test kit, used as a user would."""

from __future__ import annotations

import string
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from skerry import Decision, Done, Objection, Prompt, Retry, RetryableError, State, Step, StepFailed, Workflow, task
from skerry.errors import DefinitionError, Refused, TimedOut
from skerry.testing import Lab, NoResult
from tests.cli import wishes

calls: list[str] = []


@task
async def greeting(name: str) -> str:
    calls.append(name)
    return f"Hello, {name}"


class Hello(State):
    name: str

    async def run(self, step: Step) -> Asked | Done[str]:
        text = await step.call(greeting, self.name)
        return Asked(text=text) if self.name == "Ada" else Done(text)


class Asked(State):
    text: str

    async def run(self, step: Step) -> Done[str]:
        try:
            decision = await step.wait(Decision, timeout=timedelta(days=3), question=f"Say {self.text}?")
        except TimedOut:
            return Done("nobody said anything")
        return Done(self.text if decision.approved else decision.reason)


hello = Workflow("hello", version=1, start=Hello, result=str, on="guest.arrived")


async def test_a_run_from_an_event_to_its_result() -> None:
    async with Lab(hello) as lab:
        (run,) = await lab.publish("guest.arrived", name="Bo")
        assert await lab.result(run) == "Hello, Bo"
        assert (await lab.replay(run)).agrees


async def test_a_module_with_all_that_stands_in_it() -> None:
    async with Lab(wishes) as lab:
        assert sorted(name for name, _ in lab.registry.workflows) == ["letters", "wishes"]
        (run,) = await lab.publish("wish.made", what="a kite")
        assert (await lab.result(run)).what == "a kite"


@pytest.mark.parametrize("thing", [string, "tests.cli.wishes", Hello, None], ids=str)
def test_what_is_nothing_to_run_is_refused(thing: Any) -> None:
    with pytest.raises(DefinitionError, match="a Lab has no use for "):
        Lab(hello, thing)


async def test_a_person_decides_after_a_crash() -> None:
    async with Lab(hello) as lab:
        run = await lab.start(hello, Hello(name="Ada"))
        assert (await lab.settled(run)).status == "review"
        calls.clear()
        await lab.crash()
        await lab.approve(run, by="bo")
        assert await lab.result(run) == "Hello, Ada"
        assert calls == []  # what was done before the crash is not done again
        assert (await lab.replay(run)).agrees


@pytest.mark.parametrize("crash", [False, True])
async def test_three_days_pass(crash: bool) -> None:
    async with Lab(hello) as lab:
        run = await lab.start(hello, Hello(name="Ada"))
        await lab.settled(run)
        await lab.skip(timedelta(days=2))
        with pytest.raises(NoResult, match="waits in state Asked"):
            await lab.result(run)
        if crash:
            await lab.crash()
        await lab.skip(timedelta(days=2))
        assert await lab.result(run) == "nobody said anything"


class Answer(msgspec.Struct, frozen=True):
    number: int


def by_rules(text: str) -> Answer:
    return Answer(number=len(text))


def even(answer: Answer, text: str) -> list[Objection]:
    return [Objection(rule="even", message=f"{answer.number} is odd")] if answer.number % 2 else []


COUNT = Prompt(name="count", rules=by_rules)


class Count(State):
    text: str

    async def run(self, step: Step) -> Done[int]:
        try:
            answer = await step.ask(Answer, COUNT, about=self.text, verify=[even])
        except Refused as error:
            return Done(-len(str(error)))
        return Done(answer.number)


count = Workflow("count", version=1, start=Count, result=int)


async def test_an_answer_that_holds_and_one_that_a_person_corrects() -> None:
    async with Lab(count, COUNT) as lab:
        good = await lab.start(count, Count(text="four"))
        assert await lab.result(good) == 4
        bad = await lab.start(count, Count(text="three"))
        row = await lab.settled(bad)
        assert (row.status, "5 is odd" in row.note) == ("review", True)
        await lab.approve(bad, number=6)
        assert await lab.result(bad) == 6
        refused = await lab.start(count, Count(text="seven"))
        await lab.reject(refused, reason="no")
        assert await lab.result(refused) == -2


@task(size="rules", retry=Retry(attempts=3, first_s=60))
def flaky(key: str) -> int:
    calls.append(key)
    if len(calls) < 3:
        raise RetryableError("not yet")
    return len(calls)


class Try(State):
    async def run(self, step: Step) -> Done[int]:
        try:
            return Done(await step.call(flaky, "k"))
        except StepFailed as error:
            return Done(-error.attempts)


trying = Workflow("trying", version=1, start=Try, result=int)


async def test_a_task_on_a_worker_is_tried_again_after_its_delay() -> None:
    calls.clear()
    async with Lab(trying, flaky) as lab:
        run = await lab.start(trying, Try())
        await lab.settled(run)
        assert calls == ["k"]
        await lab.skip(timedelta(seconds=61))
        await lab.settled(run)
        assert calls == ["k", "k"]
        await lab.crash()
        await lab.skip(timedelta(seconds=121))
        assert await lab.result(run) == 3
        assert (await lab.replay(run)).agrees
