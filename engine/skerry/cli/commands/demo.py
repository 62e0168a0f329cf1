"""`skerry demo`."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.cli import logs, parts, report
from skerry.cli.app import PLAIN, App, node_command
from skerry.cli.board import Board
from skerry.cli.exits import FAILED, Stop
from skerry.cli.out import Cell
from skerry.cli.playing import Shown, play
from skerry.cli.stopping import Stopping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skerry.config import Config


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
    """Let all three workflows work on bundled mail, invoices and meetings, and show what became of each, and why.

    Starts a NATS server, an engine and worker processes, and stops them at the end. Rules read first, then the small
    model that comes with Skerry (or those of your settings), then a person is asked: the commands that answer are
    shown. Nothing is sent: drafts and invitations are files. All data stay in a temporary folder, so that you can look
    around (with --json: they are removed), or in the folder that --data names: a new one, or that of an earlier demo.
    """
    logs.configure("error")
    given = app.given("data")
    folder = Path(given) if given else Path(tempfile.mkdtemp(prefix="skerry-demo-"))
    temporary = given is None
    began = time.monotonic()
    # Whoever ends it, and whenever, everything is stopped and tidied up: SIGTERM counts as Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        played = parts.load(folder, datetime.now(UTC))
        shown = app.run(_demo(app, _config(folder, workers, app.config), played))
        seconds = round(time.monotonic() - began, 2)
        app.out.record(report.summary(shown, seconds))
        if not app.out.json:
            report.report(app.out, played, shown, seconds, folder)
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
    elif temporary:
        app.out.line(Cell(f"Everything is stopped. The data are in {folder}; remove it when you are done.", "dim"))
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


async def _demo(app: App, config: Config, played: Sequence[parts.Part]) -> list[Shown]:
    from skerry.client import Client
    from skerry.node import open_node

    stopping = Stopping()
    whole = asyncio.current_task()
    assert whole is not None
    out = app.out
    out.line(Cell("Starting a NATS server, an engine and workers ...", "dim"))
    out.line()
    async with open_node(config, workers=True), Client.connect(data=config.data, by="skerry demo") as client:
        stopping.ready(whole.cancel)
        with Board(out, played) as board:
            return await play(client, played, board.update)


def _judge(shown: list[Shown]) -> None:
    """Raises `Stop` when a run failed."""
    failed = [each.name for each in shown if each.row.status not in ("done", "review")]
    if failed:
        raise Stop(f"failed: {', '.join(failed)}", hint="skerry doctor; skerry show RUN says why", code=FAILED)
