"""Wrong code: every line that ends in `# error` is refused by mypy and pyright, and no other line is."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from skerry import Done, Prompt, State, Step, Workflow, task


class Fields(msgspec.Struct):
    total: int


class Reply(msgspec.Struct):
    text: str


@task
def length(text: str) -> int:
    return len(text)


@task(size="small")
async def double(number: int, *, loud: bool = False) -> int:
    return number * 2


@task(size="huge")  # error
def nowhere(text: str) -> int:
    return len(text)


PROMPT = Prompt(name="what")


class Next(State):
    fields: Fields

    async def run(self, step: Step) -> Done[int]:
        return Done(self.fields.total)


class Other(State):
    async def run(self, step: Step) -> Done[int]:
        return Done(1)


class Transitions(State):
    number: int

    async def run(self, step: Step) -> Next | Done[int]:
        if self.number == 1:
            return Other()  # error
        if self.number == 2:
            return Done("one")  # error
        if self.number == 3:
            return Next(fields=self.number)  # error
        if self.number == 4:
            return Next()  # error
        if self.number == 5:
            return Next(Fields(total=1))  # error
        if self.number == 6:
            return 7  # error
        self.number = 8  # error
        return Next(fields=Fields(total=1), more=1)  # error


class Calls(State):
    async def run(self, step: Step) -> Done[int]:
        await step.call(length, 7)  # error
        await step.call(length)  # error
        await step.call(length, "x", "y")  # error
        await step.call(double, 1, loud="yes")  # error
        await step.call(double, 1, louder=True)  # error
        await step.call(len, "x")  # error
        text: str = await step.call(length, "x")  # error
        step.call(length, "x")  # error
        step.emit("something.happened")  # error
        step.sleep(timedelta(seconds=1))  # error
        return Done(step.call(length, text))  # error


class Answers(State):
    async def run(self, step: Step) -> Done[int]:
        fields: Reply = await step.ask(Fields, PROMPT, about="x")  # error
        await step.ask(Fields, PROMPT)  # error
        await step.ask(Fields, PROMPT, about="x", sizes=("huge",))  # error
        await step.ask(Fields, "what", about="x")  # error
        asked = await step.ask(Fields, PROMPT, about="x")
        asked.sum  # error
        reply: Fields = await step.wait(Reply)  # error
        either: Reply = await step.wait(Reply, Fields)  # error
        await step.wait()  # error
        await step.wait(Reply, timeout=3)  # error
        await step.sleep(3)  # error
        return Done(len(fields.text) + reply.total + len(either.text))


class Together(State):
    async def run(self, step: Step) -> Done[int]:
        one, two, three = await step.gather(step.call(length, "x"), step.wait(Reply))  # error
        both: tuple[str, Reply] = await step.gather(step.call(length, "x"), step.wait(Reply))  # error
        await step.gather(length("x"), step.wait(Reply))  # error
        many: list[str] = await step.each([step.call(length, "x")])  # error
        await step.each(["x"])  # error
        child: str = await step.start(answers, Answers())  # error
        await step.start(answers, Fields(total=1))  # error
        run: int = await step.start(answers, Answers(), detached=True)  # error
        return Done(len(both) + len(many) + len(child) + run)


answers = Workflow("answers", version=1, start=Answers, result=int)
Workflow("unversioned", start=Answers, result=int)  # error
Workflow("stateless", version=1, start=Fields, result=int)  # error
wrong: Workflow[str] = Workflow("wrong", version=1, start=Answers, result=int)  # error
