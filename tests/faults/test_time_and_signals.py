"""Timers, sleepers, signals and people, across restarts, at the same instant, and with a clock that is set back."""

from __future__ import annotations

import asyncio

import pytest

from skerry.client import Client
from skerry.core.events import NodeStarted, ReviewAnswered, RunParked, SignalReceived
from skerry.errors import Conflict, SkerryError, Unavailable
from tests.faults.conftest import MakeNode
from tests.faults.flows import Word
from tests.faults.harness import disagreements, kill, until_status
from tests.support import wait_until

FLOWS = ("tests.faults.flows",)


async def nap(client: Client, seconds: float) -> str:
    """A run that sleeps."""
    return (await client.start("napping", {"seconds": seconds})).run


async def test_sleepers_that_were_due_while_the_engine_was_down_wake_at_the_start(make_node: MakeNode) -> None:
    """ "sleep; a restart in between does not matter": also kill -9, also for those evicted from memory."""
    node = make_node(modules=FLOWS, limits={"idle_runs_max": 5}).start()
    async with node.client() as client:
        short = [await nap(client, 1.5) for _ in range(30)]
        later = await nap(client, 4.0)
        long = await nap(client, 3600)
    node.kill_all()
    await asyncio.sleep(1.6)  # what is proved: nobody is there when they are due
    assert {(await node.rows())[run].status for run in short} == {"waiting"}
    node.start()
    async with node.client() as client:
        for run in (*short, later):
            assert await client.result(run, timeout_s=10.0) == "awake"
        assert (await client.row(long)).status == "waiting"
    for run in (*short, later):
        assert (await node.kinds(run)).count("step.completed") == 1
    assert await disagreements(node) == []


async def test_a_clock_that_was_set_back_holds_timers_and_time_in_events_never_goes_back(make_node: MakeNode) -> None:
    """J9: time in events is the later of clock and journal; a clock behind it is reported and holds timers."""
    node = make_node(modules=FLOWS).start(clock_s=0.0)
    async with node.client() as client:
        due = await nap(client, 1.0)
    assert node.stop() == 0
    node.start(clock_s=-3600.0)
    async with node.client() as client:
        fresh = await nap(client, 0.5)
        # Everything else goes on: what was recorded gets the journal's time.
        listener = (await client.start("listening", {"words": 1})).run
        await client.signal(listener, Word("hello"))
        assert await client.result(listener, timeout_s=10.0) == {"words": ["hello"]}
        for run in (due, fresh):
            assert (await client.row(run)).status == "waiting", "it is not due before the clock is past the journal"
    assert "the clock is" in node.log_tail(200) and "behind the journal" in node.log_tail(200)
    assert await disagreements(node) == [], "among other things: time never goes back"
    assert node.stop() == 0
    node.start(clock_s=10.0)
    async with node.client() as client:
        for run in (due, fresh):
            assert await client.result(run, timeout_s=10.0) == "awake"
    assert await disagreements(node) == []
    starts = [e for e in await node.history("") if isinstance(e, NodeStarted)]
    assert len(starts) == 3


async def test_waiting_runs_hear_signals_after_kill_9_and_the_same_id_counts_once(make_node: MakeNode) -> None:
    """Signals are kept, consumed once and in order; the same id gets the same answer, before and after a crash."""
    node = make_node(modules=FLOWS).start()
    async with node.client() as client:
        run = (await client.start("listening", {"words": 3})).run
        assert not (await client.signal(run, Word("one"), id="s1")).again
        assert (await client.signal(run, Word("one, again"), id="s1")).again
    node.kill_all()
    node.start()
    async with node.client() as client:
        assert (await client.signal(run, Word("one, after the crash"), id="s1")).again
        # Many at the same instant, with the same id: one counts, and all are told so.
        taken = await asyncio.gather(*(client.signal(run, Word("two"), id="s2") for _ in range(20)))
        assert sum(not each.again for each in taken) == 1
        await client.signal(run, Word("three"), id="s3")
        assert await client.result(run, timeout_s=10.0) == {"words": ["one", "two", "three"]}
        assert (await client.signal(run, Word("late"), id="s2")).again, "also when the run is over"
    assert sum(isinstance(e, SignalReceived) for e in await node.history(run)) == 3
    assert await disagreements(node) == []


async def test_runs_that_leave_memory_all_the_time_hear_every_signal(make_node: MakeNode) -> None:
    """Eviction at every turn (one idle run fits into memory), many speaking at once: nothing lost or doubled (J1)."""
    node = make_node(modules=FLOWS, limits={"idle_runs_max": 1}).start()
    words = [f"{number}" for number in range(8)]
    async with node.client(timeout_s=30.0) as client, node.client(timeout_s=30.0) as other:
        runs = [(await client.start("listening", {"words": 2 * len(words)})).run for _ in range(40)]

        async def speak(speaker: Client, name: str, run: str) -> None:
            for word in words:
                await speaker.signal(run, Word(name + word))

        await asyncio.gather(*(speak(c, name, run) for run in runs for c, name in ((client, "a"), (other, "b"))))
        for run in runs:
            heard = (await client.result(run, timeout_s=20.0))["words"]
            assert [word for word in heard if word[0] == "a"] == [f"a{word}" for word in words]
            assert [word for word in heard if word[0] == "b"] == [f"b{word}" for word in words]
    assert await disagreements(node) == []
    assert "ERROR" not in node.log_tail(1000)


async def test_two_people_at_the_same_instant_give_one_decision(make_node: MakeNode) -> None:
    """One outcome; the second one hears that nothing is asked any more. The same answer twice is one answer."""
    node = make_node(modules=FLOWS).start()
    async with node.client() as client, node.client() as other:
        for number in range(20):
            run = (await client.start("agreeing", {"question": f"{number}?"})).run
            await until_status(client, run, "review")
            told = await asyncio.gather(
                client.answer(run, True), other.answer(run, False, reason="no"), return_exceptions=True
            )
            assert sum(isinstance(each, Conflict) for each in told) == 1, told
            said = await client.result(run, timeout_s=10.0)
            assert said is not isinstance(told[0], Conflict)
        for number in range(10):
            run = (await client.start("agreeing", {"question": f"{number}?"})).run
            await until_status(client, run, "review")
            same = await asyncio.gather(*(client.answer(run, True, id="only") for _ in range(10)))
            assert sum(not each.again for each in same) == 1
            assert sum(isinstance(e, ReviewAnswered) for e in await node.history(run)) <= 1
    assert await disagreements(node) == []


async def test_publishing_the_same_id_at_the_same_instant_gives_one_run(make_node: MakeNode) -> None:
    """ "The same id gets the same answer": many at once, and after a crash, and in the middle of one."""
    node = make_node(modules=FLOWS).start()

    async def publish(client: Client, number: int) -> str:
        handles = await client.publish("echo.asked", {"text": f"{number}"}, source="test", id=f"id-{number}")
        return handles[0].run

    async with node.client(timeout_s=30.0) as client, node.client(timeout_s=30.0) as other:
        first: dict[int, str] = {}
        for number in range(20):
            runs = await asyncio.gather(*(publish(c, number) for c in (client, other) * 5))
            assert len(set(runs)) == 1
            first[number] = runs[0]
        storm = [asyncio.create_task(publish(c, number)) for number in range(20, 120) for c in (client, other) * 2]
        await wait_until(lambda: sum(task.done() for task in storm) > 20)
        node.kill()
        node.start()
        runs = await asyncio.gather(*storm)
        for place in range(0, len(runs), 4):
            assert len(set(runs[place : place + 4])) == 1
        assert {number: await publish(client, number) for number in first} == first
    assert len(await node.rows()) == 120
    assert await disagreements(node) == []


async def test_many_who_wait_for_a_result_keep_nobody_else_waiting(make_node: MakeNode) -> None:
    """Four hundred ask for the news of runs that sleep; a start is answered all the same, and so are they."""
    node = make_node(modules=FLOWS).start()
    async with node.client(timeout_s=30.0) as patient, node.client(timeout_s=3.0) as client:
        sleeping = [await nap(client, 4.0) for _ in range(400)]
        waiting = [asyncio.create_task(patient.result(run)) for run in sleeping]
        for _ in range(5):
            async with asyncio.timeout(2.0):
                await nap(client, 3600)
            await asyncio.sleep(0.1)
        assert set(await asyncio.gather(*waiting)) == {"awake"}


async def test_an_emitted_event_starts_its_workflow_once_whatever_dies(make_node: MakeNode) -> None:
    """An `emit` under way when nats-server or the engine dies: it triggers once, and the run goes on."""
    node = make_node(modules=FLOWS).start()
    async with node.client(timeout_s=30.0) as client:
        tellers = [(await client.start("telling", {"text": f"{n}"})).run for n in range(40)]
        kill(node.nats_pid)
        await wait_until(lambda: node.nats_pid, 20.0)
        for run in tellers:
            assert await client.result(run, timeout_s=20.0) == "told"
        more = [(await client.start("telling", {"text": f"{n}"})).run for n in range(40, 80)]
        await asyncio.sleep(0.25)  # most of them emit at 0.3 s
        node.kill()
        node.start()
        for run in more:
            assert await client.result(run, timeout_s=20.0) == "told"
        told = await client.runs(workflow="told", limit=1000)
        assert sorted(int(row.note) for row in told) == list(range(80))
    assert await disagreements(node) == []


async def test_changed_code_parks_a_run_and_says_what_it_expected(make_node: MakeNode) -> None:
    """J6: another step where the journal has one: parked, naming run, state, step, expected and got; then `retry`."""
    node = make_node(modules=("tests.faults.flows", "tests.faults.changed_before")).start()
    async with node.client() as client:
        run = (await client.start("changing", {"text": "a"})).run
        signalled = (await client.start("changing", {"text": "b"})).run
        await until_status(client, run, "waiting")
    assert node.stop() == 0
    node.start(modules=("tests.faults.flows", "tests.faults.changed_after"))
    async with node.client() as client:
        # Waiting runs are not even looked at before somebody speaks to them.
        with pytest.raises(Conflict, match="parked"):
            await client.signal(run, Word("go"))
        row = await until_status(client, run, "parked")
        for word in (run, "changing", "first", "second"):
            assert word in row.note, row.note
        parked = (await node.history(run))[-1]
        assert isinstance(parked, RunParked)
        assert (parked.expected, parked.got, parked.step) == ("call first", "call second", "1-1"), parked
        # The wrong code again: nothing changes, and it says why.
        with pytest.raises(SkerryError, match="first"):
            await client.retry(run)
        assert (await client.row(run)).status == "parked"
    node.kill_all()
    node.start(modules=("tests.faults.flows", "tests.faults.changed_before"))
    async with node.client() as client:
        assert (await client.row(run)).status == "parked", "bringing the code back is not enough: a person says so"
        await client.retry(run, reason="the code is back")
        await client.signal(run, Word("go"))
        assert await client.result(run, timeout_s=10.0) == "first a go"
        await client.signal(signalled, Word("too"))
        assert await client.result(signalled, timeout_s=10.0) == "first b too"
    assert await disagreements(node) == []


async def test_runs_whose_code_is_not_loaded_wait_for_it(make_node: MakeNode) -> None:
    """Not lost, not parked, and nobody else is held up; the engine says which and why."""
    both = ("tests.faults.flows", "tests.faults.changed_before")
    node = make_node(modules=both).start()
    async with node.client() as client:
        run = (await client.start("changing", {"text": "a"})).run
        await until_status(client, run, "waiting")
    node.kill_all()
    node.start(modules=FLOWS)
    async with node.client() as client:
        assert await client.result(await nap(client, 0.1), timeout_s=10.0) == "awake"
        assert (await client.row(run)).status == "waiting"
        for ask in (client.signal(run, Word("x")), client.cancel(run)):
            with pytest.raises(Unavailable, match="changing"):
                await ask
    node.kill_all()
    node.start(modules=both)
    async with node.client() as client:
        await client.signal(run, Word("go"))
        assert await client.result(run, timeout_s=10.0) == "first a go"
