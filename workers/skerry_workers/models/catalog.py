"""The models of one worker: those of its size, as the settings name them, or else the ones that come with Skerry."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from skerry.errors import DataError
from skerry.settings import Model, Workers
from skerry_workers.failures import Refusal
from skerry_workers.models.choose import Choice, choices
from skerry_workers.models.machine import Machine, detect
from skerry_workers.models.port import ModelSpec

SHIPPED = Path(__file__).parent / "shipped"
"""Models that come with Skerry, and models.toml with what skerry.toml would say of them."""


class Offer(NamedTuple):
    """A model that can be used, with its settings."""

    spec: ModelSpec
    model: Model
    needs_mb: int
    why: tuple[str, ...]


class Catalog:
    """What a worker of a size can ask, by prompt."""

    def __init__(self, models: Mapping[str, Model], size: str, limits: Workers, machine: Machine | None = None) -> None:
        self.size = size
        self.limits = limits
        self.machine = machine or detect()
        self._models = with_shipped(models)
        self._choices = choices(self._models, size, limits, self.machine)
        self._offers: dict[str, tuple[Offer, ...]] = {}

    @property
    def offers(self) -> tuple[Offer, ...]:
        """All models that can be used, those first that are asked first."""
        return self._of(self._choices)

    @property
    def unusable(self) -> tuple[Choice, ...]:
        """The models that cannot be used here, with the reason."""
        return tuple(choice for choice in self._choices if choice.spec is None)

    def serves(self, prompt: str) -> bool:
        """Whether there is a model for a prompt, usable or not."""
        return any(not choice.prompts or prompt in choice.prompts for choice in self._choices)

    def find(self, prompt: str) -> tuple[Offer, ...]:
        """The models for a prompt, in the order in which they are asked: the next when one is broken.

        Raises `Refusal`: there is none, or none that can be used here.
        """
        found = self._offers.get(prompt)
        if found is None:
            fitting = choices(self._models, self.size, self.limits, self.machine, prompt=prompt)
            found = self._of(fitting)
            if not fitting:
                raise Refusal("NoAnswer", f"this worker of size {self.size} has no model for the prompt {prompt}")
            if not found:
                raise Refusal("ModelBroken", "; ".join(f"model {each.name}: {each.why[0]}" for each in fitting))
            self._offers[prompt] = found
        return found

    def _of(self, chosen: list[Choice]) -> tuple[Offer, ...]:
        return tuple(
            Offer(choice.spec, self._models[choice.name], choice.needs_mb, choice.why)
            for choice in chosen
            if choice.spec is not None
        )


def with_shipped(models: Mapping[str, Model]) -> dict[str, Model]:
    """The models of the settings; where none of them serves `small`, also those that come with Skerry."""
    if any("small" in model.sizes for model in models.values()):
        return dict(models)
    return {**models, **{name: model for name, model in shipped().items() if name not in models}}


def shipped(folder: Path = SHIPPED) -> dict[str, Model]:
    """The models that come with Skerry. Raises `DataError` if their settings make no sense."""
    file = folder / "models.toml"
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
        models = msgspec.convert(tables.get("models", {}), dict[str, Model], dec_hook=_path)
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DataError(f"{file}: {error}") from None
    return {
        name: msgspec.structs.replace(model, path=folder / model.path if model.path is not None else None)
        for name, model in models.items()
    }


def _path(type: type, value: object) -> Path:
    if type is Path and isinstance(value, str):
        return Path(value)
    raise ValueError(f"expected a path, got {value!r:.80}")
