"""What comes in while a run's events are on their way to the disk: every verb, in every such window of a run."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from skerry import Decision, Done, Retry, State, Step, TerminalError, Workflow, task
from skerry.core import api
from skerry.core import events as ev
from skerry.core.wire import Lease, Result, encode, headers, lease_subject, result_subject
from skerry.errors import Conflict, SkerryError, TimedOut
from skerry.ports import Message
from skerry.testing import Lab, MemoryJournal

ran: Counter[str] = Counter()


@task
async def here(n: int) -> int:
    ran["here"] += 1
    return n


@task(once=True)
async def gate(n: int) -> int:
    ran["gate"] += 1
    if ran["gate"] == 1:
        raise TerminalError("not today")
    return n


@task(size="rules", retry=Retry(attempts=2))
def there(n: int) -> int:
    ran["there"] += 1
    return n


class Kid(State):
    async def run(self, step: Step) -> Done[int]:
        return Done(await step.call(here, 1))


kid = Workflow("kid", version=1, start=Kid, result=int)


class First(State):
    async def run(self, step: Step) -> Second:
        number, other = await step.gather(step.call(there, 1), step.start(kid, Kid()))
        return Second(number=number + other)


class Second(State):
    number: int

    async def run(self, step: Step) -> Done[str]:
        await step.call(gate, self.number)
        try:
            decision = await step.wait(Decision, timeout=timedelta(days=1), question="Post it?")
        except TimedOut:
            return Done("late")
        await step.sleep(timedelta(minutes=1))
        return Done("posted" if decision.approved else "left")


flow = Workflow("flow", version=1, start=First, result=str)


class World:
    """A lab on a slow disk, and one run in it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        journal = lab.engine.journal
        assert isinstance(journal, MemoryJournal)
        self.journal = journal
        self.run = ""

    async def turn(self, times: int = 60) -> None:
        for _ in range(times):
            await asyncio.sleep(0)

    async def kid(self) -> str:
        return next((row.run for row in await self.journal.rows() if row.parent), "")

    async def go_on(self) -> bool:
        """Does what the run waits for; false when it is over. Leaves what follows on its way to the disk."""
        status = (await self.lab.row(self.run)).status
        verbs = self.lab.verbs
        if status == "review":
            self.lab.engine.spawn(_quietly(verbs.answer(api.Answer(run=self.run, approved=True, by="bo"))))
        elif status == "failed":
            self.lab.engine.spawn(_quietly(verbs.retry(api.RetryRun(run=self.run))))
        elif status == "waiting":
            await self.lab.clock.advance(61)
        else:
            assert status in ("done", "cancelled"), status
            return False
        await self.turn()
        return True


async def _quietly(work: Awaitable[Any]) -> Any:
    try:
        return await work
    except SkerryError as error:
        return error


Send = Callable[[World], Awaitable[Any]]


async def signal(world: World) -> Any:
    note = api.Signal(run=world.run, signal="Note", id="note", value=Raw(b'"hello"'))
    return await world.lab.verbs.signal(note)


async def answer(world: World) -> Any:
    return await world.lab.verbs.answer(api.Answer(run=world.run, approved=False, by="eve", id="eve"))


async def cancel(world: World) -> Any:
    return await world.lab.verbs.cancel(api.Cancel(run=world.run, reason="enough"))


async def kill(world: World) -> Any:
    return await world.lab.verbs.cancel(api.Cancel(run=world.run, kill=True))


async def retry(world: World) -> Any:
    return await world.lab.verbs.retry(api.RetryRun(run=world.run))


async def result(world: World) -> Any:
    result = Result(run=world.run, step="1-1-0-1", attempt=1, size="rules", worker="late", value=Raw(b"1"))
    named = headers(id=str(result.id), source="skerry/late", type="skerry.result")
    assert world.lab.engine.bus is not None
    return await world.lab.engine.bus.publish(Message(result_subject(result.id), encode(result), named))


async def lease(world: World) -> Any:
    lease = Lease(run=world.run, step="1-1-0-1", attempt=1)
    assert world.lab.engine.bus is not None
    return await world.lab.engine.bus.request(
        Message(lease_subject(world.lab.engine.node), msgspec.json.encode(lease)), timeout_s=1e6
    )


async def ended_child(world: World) -> Any:
    row = await world.journal.row(await world.kid())
    return await world.lab.engine.children.tell_parent(row) if row is not None else None


async def cancelled_child(world: World) -> Any:
    if child := await world.kid():
        return await world.lab.verbs.cancel(api.Cancel(run=child))
    return None


async def timer(world: World) -> Any:
    return await world.lab.clock.advance(2 * 86400)


async def through(send: Send | None, window: int) -> tuple[int, list[Any], str, Any]:
    """Lets a run live on a slow disk, and something happen in one of its windows: (windows, events, status, answer)."""
    ran.clear()
    async with Lab(flow, kid, there) as lab:
        world = World(lab)
        world.journal.hold()
        start = asyncio.create_task(lab.start(flow, First()))
        windows, sent = 0, None
        while True:
            await world.turn()
            if not world.journal.waiting:
                if start.done() and not await world.go_on():
                    break
                continue
            if send is not None and windows == window:
                world.run = world.run or next(iter(world.journal._known))  # pyright: ignore[reportPrivateUsage]
                sent = asyncio.create_task(_quietly(send(world)))
                await world.turn()
            world.journal.let()
            if start.done():
                world.run = start.result()
            windows += 1
        answer = await sent if sent is not None else None
        world.journal.let_go()
        await world.turn()
        events, row = await lab.events(world.run), await lab.row(world.run)
        assert (await lab.replay(world.run)).agrees, (await lab.replay(world.run)).problem
        assert not lab.engine.live and not world.journal.waiting
        for other in await world.journal.rows():
            assert other.status in ("done", "cancelled"), other
        return windows, events, row.status, answer


SENDS: dict[str, Send] = {
    each.__name__: each
    for each in (signal, answer, cancel, kill, retry, result, lease, ended_child, cancelled_child, timer)
}


@pytest.mark.parametrize("name", SENDS)
async def test_whatever_comes_in_a_window_history_and_answers_are_right(name: str) -> None:
    windows, _, status, _ = await through(None, 0)
    assert (windows > 8, status) == (True, "done"), windows
    for window in range(windows):
        _, events, status, answer = await through(SENDS[name], window)
        check(name, events, status, answer, f"{name} in window {window}")


def check(name: str, events: list[Any], status: str, answer: Any, at: str) -> None:
    ends = [e for e in events if isinstance(e, ev.RunCompleted | ev.RunCancelled)]
    assert len(ends) == 1, at
    after = events[events.index(ends[0]) + 1 :]
    assert all(isinstance(e, ev.ResultFenced | ev.AnswerRefused) for e in after), at
    assert status == ("done" if isinstance(ends[0], ev.RunCompleted) else "cancelled"), at
    assert ran["gate"] <= 2 and ran["here"] <= 1 and ran["there"] <= 1, (at, ran)
    if name in ("signal", "answer"):
        id = "note" if name == "signal" else "eve"
        taken = [e for e in events if isinstance(e, ev.SignalReceived) and e.id == id]
        assert len(taken) == isinstance(answer, api.Taken), (at, answer)
        assert isinstance(answer, api.Taken | Conflict) or "there is no run" in str(answer), (at, answer)
    elif name in ("cancel", "kill"):
        asked = [e for e in events if isinstance(e, ev.CancelRequested)]
        if isinstance(answer, api.Taken):
            assert (answer.again, len(asked)) == (status == "done", status == "cancelled"), (at, answer)
        else:
            assert "there is no run" in str(answer) and not asked, (at, answer)
    elif name == "retry":
        assert len([e for e in events if isinstance(e, ev.RunRetried)]) == 1, at


async def test_the_disk_is_as_slow_as_a_test_wants() -> None:
    journal = MemoryJournal()
    journal.hold()
    async with Lab(flow, kid, there) as lab:
        held = lab.engine.journal
        assert isinstance(held, MemoryJournal)
        held.hold()
        start = asyncio.create_task(lab.start(flow, First()))
        await asyncio.sleep(0.01)
        assert (held.waiting, start.done(), await held.rows()) == (1, False, [])
        held.let_go()
        assert (await lab.row(await start)).run
