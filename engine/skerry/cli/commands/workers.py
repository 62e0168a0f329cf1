"""`skerry workers`."""

from __future__ import annotations

from skerry.cli import words
from skerry.cli.app import App, node_command
from skerry.cli.out import Cell, Column
from skerry.core.wire import WorkerStatus

COLUMNS = (
    Column("WORKER"),
    Column("SIZE"),
    Column("STATE"),
    Column("BUSY", "right"),
    Column("DONE", "right"),
    Column("FAILED", "right"),
    Column("HOST"),
    Column("PROCESS", "right"),
    Column("TASKS", wrap=True),
)
_STYLES = {"ready": "green", "starting": "cyan", "draining": "yellow", "broken": "bold red"}


@node_command(
    "workers",
    examples="""
    skerry workers
    skerry workers --json | jq -r 'select(.state == "broken").name'
    """,
)
def command(app: App) -> None:
    """List the workers that are there: what they serve, and what they are doing. With --json: one a line."""
    from skerry.cli.engines import connect

    async def ask() -> list[WorkerStatus]:
        async with connect(app.config) as client:
            return await client.workers()

    workers = app.run(ask())
    for worker in workers:
        app.out.record(worker)
    if workers:
        app.out.table(COLUMNS, map(cells, workers))
    else:
        app.out.line("no workers answer; start one: skerry worker --size rules")


def cells(worker: WorkerStatus) -> list[str | Cell]:
    """A row of the table."""
    lost = f" ({words.plural(worker.lost, 'slot')} lost)" if worker.lost else ""
    return [
        worker.name,
        worker.size,
        Cell(worker.state + lost, _STYLES.get(worker.state, "")),
        f"{worker.busy} of {worker.slots}",
        str(worker.done),
        str(worker.failed),
        worker.host,
        str(worker.pid),
        worker.reason or ", ".join((*worker.tasks, *worker.prompts)),
    ]
