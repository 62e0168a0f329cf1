"""The supervised nats-server: who may use it, and what happens when it or we die."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nats
import pytest

from skerry.bus import NatsBus, NatsServer, ServerLimits, fulldisk
from skerry.bus import server as server_module
from skerry.bus.binary import find_binary
from skerry.bus.connectionfile import ServerAddress, read_address
from skerry.core.wire import encode
from skerry.errors import Unavailable
from tests.bus.conftest import ALIVE, READY, FakeServer
from tests.support import wait_until


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def running(pid: int) -> bool:
    """Whether a process is there and not just waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# ---- who may use it


async def test_only_the_owner_can_read_what_opens_it(server: NatsServer) -> None:
    assert mode(server.folder) == 0o700
    for name in ("connection.json", "nats.conf", "store.lock", "server.log"):
        assert mode(server.folder / name) == 0o600, name


async def test_the_secret_is_not_on_a_command_line(server: NatsServer) -> None:
    seed = read_address(server.connection_file).seed
    command = Path(f"/proc/{server.pid}/cmdline").read_bytes()
    assert command.split(b"\0")[0].endswith(b"nats-server")
    assert seed.encode() not in command
    assert seed not in (server.folder / "nats.conf").read_text()


async def test_nobody_comes_in_without_the_key(server: NatsServer) -> None:
    url = read_address(server.connection_file).url
    assert url.startswith("nats://127.0.0.1:")
    with pytest.raises(Unavailable, match="Authorization Violation") as refused:
        await NatsBus.connect(url, timeout_s=30.0)
    assert "credentials" in refused.value.hint


async def test_each_launch_has_its_own_key(tmp_path: Path) -> None:
    async with NatsServer(tmp_path) as first:
        old = read_address(first.connection_file)
    assert not first.connection_file.exists()
    async with NatsServer(tmp_path) as second:
        new = read_address(second.connection_file)
        assert new.seed != old.seed
        mixed = tmp_path / "mixed.json"
        mixed.write_bytes(encode(ServerAddress(url=new.url, seed=old.seed, pid=0, launch=1)))
        with pytest.raises(Unavailable, match="Authorization Violation"):
            await NatsBus.connect(mixed, timeout_s=0.5)


# ---- one server per folder


async def test_a_second_server_on_the_folder_is_refused_and_told_who(server: NatsServer, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=f"in use by process {os.getpid()} \\(.*pytest") as refused:
        await NatsServer(tmp_path, lock_patience_s=0.1).start()
    assert "stop that process" in refused.value.hint
    assert running(server.pid)


async def test_it_waits_a_moment_for_one_that_is_going(tmp_path: Path) -> None:
    first = NatsServer(tmp_path)
    await first.start()
    second = NatsServer(tmp_path, lock_patience_s=10.0)
    starting = asyncio.create_task(second.start())
    await asyncio.sleep(0.1)
    await first.stop()
    await starting
    await second.stop()


_PARENT = """
import asyncio, sys, time
from pathlib import Path
from skerry.bus import NatsServer
async def main():
    server = NatsServer(Path(sys.argv[1]))
    await server.start()
    print(server.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


def parent(folder: Path) -> tuple[subprocess.Popen[str], int]:
    """A process that supervises a server, and the server's pid."""
    process = subprocess.Popen([sys.executable, "-c", _PARENT, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a parent death signal")
async def test_when_we_are_killed_the_server_goes_too(tmp_path: Path) -> None:
    process, pid = parent(tmp_path)
    with process:
        assert running(pid)
        process.kill()
        await wait_until(lambda: not running(pid), 5.0)
    # And the next one starts, without anybody cleaning up.
    async with NatsServer(tmp_path) as server, await NatsBus.connect(server.connection_file) as bus:
        assert bus.connected


async def test_an_orphan_keeps_the_folder_and_is_named(tmp_path: Path, fake_server: FakeServer) -> None:
    """Where there is no death signal (or the orphan does not heed it) the lock must hold as long as it lives."""
    fake_server(f"trap '' TERM\n{READY}\n{ALIVE}")
    process, pid = parent(tmp_path)
    try:
        with process:
            process.kill()
        with pytest.raises(Unavailable, match=f"in use by nats-server {pid}, which process {process.pid}") as refused:
            await NatsServer(tmp_path, lock_patience_s=0.1).start()
        assert refused.value.hint == f"stop it: kill {pid}"
    finally:
        os.kill(pid, signal.SIGKILL)


# ---- its death


async def test_it_comes_back_with_another_port_and_key(server: NatsServer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        before = read_address(server.connection_file)
        os.kill(server.pid, signal.SIGKILL)
        await wait_until(lambda: server.launches == 2 and server.connection_file.exists())
        after = read_address(server.connection_file)
    assert (before.launch, after.launch) == (1, 2)
    assert after.seed != before.seed
    assert after.pid == server.pid != before.pid
    async with await NatsBus.connect(server.connection_file) as bus:
        assert bus.connected


async def test_it_gives_up_with_the_reason(
    tmp_path: Path, fake_server: FakeServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server_module, "_BACKOFF_FIRST_S", 0.01)
    monkeypatch.setattr(server_module, "_BACKOFF_MAX_S", 0.02)
    fake_server(f"{READY}\nsleep 0.1\nexit 1")
    with caplog.at_level(logging.CRITICAL):
        async with NatsServer(tmp_path) as server:
            fake_server("echo '[FTL] write: no space left on device'\nexit 1")
            problem = await asyncio.wait_for(server.gave_up(), 10)
    assert "exit status 1" in problem.message
    assert "no space left on device" in problem.message
    assert "disk is full" in problem.hint


async def test_stop_kills_one_that_does_not_heed(
    tmp_path: Path, fake_server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    fake_server(f"trap '' TERM\n{READY}\n{ALIVE}")
    with caplog.at_level(logging.CRITICAL):
        async with NatsServer(tmp_path, stop_grace_s=0.2) as server:
            pid = server.pid
    assert not running(pid)


async def test_a_thread_may_start_it_but_is_warned(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The death signal would fire when that thread ends, not when the process does."""

    async def start_and_stop() -> None:
        async with NatsServer(tmp_path) as server:
            assert running(server.pid)

    # The watcher of children must be of the main thread's loop, where this test runs.
    thread = threading.Thread(target=lambda: asyncio.run(start_and_stop()))
    thread.start()
    await asyncio.to_thread(thread.join, 20)
    assert not thread.is_alive()
    if sys.platform == "linux":
        assert "started from a thread" in caplog.text


# ---- it cannot start


async def test_the_port_is_taken(tmp_path: Path, server: NatsServer) -> None:
    port = int(read_address(server.connection_file).url.rpartition(":")[2])
    with pytest.raises(Unavailable, match="address already in use") as refused:
        await NatsServer(tmp_path / "other", port=port).start()
    assert "port is taken" in refused.value.hint
    # Nothing is left behind: the folder is free.
    async with NatsServer(tmp_path / "other", lock_patience_s=0):
        pass


async def test_the_store_is_unusable(tmp_path: Path) -> None:
    (tmp_path / "nats").mkdir()
    (tmp_path / "nats" / "jetstream").write_text("this is no folder")
    with pytest.raises(Unavailable, match="before it was ready") as refused:
        await NatsServer(tmp_path).start()
    assert "rebuilt from the journal" in refused.value.hint
    assert "FTL" in refused.value.message


async def test_the_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot use"):
        await NatsServer(tmp_path / "file").start()


async def test_it_is_never_ready(tmp_path: Path, fake_server: FakeServer) -> None:
    fake_server(f"echo 'I am slow'\n{ALIVE}")
    with pytest.raises(Unavailable, match=r"(?s)not ready within 0.3 s.*I am slow"):
        await NatsServer(tmp_path, start_timeout_s=0.3).start()


def test_a_program_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NATS_SERVER_BIN", str(tmp_path / "nothing"))
    with pytest.raises(Unavailable, match="is not a program"):
        find_binary()
    monkeypatch.delenv("NATS_SERVER_BIN")
    assert find_binary().name.startswith("nats-server")


# ---- its log


async def test_the_log_is_bounded_and_never_blocks_the_server(tmp_path: Path, fake_server: FakeServer) -> None:
    line = "x" * 1000
    fake_server(
        f"i=0; while [ $i -lt 400 ]; do echo {line} $i; i=$((i+1)); done\n{READY}\nwhile :; do sleep 0.05; done"
    )
    async with NatsServer(tmp_path, log_bytes_max=50_000) as server:
        await wait_until(lambda: server.log_tail(1).endswith(" 399"))
        sizes = [path.stat().st_size for path in server.folder.glob("server.log*")]
    assert len(sizes) <= 2
    assert sum(sizes) < 50_000 * 2 + 2 * 65_536


async def test_its_warnings_are_in_our_log(
    tmp_path: Path, fake_server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    fake_server(f"echo '[1] 2026/11/22 [WRN] the disk is slow'\n{READY}\n{ALIVE}")
    with caplog.at_level(logging.WARNING):
        async with NatsServer(tmp_path):
            await wait_until(lambda: "the disk is slow" in caplog.text)


async def test_limits_reach_the_server(tmp_path: Path) -> None:
    async with NatsServer(tmp_path, limits=ServerLimits(store_bytes_max=50 * 1024**2)) as server:
        address = read_address(server.connection_file)
        client = await nats.connect(address.url, nkeys_seed_str=address.seed)
        try:
            told: dict[str, Any] = json.loads((await client.request("$JS.API.INFO")).data)
        finally:
            await client.close()
    assert "error" not in told
    assert "max_file_store: 52428800" in (server.folder / "nats.conf").read_text()


# ---- a full disk


async def test_a_full_disk_is_told_and_the_server_restarted_when_there_is_room(
    tmp_path: Path, fake_server: FakeServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """nats-server does neither: see fulldisk.py. A fake one, as a test cannot fill a disk."""
    monkeypatch.setattr(fulldisk, "_LOOK_FIRST_S", 0.02)
    monkeypatch.setattr(fulldisk, "ROOM_BYTES", 10**18)
    usage = SimpleNamespace(total=10**19, used=10**19, free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    fake_server(f"{READY}\nsleep 0.1\necho '[ERR] msgs/4.blk: no space left on device'\n{ALIVE}")
    with caplog.at_level(logging.CRITICAL):
        async with NatsServer(tmp_path) as server:
            assert server.problem == ""
            await wait_until(lambda: "is full" in server.problem)
            fake_server(f"{READY}\n{ALIVE}")
            assert server.launches == 1
            usage.free = 10**18
            await wait_until(lambda: server.launches == 2 and server.connection_file.exists())
            assert server.problem == ""
