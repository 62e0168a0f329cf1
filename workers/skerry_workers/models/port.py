"""The port of the model backends: a question goes in, an answer comes out, as JSON that should fit a schema.

A backend lives in a process of its own (`host` starts it, `child` is its main loop), so that whatever it does to that
process (crash, hang, eat the memory) costs one attempt and not the worker. It is called from as many threads at a time
as it has `slots`; what it must not do from two threads at once, it has to put in order by itself.

Nothing that a backend promises is believed: the worker decodes and checks the answer again, the engine verifies it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

from msgspec import Raw

from skerry.core.answers import FieldNote
from skerry.core.structs import NOTHING, Frozen
from skerry.errors import SkerryError

BackendName: TypeAlias = Literal["onnx", "llama", "xllama", "openai", "recorded"]
QUOTED = "x-skerry-quoted"
"""In a schema, `{"type": "string", "x-skerry-quoted": true}`: a text that has to occur, as it is, in the question."""


class Question(Frozen, omit_defaults=True):
    """What a model is asked.

    `system` is the part that stays the same from question to question (what to do), `text` what it is about, `schema`
    the JSON schema of the answer. `objections` are sentences against earlier answers. `timeout_s`: longer nobody waits
    (0: for ever).
    """

    system: str
    text: str
    schema: dict[str, Any]
    objections: tuple[str, ...] = ()
    tokens_max: int = 512
    temperature: float = 0.0
    seed: int = 0
    timeout_s: float = 0.0


PROBE = Question(system="", text="Ready?", schema={"type": "boolean"}, tokens_max=1)
"""Asked to see that a model still writes: one real token, whose meaning nobody looks at."""


class Usage(Frozen, omit_defaults=True):
    """Tokens read, written, and read from a cache; seconds of waiting for a slot, loading, reading and writing; joules.

    `tokens_in` has those from a cache in it. `energy_j` 0: nobody can say; a backend leaves that to its host.
    """

    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    waiting_s: float = 0.0
    loading_s: float = 0.0
    reading_s: float = 0.0
    writing_s: float = 0.0
    energy_j: float = 0.0


class Answer(Frozen, omit_defaults=True):
    """What a model answered. `fields` are notes by the path of a field ("seller", "lines.0.amount").

    A backend without probabilities leaves `fields` empty. `finish` "length": it was cut off and is no whole JSON.
    """

    value: Raw = NOTHING
    fields: Mapping[str, FieldNote] = {}
    usage: Usage = Usage()
    finish: Literal["stop", "length"] = "stop"


class Capabilities(Frozen):
    """What a backend does by itself. `slots`: questions at a time. `prefix`: it reads a repeating `system` once."""

    slots: int = 1
    schema: bool = False
    quoted: bool = False
    confidence: bool = False
    prefix: bool = False


class ModelSpec(Frozen, omit_defaults=True):
    """Which model, and what it may use. From skerry.toml: `[models.NAME]`.

    `path` is a folder (onnx), a .gguf file (llama, xllama), a cassette (recorded), or empty; `url` an endpoint and
    `model` its name there (openai). `key_variable` is the environment variable that holds the endpoint's key.
    `threads` 0: chosen for the machine. `context` 0: the model's own, within `memory_mb`.
    """

    name: str
    backend: BackendName
    path: str = ""
    url: str = ""
    model: str = ""
    key_variable: str = ""
    threads: int = 0
    context: int = 0
    slots: int = 1
    memory_mb: int = 0
    options: Mapping[str, Any] = {}


class ModelError(SkerryError):
    """A model has no answer to this question. Another attempt or another size may; `retryable` says which."""

    retryable: ClassVar[bool] = False


class ModelUnavailable(ModelError):
    """It cannot be reached or loaded, or is too busy, at the moment. `retry_after_s` is what it said itself (or 0)."""

    retryable = True

    def __init__(self, message: str, *, hint: str = "", retry_after_s: float = 0.0) -> None:
        """See `SkerryError`."""
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class ModelBroken(ModelError):
    """The model's file is missing, cut off, of the wrong kind, or the backend is not installed: mend it first."""


class Stopped(ModelError):
    """The question was taken back while it was being answered."""


class Backend(Protocol):
    """A loaded model. Made by its module's `load(spec: ModelSpec) -> Backend`, which may take long."""

    @property
    def capabilities(self) -> Capabilities:
        """What it does by itself."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 over the model's files (`sha256:...`), or what an endpoint says of its model."""
        ...

    def answer(self, question: Question, stop: threading.Event) -> Answer:
        """Answers one question; blocks. Once `stop` is set it ends within about a second, and raises `Stopped`.

        Raises `ModelError`: no answer is possible. Anything else that it raises is a defect, and told as one.
        """
        ...

    def close(self) -> None:
        """Lets go of everything."""
        ...
