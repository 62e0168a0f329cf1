"""An evaluation of what a workflow really does: a node of its own, with the sizes and models of the settings.

Every case is published as a document that has come in; what was accepted, by whom, or why a person is asked, is then
read from the journal, where it stands.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec import Raw

from skerry.core import events as ev
from skerry.core.projection import Status
from skerry.core.recall import Placed, effective
from skerry.core.structs import NOTHING, Frozen

if TYPE_CHECKING:
    from skerry.client import Client
    from skerry.config import Config

AT_ONCE = 4
PATIENCE_S = 600.0
_LOOK_S = 0.1
_SETTLED: frozenset[Status] = frozenset(("done", "review", "failed", "parked", "cancelled"))


class Cascade(Protocol):
    """What a workflow's module `evaluate` says of an `ask` of its: see `skerry_workflows.evaluation.Cascade`."""

    @property
    def event(self) -> str:
        """The event with which a document comes in."""
        ...

    @property
    def prompt(self) -> str:
        """The ask's prompt."""
        ...

    @property
    def cases(self) -> Callable[[Path], Iterable[tuple[str, Path]]]:
        """The cases of a folder: id and file."""
        ...

    @property
    def prediction(self) -> Callable[[bytes], dict[str, Any]]:
        """The scorer's shape of an answer's JSON."""
        ...


class Verdict(Frozen):
    """What became of a case. `accepted`: without a person, by the size `by`; `asked` are all sizes that were asked.

    `models` are the fields that come from a model. `objections` are those that a person sees.
    """

    accepted: bool
    by: str = ""
    asked: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    objections: tuple[str, ...] = ()


class Found(Frozen):
    """The answer of each case (the best one, if none was accepted), the verdict, and why some have none."""

    answers: dict[str, Raw]
    verdicts: dict[str, Verdict]
    failures: dict[str, str]


async def evaluate(
    cascade: Cascade, cases: Iterable[tuple[str, Path]], config: Config, progress: Callable[[int, int], None]
) -> Found:
    """Runs all cases through a node in a folder of its own, with the models and workers of `config`."""
    from skerry.client import Client
    from skerry.config import Config
    from skerry.node import open_node

    waiting = list(cases)
    with tempfile.TemporaryDirectory(prefix="skerry-eval-") as folder:
        node = Config(data=Path(folder), workers=config.workers, models=config.models, log_level="error")
        async with open_node(node, workers=True), Client.connect(data=node.data, by="skerry eval") as client:
            runs = await _publish(client, cascade.event, waiting, progress)
        return await _read(node.data, cascade.prompt, runs)


async def _publish(
    client: Client, event: str, cases: list[tuple[str, Path]], progress: Callable[[int, int], None]
) -> dict[str, str]:
    """The case of each run, once all of them are where a person would be asked, or beyond."""
    runs: dict[str, str] = {}
    slots = asyncio.Semaphore(AT_ONCE)
    done = 0

    async def one(case: str, file: Path) -> None:
        nonlocal done
        async with slots:
            (handle,) = await client.publish(event, file=file, source=case)
            runs[handle.run] = case
            give_up_at = time.monotonic() + PATIENCE_S
            while True:
                if (await handle.row()).status in _SETTLED or time.monotonic() > give_up_at:
                    break
                await asyncio.sleep(_LOOK_S)
        done += 1
        progress(done, len(cases))

    await asyncio.gather(*(one(case, file) for case, file in cases))
    return runs


async def _read(folder: Path, prompt: str, runs: Mapping[str, str]) -> Found:
    from skerry.journal import JournalReader

    found = Found(answers={}, verdicts={}, failures={})
    async with await JournalReader.open(folder) as reader:
        async for history in reader.histories():
            case = runs.get(history.row.run)
            if case is None:
                continue
            value, verdict = judged(prompt, history.events)
            if bytes(value):
                found.answers[case], found.verdicts[case] = value, verdict
            else:
                found.failures[case] = history.row.note or history.row.status
    return found


def judged(prompt: str, events: Iterable[Placed]) -> tuple[Raw, Verdict]:
    """What became of the (first) ask of a prompt in a run's events; `NOTHING` when it was never answered."""
    step, value = "", NOTHING
    verdict = Verdict(accepted=False)
    models: dict[str, None] = {}
    for _, _, event in effective(events)[0]:
        if isinstance(event, ev.StepScheduled) and event.kind == "ask" and event.target == prompt and not step:
            step = event.step
        elif isinstance(event, ev.AnswerJudged) and event.step == step:
            verdict = msgspec.structs.replace(verdict, asked=(*verdict.asked, event.size))
            if event.size != "rules":
                models |= dict.fromkeys(event.asked or ("all",))
            if event.choice == "accept":
                verdict = msgspec.structs.replace(verdict, accepted=True, by=event.size, models=tuple(models))
        elif isinstance(event, ev.StepCompleted) and event.step == step:
            value = event.value
        elif isinstance(event, ev.ReviewOpened) and event.step == step:
            value = event.value
            told = tuple(f"{each.rule}: {each.message}" for each in event.objections)
            verdict = msgspec.structs.replace(verdict, objections=told)
    return value, verdict
