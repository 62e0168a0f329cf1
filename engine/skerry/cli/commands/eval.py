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

_TASKS = {"invoices": "skerry_workflows.invoice.evaluate", "duplicates": "skerry_workflows.invoice.evaluate"}
"""Which module knows each task."""


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
    """Run a workflow's extraction over every case of DATA_DIR/manifest.json, and write {case: prediction}.

    TASK is `invoices` or `duplicates`. A case that fails is left out and told on stderr; it is never fatal.
    """
    if task not in _TASKS:
        raise Stop(f"there is no task {task}", hint=f"tasks: {', '.join(_TASKS)}", code=USAGE)
    evaluate: Any = importlib.import_module(_TASKS[task])
    out = app.out
    with out.progress(task) as advance:
        if task == "duplicates":
            extracted, failures = evaluate.extract_all(folder, advance)
            predictions = evaluate.predict_duplicates(folder, extracted)
        else:
            predictions, failures = evaluate.predict(folder, advance)
    for failure in failures:
        out.note(f"left out: {failure.id}: {failure.reason}")
    with open(to, "wb", opener=private.opener) as file:
        file.write(msgspec.json.format(msgspec.json.encode(predictions, order="deterministic"), indent=1) + b"\n")
    out.record({"task": task, "predictions": len(predictions), "left_out": len(failures), "out": str(to)})
    left = f", {len(failures)} left out" if failures else ""
    out.line(f"{to}: {words.plural(len(predictions), 'prediction')}{left}")
