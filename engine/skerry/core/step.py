"""`step`: the only door from a state's code to the world. Each method hands one command out of the coroutine."""

from __future__ import annotations

import hashlib
import types
import uuid
from collections.abc import Awaitable, Coroutine, Generator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from skerry.core.answers import Verifier
from skerry.core.budget import Budget
from skerry.core.commands import Ask, Call, Command, Emit, Gather, Offline, Sleep, Start, Wait
from skerry.core.tasks import P, Prompt, R, TaskFunction
from skerry.core.times import FAR_US
from skerry.core.wire import SIZES, Size
from skerry.errors import DataError

if TYPE_CHECKING:
    from skerry.core.state import State
    from skerry.core.workflow import Workflow

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")
W = TypeVar("W")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REFUSALS_MAX = 1000
"""Code that catches everything in a loop is stopped where it stands after so many refused steps."""


class Evicted(BaseException):
    """A step was awaited while the run leaves memory (a `finally` block ran); nothing is recorded."""


class Moment:
    """What the machine tells its `Step`: the last fact's time, if a person stated it, and if the run leaves memory."""

    __slots__ = ("closed", "now_us", "person", "refused")

    def __init__(self) -> None:
        self.now_us: int = 0
        self.person: bool = False
        self.closed: bool = False
        self.refused: int = 0


class Step:
    """Handed to every state's `run`. Times, ids and random numbers from it are the same at every replay."""

    __slots__ = ("_count", "_moment", "_seed")

    def __init__(self, seed: str, moment: Moment) -> None:
        self._seed = seed
        self._moment = moment
        self._count = 0

    # --- steps --------------------------------------------------------------------------------------------------

    async def call(self, task: TaskFunction[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs a task: in the engine's process, or on a worker when the task has a size.

        Raises `StepFailed` when it has failed for good.
        """
        return await self._do(Call(task, args, kwargs))  # type: ignore[no-any-return]

    async def ask(
        self,
        answer: type[T],
        prompt: Prompt,
        *,
        about: object,
        verify: Sequence[Verifier] = (),
        verify_models: Sequence[Verifier] = (),
        sizes: Sequence[Size] = SIZES,
        timeout: timedelta | None = None,
        deadline: timedelta | None = None,
        budget: Budget | None = None,
        local_only: bool = False,
        offline: Offline = "review",
        priority: int | None = None,
        review: timedelta | None = None,
    ) -> T:
        """Asks the smallest size first, verifies, escalates to the next, and at last asks a person.

        Args:
            answer: the type of the answer.
            prompt: the question.
            about: what it is about: it goes to the worker, and to the verifiers as their second argument.
            verify: pure functions from (answer, about) to objections; an accepted answer had none.
            verify_models: as `verify`, for what models had a part in: neither the rules nor a person are held to them.
            sizes: which sizes may be asked, in this order; those that the node does not have are left out.
            timeout: how long one attempt may run.
            deadline: how long all sizes together may take, waiting in queues included; then a person is asked. A size
                whose queue is too long for that is passed over.
            budget: what all attempts together may use; a size that it cannot pay is passed over.
            local_only: the size `cloud` is passed over: what this is about stays here.
            offline: what happens when it is the turn of the size `cloud` and that cannot be reached: "wait" until it
                can (not beyond the deadline), ask a person ("review"), or "skip" it and go on with the next size.
            priority: higher goes first where tasks wait for workers; the run's, unless given.
            review: how long a person may take (for ever, unless given).

        Raises `Refused` when the person says that there is no answer, `TimedOut` when they took too long.
        """
        command = Ask(
            answer,
            prompt,
            about,
            verify,
            sizes,
            _seconds(timeout),
            _seconds(review),
            deadline_s=_seconds(deadline),
            budget=budget,
            local_only=local_only,
            priority=priority,
            offline=offline,
            verify_models=verify_models,
        )
        return await self._do(command)  # type: ignore[no-any-return]

    @overload
    async def wait(
        self, signal: type[T], /, *, key: str = "", timeout: timedelta | None = None, question: str = ""
    ) -> T: ...
    @overload
    async def wait(
        self, one: type[T], two: type[U], /, *, key: str = "", timeout: timedelta | None = None, question: str = ""
    ) -> T | U: ...
    @overload
    async def wait(
        self,
        one: type[T],
        two: type[U],
        three: type[V],
        /,
        *,
        key: str = "",
        timeout: timedelta | None = None,
        question: str = "",
    ) -> T | U | V: ...
    async def wait(
        self, *signals: type[Any], key: str = "", timeout: timedelta | None = None, question: str = ""
    ) -> Any:
        """Waits for a signal of one of these types (and of this key). One that came early is taken at once.

        With a `question` the run stands under review, and `skerry approve` and `reject` answer it.
        Raises `TimedOut` after `timeout`.
        """
        return await self._do(Wait(signals, key, _seconds(timeout), question))

    async def sleep(self, duration: timedelta) -> None:
        """Waits so long; a restart in between does not matter."""
        await self._until(self._moment.now_us + _microseconds(duration))

    async def until(self, moment: datetime) -> None:
        """Waits until a time, which must have a time zone."""
        if moment.tzinfo is None:
            raise DataError(f"step.until({moment!r}): a time without a zone", hint="use datetime(..., tzinfo=...)")
        await self._until(_microseconds(moment - _EPOCH))

    @overload
    async def start(self, workflow: Workflow[R], state: State, /) -> R: ...
    @overload
    async def start(self, workflow: Workflow[R], state: State, /, *, detached: Literal[True]) -> str: ...
    async def start(self, workflow: Workflow[Any], state: State, /, *, detached: bool = False) -> Any:
        """Starts a child run in its start state and waits for its result; detached, for nothing but its id.

        Raises `StepFailed` when the child is cancelled. A child that fails is a dead letter of its own: it is waited
        for until somebody retries or cancels it.
        """
        return await self._do(Start(workflow, workflow.encode_start(state), detached))

    async def emit(self, event: str, data: object = None) -> None:
        """Publishes an event: it starts the workflows that it triggers on this node, and passes on the bus."""
        await self._do(Emit(event, data))

    # --- several at once ----------------------------------------------------------------------------------------

    @overload
    async def gather(self, a: Coroutine[Any, Any, T], b: Coroutine[Any, Any, U], /) -> tuple[T, U]: ...
    @overload
    async def gather(
        self, a: Coroutine[Any, Any, T], b: Coroutine[Any, Any, U], c: Coroutine[Any, Any, V], /
    ) -> tuple[T, U, V]: ...
    @overload
    async def gather(
        self,
        a: Coroutine[Any, Any, T],
        b: Coroutine[Any, Any, U],
        c: Coroutine[Any, Any, V],
        d: Coroutine[Any, Any, W],
        /,
    ) -> tuple[T, U, V, W]: ...
    async def gather(self, *branches: Coroutine[Any, Any, Any]) -> tuple[Any, ...]:
        """All of these at once. The first failure cancels the rest and is raised."""
        return await self._do(Gather(branches, as_list=False))  # type: ignore[no-any-return]

    async def each(self, branches: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
        """As `gather`, for any number of the same."""
        return await self._do(Gather(tuple(branches), as_list=True))  # type: ignore[no-any-return]

    # --- the same at every replay -------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The time of the fact that let the code go on."""
        return _EPOCH + timedelta(microseconds=self._moment.now_us)

    def by_person(self) -> bool:
        """Whether the answer by which the code went on is a person's, given or approved under review.

        Ask right behind the `ask`: what comes next is another fact.
        """
        return self._moment.person

    def uuid(self) -> uuid.UUID:
        """A UUID, another one at each call."""
        return uuid.UUID(bytes=self._bytes()[:16], version=4)

    def random(self) -> float:
        """A number from 0 up to 1, another one at each call."""
        return int.from_bytes(self._bytes()[:7], "big") / 2**56

    def _bytes(self) -> bytes:
        self._count += 1
        return hashlib.sha256(f"{self._seed}/{self._count}".encode()).digest()

    async def _until(self, due_us: int) -> None:
        await self._do(Sleep(min(FAR_US, max(self._moment.now_us, due_us))))

    def _do(self, command: Command | Gather) -> Awaitable[Any]:
        """Hands a command out of the coroutine. What is sent in then is the step's outcome."""
        return _hand_out(self._moment, command)


@types.coroutine
def _hand_out(moment: Moment, command: Command | Gather) -> Generator[Command | Gather, Any, Any]:
    if moment.closed:
        if isinstance(command, Gather):
            command.close()
        moment.refused += 1
        if moment.refused < _REFUSALS_MAX:
            raise Evicted
    return (yield command)


def _seconds(duration: timedelta | None) -> float:
    """0 for none: a duration of no length is the shortest there is."""
    return 0.0 if duration is None else max(1e-6, duration.total_seconds())


def _microseconds(duration: timedelta) -> int:
    return (duration.days * 86_400 + duration.seconds) * 1_000_000 + duration.microseconds
