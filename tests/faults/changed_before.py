"""A workflow, as it was when its runs began."""

from __future__ import annotations

from skerry import Done, State, Step, Workflow, task
from tests.faults.flows import Word


@task(name="first")
async def first(text: str) -> str:
    """Something that was done."""
    return f"first {text}"


class Begin(State):
    """Calls `first`, then waits."""

    text: str

    async def run(self, step: Step) -> Done[str]:
        """Both."""
        done = await step.call(first, self.text)
        word = await step.wait(Word)
        return Done(f"{done} {word.text}")


changing = Workflow("changing", version=1, start=Begin, result=str)
