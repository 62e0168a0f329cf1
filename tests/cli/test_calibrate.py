"""`skerry calibrate`: thresholds from a journal, shown, written, and taken over by a node."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from pathlib import Path

import msgspec
import pytest
from msgspec import Raw

from skerry import shipped
from skerry.calibration import FILE, Follower, read, thresholds
from skerry.clock import SystemClock
from skerry.core import events as ev
from skerry.core.answers import FieldNote, Objection
from skerry.core.calibration import Calibration
from skerry.core.fleet import Fleet
from skerry.core.projection import RunRow
from skerry.core.thresholds import DEFAULT, NEVER
from skerry.errors import DataError
from skerry.journal import SqliteJournal
from skerry.ports import Append
from tests.cli.conftest import NOON_US, Call

MODEL: dict[str, str | int | float] = {"digest": "sha256:0123456789abcdef", "name": "m"}


def asked(step: str, sure: float, right: bool) -> tuple[ev.Event, ...]:
    """A model answered, doubted for something else; a person left its field as it was, or set another."""
    said, truth = Raw(b'{"number":"1"}'), Raw(b'{"number":"1"}' if right else b'{"number":"2"}')
    doubt = Objection(rule="all", message="hm")
    return (
        ev.StepScheduled(step=step, kind="ask", target="bill", size="small"),
        ev.AnswerJudged(
            step=step,
            attempt=1,
            size="small",
            choice="review",
            objections=(doubt,),
            model=MODEL,
            fields={"number": FieldNote(confidence=sure)},
            value=said,
        ),
        ev.ReviewOpened(step=step, question="?", value=said),
        ev.ReviewAnswered(step=step, approved=True, by="ada", changed=() if right else ("number",)),
        ev.StepCompleted(step=step, kind="ask", target="bill", by="ada", value=truth),
    )


async def write(folder: Path, groups: list[tuple[int, float, bool]]) -> None:
    """So many outcomes of each kind, in one run."""
    run = "office-01KA0000000000000000AAAA01"
    row = RunRow(run=run, workflow="bills", version=1, started_us=NOON_US)
    events: list[ev.Event] = [
        ev.RunStarted(workflow="bills", version=1),
        ev.StateEntered(entry=1, state="Only", value=Raw(b'{"state":"Only"}')),
    ]
    step = 0
    for count, sure, right in groups:
        for _ in range(count):
            step += 1
            events.extend(asked(f"1-{step}", sure, right))
    journal = await SqliteJournal.open(folder, node="office", clock=SystemClock())
    await journal.append(Append(run, 1, NOON_US, tuple(events), row))
    await journal.close()


@pytest.fixture
def bills(tmp_path: Path) -> Path:
    folder = tmp_path / "bills"
    asyncio.run(write(folder, [(120, 0.92, True), (40, 0.65, False)]))
    return folder


def test_what_is_found_is_shown_and_written_only_when_it_is_told(bills: Path, call: Call) -> None:
    told = call("calibrate", "--data", bills, "--risk", "0.05")
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines() == [
        "PROMPT  FIELD   MODEL           N  WRONG  TAKEN FROM  SHARE  RISK AT MOST  NOW",
        "bill    number  0123456789ab  160     40  0.70          75%         4.32%  0.50",
        "160 outcomes of 1 field; --apply takes 1 over",
    ]
    assert not (bills / FILE).exists()
    told = call("calibrate", "--data", bills, "--risk", "0.05", "--apply")
    assert told.out.splitlines()[-1] == f"{bills / FILE}: 1 threshold of 160 outcomes of 1 field"
    assert stat.S_IMODE((bills / FILE).stat().st_mode) == 0o600
    assert read(bills).thresholds().of("bill", "number", str(MODEL["digest"])) == 0.7
    assert call("calibrate", "--data", bills, "--risk", "0.05").out.splitlines()[1].endswith("0.70")


def test_too_few_outcomes_change_nothing(bills: Path, call: Call) -> None:
    told = call("calibrate", "--data", bills, "--apply")
    assert "needs at least n=528" in told.out
    assert told.out.splitlines()[-1] == (
        "160 outcomes of 1 field: too few for a risk of 0.01; each field needs at least n=528"
    )
    assert not (bills / FILE).exists()
    told = call("calibrate", "--data", bills, "--prompt", "other")
    assert told.out.startswith("0 outcomes of 0 fields: no answer with a confidence")


def test_for_programs(bills: Path, call: Call) -> None:
    (found,) = call("calibrate", "--data", bills, "--risk", "0.05", "--apply", "--json").lines
    assert (found["threshold"], found["n"], found["errors"], found["accepted"]) == (0.7, 160, 40, 120)
    assert (found["needs"], found["enough"], found["applied"]) == (104, True, True)
    assert call("calibrate", "--data", bills, "--risk", "1.5").code == 2
    assert call("calibrate", "--data", bills.parent / "nothing").code == 3


def test_a_field_that_is_wrong_however_sure_is_never_taken(tmp_path: Path, call: Call) -> None:
    folder = tmp_path / "wrong"
    asyncio.run(write(folder, [(150, 0.5, True), (50, 1.0, False)]))
    told = call("calibrate", "--data", folder, "--risk", "0.05", "--apply")
    assert told.out.splitlines()[1].split()[5:] == ["never", "0.50"]
    assert call("calibrate", "--data", folder, "--risk", "0.05").out.splitlines()[1].split()[5:] == ["never", "never"]


def test_a_node_takes_over_what_is_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fleet = Fleet()
    follower = Follower(tmp_path, fleet)
    assert fleet.thresholds.default == DEFAULT
    assert not follower.refresh()
    path = tmp_path / FILE
    path.write_bytes(msgspec.json.encode(Calibration(default=0.8)))
    assert follower.refresh()
    assert fleet.thresholds.default == 0.8
    assert not follower.refresh()
    for broken in (b"{", b'{"version":2}'):
        path.write_bytes(broken)
        os.utime(path, ns=(1, len(broken)))
        assert not follower.refresh()
        assert fleet.thresholds.default == 0.8
        with pytest.raises(DataError, match=FILE):
            Follower(tmp_path, Fleet())
    assert "the thresholds stay as they are" in caplog.text
    path.unlink()
    assert follower.refresh()
    assert fleet.thresholds.default == DEFAULT


def test_a_nodes_own_thresholds_go_before_those_of_the_model_that_comes_with_skerry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, own = tmp_path / "shipped", tmp_path / "own"
    for folder, values in ((place, {"a": 0.9, "b": 0.8}), (own, {"b": None})):
        folder.mkdir()
        fields = [
            {"prompt": "p", "field": f, "model": "m", "threshold": t, "n": 1, "errors": 0} for f, t in values.items()
        ]
        (folder / FILE).write_text(json.dumps({"fields": fields}))
    monkeypatch.setattr(shipped, "folder", lambda: place)
    found = thresholds(own)
    assert [found.of("p", field, "m") for field in "abc"] == [0.9, NEVER, 0.5]
    monkeypatch.setattr(shipped, "folder", lambda: None)
    assert thresholds(own).of("p", "a", "m") == 0.5
