"""What a state's code asks for: each step is one command, handed out of the coroutine and answered into it.

A command's identity is its `kind` and `target` (and the path where it stands, which the machine gives it). `args` is
the JSON of what it is about; its digest tells drift, it is no part of the identity.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Coroutine, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from msgspec import Raw
from msgspec.structs import asdict

from skerry.core.answers import Verifier
from skerry.core.budget import Budget
from skerry.core.codec import encode_json
from skerry.core.failures import readable
from skerry.core.ids import check_event
from skerry.core.tasks import Prompt, TaskFunction
from skerry.core.types import Crossing
from skerry.core.wire import Size
from skerry.errors import DataError, DefinitionError

Kind: TypeAlias = Literal["call", "ask", "wait", "sleep", "start", "emit"]
Offline: TypeAlias = Literal["wait", "review", "skip"]
"""What becomes of an `ask` when the size `cloud` cannot be reached: it waits, a person is asked, or it goes without."""


class Command:
    """One step, as the code asks for it."""

    __slots__ = ("args", "target")
    kind: ClassVar[Kind]

    def __init__(self, target: str, args: bytes = b"") -> None:
        self.target = target
        self.args = args

    def digest(self) -> str:
        """A short hash of the arguments; empty for none."""
        return hashlib.blake2b(self.args, digest_size=8).hexdigest() if self.args else ""

    def decode(self, value: Raw, result: str) -> Any:
        """The outcome that the code gets, from its JSON; `result` names its type where there are several."""
        raise NotImplementedError


class Call(Command):
    """Run a `@task` function, here or on a worker of its size."""

    __slots__ = ("_unpacked", "task")
    kind = "call"

    def __init__(self, task: TaskFunction[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self.target = task.name
        self.args, unpacked = task.pack(args, kwargs)
        self.task = task
        self._unpacked = unpacked if task.size is None else None

    def arguments(self) -> dict[str, Any]:
        """What the function is called with. Each attempt gets its own, whatever the one before it did with them."""
        unpacked, self._unpacked = self._unpacked, None
        return self.task.unpack(self.args) if unpacked is None else asdict(unpacked)

    def decode(self, value: Raw, result: str) -> Any:
        """What the function returned."""
        return self.task.outcome.decode(value)


class Ask(Command):
    """Answer a prompt about something; the answer must fit a type and hold against the verifiers."""

    __slots__ = (
        "about",
        "answer",
        "budget",
        "deadline_s",
        "local_only",
        "offline",
        "priority",
        "prompt",
        "review_s",
        "sizes",
        "timeout_s",
        "verify",
        "verify_models",
    )
    kind = "ask"

    def __init__(
        self,
        answer: Any,
        prompt: Prompt,
        about: Any,
        verify: Sequence[Verifier],
        sizes: Sequence[Size],
        timeout_s: float,
        review_s: float,
        *,
        deadline_s: float = 0.0,
        budget: Budget | None = None,
        local_only: bool = False,
        priority: int | None = None,
        offline: Offline = "review",
        verify_models: Sequence[Verifier] = (),
    ) -> None:
        if offline not in get_args(Offline):
            raise DefinitionError(
                f"step.ask for {prompt.name}: offline={offline!r}", hint=f"one of {', '.join(get_args(Offline))}"
            )
        self.answer = crossing(answer, f"answer to {prompt.name}")
        raw, self.about = crossing(type(about), f"what {prompt.name} is about").cross(about)
        super().__init__(prompt.name, raw)
        self.prompt = prompt
        self.verify = tuple(verify)
        self.verify_models = tuple(verify_models)
        self.sizes = tuple(sizes)
        self.timeout_s = timeout_s
        self.review_s = review_s
        self.deadline_s = deadline_s
        self.budget = budget
        self.local_only = local_only
        self.priority = priority
        self.offline = offline

    def decode(self, value: Raw, result: str) -> Any:
        """The accepted answer."""
        return self.answer.decode(value)


class Wait(Command):
    """Wait for a signal of one of several types. With a `question`, it is a review: a person is asked."""

    __slots__ = ("key", "question", "timeout_s", "types")
    kind = "wait"

    def __init__(self, types: Sequence[Any], key: str, timeout_s: float, question: str) -> None:
        self.types = {signal_name(type): crossing(type, f"signal {signal_name(type)}") for type in types}
        if not types or len(self.types) < len(types):
            named = ", ".join(map(signal_name, types)) or "nothing"
            raise DefinitionError(f"step.wait for {named}: it needs types of different names")
        super().__init__("|".join(self.types), encode_json({"key": key}) if key else b"")
        self.key = key
        self.timeout_s = timeout_s
        self.question = readable(question)

    def takes(self, signal: str, key: str) -> bool:
        """Whether a signal of this type and key is one that it waits for."""
        return signal in self.types and key == self.key

    def decode(self, value: Raw, result: str) -> Any:
        """The signal."""
        if result not in self.types:
            raise DataError(f"a signal {result} where {self.target} was awaited")
        return self.types[result].decode(value)


class Sleep(Command):
    """Wait until a time."""

    __slots__ = ("due_us",)
    kind = "sleep"

    def __init__(self, due_us: int) -> None:
        super().__init__("")
        self.due_us = due_us

    def decode(self, value: Raw, result: str) -> None:
        """Nothing."""


class Start(Command):
    """Start a child run, and wait for its result unless it is detached (then: its id)."""

    __slots__ = ("detached", "workflow")
    kind = "start"

    def __init__(self, workflow: Any, args: bytes, detached: bool) -> None:
        super().__init__(workflow.name, args)
        self.workflow = workflow
        self.detached = detached

    def decode(self, value: Raw, result: str) -> Any:
        """The child's result, or its run id when it is detached."""
        if self.detached:
            return crossing(str, "run id").decode(value)
        return self.workflow.decode_result(result, value)


class Emit(Command):
    """Publish an event of the user's: it starts what is triggered by it, and passes on the bus."""

    __slots__ = ()
    kind = "emit"

    def __init__(self, event: str, data: object) -> None:
        super().__init__(check_event(event), crossing(type(data), f"data of event {event}").cross(data)[0])

    def decode(self, value: Raw, result: str) -> None:
        """Nothing."""


class Gather:
    """Several branches at once; not a step itself, its branches are."""

    __slots__ = ("as_list", "branches")

    def __init__(self, branches: Sequence[Coroutine[Any, Any, Any]], *, as_list: bool) -> None:
        self.branches = branches
        self.as_list = as_list
        wrong = [b for b in branches if not inspect.iscoroutine(b) or inspect.getcoroutinestate(b) != "CORO_CREATED"]
        if wrong or len({id(b) for b in branches}) < len(branches):
            self.close()
            raise DefinitionError(
                f"a branch is {type(wrong[0]).__name__}, no new coroutine" if wrong else "the same coroutine twice",
                hint="give `gather` and `each` calls of `async def` functions or of step methods, without `await`",
            )

    def close(self) -> None:
        """Lets branches go that will never begin."""
        for branch in self.branches:
            if inspect.iscoroutine(branch):
                branch.close()


@cache
def _cached(type: Any, where: str) -> Crossing[Any]:
    return Crossing(type, where)


def crossing(type: Any, where: str) -> Crossing[Any]:
    """The `Crossing` of a type, made once. Raises `DefinitionError` as that does."""
    try:
        return _cached(type, where)
    except TypeError:  # an unhashable type form, such as one with a list in it
        return Crossing(type, where)


def signal_name(type: Any) -> str:
    """What signals of a type are called: the struct's tag if it has one, or the class's name."""
    tag = getattr(getattr(type, "__struct_config__", None), "tag", None)
    return str(tag if tag is not None else type.__name__)
