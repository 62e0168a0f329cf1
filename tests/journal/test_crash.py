"""kill -9 at any instant: what was acknowledged is there, and nothing is there in part (J1, J2, J3, J5)."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
from collections import defaultdict
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import BinaryIO

from skerry.journal import verify
from tests.journal.child_append import append_until_killed
from tests.journal.files import opened
from tests.tidy.sources import ROOT

KILLS = 30
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.journal.child_append"])


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A process that appends."""
    command = [sys.executable, "-m", "tests.journal.child_append", str(folder), *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def fork(folder: Path) -> tuple[BaseProcess, BinaryIO]:
    """The same, forked from a process that has imported everything already, as there are many of them."""
    reading, writing = FORKS.Pipe(duplex=False)
    child = FORKS.Process(target=append_until_killed, args=(folder, writing))
    child.start()
    writing.close()
    return child, os.fdopen(os.dup(reading.fileno()), "rb")


def acknowledged(lines: list[bytes]) -> dict[str, int]:
    """The last `n` of each run that was acknowledged. A line that the kill cut off does not count."""
    last: dict[str, int] = defaultdict(int)
    for line in lines:
        if line.startswith(b"a-") and line.endswith(b"\n"):
            run, n = line.split()
            last[run.decode()] = max(last[run.decode()], int(n))
    return last


async def test_j2_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    dice = random.Random(9)
    promised: dict[str, int] = {}
    for _ in range(KILLS):
        child, output = fork(tmp_path)
        lines = [output.readline() for _ in range(dice.randint(1, 400))]
        child.kill()
        lines += output.readlines()
        output.close()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        promised |= acknowledged(lines)
    assert len(promised) > KILLS
    report = verify(tmp_path)
    assert report.ok, report
    async with opened(tmp_path) as journal:
        for run, n in promised.items():
            events = await journal.events(run)
            assert [each.header.n for each in events] == list(range(1, len(events) + 1))
            assert len(events) >= n, f"{run}: event {n} was acknowledged, {len(events)} are there"
        assert journal.head.seq == report.seq


def test_j2_a_full_disk_ends_it_and_nothing_that_was_acknowledged_is_lost(tmp_path: Path) -> None:
    """The log goes past what its process may write: a real write fails in the middle of a commit."""
    child = start(tmp_path, str(1024 * 1024))
    output, _ = child.communicate(timeout=60)
    assert child.returncode == 0
    lines = output.splitlines(keepends=True)
    assert lines[-1].startswith(b"refused "), lines[-1]
    report = verify(tmp_path)
    assert report.ok, report
    assert sum(acknowledged(lines).values()) <= report.events
    assert len(acknowledged(lines)) == 8
