"""`skerry workers`."""

from __future__ import annotations

from skerry.cli import words
from skerry.cli.app import App, node_command
from skerry.cli.fleet import unserved
from skerry.cli.out import Cell, Column
from skerry.core.wire import ModelStatus, WorkerStatus
from skerry.errors import Unavailable

COLUMNS = (
    Column("WORKER"),
    Column("SIZE"),
    Column("STATE"),
    Column("BUSY", "right"),
    Column("DONE", "right"),
    Column("FAILED", "right"),
    Column("AGE", "right"),
    Column("MODELS", wrap=True),
    Column("HOST"),
    Column("PROCESS", "right"),
    Column("TASKS", wrap=True),
)
_STYLES = {
    "ready": "green",
    "starting": "cyan",
    "loading": "cyan",
    "warming": "cyan",
    "draining": "yellow",
    "broken": "bold red",
}


@node_command(
    "workers",
    examples="""
    skerry workers
    skerry workers --json | jq -r 'select(.state == "broken").name'
    """,
)
def command(app: App) -> None:
    """List the workers that are there: what they serve, and what they are doing. With --json: one a line.

    A worker of a size other than rules shows its models: loaded (with the memory they take), unloaded until they are
    asked, or broken. Below the table stands which tasks wait because nobody serves their size.
    """
    from skerry.cli.engines import connect

    async def ask() -> tuple[list[WorkerStatus], list[str]]:
        async with connect(app.config) as client:
            found = await client.workers()
            try:
                return found, unserved((await client.status()).sizes, found, app.config)
            except Unavailable:  # the bus is there, the engine is not
                return found, []

    workers, missing = app.run(ask())
    for worker in workers:
        app.out.record(worker)
    if workers:
        app.out.table(COLUMNS, map(cells, workers))
    else:
        app.out.line("no workers answer; start one: skerry worker --size rules")
    for sentence in missing:
        app.out.line(Cell(sentence, "bold yellow"))


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
        words.duration((words.now_us() - worker.started_us) / 1e6) if worker.started_us else "",
        "; ".join(map(_model, worker.models)),
        worker.host,
        str(worker.pid),
        worker.reason or ", ".join((*worker.tasks, *worker.prompts)),
    ]


def _model(model: ModelStatus) -> str:
    memory = f", {model.memory_mb} MB" if model.memory_mb else ""
    away = ", cannot be reached" if model.away else ""
    return f"{model.name} ({model.state}{memory}{away})"
