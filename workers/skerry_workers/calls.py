"""What a task asks for, found among the loaded modules, as one kind of thing: decode, call, encode."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from skerry.core.codec import encode_json
from skerry.core.tasks import Limits, Prompt, TaskFunction
from skerry.errors import DataError
from skerry.registry import Registry
from skerry_workers.failures import Refusal
from skerry_workers.models.questions import about_type, parameter_type


class Call(NamedTuple):
    """Something a worker can run.

    `decode` makes the arguments of their JSON, `invoke` calls the function with them (and returns an awaitable if
    `is_async`), `encode` makes the JSON of its value, `check` raises `DataError` for JSON that is no such value.
    `asks` is the prompt that a model answers; such a call has no function.
    """

    label: str
    is_async: bool
    limits: Limits | None
    decode: Callable[[bytes | Raw], Any]
    invoke: Callable[[Any], Any]
    encode: Callable[[Any], bytes]
    check: Callable[[bytes], object]
    model: dict[str, str | int | float]
    asks: Prompt | None = None


class Calls:
    """All that a worker of one size can run, by kind and name."""

    def __init__(
        self,
        registry: Registry,
        size: str,
        modules: Iterable[str] = (),
        serves: Callable[[str], bool] = lambda prompt: False,
    ) -> None:
        """`serves` says of a prompt whether a model answers it here."""
        self._registry = registry
        self._size = size
        self._serves = serves
        self._modules = ", ".join(modules) or "none"
        self._found: dict[tuple[str, str], Call] = {}

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that are asked of this size."""
        return tuple(sorted(name for name, task in self._registry.tasks.items() if task.size == self._size))

    @property
    def prompts(self) -> tuple[str, ...]:
        """Names of the prompts that this worker can answer."""
        if self._size == "rules":
            return tuple(sorted(name for name, prompt in self._registry.prompts.items() if prompt.rules))
        return tuple(sorted(name for name in self._registry.prompts if self._serves(name)))

    @property
    def any_limited(self) -> bool:
        """Whether something here must run in the sandbox."""
        tasks, prompts = self._registry.tasks.values(), self._registry.prompts.values()
        tasks_here = (task for task in tasks if self._size == "rules" or task.size == self._size)
        rules = self._size == "rules"
        return any(task.limits for task in tasks_here) or (rules and any(prompt.limits for prompt in prompts))

    def find(self, kind: str, target: str) -> Call:
        """The call of a task message. Raises `Refusal` when there is none."""
        call = self._found.get((kind, target))
        if call is None:
            call = self._found[kind, target] = self._ask(target) if kind == "ask" else self._call(target)
        return call

    def _call(self, name: str) -> Call:
        task = self._registry.tasks.get(name)
        if task is None:
            raise Refusal("NotFound", f"this worker has no task {name} (modules loaded: {self._modules})")
        return _of_task(task)

    def _ask(self, name: str) -> Call:
        prompt = self._registry.prompts.get(name)
        if prompt is None and self._size != "rules" and self._serves(name):
            return _of_model(Prompt(name=name))  # its words and schema come with the task
        if prompt is None:
            raise Refusal("NotFound", f"this worker has no prompt {name} (modules loaded: {self._modules})")
        if self._size != "rules" and self._serves(name):
            return _of_model(prompt)
        if self._size != "rules":
            raise Refusal("NoAnswer", f"this worker of size {self._size} has no model")
        if prompt.rules is None:
            raise Refusal("NoAnswer", f"prompt {name} has no rules function, which is what the size rules answers with")
        return _of_prompt(prompt, prompt.rules)


def _of_task(task: TaskFunction[..., Any]) -> Call:
    outcome, function = task.outcome, task.function

    def invoke(arguments: dict[str, Any]) -> Any:
        return function(**arguments)

    def encode(value: Any) -> bytes:
        return outcome.cross(value)[0]

    return Call(
        label=f"task {task.name}",
        is_async=task.is_async,
        limits=task.limits,
        decode=task.unpack,
        invoke=invoke,
        encode=encode,
        check=outcome.decode,
        model={},
    )


def _of_model(prompt: Prompt) -> Call:
    label = f"prompt {prompt.name}"

    def encode(value: Any) -> bytes:
        raise AssertionError("a model's answer comes as JSON")

    return Call(
        label=label,
        is_async=True,
        limits=None,
        decode=_decoder(label, about_type(prompt)),
        invoke=encode,
        encode=encode,
        check=encode,
        model={"prompt_version": prompt.version},
        asks=prompt,
    )


def _decoder(label: str, type: Any) -> Callable[[bytes | Raw], Any]:
    decoder = msgspec.json.Decoder(type)

    def decode(raw: bytes | Raw) -> Any:
        try:
            return decoder.decode(raw)
        except msgspec.MsgspecError as error:
            raise DataError(f"what {label} is about: {error}") from None

    return decode


def _of_prompt(prompt: Prompt, rules: Callable[[Any], Any]) -> Call:
    label = f"prompt {prompt.name}"

    def encode(value: Any) -> bytes:
        try:
            return encode_json(value)
        except (msgspec.MsgspecError, TypeError, ValueError, OverflowError) as error:
            raise DataError(f"answer of {label}: {error}") from None

    def check(raw: bytes) -> object:
        # What is no JSON would be put into the result message as it is. Whether it fits the schema, the engine finds.
        try:
            return msgspec.json.decode(raw)
        except msgspec.MsgspecError as error:
            raise DataError(f"answer of {label}: {error}") from None

    return Call(
        label=label,
        is_async=inspect.iscoroutinefunction(rules),
        limits=prompt.limits,
        decode=_decoder(label, parameter_type(rules)),
        invoke=rules,
        encode=encode,
        check=check,
        model={"model": f"{rules.__module__}.{rules.__qualname__}", "prompt_version": prompt.version},
    )
