"""`skerry demo`."""

from __future__ import annotations

import asyncio
import importlib
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from skerry.cli import logs
from skerry.cli.app import PLAIN, App, node_command
from skerry.cli.board import Board
from skerry.cli.commands import ledger as ledger_command
from skerry.cli.exits import FAILED, Stop
from skerry.cli.look import short
from skerry.cli.out import Cell, Column
from skerry.cli.stopping import Stopping
from skerry.cli.story import in_a_line
from skerry.client.ended import RunEvent, seen
from skerry.core import events as ev
from skerry.core.projection import RunRow, Status

if TYPE_CHECKING:
    from skerry.client import Client
    from skerry.config import Config

_EVENT = "invoice.received"
_DOCUMENTS = "skerry_workflows.invoice.demo"
_POLL_S = 0.1
_PATIENCE_S = 45.0
_AT_ONCE = 3
SETTLED: frozenset[Status] = frozenset(("done", "review", "failed", "parked", "cancelled"))
"""There a run stays without a person."""


class Shown(NamedTuple):
    """A document, the run that it led to, and why that is where it is."""

    document: str
    row: RunRow
    why: str


@node_command(
    "demo",
    options=("data", *PLAIN),
    examples="""
    skerry demo
    skerry demo --data ./tryout
    skerry demo --json
    """,
)
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 16), help="Processes of size rules.")
def command(app: App, workers: int, **_: Any) -> None:
    """Process bundled invoices through the real thing, and show what happened to each, and why.

    Starts a NATS server, an engine and worker processes, and stops them at the end. Rules read first, then the small
    model that comes with Skerry (or those of your settings), then a person is asked. Its data stay in a temporary
    folder, so that you can look around (with --json: they are removed), or in the folder that --data names.
    """
    logs.configure("error")
    given = app.given("data")
    folder = Path(given) if given else Path(tempfile.mkdtemp(prefix="skerry-demo-"))
    temporary = given is None
    began = time.monotonic()
    # Whoever ends it, and whenever, everything is stopped and tidied up: SIGTERM counts as Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        shown = app.run(_demo(app, _config(folder, workers, app.config)))
        seconds = round(time.monotonic() - began, 2)
        _report(app, folder, shown, seconds, temporary=temporary)
    except BaseException as error:
        if temporary:
            shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, asyncio.CancelledError):
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
    if temporary and app.out.json:
        shutil.rmtree(folder, ignore_errors=True)
    _judge(shown)


def _config(folder: Path, processes: int, given: Config) -> Config:
    """The demo's own settings: of those of a real node it obeys what they say of models and of telemetry."""
    from skerry.config import Config, Workers

    return Config(
        data=folder,
        workers={**given.workers, "rules": Workers(processes=processes, slots=2)},
        models=given.models,
        log_level="error",
        telemetry=given.telemetry,
    )


async def _demo(app: App, config: Config) -> list[Shown]:
    from skerry.client import Client
    from skerry.node import open_node

    stopping = Stopping()
    whole = asyncio.current_task()
    assert whole is not None
    documents: tuple[Path, ...] = importlib.import_module(_DOCUMENTS).documents()
    out = app.out
    if not out.json:
        out.line(Cell("Starting a NATS server, an engine and workers ...", "dim"))
        out.line()
    async with open_node(config, workers=True), Client.connect(data=config.data, by="skerry demo") as client:
        stopping.ready(whole.cancel)
        with Board(out, [document.name for document in documents]) as board:
            return await _watch(client, list(documents), board)


async def _watch(client: Client, documents: list[Path], board: Board) -> list[Shown]:
    """Publishes one after the other, until every run is where it stays. Raises `Stop` when that takes too long."""
    deadline = time.monotonic() + _PATIENCE_S
    runs: dict[str, str] = {}
    shown: dict[str, Shown] = {}
    while True:
        # Few at a time, as post comes in; a copy then comes when its original was posted.
        while documents and sum(each.row.status not in SETTLED for each in shown.values()) < _AT_ONCE:
            document = documents.pop(0)
            handle = (await client.publish(_EVENT, file=document))[0]
            runs.setdefault(handle.run, document.name)
            shown[handle.run] = Shown(document.name, await handle.row(), "")
        rows = {row.run: row for row in await client.runs(limit=1000)}
        for run, document_name in runs.items():
            row = rows[run]
            why = shown[run].why
            if row.status in SETTLED and not why:
                events = [seen(each) for each in (await client.show(run)).events]
                why = f"{in_a_line(events) or row.note}{_by_model(events)}"
            shown[run] = Shown(document_name, row, why)
        board.update([(each.document, each.row, each.why) for each in shown.values()])
        if not documents and all(each.row.status in SETTLED for each in shown.values()):
            return list(shown.values())
        if time.monotonic() > deadline:
            slow = [each.document for each in shown.values() if each.row.status not in SETTLED]
            raise Stop(f"not finished after {_PATIENCE_S:.0f} s: {', '.join(slow)}", hint="skerry doctor", code=FAILED)
        await asyncio.sleep(_POLL_S)


def _by_model(events: list[RunEvent]) -> str:
    """Which fields a model has read of what was accepted, in words."""
    for each in events:
        event = each.event
        if isinstance(event, ev.AnswerJudged) and event.choice == "accept" and event.size != "rules":
            fields = ", ".join(name.replace("_", " ") for name in event.asked) or "all of it"
            return f" (size {event.size} has read the {fields})"
    return ""


def _report(app: App, folder: Path, shown: list[Shown], seconds: float, *, temporary: bool) -> None:
    out = app.out
    count = {status: sum(each.row.status == status for each in shown) for status in SETTLED}
    failed = len(shown) - count["done"] - count["review"]
    out.record(
        {
            "runs": len(shown),
            "done": count["done"],
            "review": count["review"],
            "failed": failed,
            "seconds": seconds,
        }
    )
    if out.json:
        return
    out.line()
    numbers: list[str | Cell] = [
        str(len(shown)),
        Cell(str(count["done"]), "green"),
        Cell(str(count["review"]), "bold yellow"),
        Cell(str(failed), "bold red" if failed else ""),
        f"{seconds:.1f}",
    ]
    titles = ("DOCUMENTS", "DONE", "IN REVIEW", "FAILED", "SECONDS")
    out.table([Column(title, "right") for title in titles], [numbers])
    out.line()
    out.line(Cell("The ledger: each invoice once", "bold"))
    with ledger_command.open_ledger(folder / "ledger.db") as ledger:
        ledger_command.show(out, list(ledger.entries()))
    out.line()
    _advise(app, folder, shown, temporary=temporary)


def _advise(app: App, folder: Path, shown: list[Shown], *, temporary: bool) -> None:
    """Three commands to go on with."""
    out = app.out
    review = next((each for each in shown if each.row.status == "review"), shown[0])
    name = short(review.row.run)
    # Called by its path, from an environment that is not active, it is to be called so again.
    skerry = sys.argv[0] if Path(sys.argv[0]).name == "skerry" and shutil.which("skerry") is None else "skerry"
    out.line(Cell("Go on from here:", "bold"))
    for line, what in (
        (f"{skerry} show {name} --data {folder}", f"what happened to {review.document}, step by step"),
        (f"{skerry} approve {name} --data {folder}", "say yes to what it asks"),
        (f"{skerry} up --data {folder}", "run it on: what was approved is posted"),
    ):
        out.line(f"  {line}")
        out.line(Cell(f"      {what}", "dim"))
    if temporary:
        out.line(Cell(f"Everything is stopped. The data are in {folder}; remove it when you are done.", "dim"))


def _judge(shown: list[Shown]) -> None:
    """Raises `Stop` when a document failed."""
    failed = [each.document for each in shown if each.row.status not in ("done", "review")]
    if failed:
        raise Stop(f"failed: {', '.join(failed)}", hint="skerry doctor; skerry show RUN says why", code=FAILED)
