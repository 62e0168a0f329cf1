"""Stopping in order, cancelling what is far away, parents and children across crashes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from msgspec import Raw

from skerry.client import Client
from skerry.core.events import CancelRequested, ResultFenced, StepScheduled
from tests.faults.conftest import MakeNode
from tests.faults.harness import Node, bus_is_empty, disagreements, until_status
from tests.faults.plain import PlainWorker
from tests.support import wait_until

FLOWS = ("tests.faults.flows",)


async def begun(folder: Path, name: str) -> int:
    """Waits until a busy task has begun; the process that works on it."""
    file = folder / f"{name}.begun"
    await wait_until(lambda: file.exists() and file.read_text().endswith("\n"), 20.0)
    return int(file.read_text().split()[-1])


async def start_busy(client: Client, folder: Path, name: str) -> str:
    """A run with a task that goes on until `<name>.go` is there."""
    return (await client.start("busying", {"folder": str(folder), "name": name})).run


# --- stopping --------------------------------------------------------------------------------------------------------


async def test_sigterm_drains_in_time_and_what_flows_goes_on_afterwards(make_node: MakeNode, tmp_path: Path) -> None:
    """ "SIGTERM drains: stop taking, finish or hand back, exit in time"; nothing is lost, nothing doubled (J2)."""
    node = make_node(modules=FLOWS, workers={"rules": (1, 4)}, lease_s=30.0, drain_s=3.0).start()
    file = tmp_path / "notes"
    async with node.client() as client:
        echoes = [(await client.start("echoing", {"text": f"{n}"})).run for n in range(60)]
        held = await start_busy(client, tmp_path, "held")
        await begun(tmp_path, "held")
        steps = [(await client.start("stepping", {"file": str(file), "count": 900})).run for _ in range(8)]
        await wait_until(lambda: file.exists() and file.read_text().count("\n") > 50)
    began = time.monotonic()
    assert node.stop() == 0, node.said
    assert time.monotonic() - began < 3.0 + 5.0 + 3.0, "it takes the drain, the handing back, and little more"
    assert node.heard("left") and node.nats_pid == 0 and not node.worker_pids
    assert (tmp_path / "held.stopped").exists(), "the task that took too long was told, and handed back"
    done_before = file.read_text().count("\n")
    assert done_before < 8 * 900, "it was stopped in the middle, or this proves nothing"

    node.start()
    async with node.client() as client:
        # Handed back means at once: nobody waits for the end of a lease of 30 s.
        began = time.monotonic()
        await wait_until(lambda: (tmp_path / "held.begun").read_text().count("\n") == 2, 15.0)
        assert time.monotonic() - began < 15.0
        (tmp_path / "held.go").touch()
        assert await client.result(held, timeout_s=20.0) == "held"
        for run in echoes:
            await client.result(run, timeout_s=20.0)
        for run in steps:
            assert await client.result(run, timeout_s=30.0) == 900
    lines = file.read_text().splitlines()
    assert len(lines) == len(set(lines)) == 8 * 900, "each step was done once: the drain let those under way finish"
    assert await disagreements(node) == []


async def test_sigterm_to_a_worker_hands_back_and_another_takes_its_place(make_node: MakeNode, tmp_path: Path) -> None:
    """A worker that is told to leave finishes or hands back; the pool starts another one."""
    node = make_node(modules=FLOWS, workers={"rules": (1, 2)}, lease_s=30.0, drain_s=1.0).start()
    async with node.client() as client:
        run = await start_busy(client, tmp_path, "w")
        first = await begun(tmp_path, "w")
        os.kill(first, signal.SIGTERM)
        await wait_until(lambda: (tmp_path / "w.begun").read_text().count("\n") == 2, 20.0)
        assert await begun(tmp_path, "w") != first
        (tmp_path / "w.go").touch()
        assert await client.result(run, timeout_s=10.0) == "w"
        await bus_is_empty(node)


async def test_a_hung_thread_does_not_keep_the_engine_from_leaving(make_node: MakeNode, tmp_path: Path) -> None:
    """ "Exit in time": also when a local task never returns; it is run again at the next start."""
    node = make_node(modules=FLOWS, drain_s=1.0).start()
    async with node.client() as client:
        run = (await client.start("being-rude", {"which": "hang", "folder": str(tmp_path)})).run
        await wait_until(lambda: (tmp_path / "hanging").exists())
    began = time.monotonic()
    assert node.stop() == 0
    assert time.monotonic() - began < 8.0
    (tmp_path / "hanging").unlink()
    node.start()
    await wait_until(lambda: (tmp_path / "hanging").exists())
    async with node.client() as client:
        assert (await client.cancel(run)).status == "cancelled"


@pytest.mark.parametrize(("which", "kind"), [("leave", "SystemExit"), ("give_up", "CancelledError")])
async def test_a_local_task_that_ends_itself_does_not_end_the_engine(
    make_node: MakeNode, which: str, kind: str
) -> None:
    """`sys.exit()` and a stray cancellation in a task are the task's failure."""
    node = make_node(modules=FLOWS).start()
    async with node.client() as client:
        run = (await client.start("being-rude", {"which": which})).run
        assert await client.result(run, timeout_s=10.0) == kind
        assert (await client.status()).pid == node.pid


# --- cancelling ------------------------------------------------------------------------------------------------------


async def test_cancelling_reaches_a_busy_worker_and_its_late_result_is_fenced(
    make_node: MakeNode, tmp_path: Path
) -> None:
    """ "Cancellation that reaches the worker", at once; what it still says is recorded and changes nothing."""
    node = make_node(modules=FLOWS, workers={"rules": (1, 2)}, lease_s=30.0).start()
    async with node.client() as client:
        run = await start_busy(client, tmp_path, "c")
        await begun(tmp_path, "c")
        await client.cancel(run, reason="no longer needed")
        await wait_until(lambda: (tmp_path / "c.stopped").exists(), 5.0)
        await until_status(client, run, "cancelled")
        await bus_is_empty(node)
        async with PlainWorker(node.data) as worker:
            step = next(e.step for e in await node.history(run) if isinstance(e, StepScheduled))
            body = {"run": run, "step": step, "attempt": 1, "size": "rules", "worker": "late", "value": "c"}
            await worker.publish(f"result.n1.{run}.{step}.1", body)
            await worker.results_taken()
        assert [e.reason for e in await node.history(run) if isinstance(e, ResultFenced)] == ["the run is cancelled"]
        assert (await client.row(run)).status == "cancelled"
    assert await disagreements(node) == []


async def test_cancelling_while_the_worker_cannot_hear_it(make_node: MakeNode, tmp_path: Path) -> None:
    """The news may be lost with nats-server; the worker then learns it at its next lease renewal."""
    node = make_node(modules=FLOWS, workers={"rules": (1, 2)}, lease_s=3.0).start()
    async with node.client(timeout_s=30.0) as client:
        run = await start_busy(client, tmp_path, "d")
        worker = await begun(tmp_path, "d")
        os.kill(worker, signal.SIGSTOP)
        try:
            await client.cancel(run)
            await until_status(client, run, "cancelled")
            os.kill(node.nats_pid, signal.SIGKILL)  # what waits for the worker in its socket is gone as well
        finally:
            os.kill(worker, signal.SIGCONT)
        await wait_until(lambda: (tmp_path / "d.stopped").exists(), 20.0)
        await bus_is_empty(node)


async def parent_and_child(client: Client, folder: Path, name: str) -> tuple[str, str]:
    """A parent whose child is busy."""
    parent = (await client.start("parenting", {"folder": str(folder), "name": name})).run
    await begun(folder, name)
    child = next(row.run for row in await client.runs(workflow="busying") if row.parent.startswith(parent))
    return parent, child


async def test_children_are_cancelled_with_their_parent(make_node: MakeNode, tmp_path: Path) -> None:
    """And the task of the child is stopped."""
    node = make_node(modules=FLOWS, workers={"rules": (1, 2)}).start()
    async with node.client() as client:
        parent, child = await parent_and_child(client, tmp_path, "p")
        await client.cancel(parent, reason="changed our mind")
        await until_status(client, child, "cancelled")
        assert (await client.row(parent)).status == "cancelled"
        await wait_until(lambda: (tmp_path / "p.stopped").exists())
        assert "changed our mind" in str([e for e in await node.history(parent) if isinstance(e, CancelRequested)])
        # At once after the start, too: the child may not have begun.
        for number in range(30):
            run = (await client.start("parenting", {"folder": str(tmp_path), "name": f"q{number}"})).run
            await client.cancel(run)

        async def all_over() -> bool:
            return all(row.status == "cancelled" for row in await client.runs(limit=1000))

        await wait_until(all_over)
    assert await disagreements(node) == []


async def test_children_are_cancelled_although_the_engine_died_before_it_told_them(
    make_node: MakeNode, tmp_path: Path
) -> None:
    """J2: what follows from a fact on disk is done after a crash as well."""
    node = make_node(modules=FLOWS, workers={"rules": (1, 2)}).start()
    async with node.client() as client:
        parent, child = await parent_and_child(client, tmp_path, "p")
        waiter = (await client.start("waiting-for-child")).run
        await wait_until_child(client, waiter)
    node.kill_all()
    # What a crash between the commit and its effects leaves: a parent that is over, and a child that does not know.
    await cancel_on_disk_only(node, parent, waiter)
    node.start()
    async with node.client() as client:
        await until_status(client, child, "cancelled")
        grandchild = await wait_until_child(client, waiter)
        await until_status(client, grandchild, "cancelled")
    assert await disagreements(node) == []


async def wait_until_child(client: Client, parent: str) -> str:
    """The id of a run's child, once it has one."""
    found: list[str] = []

    async def there() -> bool:
        found[:] = [row.run for row in await client.runs(limit=1000) if row.parent.startswith(parent)]
        return bool(found)

    await wait_until(there)
    return found[0]


async def cancel_on_disk_only(node: Node, *runs: str) -> None:
    """Cancels runs in the journal of a node that is down, and does nothing of what follows."""
    from skerry.config import Config
    from skerry.core.api import Cancel
    from skerry.node import offline

    async with offline(Config(data=node.data, node="n1", modules=node.options.modules)) as engine:
        for run in runs:
            await engine.verbs.cancel(Cancel(run=run, reason="in a crash"))


async def test_a_parent_goes_on_although_the_engine_died_when_its_child_had_ended(
    make_node: MakeNode, tmp_path: Path
) -> None:
    """The child's end is on disk, the parent's step is not: the parent looks after the restart."""
    node = make_node(modules=FLOWS, workers={"rules": (1, 2)}).start()
    async with node.client() as client:
        parent, child = await parent_and_child(client, tmp_path, "p")
        waiter = (await client.start("waiting-for-child")).run
        listener = await wait_until_child(client, waiter)
    node.kill_all()
    (tmp_path / "p.go").touch()
    from skerry.config import Config
    from skerry.core.api import Signal
    from skerry.node import offline

    async with offline(Config(data=node.data, node="n1", modules=node.options.modules)) as engine:
        taken = await engine.verbs.signal(Signal(run=listener, signal="Word", value=Raw(b'{"text": "boo"}')))
        assert taken.status == "done"
    assert (await node.rows())[waiter].status == "waiting"
    node.start()
    async with node.client() as client:
        assert await client.result(parent, timeout_s=15.0) == "child: p"
        assert await client.result(waiter, timeout_s=15.0) == {"words": ["boo"]}
        assert (await client.row(child)).status == "done"
    assert await disagreements(node) == []
