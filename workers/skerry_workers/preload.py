"""What calls would import at their first use, imported beforehand.

A task's module is loaded by the engine as well, which must not load parsers of untrusted files: so such tasks import
within the function. In the sandbox every call is a fresh fork, and would pay for that each time. This module reads from
the compiled functions which imports they hold, and does them once, before the forks. It begins with the functions that
run in the sandbox, and goes on to every function of the same package that they name.
"""

from __future__ import annotations

import dis
import importlib
import importlib.util
import logging
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any, cast

from skerry.registry import Registry

_log = logging.getLogger("skerry.worker.sandbox")


def preload(registry: Registry) -> None:
    """Imports what the registry's calls with limits will import. What cannot be imported, they will find out."""
    starts: list[Any] = [task.function for task in registry.tasks.values() if task.limits]
    starts += [prompt.rules for prompt in registry.prompts.values() if prompt.rules and prompt.limits]
    for start in starts:
        _Walk(_top(getattr(start, "__module__", ""))).visit(start)


def _top(module: str) -> str:
    return module.partition(".")[0]


class _Walk:
    """From one thing to all that it names, within one package."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._seen: set[int] = set()

    def visit(self, start: Any) -> None:
        """Functions, classes (their methods) and modules (all that is defined in them)."""
        waiting = [start]
        while waiting:
            # Decorated functions, and methods of every kind, hold the function that was written.
            thing = waiting.pop()
            thing = getattr(thing, "__wrapped__", None) or getattr(thing, "fget", None) or thing
            if id(thing) in self._seen:
                continue
            self._seen.add(id(thing))
            if isinstance(thing, ModuleType):
                own = _top(thing.__name__) == self._package
                parts = vars(thing).values() if own else ()
                waiting += [part for part in parts if getattr(part, "__module__", "") == thing.__name__]
            elif _top(getattr(thing, "__module__", None) or "") == self._package:
                if isinstance(thing, type):
                    waiting += vars(thing).values()
                elif isinstance(thing, FunctionType):
                    waiting += self._named(thing)

    def _named(self, function: FunctionType) -> Iterator[Any]:
        """What a function's code refers to: by import, or in its module."""
        for code in _codes(function.__code__):
            yield from (function.__globals__[name] for name in code.co_names if name in function.__globals__)
            for name, taken in imports_of(code, function.__globals__.get("__package__") or function.__module__):
                module = _import(name)
                if module is None:
                    continue
                for each in taken:
                    if hasattr(module, each):
                        yield getattr(module, each)
                    elif hasattr(module, "__path__"):  # a module in a package, not loaded yet
                        yield _import(f"{name}.{each}")
                if not taken:
                    yield module


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def imports_of(code: CodeType, package: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each import of a code object: the module's full name, and what `from` takes out of it."""
    level, taken = 0, cast("tuple[str, ...]", ())
    for instruction in dis.get_instructions(code):
        if instruction.opname == "IMPORT_NAME":
            name = "." * level + str(instruction.argval)
            yield importlib.util.resolve_name(name, package) if level else name, taken
        # Before it two constants are loaded: the level (how many dots), and the names that `from` takes out or None.
        elif instruction.opname in ("LOAD_CONST", "LOAD_SMALL_INT"):
            constant: object = instruction.argval
            if isinstance(constant, int):
                level, taken = constant, ()
            elif isinstance(constant, tuple):
                taken = cast("tuple[str, ...]", constant)


def _import(name: str) -> ModuleType | None:
    try:
        return sys.modules.get(name) or importlib.import_module(name)
    except Exception as error:  # an extra that is not installed, for instance
        _log.debug("cannot import %s beforehand: %s", name, error)
        return None
