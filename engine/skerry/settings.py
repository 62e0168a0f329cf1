"""The tables of skerry.toml whose keys are names: `[workers.SIZE]` and `[models.NAME]`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeAlias

from skerry.core.structs import Frozen
from skerry.core.wire import Size

Backend: TypeAlias = Literal["", "onnx", "llama", "xllama", "openai", "recorded"]
ModelSize: TypeAlias = Literal["small", "medium", "large", "cloud"]

IDLE_S = 600.0


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


class Model(Frozen):
    """A model, and whom it serves.

    `backend` empty: what fits `path` or `url`. `path` is a .gguf file, a folder of ONNX Runtime GenAI, a cassette, or a
    folder with several of them, of which the one is taken that suits the machine. `sizes` are those that it serves,
    `prompts` the names of those that it answers (empty: all). It is unloaded when nobody has asked it for `idle_s`
    seconds (0: never); `warm`: loaded when its worker starts, not at the first question.
    `hints`: it is told the names and descriptions of the fields. `words` are, by prompt, what it is told instead of the
    prompt's own text, for a model that was trained on other words.
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


NAMED: dict[str, type[Workers] | type[Model]] = {"workers": Workers, "models": Model}
"""The tables of tables, and what stands in each of them."""


def short(workers: dict[Size, Workers]) -> bool:
    """Whether `rules=2x4` says all that these settings say."""
    return all(w == Workers(processes=w.processes, slots=w.slots) for w in workers.values())
