"""What calls would import at their first use, imported beforehand.

A task's module is loaded by the engine as well, which must not load parsers of untrusted files: so such tasks import
within the function. In the sandbox every call is a fresh fork, and would pay for that each time. This module reads from
the compiled functions which imports they hold, and does them once, before the forks: those of the functions that run in
the sandbox, and those of every function of the modules of the same package that are reached on the way.
"""

from __future__ import annotations

import dis
import importlib
import importlib.util
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any, cast

from skerry.registry import Registry

_log = logging.getLogger("skerry.worker.sandbox")


def preload(registry: Registry) -> None:
    """Imports what the registry's calls with limits will import. What cannot be imported, they will find out."""
    functions: list[Callable[..., Any]] = [task.function for task in registry.tasks.values() if task.limits]
    functions += [prompt.rules for prompt in registry.prompts.values() if prompt.rules and prompt.limits]
    seen: set[str] = set()
    for function in functions:
        code = getattr(function, "__code__", None)
        if isinstance(code, CodeType):
            _follow([code], function.__module__, seen)


def _follow(codes: Iterable[CodeType], module: str, seen: set[str]) -> None:
    package = sys.modules[module].__dict__.get("__package__") or module
    for code in codes:
        for name in sorted(_imports(code, package)):
            if name in seen:
                continue
            seen.add(name)
            imported = _import(name)
            if imported is not None and name.partition(".")[0] == module.partition(".")[0]:
                _follow(_functions(imported), name, seen)


def _import(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except Exception as error:  # an extra that is not installed; or a name that is not a module's
        _log.debug("cannot import %s beforehand: %s", name, error)
        return None


def _functions(module: ModuleType) -> Iterator[CodeType]:
    for thing in vars(module).values():
        if isinstance(thing, FunctionType) and thing.__module__ == module.__name__:
            yield thing.__code__
        elif isinstance(thing, type) and thing.__module__ == module.__name__:
            yield from (part.__code__ for part in vars(thing).values() if isinstance(part, FunctionType))


def _imports(code: CodeType, package: str) -> Iterator[str]:
    """Names of the modules that a function imports, in itself or in functions within."""
    level, taken = 0, cast("tuple[str, ...]", ())
    for instruction in dis.get_instructions(code):
        if instruction.opname == "IMPORT_NAME":
            base = "." * level + str(instruction.argval)
            name = importlib.util.resolve_name(base, package) if level else base
            yield name
            # What is taken out may be modules, too (`from package import module`).
            if taken and _is_package(name):
                yield from (f"{name}.{each}" for each in taken)
        # Before it two constants are loaded: the level (how many dots), and the names that `from` takes out or None.
        elif instruction.opname in ("LOAD_CONST", "LOAD_SMALL_INT"):
            constant: object = instruction.argval
            if isinstance(constant, int):
                level, taken = constant, ()
            elif isinstance(constant, tuple):
                taken = cast("tuple[str, ...]", constant)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _imports(inner, package)


def _is_package(name: str) -> bool:
    module = sys.modules.get(name) or _import(name)
    return module is not None and hasattr(module, "__path__")
