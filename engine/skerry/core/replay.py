"""Driving a whole run again from its journal, and comparing: no bus, no model, no clock, no network (promise J6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skerry.core.execution import Execution
from skerry.core.projection import RunRow
from skerry.core.recall import Drift, Placed, Recall, effective
from skerry.core.structs import Frozen
from skerry.core.workflow import Workflow
from skerry.errors import DataError, NondeterminismError


class Replay(Frozen):
    """What a replay found. `agrees` when the code did all that the journal says, and nothing else."""

    run: str
    events: int
    agrees: bool
    problem: str = ""
    expected: str = ""
    got: str = ""
    drifts: tuple[Drift, ...] = ()


def replay(workflow: Workflow[Any], row: RunRow, events: Sequence[Placed]) -> Replay:
    """Feeds all of a run's events to its code and compares every state, step and result."""
    run = Execution(workflow, row)
    kept, run.used = effective(events)
    recall = Recall(run)
    problem = expected = got = ""
    try:
        recall.feed(kept)
    except NondeterminismError as error:
        problem, expected, got = error.message, error.expected, error.got
    except DataError as error:
        problem = error.message
    finally:
        if run.machine is not None:
            run.machine.close()
    return Replay(
        run=row.run,
        events=len(events),
        agrees=not problem,
        problem=problem,
        expected=expected,
        got=got,
        drifts=tuple(recall.drifts),
    )
