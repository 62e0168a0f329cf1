"""What is too long for the bus fails its step; it is not sent for ever, and the run does not hang."""

from __future__ import annotations

from datetime import timedelta

from skerry import Done, Prompt, State, Step, StepFailed, Workflow
from skerry.testing import Lab

LONG = "x" * 2_000_000


class Emits(State):
    async def run(self, step: Step) -> Done[str]:
        try:
            await step.emit("much.said", LONG)
        except StepFailed as error:
            return Done(str(error))
        return Done("sent")


def by_rules(text: str) -> str:
    return text


class Asks(State):
    async def run(self, step: Step) -> Done[str]:
        try:
            await step.ask(str, Prompt(name="long", text=LONG, rules=by_rules), about="it")
        except StepFailed as error:
            return Done(str(error))
        return Done("asked")


emits = Workflow("emits", version=1, start=Emits, result=str)
asks = Workflow("asks", version=1, start=Asks, result=str)


async def test_an_event_that_is_too_long_fails_its_step() -> None:
    async with Lab(emits) as lab:
        assert "2000002 bytes" in await lab.result(await lab.start(emits, Emits()))


async def test_a_task_that_is_too_long_fails_its_step() -> None:
    async with Lab(asks) as lab:
        run = await lab.start(asks, Asks())
        await lab.skip(timedelta(seconds=1))
        assert "cannot be sent" in await lab.result(run)
        assert lab.engine.outbox.load() == {"rules": (0, 0)}
