"""`skerry audit`: the sample is listed, what is found is recorded, and calibrate counts it. No engine runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec import Raw

from skerry.clock import SystemClock
from skerry.core import events as ev
from skerry.core.answers import FieldNote
from skerry.core.audit import sampled
from skerry.core.projection import RunRow
from skerry.journal import SqliteJournal
from skerry.ports import Append
from tests.cli.conftest import NOON_US, WISHES, Call
from tests.cli.test_calibrate import MODEL

RUNS = tuple(f"office-01KA0000000000000000AAAA{number:02d}" for number in range(10, 70))
SHARE = "0.2"


async def write(folder: Path) -> None:
    journal = await SqliteJournal.open(folder, node="office", clock=SystemClock())
    for run in RUNS:
        row = RunRow(
            run=run, workflow="wishes", version=1, started_us=NOON_US, status="done", ended_us=NOON_US, entry_n=2
        )
        value = Raw(b'{"number":"1"}')
        events: tuple[ev.Event, ...] = (
            ev.RunStarted(workflow="wishes", version=1),
            ev.StateEntered(entry=1, state="Only", value=Raw(b'{"state":"Only"}')),
            ev.StepScheduled(step="1-1", kind="ask", target="bill", size="small"),
            ev.AnswerJudged(
                step="1-1",
                attempt=1,
                size="small",
                choice="accept",
                model=MODEL,
                fields={"number": FieldNote(confidence=0.97)},
            ),
            ev.StepCompleted(step="1-1", kind="ask", target="bill", by="w", value=value),
            ev.RunCompleted(result="Bill", value=value),
        )
        await journal.append(Append(run, 1, NOON_US, events, row))
    await journal.close()


@pytest.fixture
def bills(tmp_path: Path) -> Path:
    folder = tmp_path / "bills"
    asyncio.run(write(folder))
    return folder


def test_the_sample_is_looked_at(bills: Path, call: Call) -> None:
    drawn = sorted((run for run in RUNS if sampled(run, "1-1", float(SHARE))), reverse=True)
    assert 4 < len(drawn) < 20
    told = call("audit", "--data", bills, "--share", SHARE)
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    assert lines[0].split() == ["PROMPT", "SIZE", "ACCEPTED", "SAMPLE", "LOOKED", "AT", "WRONG", "WRONG", "AT", "MOST"]
    assert lines[1].split() == ["bill", "small", str(len(RUNS)), str(len(drawn)), "0", "0"]
    assert lines[4].split()[:4] == [drawn[0][-8:], "1-1", "bill", "small"]
    assert lines[-1].startswith(f"skerry audit {drawn[0][-8:]} --right")

    on = ("--data", bills, "--module", WISHES)
    assert call("audit", drawn[0], "--right", *on).code == 0
    wrong = call("audit", drawn[1], "--set", "number=2", "--reason", "misread", "--by", "ada", *on)
    assert (wrong.code, "noted" in wrong.out) == (0, True)
    found = call("audit", "--data", bills, "--share", SHARE, "--json").json
    assert {each["run"] for each in found["waiting"]} == set(drawn[2:])
    (risk,) = found["risks"]
    assert (risk["audited"], risk["wrong"]) == (2, 1)
    assert 0.9 < risk["bound"] < 1

    calibrated = call("calibrate", "--data", bills, "--json").lines
    assert [(each["n"], each["errors"]) for each in calibrated] == [(2, 1)]
    shown = call("show", drawn[1], "--data", bills).out
    assert "ada looked again: number was wrong" in shown and "misread" in shown
    assert call("verify", "--data", bills).code == 0


def test_what_is_not_understood(bills: Path, call: Call) -> None:
    assert call("audit", "--data", bills, "--right").code == 2
    assert call("audit", RUNS[0], "--data", bills).code == 2
    assert call("audit", RUNS[0], "--data", bills, "--right", "--set", "number=2").code == 2
    unknown = call("audit", RUNS[0], "--data", bills, "--set", "vendor=x", "--module", WISHES)
    assert unknown.code != 0 and "the answer has no field vendor" in unknown.err


def test_where_nothing_was_accepted(office: Path, call: Call) -> None:
    told = call("audit", "--data", office)
    assert (told.code, told.out) == (0, "no answer of an ended run was accepted without a person yet\n")
