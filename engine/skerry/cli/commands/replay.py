"""`skerry replay`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from skerry.cli import words
from skerry.cli.app import WITH_MODULES, App, node_command
from skerry.cli.exits import FAILED, USAGE, Stop
from skerry.cli.look import JournalLook, find_run, require_journal, short
from skerry.cli.out import Cell, Column
from skerry.core.projection import RunRow
from skerry.core.replay import Replay, replay
from skerry.core.workflow import Workflow
from skerry.errors import NotFound

if TYPE_CHECKING:
    from skerry.journal.reader import History
    from skerry.registry import Registry

_COLUMNS = (Column("RUN"), Column("WORKFLOW"), Column("WHAT DIFFERS", wrap=True))


@node_command(
    "replay",
    options=WITH_MODULES,
    examples="""
    skerry replay latest
    skerry replay --all
    skerry replay --all --json | jq 'select(.agrees | not)'
    """,
)
@click.argument("run", required=False, default="")
@click.option("--all", "everything", is_flag=True, help="Every run in the journal.")
def command(app: App, run: str, everything: bool) -> None:
    """Drive a RUN again from its journal alone, and compare what the code does with what it did.

    No bus, no model, no clock, no network: tasks do not run again. An engine may be running meanwhile. With --json:
    one line a run. Exits with 1 when one differs.
    """
    if bool(run) == everything:
        raise Stop("which runs?", hint="name a run, or say --all", code=USAGE)
    found = app.run(_replay(app, run))
    differing = [(row, told) for row, told in found if not told.agrees]
    for row, told in found:
        app.out.record({"workflow": row.workflow, "version": row.version, **_fields(told)})
    if differing:
        app.out.table(_COLUMNS, (_cells(row, told) for row, told in differing))
    pruned = sum(_is_pruned(told) for _, told in found)
    events = sum(told.events for _, told in found)
    drifts = sum(len(told.drifts) for _, told in found)
    said = f"{words.plural(len(found), 'run')}, {words.plural(events, 'event')}"
    if pruned:
        said += f" ({pruned:,} pruned: nothing is left of them to compare)"
    if drifts:
        said += f", {words.plural(drifts, 'drift')} (other arguments than recorded; the recorded outcomes stand)"
    if differing:
        hint = "bring back the code that they were recorded with, or raise the workflow's version"
        raise Stop(f"{len(differing)} of {said} differ", hint=hint, code=FAILED)
    app.out.line(Cell(f"{said}: code and journal agree", "green"))


async def _replay(app: App, run: str) -> list[tuple[RunRow, Replay]]:
    from skerry.journal import JournalReader
    from skerry.registry import load

    require_journal(app.config)
    registry = load(app.config.modules)
    async with await JournalReader.open(app.config.data) as reader:
        if run:
            row = await find_run(JournalLook(reader), run)
            return [(row, _one(registry, await reader.history(row)))]
        found: list[tuple[RunRow, Replay]] = []
        with app.out.progress("replaying") as advance:
            async for history in reader.histories():
                found.append((history.row, _one(registry, history)))
                advance(len(found))
    return sorted(found, key=lambda each: each[0].run, reverse=True)  # newest first, as everywhere


def _one(registry: Registry, history: History) -> Replay:
    """What a replay of this run finds; that it cannot be replayed is found, too."""
    row = history.row
    try:
        workflow = _workflow(registry, row)
    except NotFound as error:
        return Replay(run=row.run, events=0, agrees=False, problem=error.message)
    if history.damage is not None:
        return Replay(run=row.run, events=0, agrees=False, problem=history.damage.message)
    if history.pruned:  # there is nothing to compare with any more, and nothing wrong with that
        return Replay(run=row.run, events=0, agrees=True)
    return replay(workflow, row, history.events)


def _workflow(registry: Registry, row: RunRow) -> Workflow[Any]:
    known = registry.workflows.get((row.workflow, row.version))
    return registry.workflow(row.workflow) if known is None else known


def _fields(told: Replay) -> dict[str, Any]:
    import msgspec

    drifts = [each._asdict() for each in told.drifts]
    return {**msgspec.structs.asdict(told), "drifts": drifts, "pruned": _is_pruned(told)}


def _is_pruned(told: Replay) -> bool:
    return told.agrees and not told.events


def _cells(row: RunRow, told: Replay) -> list[str | Cell]:
    differs = f"expected {told.expected}, got {told.got}" if told.expected or told.got else ""
    return [short(row.run), f"{row.workflow} v{row.version}", Cell(told.problem, "bold red", differs)]
