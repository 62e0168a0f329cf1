"""A workflow of three states."""

from __future__ import annotations

from skerry.core.state import Done, State
from skerry.core.step import Step
from skerry.core.workflow import Workflow
from skerry.errors import Cancelled
from tests.core.scripts import A, local


class First(State):
    how: str = ""

    async def run(self, step: Step) -> Second | Done[int]:
        try:
            await step.call(local, "x")
        except Cancelled:
            if self.how == "error":
                raise ValueError("cleanup is wrong") from None
            if self.how == "done":
                return Done(1)
        return Second() if self.how != "wrong" else 17  # type: ignore[return-value]


class Second(State):
    async def run(self, step: Step) -> Third:
        return Third()


class Third(State):
    async def run(self, step: Step) -> Done[int]:
        await step.wait(A)
        return Done(2)


relay = Workflow("relay", version=1, start=First, result=int)
