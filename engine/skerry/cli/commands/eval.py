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
    "skerry_workflows.email.evaluate": ("emails", ("mime", "threads", "replies", "spam", "banking77", "clinc150")),
    "skerry_workflows.invoice.evaluate": (
        "invoices",
        (
            "invoices",
            "invoices-xml",
            "invoices-hybrid",
            "invoices-pdf",
            "invoices-image",
            "invoices-text",
            "duplicates",
            "rules",
            "validity",
        ),
    ),
    "skerry_workflows.scheduling.evaluate": (
        "calendars",
        ("occurrences", "window", "start_times", "rrule", "freebusy", "reminders", "tz", "itip"),
    ),
    "skerry_workflows.scheduling.evaluate_mail": ("emails", ("imip",)),
    "skerry_workflows.scheduling.phrases.evaluate": ("timex", ("timex",)),
}
"""Where the tasks are: a module with `TASKS`, the name of its folder of cases, and its tasks (so that `--help` and a
mistyped one load nothing)."""
_TASKS = {task: (module, name) for module, (name, tasks) in _MODULES.items() for task in tasks}


@node_command(
    "eval",
    options=PLAIN,
    examples="""
    skerry eval invoices cases/invoices --out predictions.json
    skerry eval invoices cases/invoices --out predictions.json --cascade --verdicts verdicts.json
    """,
)
@click.argument("task")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DATA_DIR")
@click.option(
    "--out", "to", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Where predictions go."
)
@click.option("--cascade", is_flag=True, help="Through a whole node: all sizes and models of the settings.")
@click.option(
    "--verdicts",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --cascade: where to write what was accepted without a person, by which size, or why not.",
)
def command(app: App, task: str, folder: Path, to: Path, cascade: bool, verdicts: Path | None) -> None:
    """Run a workflow's part of the work over every case of a folder, and write {case: prediction}.

    DATA_DIR is a folder of cases of TASK, or one that has it as a subfolder. A case that fails is left out and told on
    stderr; it is never fatal. With --cascade a node is started for it, and the best answer of all sizes is the
    prediction, accepted or not.
    """
    if task not in _TASKS:
        raise Stop(f"there is no task {task}", hint=f"tasks: {', '.join(_TASKS)}", code=USAGE)
    module, name = _TASKS[task]
    evaluate: Any = importlib.import_module(module)
    out = app.out
    within = folder / name if (folder / name).is_dir() else folder
    if cascade:
        predictions, failures = _through_a_node(app, evaluate, task, within, verdicts)
    else:
        with out.progress(task) as advance:
            predictions, missing = evaluate.TASKS[task](within, advance)
        failures = {each.id: each.reason for each in missing}
    for id, reason in failures.items():
        out.note(f"left out: {id}: {reason}")
    _write(to, predictions)
    out.record({"task": task, "predictions": len(predictions), "left_out": len(failures), "out": str(to)})
    left = f", {len(failures)} left out" if failures else ""
    out.line(f"{to}: {words.plural(len(predictions), 'prediction')}{left}")


def _through_a_node(
    app: App, module: Any, task: str, folder: Path, verdicts: Path | None
) -> tuple[dict[str, Any], dict[str, str]]:
    """Predictions, and why there are none, by case."""
    from skerry.cli import cascading

    whole = getattr(module, "CASCADES", {}).get(task)
    if whole is None:
        raise Stop(f"{task} asks no models", hint="leave --cascade out", code=USAGE)
    cases = list(whole.cases(folder))
    with app.out.progress(task) as advance:
        found = app.run(cascading.evaluate(whole, cases, app.config, advance))
    if verdicts is not None:
        _write(verdicts, found.verdicts)
    accepted = sum(each.accepted for each in found.verdicts.values())
    by_models = sum(each.accepted and bool(each.models) for each in found.verdicts.values())
    app.out.line(f"{accepted} of {words.plural(len(cases), 'case')} accepted without a person, {by_models} by a model")
    return {case: whole.prediction(bytes(answer)) for case, answer in found.answers.items()}, found.failures


def _write(to: Path, what: Any) -> None:
    with open(to, "wb", opener=private.opener) as file:
        file.write(msgspec.json.format(msgspec.json.encode(what, order="deterministic"), indent=1) + b"\n")
