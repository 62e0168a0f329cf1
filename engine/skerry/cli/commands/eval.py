"""`skerry eval`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import click
import msgspec

from skerry.cli import private, words
from skerry.cli.app import PLAIN, App, node_command
from skerry.cli.exits import USAGE, Stop

_MODULES = {
    "skerry_workflows.email.evaluate": ("emails", ("mime", "threads", "replies")),
    "skerry_workflows.invoice.evaluate": ("invoices", ("invoices", "duplicates")),
    "skerry_workflows.scheduling.evaluate": (
        "calendars",
        ("occurrences", "window", "start_times", "rrule", "freebusy", "reminders", "tz"),
    ),
}
"""Where the tasks are: a module with `TASKS`, the name of its folder of cases, and its tasks (so that `--help` and a
mistyped one load nothing)."""
_TASKS = {task: (module, name) for module, (name, tasks) in _MODULES.items() for task in tasks}


@node_command(
    "eval",
    options=PLAIN,
    examples="""
    skerry eval invoices cases/invoices --out predictions.json
    """,
)
@click.argument("task")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DATA_DIR")
@click.option(
    "--out", "to", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Where predictions go."
)
def command(app: App, task: str, folder: Path, to: Path) -> None:
    """Run a workflow's part of the work over every case of a folder, and write {case: prediction}.

    DATA_DIR is a folder of cases of TASK, or one that has it as a subfolder. A case that fails is left out and told on
    stderr; it is never fatal.
    """
    if task not in _TASKS:
        raise Stop(f"there is no task {task}", hint=f"tasks: {', '.join(_TASKS)}", code=USAGE)
    module, name = _TASKS[task]
    evaluate: Any = importlib.import_module(module)
    out = app.out
    with out.progress(task) as advance:
        predictions, failures = evaluate.TASKS[task](folder / name if (folder / name).is_dir() else folder, advance)
    for failure in failures:
        out.note(f"left out: {failure.id}: {failure.reason}")
    with open(to, "wb", opener=private.opener) as file:
        file.write(msgspec.json.format(msgspec.json.encode(predictions, order="deterministic"), indent=1) + b"\n")
    out.record({"task": task, "predictions": len(predictions), "left_out": len(failures), "out": str(to)})
    left = f", {len(failures)} left out" if failures else ""
    out.line(f"{to}: {words.plural(len(predictions), 'prediction')}{left}")
