"""`@task`: an ordinary typed function that a step can call, here or on a worker; and `Prompt`, what an `ask` asks."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from datetime import timedelta
from functools import cached_property, update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, get_type_hints, overload

import msgspec

from skerry.core.retry import Retry
from skerry.core.structs import Frozen
from skerry.core.types import Blob, Crossing, holds_blobs
from skerry.core.wire import SIZES, Size
from skerry.errors import DataError, DefinitionError, NotFound

P = ParamSpec("P")
R = TypeVar("R")


class Limits(Frozen):
    """What a call may use; such a task runs in a child process of its worker that is killed beyond it.

    For work on files that nobody trusts: the process has no other task's data in it, and dies alone.
    """

    memory_mb: int = 1024
    cpu_s: float = 20.0
    wall_s: float = 30.0


class TaskFunction(Generic[P, R]):
    """A function that steps can call. Still an ordinary function when called directly, in a test for instance."""

    def __init__(
        self,
        function: Callable[P, Any],
        *,
        name: str = "",
        size: Size | None = None,
        retry: Retry | None = None,
        timeout: timedelta | None = None,
        deadline: timedelta | None = None,
        once: bool = False,
        limits: Limits | None = None,
    ) -> None:
        self.function = function
        self.name: str = name or function.__name__
        self.size = size
        self.retry: Retry = retry or Retry()
        self.timeout = timeout
        self.deadline = deadline
        self.once = once
        self.limits = limits
        self.is_async: bool = inspect.iscoroutinefunction(function)
        self.is_plain: bool = size is None and not once and deadline is None
        """A local call of which nothing is recorded but its outcome."""
        update_wrapper(self, function)
        if size is not None and size not in SIZES:
            raise DefinitionError(f"{self.where}: there is no size {size!r}", hint=f"sizes are {', '.join(SIZES)}")
        if limits is not None and size is None:
            raise DefinitionError(f"{self.where}: `limits` are for workers", hint="give it a `size`")
        if once and size is not None:
            raise DefinitionError(
                f"{self.where}: `once` is for local calls", hint="leave out `size`; a worker gets an idempotency key"
            )

    @property
    def where(self) -> str:
        """The task as errors name it."""
        return f"task {self.name} ({self.function.__module__}.{self.function.__qualname__})"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """The function itself."""
        return self.function(*args, **kwargs)  # type: ignore[no-any-return]

    @cached_property
    def _hints(self) -> dict[str, Any]:
        try:
            return get_type_hints(self.function)
        except NameError as error:
            raise DefinitionError(f"{self.where}: {error} in its annotations") from None

    @cached_property
    def arguments(self) -> Crossing[Any]:
        """The struct of its parameters: what `args` of a task message is the JSON of."""
        anywhere: list[Any] = []
        by_name: list[Any] = []
        for parameter in inspect.signature(self.function).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise DefinitionError(f"{self.where}: *{parameter.name} has no type that could be written down")
            if parameter.kind is parameter.POSITIONAL_ONLY:
                raise DefinitionError(
                    f"{self.where}: {parameter.name} must be usable by name", hint="leave out the `/`"
                )
            if parameter.name not in self._hints:
                raise DefinitionError(f"{self.where}: parameter {parameter.name} has no annotation")
            field = (parameter.name, self._hints[parameter.name])
            fields = by_name if parameter.kind is parameter.KEYWORD_ONLY else anywhere
            fields.append(field if parameter.default is parameter.empty else (*field, parameter.default))
        name = f"{self.name}_arguments".replace(".", "_")
        try:
            struct = msgspec.defstruct(name, anywhere, forbid_unknown_fields=True)
            if by_name:
                struct = msgspec.defstruct(name, by_name, bases=(struct,), kw_only=True, forbid_unknown_fields=True)
        except (TypeError, ValueError) as error:
            raise DefinitionError(f"{self.where}: {error}") from None
        return Crossing(struct, f"arguments of {self.where}")

    @cached_property
    def takes_blobs(self) -> bool:
        """Whether documents may be among its arguments."""
        return holds_blobs(self.arguments.type)

    @cached_property
    def outcome(self) -> Crossing[R]:
        """The type of its return value."""
        if "return" not in self._hints:
            raise DefinitionError(f"{self.where}: has no return annotation")
        return Crossing(self._hints["return"], f"return value of {self.where}")

    def check(self) -> None:
        """Raises `DefinitionError` when its annotations could not cross a journal."""
        _ = self.arguments, self.outcome

    def pack(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[bytes, msgspec.Struct]:
        """Arguments as the JSON object of a task message, and as they come back. `DataError` when they do not fit."""
        try:
            arguments = self.arguments.type(*args, **kwargs)
        except TypeError as error:
            raise DataError(f"{self.arguments.where}: {error}") from None
        return self.arguments.cross(arguments)

    def unpack(self, args: bytes | msgspec.Raw) -> dict[str, Any]:
        """The keyword arguments of such JSON. Raises `DataError` when it does not fit."""
        return msgspec.structs.asdict(self.arguments.decode(args))


@overload
def task(function: Callable[P, Coroutine[Any, Any, R]], /) -> TaskFunction[P, R]: ...
@overload
def task(function: Callable[P, R], /) -> TaskFunction[P, R]: ...
@overload
def task(
    *,
    name: str = "",
    size: Size | None = None,
    retry: Retry | None = None,
    timeout: timedelta | None = None,
    deadline: timedelta | None = None,
    once: bool = False,
    limits: Limits | None = None,
) -> _Decorator: ...
def task(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Marks a typed function as something a step can `call`.

    Args:
        name: what it is called on the bus; the function's name unless given. Unique among a node's tasks.
        size: which workers run it; without, it runs in the engine's process.
        retry: how often and when it is tried again when it raises; `TerminalError` is never tried again.
        timeout: how long one attempt may run.
        deadline: how long the whole step may take, waiting in queues included.
        once: a local call with a side effect that must not be repeated: the attempt is recorded before it begins,
            and one whose outcome is unknown after a crash goes to a person instead of being run again.
        limits: run it in a process of its own with these limits (on a worker only).
    """

    def decorate(decorated: Callable[..., Any]) -> TaskFunction[..., Any]:
        return TaskFunction(decorated, **options)

    return decorate if function is None else decorate(function)


class _Decorator:
    """Only for type checkers: what `task(...)` with options returns."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> TaskFunction[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> TaskFunction[P, R]: ...
    def __call__(self, function: Callable[..., Any], /) -> Any:
        """Decorates."""
        raise AssertionError("never called: `task` returns a function")


class Prompt(Frozen):
    """What an `ask` asks. `text` is for models; `rules` is the function that answers for the size `rules`.

    `question` is what a person is asked at last: a sentence, behind which the first objection stands. Without one they
    read that no answer to the prompt holds.

    The name is part of the step's identity: a new wording may keep it, a question of another shape needs another.

    Models are shown `show(about)` (what it is about as JSON, unless given). Where they had better copy than convert,
    they answer in the struct `quotes`, and `read(quotes, about)` makes the answer of it: dates and amounts are read by
    code. Fields of `quotes` and of the answer that belong together have the same name; what the model is told may be
    another one (`rename`).
    """

    name: str
    text: str = ""
    question: str = ""
    version: int = 1
    rules: Callable[[Any], Any] | None = None
    show: Callable[[Any], str] | None = None
    quotes: Any = None
    read: Callable[[Any, Any], Any] | None = None
    limits: Limits | None = None


class TaskContext(Frozen):
    """What a running task can know about itself; see `task_context`.

    `key` is the same for every attempt of the step: an idempotency key for whatever the task does outside.
    `settings` are the node's, as environment variables ("SKERRY_DATA"); a worker has those of its own environment.
    """

    run: str
    step: str
    attempt: int
    key: str
    read: Callable[[Blob], bytes] | None = None
    write: Callable[[bytes], str] | None = None
    settings: Mapping[str, str] = {}


CONTEXT: ContextVar[Callable[[], TaskContext] | None] = ContextVar("skerry_task", default=None)
"""Makes the context of the task that is running: few tasks ask for it, and all are run."""


def task_context() -> TaskContext:
    """The context of the task that is running. Raises `NotFound` outside of one."""
    make = CONTEXT.get()
    if make is None:
        raise NotFound("no task is running here", hint="in a test, have a `skerry.testing.Lab` run it")
    return make()


def read_blob(blob: Blob) -> bytes:
    """The bytes of a document that the running task was given. Raises `NotFound` for any other."""
    read = task_context().read
    if read is None:
        raise NotFound(f"no blob store here to read {blob.name or blob.sha256} from")
    return read(blob)


def write_blob(data: bytes, *, name: str = "", media_type: str = "application/octet-stream") -> Blob:
    """Makes a document of bytes, for the running task to return: it is in the blob store before its value is taken.

    Raises `NotFound` where there is no blob store.
    """
    write = task_context().write
    if write is None:
        raise NotFound(f"no blob store here to write {name or 'a document'} to")
    return Blob(sha256=write(data), size=len(data), name=name, media_type=media_type)


class Written(dict[str, bytes]):
    """The documents that a task has made, by SHA-256: whoever runs it puts them into the blob store."""

    def write(self: dict[str, bytes], data: bytes) -> str:
        """Takes one; says its name. A plain dict does, too, where one is needed for every call and few write."""
        sha256 = hashlib.sha256(data).hexdigest()
        self[sha256] = bytes(data)
        return sha256
