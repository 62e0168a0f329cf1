"""Errands: what only the cloud can do. Whoever does one notes it in a file."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Literal

import msgspec

from skerry import Done, Prompt, State, Step, Workflow, task, task_context


class Fetched(msgspec.Struct, frozen=True):
    """It is here."""

    what: str


@task(size="cloud", timeout=timedelta(seconds=60))
def fetch(what: str) -> str:
    """Fetches it, far away."""
    with (Path(os.environ["ERRANDS"]) / "done").open("a") as file:
        file.write(f"{task_context().key}\n")
    if what == "nothing":
        os._exit(1)  # it takes its worker with it
    return f"{what} from afar" + "!" * (600_000 if what == "much" else 0)


class Fetch(State):
    """A call for the cloud waits as long as it takes."""

    what: str

    async def run(self, step: Step) -> Done[Fetched]:
        """Fetches it."""
        return Done(Fetched(what=await step.call(fetch, self.what)))


WONDER = Prompt(name="wonder", text="What is it?", question="What may it be?")


class Wonder(State):
    """An ask for the cloud does what it says when there is none."""

    offline: Literal["wait", "review", "skip"]
    seconds: int = 0

    async def run(self, step: Step) -> Done[Fetched]:
        """Asks."""
        deadline = timedelta(seconds=self.seconds) if self.seconds else None
        how = self.offline
        return Done(await step.ask(Fetched, WONDER, about="it", sizes=("cloud",), offline=how, deadline=deadline))


errands = Workflow("errands", version=1, start=Fetch, on="errand.given", result=Fetched)
wonders = Workflow("wonders", version=1, start=Wonder, on="wonder.had", result=Fetched)
