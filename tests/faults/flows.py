"""Workflows in which something goes wrong, takes long, or has to be waited for."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from datetime import timedelta
from pathlib import Path

import msgspec

from skerry import Decision, Done, Retry, State, Step, StepFailed, Workflow, task, task_context

QUICK = Retry(attempts=3, first_s=0.1, jitter=0.0)
ONCE = Retry(attempts=1)


class Word(msgspec.Struct, frozen=True):
    """A signal."""

    text: str


# --- one task on a worker --------------------------------------------------------------------------------------------


@task(name="echo", size="rules", retry=QUICK)
def echo(text: str) -> str:
    """Says it again."""
    return text


class Echo(State):
    """Asks a worker."""

    text: str

    async def run(self, step: Step) -> Done[str]:
        """Ends with what the worker said."""
        return Done(await step.call(echo, self.text))


echoing = Workflow("echoing", version=1, start=Echo, on="echo.asked", result=str)


# --- a worker that is busy, one that dies ----------------------------------------------------------------------------


@task(name="busy", size="rules", retry=ONCE)
async def busy(folder: str, name: str) -> str:
    """Writes down that it began, and goes on until it is let go or stopped."""
    here = Path(folder)
    with (here / f"{name}.begun").open("a") as file:
        file.write(f"{os.getpid()}\n")
    try:
        while not (here / f"{name}.go").exists():  # noqa: ASYNC110 - it is told from another process
            await asyncio.sleep(0.02)
    except asyncio.CancelledError:
        (here / f"{name}.stopped").touch()
        raise
    return name


class Busy(State):
    """Something that takes long, somewhere else."""

    folder: str
    name: str

    async def run(self, step: Step) -> Done[str]:
        """Waits for it."""
        return Done(await step.call(busy, self.folder, self.name))


busying = Workflow("busying", version=1, start=Busy, result=str)


@task(name="deadly", size="rules", retry=ONCE)
async def deadly(text: str) -> str:
    """Kills the worker that takes it."""
    os._exit(9)


class Deadly(State):
    """Has no luck."""

    text: str

    async def run(self, step: Step) -> Done[str]:
        """Dies."""
        return Done(await step.call(deadly, self.text))


dying = Workflow("dying", version=1, start=Deadly, result=str)


# --- waiting ---------------------------------------------------------------------------------------------------------


class Nap(State):
    """Sleeps."""

    seconds: float

    async def run(self, step: Step) -> Done[str]:
        """Ends when it wakes."""
        await step.sleep(timedelta(seconds=self.seconds))
        return Done("awake")


napping = Workflow("napping", version=1, start=Nap, result=str)


class Heard(msgspec.Struct, frozen=True):
    """A result."""

    words: tuple[str, ...]


class Listen(State):
    """Waits for so many words."""

    words: int
    heard: tuple[str, ...] = ()

    async def run(self, step: Step) -> Listen | Done[Heard]:
        """One word in each entry."""
        word = await step.wait(Word)
        heard = (*self.heard, word.text)
        return Done(Heard(heard)) if len(heard) == self.words else Listen(words=self.words, heard=heard)


listening = Workflow("listening", version=1, start=Listen, result=Heard)


class Agree(State):
    """A person decides."""

    question: str

    async def run(self, step: Step) -> Done[bool]:
        """Ends with the decision."""
        decision = await step.wait(Decision, question=self.question)
        return Done(decision.approved)


agreeing = Workflow("agreeing", version=1, start=Agree, result=bool)


# --- parents and children --------------------------------------------------------------------------------------------


class Parent(State):
    """Starts a child, and waits for it."""

    folder: str
    name: str

    async def run(self, step: Step) -> Done[str]:
        """Ends with what the child ended with."""
        return Done("child: " + await step.start(busying, Busy(folder=self.folder, name=self.name)))


parenting = Workflow("parenting", version=1, start=Parent, result=str)


class Waiter(State):
    """Starts a child that waits for a word."""

    async def run(self, step: Step) -> Done[Heard]:
        """Ends with what the child heard."""
        return Done(await step.start(listening, Listen(words=1)))


waiting_for_child = Workflow("waiting-for-child", version=1, start=Waiter, result=Heard)


# --- local calls -----------------------------------------------------------------------------------------------------


@task(name="note")
async def note(file: str, line: str) -> str:
    """Appends a line to a file, with its idempotency key."""
    await asyncio.sleep(0.005)
    with Path(file).open("a") as out:
        out.write(f"{task_context().key} {line}\n")
    return line


class Steps(State):
    """Many local steps."""

    file: str
    count: int

    async def run(self, step: Step) -> Done[int]:
        """One after the other."""
        for number in range(self.count):
            await step.call(note, self.file, str(number))
        return Done(self.count)


stepping = Workflow("stepping", version=1, start=Steps, result=int)


@task(name="leave", retry=ONCE)
async def leave() -> str:
    """Means to end itself."""
    sys.exit("bye")


@task(name="give_up", retry=ONCE)
async def give_up() -> str:
    """Is cancelled by something of its own."""
    raise asyncio.CancelledError


@task(name="hang", retry=ONCE)
def hang(folder: str) -> str:
    """A thread that does not end."""
    Path(folder, "hanging").touch()
    threading.Event().wait(3600)
    return "never"


class Rude(State):
    """Calls the tasks above."""

    which: str
    folder: str = ""

    async def run(self, step: Step) -> Done[str]:
        """Ends with what became of it."""
        try:
            if self.which == "hang":
                return Done(await step.call(hang, self.folder))
            return Done(await (step.call(leave) if self.which == "leave" else step.call(give_up)))
        except StepFailed as error:
            return Done(f"{error.kind}")


being_rude = Workflow("being-rude", version=1, start=Rude, result=str)


# --- emitting --------------------------------------------------------------------------------------------------------


class Teller(State):
    """Emits an event that starts another workflow."""

    text: str

    async def run(self, step: Step) -> Done[str]:
        """Ends when it was emitted."""
        await step.sleep(timedelta(seconds=0.3))
        await step.emit("word.told", {"question": self.text})
        return Done("told")


telling = Workflow("telling", version=1, start=Teller, result=str)


class Told(State):
    """Was started by an event of ours."""

    question: str

    async def run(self, step: Step) -> Done[bool]:
        """Waits for a person, so that it can be seen."""
        return Done((await step.wait(Decision, question=self.question)).approved)


told = Workflow("told", version=1, start=Told, on="word.told", result=bool)
