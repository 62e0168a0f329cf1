"""The same workflow and version, but its code does something else: nobody should do this to live runs."""

from __future__ import annotations

from skerry import Done, State, Step, Workflow, task
from tests.faults.flows import Word


@task(name="second")
async def second(text: str) -> str:
    """Something else."""
    return f"second {text}"


class Begin(State):
    """Calls `second`, then waits."""

    text: str

    async def run(self, step: Step) -> Done[str]:
        """Both."""
        done = await step.call(second, self.text)
        word = await step.wait(Word)
        return Done(f"{done} {word.text}")


changing = Workflow("changing", version=1, start=Begin, result=str)
