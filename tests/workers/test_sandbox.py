"""Calls with limits: what untrusted documents can do to a worker, and what they cannot."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from skerry.core import wire
from skerry.errors import RetryableError
from skerry_workers.sandbox import Sandbox, Sandboxed
from skerry_workers.service import Worker
from tests.support import wait_until
from tests.workers import sample
from tests.workers.conftest import MODULES, StartWorker
from tests.workers.engine import FakeEngine

LINUX_ONLY = pytest.mark.skipif(os.uname().sysname != "Linux", reason="seccomp and Landlock are Linux's")


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """One with room for two calls at a time."""
    sandbox = Sandbox(MODULES, "rules", 2)
    yield sandbox
    await sandbox.close()


def call(target: str, arguments: bytes = b"{}") -> Sandboxed:
    """A call of one of the sample's tasks."""
    task = wire.Task(
        run="edge1-01", step="1", attempt=1, workflow="w", kind="call", target=target, size="rules", key="k"
    )
    limits = getattr(sample, target).limits
    return Sandboxed(task, f"task {target}", limits, arguments, ())


@pytest.mark.parametrize("target", ["count", "count_async"])
async def test_a_document_is_read(engine: FakeEngine, worker: Worker, target: str) -> None:
    assert engine.value(await engine.call(target, document=engine.keep(b"x" * 100_000))) == 100_000


async def test_an_ask_is_answered(engine: FakeEngine, worker: Worker) -> None:
    result = await engine.ask("fields.limited", engine.keep(b"A123 and more"))
    assert engine.value(result) == {"number": "A123", "total": 13}


@pytest.mark.parametrize(
    ("target", "args", "kind", "message"),
    [
        ("bomb", {}, "LimitExceeded", "reading scan.pdf took more than 64 MB of memory and was stopped"),
        ("spin", {}, "LimitExceeded", "reading scan.pdf took more than 0.3 s of processor time and was stopped"),
        ("doze", {}, "LimitExceeded", "reading scan.pdf took more than 0.3 s and was stopped"),
        ("crash", {}, "Crashed", "reading scan.pdf crashed its process (SIGSEGV)"),
        ("spin_deaf", None, "LimitExceeded", "task spin_deaf took more than 0.2 s of processor time and was stopped"),
        ("killed", None, "Crashed", "task killed was killed by the system, most likely for lack of memory"),
    ],
)
async def test_what_goes_beyond_its_limits_is_stopped(
    engine: FakeEngine, worker: Worker, target: str, args: dict[str, Any] | None, kind: str, message: str
) -> None:
    if args is not None:
        args = {"document": engine.keep(b"x", "scan.pdf")}
    result = await engine.call(target, **(args or {}))
    assert result.failure is not None
    assert (result.failure.kind, result.failure.message, result.failure.retryable) == (kind, message, False)
    assert engine.value(await engine.call("count", document=engine.keep(b"12345"))) == 5


@pytest.mark.parametrize("code", [0, 3])
async def test_a_process_that_just_leaves(engine: FakeEngine, worker: Worker, code: int) -> None:
    result = await engine.call("leave", code=code)
    assert result.failure is not None
    assert result.failure.message == f"task leave ended its process without an answer (exit code {code})"
    assert not result.failure.retryable


@pytest.mark.parametrize(
    ("how", "kind", "retryable", "retry_after_s"),
    [
        ("retryable", "RetryableError", True, 2.0),
        ("terminal", "TerminalError", False, 0.0),
        ("type", "DataError", False, 0.0),
        ("x", "ValueError", True, 0.0),
    ],
)
async def test_a_task_fails_as_it_does_outside(
    engine: FakeEngine, worker: Worker, how: str, kind: str, retryable: bool, retry_after_s: float
) -> None:
    result = await engine.call("fail_limited", how=how)
    assert result.failure is not None
    assert (result.failure.kind, result.failure.retryable, result.retry_after_s) == (kind, retryable, retry_after_s)


@pytest.mark.parametrize("target", ["settings", "settings_limited"])
async def test_a_task_knows_the_settings(
    engine: FakeEngine, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    monkeypatch.setenv("SKERRY_LEDGER", "there")
    monkeypatch.setenv("SKERRY_NATS_URL", "nats://user:password@somewhere")
    await start_worker()
    assert engine.value(await engine.call(target, name="SKERRY_LEDGER")) == "there"
    secret = engine.value(await engine.call(target, name="SKERRY_NATS_URL"))
    assert bool(secret) == (target == "settings")


async def test_what_a_call_imports_is_imported_before(sandbox: Sandbox) -> None:
    assert await sandbox.run(call("imported")) == b"[true,true]"


async def test_a_long_answer(engine: FakeEngine, worker: Worker) -> None:
    assert len(engine.value(await engine.call("huge", megabytes=1))) == 1 << 20


async def test_an_answer_that_is_too_long(engine: FakeEngine, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skerry_workers.sandbox.BLOB_BYTES_MAX", 1 << 20)
    result = await engine.call("huge", megabytes=2)
    assert result.failure is not None
    assert result.failure.message == "task huge made an answer of over 1 MB"


async def test_every_call_has_a_process_of_its_own(sandbox: Sandbox) -> None:
    pids = [int(await sandbox.run(call("pid"))) for _ in range(4)]
    assert len(set(pids)) == 4
    assert os.getpid() not in pids


@LINUX_ONLY
async def test_what_a_document_cannot_do(engine: FakeEngine, worker: Worker, tmp_path: Path) -> None:
    environment = {"HOME", "PYTHONPATH", "PYTHONUTF8"} | {"PATH", "TZ", "LANG", "LC_ALL"} & {*os.environ}
    result = await engine.call("reach_out", target=os.getpid(), file=str(tmp_path / "x"))
    assert engine.value(result) == {
        "socket": "PermissionError",
        "program": "PermissionError",
        "signal": "PermissionError",
        "write": "PermissionError",
        "own folder": "it can",
        "environment": ",".join(sorted(environment)),
        "stdin": "b''",
    }


@LINUX_ONLY
async def test_there_is_no_fork_bomb(sandbox: Sandbox) -> None:
    assert await sandbox.run(call("forks")) == b'"PermissionError"'
    assert await sandbox.run(call("threads")) == b"1"


async def test_calls_run_at_the_same_time(sandbox: Sandbox) -> None:
    began = time.monotonic()
    results = await asyncio.gather(*(sandbox.run(call("doze", b'{"document":{"sha256":"","size":0}}')) for _ in "ab"),
                                   return_exceptions=True)  # fmt: skip
    assert [str(result) for result in results] == ["task doze took more than 0.3 s and was stopped"] * 2
    assert time.monotonic() - began < 0.6 + 2.0


async def test_a_cancelled_call_is_killed(engine: FakeEngine, start_worker: StartWorker, tmp_path: Path) -> None:
    worker = await start_worker()
    task = await engine.begin("spin", document=engine.keep(b"x"))
    await wait_until(lambda: worker.status().busy == 1)
    await wait_until(lambda: _runners_at_work(worker))
    await engine.cancel(task)
    await wait_until(lambda: worker.status().busy == 0)
    await wait_until(lambda: not _runners_at_work(worker))
    assert engine.results == {}


def _runners_at_work(worker: Worker) -> list[int]:
    """Runners that have used a noticeable amount of processor time."""
    process = worker._sandbox._process
    if process is None:
        return []
    return [pid for pid in _children(process._process.pid) if _cpu_ticks(pid) >= 2]


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _cpu_ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


async def test_a_sandbox_that_died_is_started_again(sandbox: Sandbox) -> None:
    await sandbox.run(call("pid"))
    first = sandbox._process
    assert first is not None
    runners = _children(first._process.pid)
    assert runners
    os.kill(first._process.pid, signal.SIGKILL)
    await wait_until(lambda: first.ended)
    assert int(await sandbox.run(call("pid"))) not in runners
    await wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in runners))


async def test_a_waiting_runner_that_died_is_replaced(sandbox: Sandbox) -> None:
    await sandbox.run(call("pid"))
    process = sandbox._process
    assert process is not None
    for runner in _children(process._process.pid):
        os.kill(runner, signal.SIGKILL)
    assert int(await sandbox.run(call("pid"))) > 0


async def test_nothing_is_left_behind(sandbox: Sandbox) -> None:
    await sandbox.run(call("pid"))
    process = sandbox._process
    assert process is not None
    folder, runners = Path(process._folder), _children(process._process.pid)
    assert folder.is_dir()
    await sandbox.close()
    assert not folder.exists()
    assert process._process.returncode == 0
    await wait_until(lambda: not any(Path(f"/proc/{runner}").exists() for runner in runners))


async def test_a_sandbox_that_cannot_start_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    sandbox = Sandbox(("no.such.module",), "rules", 1)
    with pytest.raises(RetryableError, match="the sandbox does not start"):
        await sandbox.run(call("pid"))
    assert "cannot import no.such.module" in capfd.readouterr().err


async def test_a_call_costs_little(sandbox: Sandbox) -> None:
    """Fork and all, about 1 ms; the least of many, and with room, as the machine has other things to do."""
    await sandbox.warm_up()
    took: list[float] = []
    for _ in range(50):
        await asyncio.sleep(0.005)
        began = time.perf_counter()
        await sandbox.run(call("pid"))
        took.append(time.perf_counter() - began)
    assert min(took) < 0.005
