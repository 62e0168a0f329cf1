"""Starts, kills and restarts nodes, and looks at what is left of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from skerry.client import Client
from skerry.core.events import AnyEvent
from skerry.core.projection import RunRow
from skerry.core.replay import replay
from skerry.core.wire import task_queue
from skerry.journal import JournalReader
from skerry.registry import Registry, load
from tests.faults.program import Options
from tests.support import wait_until, wait_until_blocking

ROOT = Path(__file__).resolve().parents[2]


class Node:
    """One data folder, and the process that serves it (one after the other)."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.data = folder / "data"
        self.log = folder / "node.log"
        self.options = Options(**options)
        self.said: list[dict[str, Any]] = []
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._seen: set[int] = set()

    # --- life ---------------------------------------------------------------------------------------------------------

    def launch(self, *, env: dict[str, str] | None = None, wrap: tuple[str, ...] = (), **changes: Any) -> Node:
        """Starts the program; does not wait for it. `changes` are options from now on."""
        assert self._process is None or self._process.poll() is not None, "it runs already"
        self.options = msgspec.structs.replace(self.options, **changes)
        self.said = []
        told = msgspec.json.encode(self.options).decode()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*wrap, sys.executable, "-m", "tests.faults.program", str(self.data), told],
                cwd=ROOT,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, args=(self._process, self.said), daemon=True)
        self._reader.start()
        return self

    def start(self, *, timeout_s: float = 30.0, **changes: Any) -> Node:
        """Starts it and waits until it is up."""
        self.launch(**changes)
        wait_until_blocking(lambda: self.heard("up") or self.ended, timeout_s)
        assert self.heard("up"), f"it did not come up: {self.said}\n{self.log_tail()}"
        return self

    def _read(self, process: subprocess.Popen[str], said: list[dict[str, Any]]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                said.append(json.loads(line))  # noqa: PERF401 - it is read while it comes in

    def heard(self, event: str) -> dict[str, Any] | None:
        """What it said last about something."""
        return next((line for line in reversed(self.said) if line["event"] == event), None)

    @property
    def ended(self) -> bool:
        """Whether it runs no more."""
        return self._process is None or self._process.poll() is not None

    @property
    def pid(self) -> int:
        """The engine's process."""
        assert self._process is not None
        return self._process.pid

    @property
    def nats_pid(self) -> int:
        """The nats-server that runs now; 0 for none."""
        with suppress(OSError, ValueError, KeyError):
            pid = int(json.loads((self.data / "nats" / "connection.json").read_bytes())["pid"])
            return pid if _alive(pid) else 0
        return 0

    @property
    def worker_pids(self) -> list[int]:
        """The worker processes of this node's pool that run now."""
        return [pid for pid in _children(self.pid) if b"\0worker\0" in _command(pid)] if not self.ended else []

    def kill(self) -> None:
        """kill -9 of the engine's process only."""
        if not self.ended:
            os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def kill_all(self) -> None:
        """kill -9 of the engine, nats-server and the workers, at once."""
        pids = [] if self.ended else [self.pid, *_descendants(self.pid)]
        for pid in (*pids, self.nats_pid):
            if pid:
                kill(pid)
        self.wait()

    def pause(self) -> None:
        """Holds the engine's process where it stands; nats-server and workers go on."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Lets it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def wait(self, timeout_s: float = 30.0) -> int:
        """Its exit code, once it has ended and all its output is read."""
        assert self._process is not None
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the node did not end within {timeout_s:g} s\n{self.log_tail()}") from None
        if self._reader is not None:
            self._reader.join(5)
        return code

    def stop(self, timeout_s: float = 40.0) -> int:
        """SIGTERM, and its exit code."""
        self.terminate()
        return self.wait(timeout_s)

    def terminate(self) -> None:
        """SIGTERM to the engine's process."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def clean(self) -> None:
        """At the end of a test: nothing that it started may stay."""
        if self._process is None:
            return
        pids = [] if self.ended else _descendants(self.pid)
        if not self.ended:
            self._process.kill()
            self.wait()
        for pid in (*pids, self.nats_pid):
            if pid:
                kill(pid)

    def log_tail(self, lines: int = 60) -> str:
        """The end of what it and its workers logged."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    # --- looking ------------------------------------------------------------------------------------------------------

    def client(self, **options: Any) -> Client:
        """A client of it, for `async with`."""
        return Client.connect(data=self.data, node="n1", by="test", **options)

    def registry(self) -> Registry:
        """The workflows that it knows."""
        return load(self.options.modules)

    async def rows(self) -> dict[str, RunRow]:
        """All runs, from the journal itself."""
        async with await JournalReader.open(self.data) as journal:
            return {row.run: row for row in await journal.rows(limit=1_000_000)}

    async def history(self, run: str) -> list[AnyEvent]:
        """A run's events, from the journal itself."""
        async with await JournalReader.open(self.data) as journal:
            return [r.event for r in await journal.events(run) if r.event is not None]

    async def kinds(self, run: str) -> list[str]:
        """The kinds of a run's events."""
        async with await JournalReader.open(self.data) as journal:
            return [r.header.kind for r in await journal.events(run)]


async def disagreements(node: Node) -> list[str]:
    """What `replay` says against the runs of a node (J6), and what is wrong with places and times (J1, J9)."""
    registry, wrong = node.registry(), []
    async with await JournalReader.open(node.data) as journal:
        placed: list[tuple[int, int]] = []
        for row in await journal.rows(limit=1_000_000):
            events = await journal.events(row.run)
            if [r.header.n for r in events] != list(range(1, len(events) + 1)):
                wrong.append(f"{row.run}: n has gaps: {[r.header.n for r in events]}")
            placed += [(r.header.seq, r.header.at_us) for r in events]
            told = [(r.header.n, r.header.at_us, r.event) for r in events if r.event is not None]
            found = replay(registry.workflow(row.workflow, row.version), row, told)
            if not found.agrees:
                wrong.append(f"{row.run}: {found.problem}")
        placed += [(r.header.seq, r.header.at_us) for r in await journal.events("")]
    placed.sort()
    if [seq for seq, _ in placed] != list(range(1, len(placed) + 1)):
        wrong.append("seq has gaps or doubles")
    if any(a[1] > b[1] for a, b in pairwise(placed)):
        wrong.append("time went back")
    return wrong


def left_over(node: Node) -> list[int]:
    """Workers of a node that is gone, and should be gone with it."""
    mark = f"SKERRY_DATA={node.data}\0".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (folder / "environ").read_bytes() and _alive(int(folder.name)):
                found.append(int(folder.name))
    return found


async def bus_is_empty(node: Node, size: str = "rules", timeout_s: float = 20.0) -> None:
    """Waits until no task and no result is left on the bus."""
    from skerry.bus import NatsBus

    queue = task_queue(size)
    async with await NatsBus.connect(node.data / "nats" / "connection.json") as bus:

        async def empty() -> bool:
            counts = []
            for stream in (queue.stream, "SKERRY_RESULT"):
                told = await bus._api.call(f"STREAM.INFO.{stream}")
                counts.append(told["state"]["messages"])
            return not any(counts)

        await wait_until(empty, timeout_s)


async def until_status(client: Client, run: str, *statuses: str, timeout_s: float = 20.0) -> RunRow:
    """A run's row, once it stands so."""

    rows: list[RunRow] = []

    async def stands() -> bool:
        rows[:] = [await client.row(run)]
        return rows[0].status in statuses

    try:
        await wait_until(stands, timeout_s)
    except AssertionError:
        raise AssertionError(f"{run} does not become {' or '.join(statuses)}: {rows}") from None
    return rows[0]


def tell(words: str) -> None:
    """For whoever reads why a test failed."""
    sys.stdout.write(f"{words}\n")


def memory_kb(pid: int, field: str = "VmRSS") -> int:
    """A process's memory, as /proc has it."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1])
    raise AssertionError(f"/proc/{pid}/status has no {field}")


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        threads = Path(f"/proc/{pid}/task").iterdir()
        return [int(child) for t in threads for child in (t / "children").read_text().split()]
    return []


def _descendants(pid: int) -> list[int]:
    found = []
    for child in _children(pid):
        found += [child, *_descendants(child)]
    return found


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def kill(pid: int) -> bool:
    """kill -9. False when it was gone already."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False
