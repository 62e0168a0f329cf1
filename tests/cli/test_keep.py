"""Commands that keep things in order: verify, replay, export, prune, doctor, eval; and graph."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import xml.etree.ElementTree as ElementTree
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from skerry.cli.commands.prune import age_us
from skerry.cli.exits import Stop
from skerry_workflows.invoice.ledger import Distinct, Ledger
from tests.cli.conftest import DONE, REVIEW, WISHES, Call
from tests.invoice.poster import entry


def test_verify(office: Path, call: Call) -> None:
    told = call("verify", "--data", office)
    assert told.code == 0
    anchor = told.out.splitlines()[-1]
    assert call("verify", "--data", office, "--anchor", anchor).code == 0
    assert call("verify", "--data", office, "--json").json["anchor"] == anchor
    assert call("verify", "--data", office, "--anchor", "paper").code == 2


def test_verify_names_an_edit(office: Path, call: Call) -> None:
    with sqlite3.connect(office / "journal.db") as db:
        edited = "CAST(replace(CAST(body AS TEXT), 'a typo', 'bribed') AS BLOB)"
        db.execute(f"UPDATE events SET body = {edited} WHERE instr(CAST(body AS TEXT), 'a typo')")
    db.close()
    told = call("verify", "--data", office)
    assert told.code == 1
    assert REVIEW[-8:] in told.out
    assert told.err.startswith("error: the journal is not as it was written: 1 finding")
    assert call("verify", "--data", office, "--json").json["faults"][0]["run"] == REVIEW


def test_replay_names_what_differs(office: Path, call: Call) -> None:
    told = call("replay", DONE, "--data", office, "--module", WISHES)
    assert told.code == 1
    assert "there is no workflow invoice" in told.out
    assert call("replay", "--data", office).code == 2
    assert call("replay", DONE, "--all", "--data", office).code == 2


def test_export_of_what_has_ended(office: Path, call: Call, tmp_path: Path) -> None:
    file = tmp_path / "runs.jsonl"
    told = call("export", "--data", office, "--out", file, "--json")
    assert told.code == 0
    lines = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert told.json == {"out": str(file), "lines": len(lines), "runs": 1}
    assert [line["row"]["run"] for line in lines if "row" in line] == [DONE]
    assert call("export", REVIEW, "--data", office).code == 0
    assert call("export", "--all", "--workflow", "x", "--data", office).code == 2
    assert not list(tmp_path.glob("*.part"))


def test_an_age() -> None:
    assert age_us("90d") == 90 * 86_400_000_000
    with pytest.raises(Stop):
        age_us("long")


def test_prune_asks(office: Path, call: Call) -> None:
    told = call("prune", "--older-than", "1d", "--data", office)
    assert told.code == 2
    assert "say --yes" in told.err


def test_doctor(office: Path, call: Call) -> None:
    told = call("doctor", "--data", office, "--module", WISHES, "--json")
    found = {each["check"]: each for each in told.lines}
    assert told.code == 0
    assert found["python"]["verdict"] == "ok"
    assert found["workflows"]["found"] == "letters v1, wishes v1"
    assert found["runs"]["verdict"] == "warning"
    assert found["engine"]["mend"] == "skerry up"


@pytest.mark.parametrize(
    ("variable", "value", "check", "said"),
    [
        ("NATS_SERVER_BIN", "/nowhere/nats-server", "nats-server", "unset it"),
        ("SKERRY_LOG_LEVEL", "loud", "settings", "one of debug"),
        ("SKERRY_MODULES", "no.such.module", "workflows", "PYTHONPATH"),
    ],
)
def test_doctor_says_how_to_mend(
    variable: str, value: str, check: str, said: str, office: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    told = call("doctor", "--data", office, "--json")
    assert told.code == 1
    assert f"needs mending: {check}" in told.err
    finding = next(each for each in told.lines if each["check"] == check)
    assert finding["verdict"] == "bad"
    assert said in finding["mend"]


def test_doctor_finds_a_clock_that_is_behind(office: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 1_000_000_000)
    told = call("doctor", "--data", office, "--module", WISHES, "--json")
    assert told.code == 1
    assert "clock" in told.err


def test_graph(call: Call, tmp_path: Path) -> None:
    told = call("graph", "wishes", "--module", WISHES)
    assert told.code == 0
    assert told.out.startswith("flowchart TD\n")
    assert "event --> state_Wish" in told.out
    picture = tmp_path / "wishes.svg"
    assert call("graph", "wishes", "--module", WISHES, "--svg", picture).code == 0
    drawn = ElementTree.parse(picture).getroot()
    texts = {element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert {"wish.made", "Wish", "Ask", "Granted", "Refused"} <= texts
    assert call("graph", "wishes", "--module", WISHES, "--json").json["edges"][0] == {
        "source": "Wish",
        "target": "Ask",
        "ends": False,
    }


def test_graph_of_nothing(call: Call) -> None:
    told = call("graph", "dreams", "--module", WISHES)
    assert told.code == 3
    assert "loaded workflows: letters, wishes" in told.err


def test_eval(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<Invoice/>")
    (tmp_path / "manifest.json").write_text('{"cases": [{"id": "a", "input": "a.xml"}, {"id": "b", "input": "b.pdf"}]}')
    to = tmp_path / "predictions.json"
    told = call("eval", "invoices", tmp_path, "--out", to, "--json")
    assert told.code == 0
    assert "left out: b: " in told.err
    assert told.json["predictions"] == len(json.loads(to.read_text()))
    assert call("eval", "poems", tmp_path, "--out", to).code == 2
    assert call("eval", "invoices", tmp_path / "nowhere", "--out", to).code == 2


def postings(folder: Path) -> Path:
    """A data folder in which an invoice was posted, and another one of its number because a person said so."""
    folder.mkdir()
    with Ledger(folder / "ledger.db") as ledger:
        ledger.post(entry(1), "run-1")
        ledger.post(entry(2), "run-2")
        other = msgspec.structs.replace(entry(1), gross_total=Decimal("999.99"))
        ledger.post(other, "run-3", distinct=Distinct(by="ada", why="a second delivery"))
    return folder


def test_the_ledger_says_who_had_a_second_one_posted(tmp_path: Path, call: Call) -> None:
    data = postings(tmp_path / "data")
    told = call("ledger", "--data", data)
    assert told.code == 0
    title, first, second, third = told.out.splitlines()
    assert title.endswith("POSTED ALL THE SAME")
    assert third.endswith("invoice 999.99 EUR (by ada: a second delivery)")
    assert "ada" not in first + second
    assert call("ledger", "--data", data, "--json").lines[2]["distinct"]["by"] == "ada"


def test_what_commands_write_is_for_its_owner_only(office: Path, tmp_path: Path, call: Call) -> None:
    data = postings(tmp_path / "data")
    (tmp_path / "manifest.json").write_text('{"cases": []}')
    before = os.umask(0)
    try:
        for name, arguments in {
            "ledger.csv": ("ledger", "--data", data, "--csv"),
            "runs.jsonl": ("export", "--data", office, "--out"),
            "predictions.json": ("eval", "invoices", tmp_path, "--out"),
        }.items():
            to = tmp_path / name
            assert call(*arguments, to).code == 0
            assert stat.S_IMODE(to.stat().st_mode) == 0o600, name
            to.chmod(0o640)  # its owner has it read by others: so it stays
            assert call(*arguments, to).code == 0
            assert stat.S_IMODE(to.stat().st_mode) == 0o640, name
    finally:
        os.umask(before)
    assert not list(tmp_path.glob("*.part"))


def test_no_ledger_yet(office: Path, call: Call) -> None:
    assert call("ledger", "--data", office).code == 3


def test_what_needs_an_engine_says_so(office: Path, call: Call) -> None:
    for command in ("status", "workers"):
        told = call(command, "--data", office)
        assert (told.code, told.err.splitlines()[1]) == (5, "hint: start it: skerry up")


def test_debug_shows_where(call: Call) -> None:
    assert "Traceback" not in call("graph", "dreams", "--module", WISHES).err
    assert "Traceback" in call("graph", "dreams", "--module", WISHES, "--debug").err


@pytest.mark.parametrize("debug", [(), ("--debug",)])
def test_a_hint_is_said_once(debug: tuple[str, ...], call: Call) -> None:
    told = call("graph", "dreams", "--module", WISHES, *debug)
    assert told.err.count("hint: ") == 1
    assert told.err.count("error: ") == 1


def test_prune_and_what_is_left(office: Path, call: Call) -> None:
    asked = ("--data", office, "--module", WISHES)
    told = call("prune", "--older-than", "1d", "--reason", "policy", "--yes", "--json", *asked)
    assert (told.code, told.json["runs"]) == (0, 1)
    assert "its body was removed" in call("show", DONE, "--data", office).out
    assert call("verify", "--data", office, "--json").json["removed"] == told.json["events"]
    assert call("prune", "--older-than", "1d", "--yes", "--json", *asked).json["runs"] == 0
    # Without its code a pruned run cannot be looked at either; with it, there is nothing to compare.
    assert call("replay", DONE, *asked).code == 1
