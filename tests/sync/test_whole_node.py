"""A whole node and its hub: what runs do is there, and what people say at the hub is done once, and on record."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from skerry.client import Client
from skerry.core import api
from skerry.core import events as ev
from skerry.errors import Conflict, SkerryError
from skerry.hub.store import CommandView, HubStore
from skerry.hub.uplink import read_told
from skerry.journal import JournalReader
from tests.cli import wishes
from tests.support import wait_until
from tests.sync.conftest import House
from tests.sync.kit import Program, call, end_at_hub, end_of, hub_lines, journal_lines


def client(house: House) -> Client:
    return Client.connect(data=house.folder / "edge1", node="edge1", by="bob", timeout_s=20.0)


async def asks(house: House, count: int = 1) -> list[str]:
    """Runs that ask a person something, once the hub knows of it."""
    runs: list[str] = []
    async with client(house) as speaking:
        for _ in range(count):
            handle = await speaking.start(wishes.wishes, {"what": "a boat", "euros": 5000})
            runs.append(handle.run)
    await wait_until(lambda: all(known(house, run) == "review" for run in runs), 20.0)
    return runs


def known(house: House, run: str) -> str:
    """How a run stands at the hub."""
    try:
        store = HubStore(house.folder / "hub")
    except SkerryError:
        return ""
    found = store.find(run)
    store.close()
    return found[0].row.status if found else ""


def commands(house: House) -> list[CommandView]:
    store = HubStore(house.folder / "hub")
    found = store.commands()
    store.close()
    return found


def say(house: House, verb: str, run: str, *more: str) -> tuple[int, dict[str, Any], str]:
    """Somebody at the hub says something about a run."""
    hub = str(house.folder / "hub")
    by = () if verb in ("cancel", "retry") else ("--by", "ada")
    done = call(verb, run, *more, "--hub", hub, "--nats", house.server.url, *by, "--json")
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


async def history(data: Path, run: str) -> list[ev.AnyEvent]:
    async with await JournalReader.open(data) as journal:
        return [recorded.event for recorded in await journal.events(run) if recorded.event is not None]


async def started(house: House) -> tuple[Program, Program]:
    hub, node = house.hub().start(), house.node().start()
    await wait_until(lambda: read_told(house.folder / "edge1") is not None, 30.0)
    return hub, node


async def test_an_approval_at_the_hub_is_done_on_the_node(house: House) -> None:
    await started(house)
    (run,) = await asks(house)
    code, said, problem = say(house, "approve", run[-8:], "--reason", "she has saved for it")
    assert (code, said["state"], said["outcome"]["state"]) == (0, "applied", "applied"), problem
    await wait_until(lambda: known(house, run) == "done")
    data = house.folder / "edge1"
    (answered,) = [event for event in await history(data, run) if isinstance(event, ev.ReviewAnswered)]
    assert answered.approved
    assert answered.by.startswith("ada@hub-")
    assert answered.reason == "she has saved for it"
    await wait_until(lambda: end_at_hub(house.folder / "hub", "edge1") == end_of(data))
    assert hub_lines(house.folder / "hub", "edge1") == journal_lines(data)
    assert "approve" in call("hub", "commands", "--data", str(house.folder / "hub")).stdout


async def test_what_is_said_while_the_node_is_away_waits_and_is_done_once(house: House) -> None:
    _, node = await started(house)
    first, second, third = await asks(house, 3)
    node.stop()
    _, said, _ = say(house, "approve", first)
    assert said["state"] == "open"
    assert say(house, "reject", second, "--reason", "too dear")[1]["state"] == "open"
    assert say(house, "approve", third, "--valid", "1s")[1]["state"] == "open"
    views = await wait_until(lambda: found if len(found := commands(house)) == 3 else [])
    until_us = [view.command.valid_until_us for view in views]
    assert all(until_us)
    house.server.kill()
    house.server.start()
    await wait_until(lambda: time.time_ns() // 1000 > min(until_us))
    node.start()
    await wait_until(lambda: {view.state for view in commands(house)} == {"applied", "expired"}, 30.0)
    assert {view.command.run: view.state for view in commands(house)} == {
        first: "applied",
        second: "applied",
        third: "expired",
    }
    await wait_until(lambda: [known(house, run) for run in (first, second, third)] == ["done", "done", "review"])


async def test_hub_and_node_decide_at_once_and_one_decision_counts(house: House) -> None:
    await started(house)
    runs = await asks(house, 3)

    async def here(run: str, *, tie: bool) -> bool:
        async with client(house) as speaking:
            if tie:
                await wait_until(lambda: any(view.command.run == run for view in commands(house)))
            try:
                await speaking.answer(run, approved=False, reason="not now")
            except Conflict:
                return False
            return True

    for number, run in enumerate(runs):
        there = asyncio.to_thread(say, house, "approve", run)
        (code, _, problem), won = await asyncio.gather(there, here(run, tie=number > 0))
        view = await decided(house, run)
        answers = [e for e in await history(house.folder / "edge1", run) if isinstance(e, ev.ReviewAnswered)]
        assert len(answers) == 1
        (late,) = [e for e in await history(house.folder / "edge1", run) if isinstance(e, ev.AnswerRefused)]
        assert late.approved != answers[0].approved  # both words lie in the chain, whoever was first
        assert (late.by.partition("@")[0], late.step) == ("ada" if late.approved else "bob", answers[0].step)
        assert won == (not answers[0].approved)
        assert (view.state == "applied") == answers[0].approved
        assert view.command.by == "ada"
        if won:
            assert view.outcome is not None
            assert view.outcome.message
            assert code in (0, 4), problem


async def test_a_run_is_cancelled_and_retried_from_the_hub_once(house: House) -> None:
    await started(house)
    (run,) = await asks(house)
    async with client(house) as speaking:
        dead = (await speaking.start(wishes.wishes, {"what": "the moon"})).run
    await wait_until(lambda: known(house, dead) == "failed", 20.0)
    assert say(house, "cancel", run, "--reason", "too late")[1]["state"] == "applied"
    assert say(house, "retry", dead, "--reason", "it may be for sale now")[1]["state"] == "applied"
    await wait_until(lambda: known(house, run) == "cancelled", 20.0)
    (asked,) = [e for e in await history(house.folder / "edge1", run) if isinstance(e, ev.CancelRequested)]
    (again,) = [e for e in await history(house.folder / "edge1", dead) if isinstance(e, ev.RunRetried)]
    assert "@hub-" in asked.by
    assert again.reason == "it may be for sale now"
    async with client(house) as speaking:  # the same ids, as when what became of them was not heard
        taken = await speaking.ask("cancel", api.Cancel(run=run, id=asked.id, kill=True), api.Taken)
        assert (taken.again, taken.status) == (True, "cancelled")
        assert (await speaking.ask("retry", api.RetryRun(run=dead, id=again.id), api.Taken)).again
    assert [view.state for view in commands(house)] == ["applied", "applied"]


async def decided(house: House, run: str) -> CommandView:
    """What became of the command for a run."""

    def found() -> list[CommandView]:
        return [view for view in commands(house) if view.command.run == run and view.state != "open"]

    return (await wait_until(found))[0]


async def test_a_signal_goes_down_once_whatever_is_killed(house: House) -> None:
    """kill -9 of the uplink, the hub and the server, while approvals go down."""
    hub, _ = await started(house)
    runs = await asks(house, 6)
    for number, run in enumerate(runs):
        victim = number % 3
        if victim == 0:
            told = read_told(house.folder / "edge1")
            if told is not None:
                os.kill(told.pid, signal.SIGKILL)
        elif victim == 1:
            hub.kill()
            hub.start()
        else:
            house.server.kill()
            house.server.start()

        async def given(run: str = run) -> bool:
            code, _, _ = await asyncio.to_thread(say, house, "approve", run)
            return code == 0

        await wait_until(given, 30.0)
    await wait_until(lambda: all(known(house, run) == "done" for run in runs), 60.0)
    for run in runs:
        answers = [e for e in await history(house.folder / "edge1", run) if isinstance(e, ev.ReviewAnswered)]
        assert len(answers) == 1
    await wait_until(lambda: all(view.state != "open" for view in commands(house)), 30.0)


@pytest.mark.parametrize("what", ["unknown", "short"])
async def test_what_the_hub_does_not_know_is_refused(house: House, what: str) -> None:
    house.hub().start()
    await wait_until(lambda: (house.folder / "hub" / "hub.db").exists() and not known(house, "x"))
    code, _, problem = say(house, "approve", "edge9-01KAPBQ4X0T3Q8Z5V9D2M7N6RC" if what == "unknown" else "abc")
    assert code == 3
    assert "hub" in problem


async def test_the_engine_outlives_its_uplink_and_a_hub_that_is_not_there(house: House) -> None:
    house.server.stop()
    house.node().start()
    data = house.folder / "edge1"

    def uplink() -> int:
        told = read_told(data)
        return told.pid if told is not None else 0

    first = await wait_until(uplink, 30.0)
    async with client(house) as speaking:
        handle = await speaking.start(wishes.wishes, {"what": "a ball"})
        assert (await handle.result()).what == "a ball"
    os.kill(first, signal.SIGKILL)
    await wait_until(lambda: uplink() != first, 20.0)
    said = json.loads(call("sync", "--data", str(data), "--json", SKERRY_HUB_URL=house.server.url).stdout)
    assert (said["state"], said["seq"]) == ("waiting", 0)
    assert said["behind"] == said["head"] > 0
    assert said["why"]
    house.server.start()
    house.hub().start()
    await wait_until(lambda: end_at_hub(house.folder / "hub", "edge1") == end_of(data), 20.0)


async def test_a_command_for_a_node_without_an_engine_waits(house: House) -> None:
    """Only the uplink runs, as it may for a folder without an engine."""
    _, node = await started(house)
    (run,) = await asks(house)
    node.stop()
    up = house.uplink().start()
    _, said, _ = say(house, "approve", run)
    assert said["state"] == "open"
    up.stop()
    node.start()
    await wait_until(lambda: known(house, run) == "done", 30.0)
