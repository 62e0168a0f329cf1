"""What a node knows: the workflows, tasks and prompts that stand in the modules it was told to load."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from skerry.core.tasks import Prompt, TaskFunction
from skerry.core.workflow import Workflow
from skerry.errors import DefinitionError, NotFound, SkerryError
from skerry.ports import SourceKind


class Registry:
    """Workflows by name and version; tasks, prompts and kinds of sources by name. No name means two things."""

    def __init__(self) -> None:
        self.workflows: dict[tuple[str, int], Workflow[Any]] = {}
        self._newest: dict[str, Workflow[Any]] = {}
        self.tasks: dict[str, TaskFunction[..., Any]] = {}
        self.prompts: dict[str, Prompt] = {}
        self.sources: dict[str, SourceKind[Any]] = {}

    def add(self, thing: object) -> None:
        """Takes in what is one of these; anything else is passed over. Raises `DefinitionError`."""
        if isinstance(thing, Workflow):
            self._put(self.workflows, (thing.name, thing.version), thing, f"workflow {thing.name} v{thing.version}")
            newest = self._newest.get(thing.name)
            if newest is None or thing.version > newest.version:
                self._newest[thing.name] = thing
        elif isinstance(thing, TaskFunction):
            thing.check()
            self._put(self.tasks, thing.name, thing, f"task {thing.name}")
        elif isinstance(thing, Prompt):
            self._put(self.prompts, thing.name, thing, f"prompt {thing.name}")
        elif isinstance(thing, SourceKind):
            self._put(self.sources, thing.name, thing, f"source {thing.name}")

    def _put(self, where: dict[Any, Any], key: Any, thing: Any, what: str) -> None:
        if where.setdefault(key, thing) is not thing:
            raise DefinitionError(f"there are two of {what}", hint="give one of them another name or version")

    def workflow(self, name: str, version: int | None = None) -> Workflow[Any]:
        """A workflow; its newest version unless one is named. Raises `NotFound`."""
        found = self._newest.get(name) if version is None else self.workflows.get((name, version))
        if found is not None:
            return found
        known = ", ".join(sorted(self._newest)) or "none"
        label = name if version is None else f"{name} v{version}"
        raise NotFound(f"there is no workflow {label} here", hint=f"loaded workflows: {known}")

    def triggered_by(self, event: str) -> list[Workflow[Any]]:
        """The newest version of every workflow that an event of this type starts."""
        return [workflow for workflow in self._newest.values() if workflow.on == event]


def load(modules: Iterable[str | ModuleType]) -> Registry:
    """Imports the modules and registers what stands in them. Raises `DefinitionError` when one cannot be imported."""
    registry = Registry()
    for module in modules:
        if isinstance(module, str):
            try:
                module = importlib.import_module(module)
            except ImportError as error:
                raise DefinitionError(
                    f"cannot import {module}: {error}", hint="check `modules` in skerry.toml, and your PYTHONPATH"
                ) from error
            except SkerryError:
                raise
            except Exception as error:
                raise DefinitionError(
                    f"cannot import {module}: {type(error).__name__}: {error}", hint="mend it; --debug shows where"
                ) from error
        for thing in vars(module).values():
            registry.add(thing)
    return registry
