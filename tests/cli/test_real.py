"""The real thing: engine, nats-server and workers as processes, and the command line beside them."""

from __future__ import annotations

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from skerry.cli.app import who
from tests.cli.conftest import WISHES, Call, Ran
from tests.support import wait_until_blocking

Skerry = Callable[..., Ran]


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "skerry.cli", *map(str, arguments)]


def skerry(*arguments: str | Path, timeout_s: float = 60.0) -> Ran:
    done = subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, timeout=timeout_s, stdin=subprocess.DEVNULL
    )
    return Ran(done.returncode, done.stdout, done.stderr)


class Up:
    """A `skerry up` that is ready."""

    def __init__(self, data: Path, *more: str) -> None:
        self.data = data
        arguments = command("up", "--data", data, "--json", "--module", WISHES, *more)
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1])
        self.ready: dict[str, Any] = json.loads(line)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Tells it to stop; returns its exit code and what it said on stderr."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said

    def ask(self, verb: str, *arguments: str | Path) -> Ran:
        """Another command on the same data folder."""
        return skerry(verb, *arguments, "--data", self.data)


@pytest.fixture(autouse=True)
def hang_ups_are_heard() -> Iterator[None]:
    """As from a terminal, even where the tests themselves were started with nohup: a child inherits what is ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    running = Up(tmp_path / "data")
    yield running
    running.stop()


def children_of(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def test_a_wish_through_a_running_engine(up: Up) -> None:
    wish = '{"what": "a boat", "euros": 500}'
    published = skerry("publish", "wish.made", "--data", wish, "--data-dir", up.data, "--json")
    assert (published.code, published.err) == (0, "")
    run = published.json["run"]
    assert run.startswith(up.ready["node"])
    assert up.ask("runs", "--json").json["status"] == "review"
    assert up.ask("status", "--json").json["runs"] == {"review": 1, "failed": 0, "parked": 0}
    assert "1 run in review: skerry runs --status review" in up.ask("status").out
    approved = up.ask("approve", "latest", "--reason", "summer", "--json")
    assert (approved.code, approved.json["run"]) == (0, run)
    wait_until_blocking(lambda: up.ask("runs", "--status", "done", "--json").lines)
    again = up.ask("approve", run)
    assert (again.code, again.err.count("error: "), again.err.count("hint: ")) == (4, 1, 1)
    status = up.ask("status", "--json").json
    assert status["node"] == up.ready["node"]
    assert status["workflows"] == ["letters v1", "wishes v1"]
    wait_until_blocking(lambda: {w["state"] for w in up.ask("workers", "--json").lines} == {"ready"}, timeout_s=30)
    assert "1" in up.ask("status").out
    assert up.ask("doctor", "--module", WISHES).code == 0
    assert up.ask("verify").code == 0


def test_from_another_machine(up: Up, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the bus is known, and the node's name: no data folder."""
    connection = json.loads((up.data / "nats" / "connection.json").read_text())
    seed = tmp_path / "seed"
    seed.write_text(connection["seed"])
    monkeypatch.setenv("SKERRY_NATS_URL", connection["url"])
    monkeypatch.setenv("SKERRY_NATS_NKEY", str(seed))
    monkeypatch.setenv("SKERRY_NODE", up.ready["node"])
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear all")
    assert skerry("publish", "letter.written", letter).code == 0
    assert skerry("publish", "wish.made", "--data", '{"what": "a boat", "euros": 500}').code == 0
    runs = wait_until_blocking(lambda: skerry("runs", "--status", "review", "--json").lines)
    listed = skerry("runs").out
    assert "letter.txt" in listed
    assert "what a boat, euros 500" in listed
    assert skerry("approve", runs[0]["run"][-8:]).code == 0
    assert (
        skerry("show", "latest", "--follow").out.splitlines()[-1].endswith(f"done: Granted  (what a boat, by {who()})")
    )
    assert len(skerry("show", "latest", "--json").json["events"]) > 5
    assert skerry("show", "latest").code == 0
    assert skerry("status", "--json").json["node"] == up.ready["node"]
    assert skerry("doctor", "--module", WISHES).code == 0
    assert skerry("verify").code == 3
    assert skerry("runs", "--node", "nowhere").code == 5


def test_a_second_engine_is_refused_and_told_who_is_there(up: Up) -> None:
    second = skerry("up", "--data", up.data, "--module", WISHES)
    assert (second.code, second.out) == (4, "")
    error, hint = [line for line in second.err.splitlines() if line.startswith(("error", "hint"))]
    assert str(up.process.pid) in error
    assert f"kill {up.process.pid}" in hint


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_stops_in_order(number: signal.Signals, tmp_path: Path) -> None:
    running = Up(tmp_path / "data")
    children = children_of(running.process.pid)
    assert len(children) >= 2
    code, said = running.stop(number)
    assert code == 0
    assert said.rstrip().endswith("stopped")
    assert "Traceback" not in said
    wait_until_blocking(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children))


ON_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Makes its stdin the terminal of its session, and becomes the program that is named."""


def test_it_stops_in_order_when_its_terminal_is_closed(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    arguments = [sys.executable, "-c", ON_TERMINAL, *command("up", "--data", tmp_path / "data", "--module", WISHES)]
    running = subprocess.Popen(arguments, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    told = b""
    while b"Ctrl-C stops it" not in told:
        told += os.read(ours, 65536)
    wait_until_blocking(lambda: len(children_of(running.pid)) >= 2)  # a server and a worker
    children = children_of(running.pid)
    os.close(ours)
    assert running.wait(30) == 0
    wait_until_blocking(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children))


def test_a_second_hang_up_ends_nothing_at_once_and_nohup_outlives_the_terminal(tmp_path: Path) -> None:
    running = Up(tmp_path / "data")
    for _ in range(3):
        running.process.send_signal(signal.SIGHUP)
    assert running.stop(signal.SIGHUP)[0] == 0
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does; a child inherits that
    try:
        running = Up(tmp_path / "data")
    finally:
        signal.signal(signal.SIGHUP, before)
    running.process.send_signal(signal.SIGHUP)
    assert running.ask("status").code == 0
    code, said = running.stop()
    assert code == 0
    assert "SIGTERM: stopping" in said
    assert "SIGHUP" not in said


def test_a_worker_that_is_killed_comes_back(up: Up) -> None:
    def workers() -> list[Any]:
        return up.ask("workers", "--json").lines

    first = wait_until_blocking(workers, timeout_s=30)[0]["pid"]
    os.kill(first, signal.SIGKILL)
    wait_until_blocking(lambda: [w for w in workers() if w["pid"] != first], timeout_s=30)


def test_engine_and_worker_as_services(tmp_path: Path) -> None:
    data = tmp_path / "data"
    engine = subprocess.Popen(
        command("engine", "--data", data, "--json", "--module", WISHES),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    worker = subprocess.Popen(
        command("worker", "--size", "rules", "--name", "w", "--data", data, "--module", WISHES),
        stderr=subprocess.DEVNULL,
    )
    try:
        assert engine.stdout is not None
        assert json.loads(engine.stdout.readline())["up"]
        found = wait_until_blocking(lambda: skerry("workers", "--data", data, "--json").lines, timeout_s=30)
        assert [each["name"] for each in found] == ["w"]
    finally:
        worker.terminate()
        assert worker.wait(30) == 0
        engine.terminate()
        assert engine.wait(30) == 0
        if engine.stdout is not None:
            engine.stdout.close()


def test_the_demo_for_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    told = skerry("demo", "--json")
    assert told.code == 0
    assert told.out.count("\n") == 1
    summary = told.json
    assert summary["runs"] >= 5
    assert summary["failed"] == 0
    assert summary["done"] > 0
    assert summary["review"] > 0
    assert summary["done"] + summary["review"] == summary["runs"]
    assert summary["seconds"] < 50
    assert list(tmp_path.iterdir()) == [tmp_path / "work"]


def test_the_demo_for_people_and_what_it_advises(tmp_path: Path, call: Call) -> None:
    data = tmp_path / "tryout"
    told = skerry("demo", "--data", data)
    assert (told.code, told.err) == (0, "")
    titles = ("Mail", "Drafts: nothing was sent", "Invoices", "The ledger: each invoice once", "Meetings", "Slots: ")
    assert [title for title in titles if f"\n{title}" not in told.out] == []
    advised = [shlex.split(line)[1:] for line in told.out.splitlines() if line.startswith("  skerry ")]
    *answers, show, up = advised
    assert {each[0] for each in answers} == {"approve", "reject"} and [show[0], up[0]] == ["show", "up"]
    waiting = call("runs", "--status", "review", "--data", data, "--json").lines
    assert {run["run"][-8:] for run in waiting} == {each[1] for each in answers}
    for arguments in (show, *answers):
        assert call(*arguments).code == 0, arguments
    running = subprocess.Popen(command(*up), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        # What was answered goes its way: of the meetings, one now waits for a yes to its invitation.
        wait_until_blocking(
            lambda: _notes(call, data) == ["Send the invitations to 'Bus tours in autumn'"], timeout_s=60
        )
    finally:
        running.terminate()
        assert running.wait(60) == 0
    assert call("replay", "--all", "--data", data).code == 0
    assert call("verify", "--data", data).code == 0
    lines = call("ledger", "--data", data, "--csv", "-").out.splitlines()
    assert lines[0].startswith("id,posted_at,")
    assert len(lines) == 9, "eight postings: six that nobody was asked about, one of a mail, one that was approved"


def _notes(call: Call, data: Path) -> list[str]:
    """The beginnings of what is asked; what still goes on counts as well."""
    rows = call("runs", "--status", "review", "--status", "running", "--data", data, "--json").lines
    return [row["note"].partition(",")[0] for row in rows]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_interrupted_leaves_nothing_behind(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    demo = subprocess.Popen(command("demo"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    children = wait_until_blocking(
        lambda: children_of(demo.pid) if len(children_of(demo.pid)) > 1 else [], timeout_s=30
    )
    demo.send_signal(number)
    _, said = demo.communicate(timeout=30)
    assert demo.returncode == 130
    assert said.strip() == "error: interrupted"
    wait_until_blocking(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children))
    assert list(tmp_path.iterdir()) == [tmp_path / "work"]
