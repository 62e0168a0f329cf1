"""Workflows whose telemetry is looked at."""

from __future__ import annotations

from collections.abc import Iterable

from skerry import Done, Objection, Prompt, Retry, RetryableError, State, Step, Workflow, task, task_context
from skerry.core.structs import Frozen

SECRET = "what nobody but the two of us may read"


class Fields(Frozen):
    """An answer."""

    number: str


def _rules(about: dict[str, str]) -> Fields:
    return Fields(number=about["text"][:4])


def good(answer: Fields, about: object) -> Iterable[Objection]:
    """Only one answer is."""
    if answer.number != "4711":
        yield Objection(rule="right", message=f"{answer.number} of {SECRET}", fields=("number",))


PROMPT = Prompt(name="fields", text="What is its number?", rules=_rules)


@task
async def here(text: str) -> str:
    """A local call."""
    return text


@task(size="rules")
async def there(text: str) -> str:
    """On a worker."""
    return text.upper()


@task(size="rules", retry=Retry(attempts=3, first_s=0.01, jitter=0.0))
async def stumbles() -> int:
    """The first attempt fails."""
    if task_context().attempt == 1:
        raise RetryableError(SECRET)
    return task_context().attempt


class Begin(State):
    """Local and remote calls, one after the other and side by side."""

    text: str

    async def run(self, step: Step) -> Ask:
        """On."""
        said = await step.call(here, self.text)
        loud = await step.call(there, said)
        await step.gather(step.call(here, "a"), step.call(there, "b"))
        await step.call(stumbles)
        return Ask(text=loud)


class Ask(State):
    """A cascade of two sizes."""

    text: str

    async def run(self, step: Step) -> Done[str]:
        """Asks."""
        answer = await step.ask(Fields, PROMPT, about={"text": self.text}, verify=(good,), sizes=("rules", "small"))
        return Done(answer.number)


class Child(State):
    """Ends at once."""

    text: str

    async def run(self, step: Step) -> Done[str]:
        """The same."""
        return Done(self.text)


child = Workflow("tell-child", version=1, start=Child, result=str)


class Parent(State):
    """Starts another run."""

    text: str

    async def run(self, step: Step) -> Done[str]:
        """Waits for it."""
        return Done(await step.start(child, Child(text=self.text)))


class Local(State):
    """Nothing but local calls."""

    count: int

    async def run(self, step: Step) -> Done[int]:
        """So many."""
        for _ in range(self.count):
            await step.call(here, SECRET)
        return Done(self.count)


class Fails(State):
    """Raises, unless it is told not to."""

    async def run(self, step: Step) -> Done[str]:
        """Once."""
        await step.call(here, "x")
        if Failing.now:
            raise ValueError(SECRET)
        return Done("well")


class Failing:
    """Whether `Fails` does."""

    now = True


tell = Workflow("tell", version=1, start=Begin, result=str, on="letter.came")
parent = Workflow("tell-parent", version=1, start=Parent, result=str)
local = Workflow("tell-local", version=1, start=Local, result=int)
fails = Workflow("tell-fails", version=1, start=Fails, result=str)
