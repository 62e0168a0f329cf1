"""Workflows made of data: a generated script of steps, and the states that perform it."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from datetime import timedelta
from typing import Any, Literal

import msgspec
from hypothesis import strategies as st

from skerry.core.answers import Objection
from skerry.core.budget import Budget
from skerry.core.commands import Offline
from skerry.core.retry import Retry
from skerry.core.review import Decision
from skerry.core.state import Done, State
from skerry.core.step import Step
from skerry.core.tasks import Prompt, task
from skerry.core.wire import Size
from skerry.core.workflow import Workflow
from skerry.errors import Cancelled, StepFailed

BIG = "x" * 5_000
"""Longer than what stays in a body: it goes through a blob."""


class Node(msgspec.Struct, frozen=True, tag=True):
    """Something that a script does."""


class Call(Node, frozen=True):
    how: Literal["local", "deadline", "once", "worker"]
    text: str = ""


class Ask(Node, frozen=True):
    sizes: tuple[Size, ...]
    review_s: float = 0.0
    deadline_s: float = 0.0
    budget: int = -1
    local_only: bool = False
    offline: Offline = "review"


class Wait(Node, frozen=True):
    types: Literal["A", "B", "AB", "yes"]
    key: str = ""
    timeout_s: float = -1.0
    question: str = ""


class Sleep(Node, frozen=True):
    seconds: float


class Emit(Node, frozen=True):
    pass


class Start(Node, frozen=True):
    detached: bool = False


class Look(Node, frozen=True):
    """Notes the time, a UUID and a random number."""


class Fail(Node, frozen=True):
    """The code itself is wrong."""


class Gather(Node, frozen=True):
    branches: tuple[tuple[AnyNode, ...], ...]


class Try(Node, frozen=True):
    """Catches a step's failure; `last` is in a `finally`."""

    body: tuple[AnyNode, ...]
    handler: tuple[AnyNode, ...] = ()
    last: tuple[AnyNode, ...] = ()


class Guard(Node, frozen=True):
    """Cleans up when cancelled, and may swallow it."""

    body: tuple[AnyNode, ...]
    cleanup: tuple[AnyNode, ...]
    swallows: bool = False


AnyNode = Call | Ask | Wait | Sleep | Emit | Start | Look | Fail | Gather | Try | Guard
Scene = tuple[AnyNode, ...]


# --- what the steps are about -----------------------------------------------------------------------------------------


class A(msgspec.Struct, frozen=True):
    text: str


class B(msgspec.Struct, frozen=True, tag="b-signal"):
    number: int


class Answer(msgspec.Struct, frozen=True):
    text: str
    good: bool = True
    faults: int = 1


class Ended(msgspec.Struct, frozen=True):
    notes: tuple[str, ...]


def is_good(answer: Answer, about: object) -> Iterable[Objection]:
    """Three faults are those of a field, fewer are of the whole."""
    fields = ("good",) if answer.faults == 3 else ()
    faults = range(0 if answer.good else answer.faults)
    return [Objection(rule="good", message=f"fault {n}", fields=fields) for n in faults]


PROMPT = Prompt(name="what", text="What is it?", rules=lambda about: None)


@task(retry=Retry(attempts=2, first_s=5.0))
def local(text: str) -> str:
    return text


@task(retry=Retry(attempts=2, first_s=5.0), deadline=timedelta(seconds=60))
def deadline(text: str) -> str:
    return text


@task(once=True, retry=Retry(attempts=2, first_s=5.0))
def once(text: str) -> str:
    return text


@task(size="small", retry=Retry(attempts=3, first_s=5.0), deadline=timedelta(seconds=60))
def worker(text: str) -> str:
    return text


TASKS = {"local": local, "deadline": deadline, "once": once, "worker": worker}
SIGNALS: dict[str, tuple[Any, ...]] = {"A": (A,), "B": (B,), "AB": (A, B), "yes": (Decision,)}


class ChildState(State):
    text: str

    async def run(self, step: Step) -> Done[Ended] | Done[None]:
        return Done(Ended((self.text,)))


child = Workflow("child", version=1, start=ChildState, result=Ended | None)


# --- performing -------------------------------------------------------------------------------------------------------


async def perform(step: Step, scene: Iterable[AnyNode]) -> list[str]:
    """Performs the nodes in turn, and says what came of each."""
    notes: list[str] = []
    for node in scene:
        notes += await _perform(step, node)
    return notes


async def _perform(step: Step, node: AnyNode) -> list[str]:
    match node:
        case Look():
            return [f"{step.now()} {step.uuid()} {step.random()}"]
        case Fail():
            raise ValueError("the script is wrong")
        case Gather(branches):
            branched = [perform(step, branch) for branch in branches]
            if len(branched) == 2:
                one, two = await step.gather(branched[0], branched[1])
                return one + two
            return [note for notes in await step.each(branched) for note in notes]
        case Try(body, handler, last):
            notes: list[str] = []
            try:
                notes += await perform(step, body)
            except StepFailed as error:
                notes += [f"{type(error).__name__} {error.kind} {error.step} {error.attempts}"]
                notes += await perform(step, handler)
            finally:
                notes += await perform(step, last)
            return notes
        case Guard(body, cleanup, swallows):
            try:
                return await perform(step, body)
            except Cancelled:
                notes = await perform(step, cleanup)
                if swallows:
                    return ["swallowed", *notes]
                raise
        case _:
            return [str(await _one_step(step, node))]


def _one_step(step: Step, node: Call | Ask | Wait | Sleep | Emit | Start) -> Coroutine[Any, Any, Any]:
    match node:
        case Call(how, text):
            return step.call(TASKS[how], text)
        case Ask():
            return step.ask(
                Answer,
                PROMPT,
                about="it",
                verify=(is_good,),
                sizes=node.sizes,
                review=timedelta(seconds=node.review_s) if node.review_s else None,
                deadline=timedelta(seconds=node.deadline_s) if node.deadline_s else None,
                budget=Budget(tokens=node.budget) if node.budget >= 0 else None,
                local_only=node.local_only,
                offline=node.offline,
            )
        case Wait(types, key, timeout_s, question):
            timeout = timedelta(seconds=timeout_s) if timeout_s >= 0 else None
            return step.wait(*SIGNALS[types], key=key, timeout=timeout, question=question)
        case Sleep(seconds):
            return step.sleep(timedelta(seconds=seconds))
        case Emit():
            return step.emit("something.happened", {"what": "it"})
        case Start(detached):
            if detached:
                return step.start(child, ChildState(text="x"), detached=True)
            return step.start(child, ChildState(text="x"))


class Play(State):
    """Performs one scene, then hands over to the other kind of state, until there is none left."""

    scenes: tuple[Scene, ...]
    notes: tuple[str, ...] = ()

    async def run(self, step: Step) -> Interlude | Done[Ended]:
        notes = (*self.notes, *await perform(step, self.scenes[0] if self.scenes else ()))
        if len(self.scenes) > 1:
            return Interlude(scenes=self.scenes[1:], notes=notes)
        return Done(Ended(notes))


class Interlude(State, tag="interlude"):
    scenes: tuple[Scene, ...]
    notes: tuple[str, ...]

    async def run(self, step: Step) -> Play:
        return Play(scenes=self.scenes, notes=self.notes)


theatre = Workflow("theatre", version=1, start=Play, result=Ended)


# --- generating -------------------------------------------------------------------------------------------------------

_ONE_STEP: st.SearchStrategy[AnyNode] = st.one_of(
    st.builds(Call, st.sampled_from(("local", "deadline", "worker")), st.sampled_from(("", "hello", BIG))),
    st.builds(Call, st.sampled_from(("worker", "worker", "once"))),
    st.builds(
        Ask,
        st.sampled_from((("small",), ("rules", "small"), ("small", "medium", "cloud"), ("cloud", "small"), ())),
        st.sampled_from((0.0, 50.0)),
        st.sampled_from((0.0, 0.0, 20.0)),
        st.sampled_from((-1, -1, 0, 15)),
        st.booleans(),
        st.sampled_from(("review", "wait", "skip")),
    ),
    st.builds(
        Wait,
        st.sampled_from(("A", "B", "AB", "yes")),
        st.sampled_from(("", "k")),
        st.sampled_from((-1.0, 0.0, 30.0)),
        st.sampled_from(("", "Well?")),
    ),
    st.builds(Sleep, st.sampled_from((0.0, 10.0))),
    st.builds(Emit),
    st.builds(Start, st.booleans()),
    st.builds(Look),
)


def _scene(node: st.SearchStrategy[AnyNode], most: int) -> st.SearchStrategy[Any]:
    return st.lists(node, max_size=most).map(tuple)


def _around(node: st.SearchStrategy[AnyNode]) -> st.SearchStrategy[AnyNode]:
    return st.one_of(
        st.builds(Gather, st.lists(_scene(node, 2), min_size=1, max_size=3).map(tuple)),
        st.builds(Try, _scene(node, 2), _scene(_ONE_STEP, 1), _scene(_ONE_STEP, 1)),
        st.builds(Guard, _scene(node, 2), _scene(_ONE_STEP, 2), st.booleans()),
    )


nodes: st.SearchStrategy[AnyNode] = st.recursive(
    st.one_of(_ONE_STEP, _ONE_STEP, st.just(Fail())), _around, max_leaves=6
)
scripts: st.SearchStrategy[tuple[Scene, ...]] = st.lists(_scene(nodes, 3), min_size=1, max_size=3).map(tuple)
