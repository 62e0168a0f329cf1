"""What surrounds a node fails: the disk is full or read-only, somebody else is at it, the bus is gone, nobody works.

Issue, "What must survive": "Disk full and a read-only data folder: a clear error, nothing acknowledged that is not on
disk ... A second engine on the same folder: refused, with who holds it."
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.client import Client
from skerry.errors import Busy, SkerryError
from skerry.journal import verify
from tests.faults.conftest import MakeNode
from tests.faults.harness import ROOT, Node, bus_is_empty, disagreements, kill, memory_kb, until_status
from tests.faults.invoices import document
from tests.faults.plain import PlainWorker
from tests.faults.program import DELIVERIES_ENV, EXIT_BROKEN, EXIT_ERROR, LEASE_ENV
from tests.support import wait_until, wait_until_blocking

FLOWS = ("tests.faults.flows",)


# --- the disk --------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 96 MB; skipped where we may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=96m", "tmpfs", folder]).returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    wait_until_blocking(lambda: subprocess.run(["umount", folder]).returncode == 0, 10.0)


@pytest.fixture
def node_on_disk(small_disk: Path) -> Iterator[Node]:
    """A node whose data folder lies there; its log does not."""
    node = Node(small_disk, workers={"rules": (1, 4)})
    node.log = small_disk.parent / "node.log"
    yield node
    node.clean()


def fill(disk: Path, leave: int) -> Path:
    """Writes a file that leaves so many bytes free."""
    filler = disk / "filler"
    free = shutil.disk_usage(disk).free
    with filler.open("wb") as file:
        file.write(b"\0" * max(0, free - leave))
    return filler


async def publish_until_broken(node: Node, folder: Path, accepted: dict[str, str], start: int) -> None:
    """Publishes invoices until the node is gone; notes those that were accepted."""
    async with node.client(timeout_s=5.0) as client:
        for number in range(start, start + 5000):
            made = document("ubl", number)
            path = folder / made.name
            path.write_bytes(made.data + b"<!--" + os.urandom(4000).hex().encode() + b"-->\n")
            try:
                handles = await client.publish("invoice.received", file=path, source="full", id=made.name)
            except SkerryError:
                if node.ended:
                    return
                continue
            accepted[made.name] = handles[0].run
    pytest.fail("the disk never became full")


async def test_a_full_disk_ends_the_engine_and_loses_nothing_that_was_acknowledged(
    node_on_disk: Node, small_disk: Path, tmp_path: Path
) -> None:
    """J2: "A failed commit ends the engine; it reopens from disk"; with space it goes on where it was."""
    node = node_on_disk
    node.start()
    filler = fill(small_disk, leave=3_000_000)
    accepted: dict[str, str] = {}
    documents = tmp_path / "documents"
    documents.mkdir()
    await publish_until_broken(node, documents, accepted, 0)
    assert node.wait() == EXIT_BROKEN
    told = node.heard("broken")
    assert told and told["kind"] == "JournalError" and "full" in told["message"] and "space" in told["hint"], told
    assert len(accepted) > 5

    # Started again without any room, it says so, and leaves: it never half works.
    with (small_disk / "filler2").open("wb") as rest:
        try:
            while rest.write(b"\0" * 65536):
                pass
        except OSError:
            pass
    node.launch()
    assert node.wait(60.0) in (EXIT_ERROR, EXIT_BROKEN), node.said
    told = node.said[-1]
    assert "full" in told["message"] + told["hint"] or "space" in told["message"] + told["hint"], told

    # With room again: everything that was accepted is there, and ends.
    filler.unlink()
    (small_disk / "filler2").unlink()
    node.start()
    async with node.client() as client:
        for run in accepted.values():
            row = await until_status(client, run, "done", "failed", "review", timeout_s=60.0)
            if row.status == "failed":  # the ledger had no room, again and again: a person says when it has
                assert "full" in row.note, row.note
                await client.retry(run, reason="there is room again")
                await until_status(client, run, "done")
        assert all(row.status in ("done", "running") for row in (await node.rows()).values())
        await bus_is_empty(node)
    assert await disagreements(node) == []
    assert node.stop() == 0
    assert verify(node.data).ok


async def test_a_read_only_disk_is_said_clearly(node_on_disk: Node, small_disk: Path) -> None:
    """A clear error with what to do, an exit code, no traceback; writable again, it goes on."""
    node = node_on_disk
    node.start()
    assert node.stop() == 0
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    try:
        node.launch()
        assert node.wait() == EXIT_ERROR
        told = node.heard("error")
        assert told and "JournalError" in told["kind"] and "permissions" in told["hint"], told
        assert "Traceback" not in node.log_tail()
    finally:
        subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    node.start()
    assert node.stop() == 0


async def test_files_that_may_not_grow_are_as_a_full_disk(make_node: MakeNode, tmp_path: Path) -> None:
    """The same without root: RLIMIT_FSIZE stops the journal's files from growing."""
    node = make_node(modules=FLOWS, file_bytes_max=24_000_000).start()
    accepted: list[str] = []
    async with node.client(timeout_s=4.0) as client:
        text = os.urandom(60_000).hex()
        for number in range(2000):
            try:
                accepted += [(await client.start("agreeing", {"question": f"{number} {text}"}, id=f"{number}")).run]
            except SkerryError:
                break
    assert node.wait() == EXIT_BROKEN, node.said
    told = node.heard("broken")
    assert told and told["kind"] == "JournalError" and told["hint"], told
    assert accepted
    node.start(file_bytes_max=0)
    assert set(accepted) <= set(await node.rows())
    assert await disagreements(node) == []


# --- who else is there -----------------------------------------------------------------------------------------------


async def test_a_second_node_on_the_same_folder_is_refused_and_told_who_has_it(make_node: MakeNode) -> None:
    """ "refused, with who holds it"; the first one does not notice; killed, it is in nobody's way."""
    node = make_node(modules=FLOWS).start()
    second = make_node(modules=FLOWS)
    second.data = node.data
    second.launch()
    assert second.wait() == EXIT_ERROR
    told = second.heard("error")
    assert told and told["kind"] == "JournalLocked", told
    assert str(node.pid) in told["message"] and "tests.faults.program" in told["message"], told
    async with node.client() as client:
        run = (await client.start("napping", {"seconds": 0.01})).run
        assert await client.result(run, timeout_s=10.0) == "awake"
    node.kill()
    second.start()
    assert second.stop() == 0


async def test_without_the_nats_server_program_the_node_says_what_to_install(make_node: MakeNode) -> None:
    """A clear error with a hint and an exit code, and the folder is free again."""
    node = make_node(modules=FLOWS)
    node.launch(env={"NATS_SERVER_BIN": "/nonexistent/nats-server"})
    assert node.wait() == EXIT_ERROR
    told = node.heard("error")
    assert told and told["kind"] == "Unavailable" and "/nonexistent/nats-server" in told["message"] and told["hint"]
    broken = node.data / "not-nats"
    broken.write_text("#!/bin/sh\necho this is no nats-server; exit 1\n")
    broken.chmod(0o700)
    node.launch(env={"NATS_SERVER_BIN": str(broken)})
    assert node.wait() == EXIT_ERROR
    told = node.heard("error")
    assert told and "this is no nats-server" in told["message"], told
    node.start()
    assert node.stop() == 0


# --- the bus loses everything ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("while_it_runs", [False, True])
async def test_a_lost_store_of_the_bus_is_rebuilt_from_the_journal(make_node: MakeNode, while_it_runs: bool) -> None:
    """ "What a step has sent and not yet heard of follows from the journal": tasks are sent again, runs end."""
    node = make_node(modules=FLOWS, limits={"resend_after_s": 1.0}).start()
    store = node.data / "nats" / "jetstream"
    async with node.client(timeout_s=30.0) as client:
        runs = [(await client.start("echoing", {"text": f"{n}"})).run for n in range(50)]
        async with PlainWorker(node.data) as worker:  # some results are on the bus, not yet taken, when it is lost
            await wait_until(lambda: _waiting(worker, 50))
            tasks = [await worker.take() for _ in range(10)]
            node.pause()
            for task in tasks:
                await worker.publish(task.subject, task.result(value=task.body["args"]["text"]))
                await task.message.ack_sync()
            node.go_on() if while_it_runs else None
        if while_it_runs:
            os.kill(node.nats_pid, 19)
            shutil.rmtree(store)
            kill(node.nats_pid)
            await wait_until(lambda: node.nats_pid, 20.0)
        else:
            node.kill_all()
            assert store.exists()
            shutil.rmtree(store)
            node.start(workers={"rules": (1, 4)})
        pool = start_worker(node) if while_it_runs else None
        try:
            for number, run in enumerate(runs):
                assert await client.result(run, timeout_s=30.0) == f"{number}"
            await bus_is_empty(node)
        finally:
            if pool is not None:
                pool.kill()
                pool.wait()
    assert await disagreements(node) == []


async def _waiting(worker: PlainWorker, count: int) -> bool:
    return (await worker.js.stream_info("SKERRY_TASK_rules")).state.messages >= count


def start_worker(node: Node) -> subprocess.Popen[bytes]:
    """A worker process beside the node, as another service would be."""
    modules = ("tests.faults.program", *node.options.modules)
    lease = {LEASE_ENV: str(node.options.lease_s), DELIVERIES_ENV: str(node.options.deliveries_max)}
    with node.log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "skerry_workers", "--size", "rules", "--data", str(node.data), *modules],
            cwd=ROOT,
            env={**os.environ, **lease},
            stdin=subprocess.DEVNULL,
            stderr=log,
        )


async def test_a_worker_that_outlives_the_bus_does_again_what_was_lost_with_it(make_node: MakeNode) -> None:
    """It remembers what it has finished; but where the result was lost, the engine still wants it."""
    node = make_node(modules=FLOWS, limits={"resend_after_s": 1.0}).start()
    worker = start_worker(node)
    try:
        async with node.client(timeout_s=30.0) as client:
            run = (await client.start("echoing", {"text": "first"})).run
            assert await client.result(run, timeout_s=20.0) == "first"
            node.pause()
            lost: list[str] = []
            node.go_on()
            for number in range(20):
                lost += [(await client.start("echoing", {"text": f"{number}"})).run]
                if number == 10:
                    node.pause()  # the results of what is on its way now are stored, and nobody takes them
                    async with PlainWorker(node.data) as looking:
                        await wait_until(lambda: _settled(looking))
                    os.kill(node.nats_pid, 19)
                    shutil.rmtree(node.data / "nats" / "jetstream")
                    kill(node.nats_pid)
                    node.go_on()
                    await wait_until(lambda: node.nats_pid, 20.0)
            for number, run in enumerate(lost):
                assert await client.result(run, timeout_s=30.0) == f"{number}"
            await bus_is_empty(node)
    finally:
        worker.kill()
        worker.wait()


async def _settled(worker: PlainWorker) -> bool:
    return (await worker.js.stream_info("SKERRY_TASK_rules")).state.messages == 0


# --- nobody can do it, nobody is there -------------------------------------------------------------------------------


async def test_a_task_that_kills_every_worker_fails_its_run_and_others_go_on(make_node: MakeNode) -> None:
    """Dead letter, failed attempt, failed run: with words for people; then a person retries it, also after a crash."""
    node = make_node(modules=FLOWS, workers={"rules": (2, 1)}, lease_s=1.0, deliveries_max=3).start()
    async with node.client(timeout_s=30.0) as client:
        deadly = (await client.start("dying", {"text": "x"})).run
        others = [(await client.start("echoing", {"text": f"{n}"})).run for n in range(20)]
        for number, run in enumerate(others):
            assert await client.result(run, timeout_s=40.0) == f"{number}"
        row = await until_status(client, deadly, "failed", timeout_s=40.0)
        assert "WorkerLost" in row.note or "no worker finished" in row.note, row.note
        assert "3 tries" in row.note
        await bus_is_empty(node)
    node.kill_all()
    node.start(workers={"rules": (0, 1)})
    async with node.client() as client, PlainWorker(node.data) as worker:
        await client.retry(deadly, reason="another machine can do it")
        task = await worker.take(deadly)
        assert task.id["attempt"] == 2, "numbers are never used twice"
        await worker.publish(task.subject, task.result(value="done all the same"))
        await task.message.ack()
        assert await client.result(deadly, timeout_s=10.0) == "done all the same"
        await bus_is_empty(node)
    assert await disagreements(node) == []


async def test_without_workers_tasks_wait_publish_says_busy_and_then_everything_flows(make_node: MakeNode) -> None:
    """ "a bounded window of unfinished tasks per size on the bus, the rest wait in the journal ... answers busy"."""
    limits = {"tasks_on_bus_max": 4, "live_runs_max": 20}
    node = make_node(modules=FLOWS, limits=limits).start()
    async with node.client() as client:
        runs = [await _echo(client, number) for number in range(20)]
        with pytest.raises(Busy, match="20 runs"):
            await _echo(client, 99)
        assert runs[3] == await _echo(client, 3), "what was taken in is answered as before"
        status = await client.status()
        assert [(size.on_bus, size.waiting) for size in status.sizes] == [(4, 16)]
    node.kill_all()
    node.start()
    async with node.client() as client:
        status = await client.status()
        assert (status.live_runs, [(size.on_bus, size.waiting) for size in status.sizes]) == (20, [(4, 16)])
        worker = start_worker(node)
        try:
            for number, run in enumerate(runs):
                assert await client.result(run, timeout_s=20.0) == f"{number}"
            more = await _echo(client, 99)
            assert await client.result(more, timeout_s=20.0) == "99"
            await bus_is_empty(node)
        finally:
            worker.kill()
            worker.wait()
    assert await disagreements(node) == []


async def _echo(client: Client, number: int) -> str:
    handles = await client.publish("echo.asked", {"text": f"{number}"}, id=f"id-{number}")
    return handles[0].run


# --- many that wait --------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_thousands_of_waiting_runs_cost_no_memory_and_all_wake(make_node: MakeNode) -> None:
    """ "Runs that sleep or wait cost no memory to speak of (evicted; tens of thousands of them are normal)"."""
    node = make_node(modules=FLOWS, limits={"idle_runs_max": 50}).start()

    async def many(client: Client, count: int, seconds: float) -> list[str]:
        async def some(part: int) -> list[str]:
            return [(await client.start("napping", {"seconds": seconds})).run for _ in range(part)]

        return [run for runs in await asyncio.gather(*(some(count // 20) for _ in range(20))) for run in runs]

    async with node.client(timeout_s=30.0) as client:
        await many(client, 1000, 3600)
        before = memory_kb(node.pid)
        await many(client, 4000, 3600)
        grown = memory_kb(node.pid) - before
        assert grown < 12_000, f"4000 waiting runs took {grown} kB"
        soon = await many(client, 2000, 2.0)

        async def all_awake() -> bool:
            return len(await client.runs(status=("done",), limit=10_000)) == len(soon)

        await wait_until(all_awake, 30.0)
        again = await many(client, 1000, 3.0)
    node.kill()
    node.start()
    async with node.client(timeout_s=30.0) as client:
        soon += again
        await wait_until(all_awake, 30.0)
        assert {row.run for row in await client.runs(status=("done",), limit=10_000)} == set(soon)
        assert memory_kb(node.pid) < before + 20_000
