"""A command line to call, and a data folder with known runs."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner
from msgspec import Raw

from skerry.cli import skerry
from skerry.core import events as ev
from skerry.core.answers import Objection
from skerry.core.projection import RunRow
from skerry.journal import SqliteJournal
from skerry.ports import Append

WISHES = "tests.cli.wishes"
NOON_US = 1_780_000_000_000_000
"""2026-05-28 20:26:40 UTC."""


class Ran(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Its JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


Call = Callable[..., Ran]


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No settings but our own, an empty folder, and Greenwich."""
    for name in [name for name in os.environ if name.startswith("SKERRY_")]:
        monkeypatch.delenv(name)
    root = Path(__file__).resolve().parents[2]
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def call() -> Call:
    """Calls the command line in this process."""

    def run(*arguments: str | Path, stdin: str = "") -> Ran:
        done = CliRunner().invoke(skerry, [str(each) for each in arguments], input=stdin)
        return Ran(done.exit_code, done.stdout, done.stderr)

    return run


class _Clock:
    def __init__(self) -> None:
        self.now = NOON_US

    def now_us(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)

    def entropy(self, count: int) -> bytes:
        return b"x" * count


_IDS = tuple(f"office-01KA0000000000000000AAAA{i:02d}" for i in range(1, 5))
DONE, REVIEW, FAILED, CHILD = _IDS

Story = list[tuple[float, ev.Event]]


def _stories() -> dict[str, tuple[RunRow, Story]]:
    def row(run: str, **fields: Any) -> RunRow:
        workflow, version = ("audit", 2) if run == CHILD else ("invoice", 1)
        source = "post" if run in (REVIEW, FAILED) else ""
        return RunRow(run=run, workflow=workflow, version=version, source=source, started_us=NOON_US, **fields)

    wrong = Objection(
        rule="totals", message="net 492.00 and tax 98.40 make 590.40, not 680.40", fields=("gross_total",)
    )
    began: Story = [
        (0, ev.RunStarted(workflow="invoice", version=1, event="invoice.received", event_id="46908e2c04", by="ada")),
        (0, ev.StateEntered(entry=1, state="Received", value=Raw(b'{"state":"Received"}'))),
        (0, ev.StepScheduled(step="1-1", kind="call", target="invoice.read", size="rules")),
    ]
    done: Story = [
        *began,
        (
            0.25,
            ev.StepCompleted(step="1-1", kind="call", target="invoice.read", by="rules-1", value=Raw(b'{"pages":1}')),
        ),
        (0.5, ev.RunCompleted(result="Posted", value=Raw(b'{"posting":1,"number":"A-1"}'))),
    ]
    review: Story = [
        *began,
        (
            1,
            ev.AttemptFailed(
                step="1-1", attempt=1, failure=ev.Failure(kind="WorkerLost", message="no answer"), by="rules-1"
            ),
        ),
        (2, ev.AnswerJudged(step="1-2", attempt=1, size="rules", choice="review", objections=(wrong,))),
        (
            2,
            ev.ReviewOpened(
                step="1-2",
                question="Is this right?",
                objections=(wrong,),
                due_us=NOON_US + 86_400_000_000,
                value=Raw(b'{"gross_total":"680.40"}'),
            ),
        ),
        (86_400, ev.ReviewAnswered(step="1-2", approved=True, by="ada", reason="a typo", overruled=(wrong,))),
    ]
    document = b'{"state":"Received","document":{"sha256":"46908e2c04","size":3,"name":"a.pdf"}}'
    failed: Story = [
        began[0],
        (0, ev.StateEntered(entry=1, state="Received", value=Raw(document))),
        began[2],
        (3, ev.RunFailed(failure=ev.Failure(kind="ValueError", message="no such currency"))),
    ]
    child: Story = [(0, ev.RunStarted(workflow="audit", version=2, parent=f"{DONE}/1-3"))]
    note, wrong_currency = "Is this right?", "ValueError: no such currency"
    return {
        DONE: (row(DONE, status="done", state="Received", entry_n=2, ended_us=NOON_US + 500_000), done),
        REVIEW: (row(REVIEW, status="review", entry_n=2, updated_us=NOON_US + 2_000_000, note=note), review),
        FAILED: (row(FAILED, status="failed", entry_n=2, updated_us=NOON_US + 3_000_000, note=wrong_currency), failed),
        CHILD: (row(CHILD, updated_us=NOON_US, parent=f"{DONE}/1-3"), child),
    }  # fmt: skip


async def _write(folder: Path) -> None:
    clock = _Clock()
    journal = await SqliteJournal.open(folder, node="office", clock=clock)
    try:
        at_us = NOON_US
        for run, (row, story) in _stories().items():
            first: RunRow | None = row
            for n, (seconds, event) in enumerate(story, start=1):
                at_us = max(at_us, NOON_US + int(seconds * 1e6))
                await journal.append(Append(run, n, at_us, (event,), row=first))
                first = None
    finally:
        await journal.close()


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A data folder with four runs: done, in review, failed, and a child that runs."""
    folder = tmp_path / "office"
    asyncio.run(_write(folder))
    return folder
