"""The tables of skerry.toml whose keys are names: `[workers.SIZE]`, `[models.NAME]` and `[deployment.NODE]`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeAlias

from skerry.core.structs import Frozen
from skerry.core.wire import Size
from skerry.people import Person
from skerry.tools import Tool

Backend: TypeAlias = Literal["", "onnx", "llama", "xllama", "openai", "recorded"]
ModelSize: TypeAlias = Literal["small", "medium", "large", "cloud"]

IDLE_S = 600.0
_MILLION = 1_000_000


class Workers(Frozen):
    """The workers of one size that `skerry up` starts, and what each of their processes may use.

    `memory_mb` and `models_max` are for all models that a process has loaded (0: what is free on the machine; as many
    as fit). `threads` and `context` are for models that do not say (0: chosen for the machine; the model's own).
    `http_port` is where the first process answers /livez, /readyz and /metrics, on this machine only; the next has the
    next port. 0: nowhere.
    """

    processes: int = 1
    slots: int = 4
    memory_mb: int = 0
    models_max: int = 0
    threads: int = 0
    context: int = 0
    http_port: int = 0


class Price(Frozen):
    """What a million tokens cost: read, read from a cache (None: as much as any), written. 0: nothing, or not known.

    `currency` is a word of the user's choice ("EUR"); all prices of a node have the same, for budgets add them up.
    """

    tokens_in: float = 0.0
    tokens_cached: float | None = None
    tokens_out: float = 0.0
    currency: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a price at all."""
        return bool(self.tokens_in or self.tokens_cached or self.tokens_out)

    def of(self, tokens_in: int, tokens_cached: int, tokens_out: int) -> float:
        """What so many tokens cost; `tokens_in` has those from a cache in it."""
        cached = self.tokens_in if self.tokens_cached is None else self.tokens_cached
        fresh = max(0, tokens_in - tokens_cached)
        return (fresh * self.tokens_in + tokens_cached * cached + tokens_out * self.tokens_out) / _MILLION


class Model(Frozen):
    """A model, and whom it serves.

    `backend` empty: what fits `path` or `url`. `path` is a .gguf file, a folder of ONNX Runtime GenAI, a cassette, or a
    folder with several of them, of which the one is taken that suits the machine. `sizes` are those that it serves,
    `prompts` the names of those that it answers (empty: all). It is unloaded when nobody has asked it for `idle_s`
    seconds (0: never); `warm`: loaded when its worker starts, not at the first question.
    `hints`: it is told the names and descriptions of the fields. `words` are, by prompt, what it is told instead of the
    prompt's own text, for a model that was trained on other words. `whole`: it knows a prompt's quotes in one shape
    only, so it is asked for all of them, whichever are wanted, and for nothing else. `price`: what its answers cost.
    The rest is as in `skerry_workers.models.port.ModelSpec`.
    """

    backend: Backend = ""
    path: Path | None = None
    url: str = ""
    model: str = ""
    key_variable: str = ""
    threads: int = 0
    context: int = 0
    slots: int = 1
    memory_mb: int = 0
    options: dict[str, Any] = {}
    sizes: tuple[ModelSize, ...] = ("small",)
    prompts: tuple[str, ...] = ()
    idle_s: float = IDLE_S
    warm: bool = True
    hints: bool = True
    words: dict[str, str] = {}
    whole: bool = False
    price: Price = Price()


class Machine(Frozen):
    """One node of a deployment: what of the file's settings is for it.

    `workers` by size, as in `[workers]`. `models` names those of `[models]` that its workers have (empty: all), `watch`
    the watches that it runs (empty: none). `data` and `http_port` as without a deployment. `engine = false`: only
    workers run here, for the engines of the other nodes.
    """

    workers: dict[Size, Workers] = {}
    models: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()
    engine: bool = True
    data: Path | None = None
    http_port: int = 0


NAMED: dict[str, type[Workers] | type[Model] | type[Machine] | type[Person] | type[Tool]] = {
    "workers": Workers,
    "models": Model,
    "deployment": Machine,
    "people": Person,
    "tools": Tool,
}
"""The tables of tables, and what stands in each of them."""


def short(workers: dict[Size, Workers]) -> bool:
    """Whether `rules=2x4` says all that these settings say."""
    return all(w == Workers(processes=w.processes, slots=w.slots) for w in workers.values())
