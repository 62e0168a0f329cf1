"""Commands that change something, where no engine runs: they go into the journal, under its lock."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from skerry.clock import SystemClock
from skerry.journal import SqliteJournal
from tests.cli.conftest import WISHES, Call, Ran


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An empty journal."""
    folder = tmp_path / "data"

    async def make() -> None:
        await (await SqliteJournal.open(folder, node="home", clock=SystemClock())).close()

    asyncio.run(make())
    return folder


def publish(call: Call, data: Path, wish: str, *more: str | Path) -> Ran:
    return call("publish", "wish.made", "--data", wish, "--data-dir", data, "--module", WISHES, "--json", *more)


def change(call: Call, data: Path, *arguments: str) -> Ran:
    return call(*arguments, "--data", data, "--module", WISHES)


def test_a_wish_from_publish_to_done(data: Path, call: Call) -> None:
    published = publish(call, data, '{"what": "a boat", "euros": 500}')
    assert published.code == 0
    assert "skerry up" in published.err
    run = published.json["run"]
    asked = call("show", "latest", "--data", data, "--json").json["row"]
    assert (asked["run"], asked["status"], asked["note"]) == (run, "review", "a boat for 500 euros?")
    approved = change(call, data, "approve", "latest", "--reason", "it is summer", "--by", "ada")
    assert approved.code == 0
    assert approved.out == f"{run[-8:]} (wishes): approved; it is done now\n"
    shown = call("show", run, "--data", data).out
    assert "ada said yes (it is summer)" in shown
    assert "done: Granted (what a boat, by ada)" in shown
    again = change(call, data, "approve", "latest")
    assert again.code == 4
    assert again.err.splitlines()[1] == f"hint: see how it stands: skerry show {run[-8:]}"
    assert call("replay", "--all", "--data", data, "--module", WISHES).code == 0
    assert call("verify", "--data", data).code == 0


def test_a_replay_of_all_names_a_damaged_run_and_goes_on(data: Path, call: Call) -> None:
    runs = [publish(call, data, f'{{"what": "boat {number}"}}').json["run"] for number in range(3)]
    with sqlite3.connect(data / "journal.db") as db:
        db.execute("UPDATE events SET salt = zeroblob(16) WHERE n = 2 AND run_key = 2")
    db.close()
    told = change(call, data, "replay", "--all", "--json")
    assert told.code == 1
    assert [(line["run"], line["agrees"]) for line in told.lines] == [
        (runs[2], True),
        (runs[1], False),
        (runs[0], True),
    ]
    assert f"event 2 of run {runs[1]}" in told.lines[1]["problem"]
    assert change(call, data, "replay", runs[1], "--json").lines == [told.lines[1]]


def test_a_no(data: Path, call: Call) -> None:
    publish(call, data, '{"what": "a boat", "euros": 500}')
    taken = change(call, data, "reject", "latest", "--reason", "too dear", "--json")
    assert (taken.code, taken.json["status"]) == (0, "done")
    assert "done: Refused (reason too dear)" in call("show", "latest", "--data", data).out


def test_a_signal(data: Path, call: Call) -> None:
    publish(call, data, '{"what": "a boat", "euros": 500}')
    wrong = change(call, data, "signal", "latest", "Decision", '{"approved": "perhaps"}')
    assert wrong.code == 2
    assert "hint: " in wrong.err
    assert change(call, data, "signal", "latest", "Decision", '{"approved": true}').code == 0
    assert call("runs", "--data", data, "--json").json["status"] == "done"


def test_a_run_that_fails_is_retried_and_cancelled(data: Path, call: Call) -> None:
    publish(call, data, '{"what": "the moon"}')
    row = call("runs", "--data", data, "--json").json
    assert (row["status"], row["note"]) == ("failed", "ValueError: the moon is not for sale")
    assert change(call, data, "retry", "latest", "--reason", "perhaps now").out.endswith("it is failed now\n")
    assert change(call, data, "cancel", "latest", "--reason", "silly").code == 0
    assert call("runs", "--data", data, "--json").json["status"] == "cancelled"
    assert "had ended before; it is cancelled now" in change(call, data, "cancel", "latest").out
    retried = change(call, data, "retry", "latest")
    assert retried.code == 4
    assert "only a failed or parked one" in retried.err


def test_a_file_is_taken_in_once(data: Path, call: Call, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear all" * 100_000)
    written = ("publish", "letter.written", "--data-dir", data, "--module", WISHES, "--json")
    first = call(*written, "--file", letter).json
    second = call(*written, "--file", letter).json
    assert (first["again"], second["again"], first["run"] == second["run"]) == (False, True, True)
    assert call(*written, "--file", letter, "--new").json["run"] != first["run"]
    assert [line["again"] for line in call(*written, letter, letter).lines] == [True, True]
    assert "done: Granted (what letter.txt)" in call("show", first["run"], "--data", data).out


def test_what_was_taken_in_before_a_file_that_was_not_is_said(data: Path, call: Call, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear all")
    told = call("publish", "letter.written", letter, tmp_path / "no.txt", "--data-dir", data, "--module", WISHES)
    assert told.code == 3
    assert "letter.txt  started" in told.out
    assert "no.txt cannot be read" in told.err


def test_a_run_without_its_code_says_what_to_load(data: Path, call: Call) -> None:
    publish(call, data, '{"what": "a boat", "euros": 500}')
    told = call("approve", "latest", "--data", data)
    assert told.code == 5
    assert "hint: name the module that it is in: --module NAME" in told.err


def test_an_id_is_taken_in_once(data: Path, call: Call) -> None:
    runs = [publish(call, data, '{"what": "a kite"}', "--id", "7").json["run"] for _ in range(2)]
    assert len(set(runs)) == 1


def test_what_cannot_be_published(data: Path, call: Call, tmp_path: Path) -> None:
    for arguments, code, said in (
        (("wish.made", "--data", "{", "--data-dir", data), 2, "what was given is not JSON: Input data was truncated"),
        (("wish.made", "--data", "[1]", "--data-dir", data), 2, "what was given is no JSON object: Expected"),
        (("wish.made", "--data", str(data), "--data-dir", data), 2, "the data folder is --data-dir here"),
        (("wish.made", "--data", "@nowhere.json", "--data-dir", data), 3, "nowhere.json"),
        (("wish.made", "--file", tmp_path / "nowhere.pdf", "--data-dir", data), 3, "cannot be read"),
        (("wish.granted", "--data-dir", data), 3, "known events: letter.written, wish.made"),
        (("wish.made", "--data", '{"euros": 3}', "--data-dir", data), 2, "missing required field `what`"),
        (("wish.made", "a", "b", "--id", "7", "--data-dir", data), 2, "leave --id out"),
    ):
        told = call("publish", *arguments, "--module", WISHES)
        assert (told.code, told.out) == (code, ""), arguments
        assert said in told.err
        assert "Traceback" not in told.err
    assert call("runs", "--data", data, "--json").out == ""


def test_a_wrong_path_is_said_before_a_missing_journal(call: Call, tmp_path: Path) -> None:
    nowhere = ("--data-dir", tmp_path / "nowhere", "--module", WISHES)
    told = call("publish", "letter.written", "--file", tmp_path / "no.txt", *nowhere)
    assert (told.code, told.err.splitlines()[1]) == (3, "hint: check the path")
    assert "no.txt cannot be read" in told.err
    (tmp_path / "letter.txt").write_text("Dear all")
    assert "there is no journal" in call("publish", "letter.written", "--file", tmp_path / "letter.txt", *nowhere).err


def test_set_needs_a_field(data: Path, call: Call) -> None:
    publish(call, data, '{"what": "a boat", "euros": 500}')
    assert change(call, data, "approve", "latest", "--set", "reason").code == 2
    assert change(call, data, "approve", "latest", "--set", "reason=[1").code == 2


def test_a_module_that_cannot_be_loaded(data: Path, call: Call) -> None:
    told = call("publish", "wish.made", "--data-dir", data, "--module", "no.such.module")
    assert told.code == 1
    assert "cannot import no.such.module" in told.err


def test_a_module_with_a_mistake_is_the_users(
    data: Path, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_wishes.py").write_text("wish = \n")
    monkeypatch.syspath_prepend(tmp_path)
    told = call("graph", "wishes", "--module", "broken_wishes")
    assert told.code == 1
    assert told.err.splitlines()[0].startswith("error: cannot import broken_wishes: SyntaxError: ")


def test_a_journal_that_somebody_holds(data: Path, call: Call) -> None:
    async def held() -> Ran:
        journal = await SqliteJournal.open(data, clock=SystemClock())
        try:
            # A process that holds the lock and serves no bus: the command looks for its bus, in vain.
            return await asyncio.to_thread(call, "cancel", "latest", "--data", data, "--module", WISHES)
        finally:
            await journal.close()

    publish(call, data, '{"what": "a boat", "euros": 500}')
    told = asyncio.run(held())
    assert told.code == 5
    assert "hint: start it: skerry up" in told.err
