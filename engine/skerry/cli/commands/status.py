"""`skerry status`."""

from __future__ import annotations

from skerry.cli import words
from skerry.cli.app import App, node_command
from skerry.cli.fleet import unserved
from skerry.cli.out import Cell, Column
from skerry.cli.watches import COLUMNS as WATCH_COLUMNS
from skerry.cli.watches import row as watch_row
from skerry.core import api
from skerry.core.projection import Status
from skerry.core.wire import WorkerStatus
from skerry.errors import Unavailable


@node_command(
    "status",
    examples="""
    skerry status
    skerry status --json | jq .live_runs
    """,
)
def command(app: App) -> None:
    """Show what the engine is doing: live runs, tasks on the bus and waiting for it, workers, what needs attention."""
    status, workers, stopped = app.run(_ask(app))
    out = app.out
    out.record({**_fields(status), "workers": workers, "runs": stopped})
    since = words.moment(status.started_us)
    out.line(f"node {status.node}, skerry {status.software}, process {status.pid}, up since {since}")
    if status.draining:
        out.line(Cell("stopping: takes nothing new", "yellow"))
    out.line(f"{words.plural(status.live_runs, 'live run')} of at most {status.live_runs_max:,}; {status.seq:,} events")
    out.line(f"workflows: {', '.join(status.workflows) or 'none'}")
    out.line()
    columns = (
        Column("SIZE"),
        Column("ON THE BUS", "right"),
        Column("WAITING", "right"),
        Column("WORKERS", "right"),
        Column("BUSY", "right"),
    )
    out.table(columns, (_load(each, workers) for each in status.sizes))
    if status.watches:
        out.line()
        out.table(WATCH_COLUMNS, (watch_row(each) for each in status.watches))
    for standing, count in stopped.items():
        if count:
            least = "at least " if count == _ROWS else ""
            runs = f"{least}{words.plural(count, 'run')} {_SAID[standing]}: skerry runs --status {standing}"
            out.line(Cell(runs, words.STYLES[standing]))
    for note in (*status.notes, *unserved(status.sizes, workers, app.config)):
        out.line(Cell(note, "yellow"))


_SAID: dict[Status, str] = {"review": "in review", "failed": "failed", "parked": "parked"}
_ROWS = 1000
"""As many rows as an engine sends at a time."""


def _load(load: api.SizeLoad, workers: list[WorkerStatus]) -> list[str | Cell]:
    of_size = [worker for worker in workers if worker.size == load.size]
    busy = f"{sum(w.busy for w in of_size)} of {sum(w.slots for w in of_size)}" if of_size else "-"
    count = Cell(str(len(of_size)), "" if of_size else "bold red")
    return [load.size, str(load.on_bus), str(load.waiting), count, busy]


def _fields(status: api.EngineStatus) -> dict[str, object]:
    import msgspec

    return msgspec.structs.asdict(status)


async def _ask(app: App) -> tuple[api.EngineStatus, list[WorkerStatus], dict[Status, int]]:
    """What the engine and the workers say of themselves, and how many runs wait for a person."""
    from skerry.cli.engines import connect

    async with connect(app.config) as client:
        status = await client.status()
        stopped: dict[Status, int] = {
            standing: len(await client.runs(status=(standing,), limit=_ROWS)) for standing in _SAID
        }
        try:
            return status, await client.workers(), stopped
        except Unavailable:  # the bus went away in between
            return status, [], stopped
