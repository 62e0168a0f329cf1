"""Right code: mypy and pyright accept every line, and infer what it says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import assert_type
from uuid import UUID

import msgspec

from skerry import Decision, Done, Objection, Prompt, Retry, State, Step, StepFailed, Workflow, task


class Document(msgspec.Struct):
    text: str


class Fields(msgspec.Struct):
    total: int


class Reply(msgspec.Struct):
    text: str


class Posted(msgspec.Struct):
    number: str


class Rejected(msgspec.Struct):
    reason: str


@task
def length(text: str) -> int:
    return len(text)


@task(size="small", retry=Retry(attempts=5), deadline=timedelta(hours=1))
async def post(fields: Fields, *, draft: bool = False) -> Posted:
    return Posted(number=str(fields.total))


@task(once=True)
def pay(total: int) -> None: ...


def positive(answer: Fields, about: Document) -> Iterable[Objection]:
    if answer.total < 0:
        yield Objection(rule="positive", message="a total below zero", fields=("total",))


EXTRACT = Prompt(name="extract", text="Read the total.", rules=lambda about: Fields(total=1))


class Extract(State):
    document: Document
    tries: int = 0

    async def run(self, step: Step) -> Extract | Approve | Done[Rejected]:
        fields = await step.ask(Fields, EXTRACT, about=self.document, verify=(positive,), sizes=("rules", "small"))
        assert_type(fields, Fields)
        count = await step.call(length, self.document.text)
        assert_type(count, int)
        if count == 0:
            return Done(Rejected(reason="empty"))
        if fields.total == 0 and self.tries < 3:
            return Extract(document=self.document, tries=self.tries + 1)
        return Approve(fields=fields)


async def both(step: Step, fields: Fields) -> str:
    """A branch of a gather may be any coroutine."""
    posted = await step.call(post, fields, draft=True)
    assert_type(posted, Posted)
    return posted.number


class Approve(State, tag="approve"):
    fields: Fields

    async def run(self, step: Step) -> Post | Done[Rejected]:
        try:
            decision = await step.wait(Decision, question="Pay it?", timeout=timedelta(days=3))
        except StepFailed as error:
            assert_type(error.step, str)
            return Done(Rejected(reason=str(error)))
        assert_type(decision, Decision)
        either = await step.wait(Reply, Decision, key="k")
        assert_type(either, Reply | Decision)
        any_of_three = await step.wait(Reply, Decision, Posted)
        assert_type(any_of_three, Reply | Decision | Posted)
        return Post(fields=self.fields)


class Post(State):
    fields: Fields

    async def run(self, step: Step) -> Done[Posted]:
        number, count = await step.gather(both(step, self.fields), step.call(length, "x"))
        assert_type(number, str)
        assert_type(count, int)
        three = await step.gather(step.call(length, "x"), both(step, self.fields), step.wait(Reply))
        assert_type(three, tuple[int, str, Reply])
        four = await step.gather(step.call(length, ""), step.call(pay, 1), step.wait(Reply), step.sleep(timedelta(1)))
        assert_type(four, tuple[int, None, Reply, None])
        many = await step.each(step.call(length, text) for text in ("a", "b"))
        assert_type(many, list[int])
        child = await step.start(lengths, Count(text="x"))
        assert_type(child, int)
        run = await step.start(lengths, Count(text="x"), detached=True)
        assert_type(run, str)
        assert_type(step.now(), datetime)
        assert_type(step.uuid(), UUID)
        assert_type(step.by_person(), bool)
        assert_type(step.random(), float)
        await step.until(datetime(2030, 1, 1, tzinfo=UTC))
        await step.emit("invoice.posted", {"number": number})
        return Done(Posted(number=number))


class Count(State):
    text: str

    async def run(self, step: Step) -> Done[int]:
        return Done(len(self.text))


lengths = Workflow("lengths", version=1, start=Count, result=int)
assert_type(lengths, Workflow[int])
invoice = Workflow("invoice", version=1, start=Extract, result=Posted | Rejected, on="invoice.received")
