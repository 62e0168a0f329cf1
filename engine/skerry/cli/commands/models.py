"""`skerry models`."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import click

from skerry.cli import words
from skerry.cli.app import App, node_command
from skerry.cli.exits import FAILED, NOT_FOUND, Stop
from skerry.cli.out import Cell, Column
from skerry.core.wire import ModelStatus, WorkerStatus
from skerry.errors import SkerryError

MODELS = (
    Column("SIZE"),
    Column("MODEL"),
    Column("BACKEND"),
    Column("PROMPTS", wrap=True),
    Column("STATE"),
    Column("WHY", wrap=True),
)
TRIALS = (
    Column("MODEL"),
    Column(""),
    Column("LOADING", "right"),
    Column("ANSWER", "right"),
    Column("TOKENS", "right"),
    Column("SAID, OR WHY NOT", wrap=True),
)
_STYLES = {"ready": "green", "loading": "cyan", "broken": "bold red", "cannot be used": "bold red"}
_DIGEST_CHARS = len("sha256:") + 12


@node_command(
    "models",
    examples="""
    skerry models
    skerry models --check
    skerry models tiny --check
    skerry models --json | jq '.models[] | select(.usable | not)'
    """,
)
@click.argument("names", nargs=-1)
@click.option("--check", is_flag=True, help="Load each model, ask it one question, and unload it again.")
def command(app: App, names: tuple[str, ...], check: bool) -> None:
    """Show the models of the settings: which would be asked here, in which variant, and why.

    Also which backends are installed, what is missing and how to get it, and which models the workers have loaded.
    With NAMES only these models. With --check they are really loaded and asked, here and now, and the exit code is 1
    when one does not answer. With --json: one document.
    """
    config = app.config
    # `skerry` never imports the workers by name: they are another package.
    told: Any = importlib.import_module("skerry_workers.models.report")
    report = told.report(config.models, config.workers)
    known = {model.name for model in report.models}
    if unknown := [name for name in names if name not in known]:
        hint = f"there are {', '.join(sorted(known))}" if known else "name one in skerry.toml: [models.NAME]"
        raise Stop(f"there is no model {unknown[0]}", hint=hint, code=NOT_FOUND)
    models = [model for model in report.models if not names or model.name in names]
    loaded = _loaded(app)
    trials: list[Any] = []
    if check:
        for name in dict.fromkeys(model.name for model in models):
            with app.out.waiting(f"trying {name} ..."):
                trials.append(app.run(told.try_out(config.models, config.workers, name)))
    app.out.record(
        {
            "machine": report.machine,
            "backends": report.backends,
            "models": [{**_fields(model), "loaded": loaded.get(model.name, [])} for model in models],
            **({"trials": trials} if check else {}),
        }
    )
    _say(app, report, models, {name: [each["status"] for each in at] for name, at in loaded.items()})
    if trials:
        app.out.line()
        app.out.table(TRIALS, map(_trial, trials))
    if failed := [trial.name for trial in trials if trial.error]:
        raise Stop(f"no answer from {', '.join(failed)}", hint="the table says why", code=FAILED)


def _say(app: App, report: Any, models: Sequence[Any], loaded: dict[str, list[ModelStatus]]) -> None:
    out, machine = app.out, report.machine
    cards = f"; {', '.join(machine.gpus)}" if machine.gpus else "; no graphics card"
    flags = f" ({' '.join(machine.flags)})" if machine.flags else ""
    out.line(f"{words.plural(machine.cores, 'core')} of {machine.processor}{flags}{cards}")
    out.line(f"{machine.free_mb:,} MB of {machine.memory_mb:,} MB of memory are free")
    for backend in report.backends:
        if backend.installed and backend.version:
            out.line(f"backend {backend.name}: {backend.version}")
        elif not backend.installed:
            out.line(Cell(f"backend {backend.name}: not installed; {backend.install}", "dim"))
    out.line()
    if models:
        out.table(MODELS, (_cells(model, loaded.get(model.name, [])) for model in models))
    else:
        out.line("no models are named; skerry.toml: [models.NAME] with a path or a url")


def _cells(model: Any, loaded: Sequence[ModelStatus]) -> list[str | Cell]:
    state = "cannot be used" if not model.usable else ""
    digest = ""
    for each in loaded:
        state = each.state if state != "ready" else state
        digest = each.digest[:_DIGEST_CHARS] or digest
    state = state or ("asked first" if model.rank == 1 else f"asked as no. {model.rank}")
    why = "; ".join(filter(None, (*model.why, digest)))
    return [
        model.size,
        model.name,
        model.backend,
        ", ".join(model.prompts) or "all",
        Cell(state, _STYLES.get(state, "")),
        Cell(why, "", model.mend),
    ]


def _trial(trial: Any) -> list[str | Cell]:
    if trial.error:
        return [trial.name, Cell("no answer", "bold red"), "", "", "", Cell(trial.error, "", trial.mend)]
    return [
        trial.name,
        Cell("answers", "green"),
        words.duration(trial.loading_s),
        words.duration(trial.seconds),
        f"{trial.tokens_in}+{trial.tokens_out}",
        Cell(words.cut(trial.answer, 60), "", trial.digest[:_DIGEST_CHARS]),
    ]


def _loaded(app: App) -> dict[str, list[dict[str, Any]]]:
    """By model, the workers that have it, where an engine runs."""
    found: dict[str, list[dict[str, Any]]] = {}
    try:
        workers = app.run(_workers(app))
    except SkerryError:
        return found
    for worker in workers:
        for model in worker.models:
            found.setdefault(model.name, []).append({"worker": worker.name, "status": model})
    return found


async def _workers(app: App) -> list[WorkerStatus]:
    from skerry.cli.engines import connect

    async with connect(app.config) as client:
        return await client.workers()


def _fields(model: Any) -> dict[str, Any]:
    import msgspec

    return msgspec.structs.asdict(model)
