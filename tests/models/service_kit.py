"""Models for the worker's tests that need no backend: what they answer, and how long they take, is up to the test."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Raw

from skerry.core.answers import FieldNote
from skerry.core.codec import encode_json
from skerry.settings import Model
from skerry_workers.models.machine import Machine
from skerry_workers.models.port import Answer, Capabilities, ModelError, ModelSpec, Question, Usage

MACHINE = Machine(cores=4, threads=8, memory_mb=16_000, free_mb=8_000, backends={"onnx": "1", "xllama": "1"})


def gguf(path: Path, megabytes: int = 1) -> Path:
    """A file that is a model as far as can be seen without loading it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(b"GGUF")
        file.truncate(megabytes << 20)
    return path


def model(path: Path, **more: Any) -> Model:
    """The settings of one."""
    return Model(path=path, **more)


class FakeHost:
    """In the place of a model's process. `answers` makes the value of a question, or raises."""

    def __init__(self, spec: ModelSpec, answers: Callable[[Question], Any]) -> None:
        self.spec = spec
        self.pid: int | None = os.getpid()
        self.digest = f"sha256:{spec.name}"
        self.capabilities = Capabilities(slots=spec.slots)
        self.questions: list[Question] = []
        self.stopped = 0
        self.closed = False
        self.probes = 0
        self.go = asyncio.Event()
        self.go.set()
        self.fails: ModelError | None = None
        self.loads = asyncio.Event()
        self.loads.set()
        self._answers = answers

    async def start(self) -> object:
        """Loads."""
        await self.loads.wait()
        if self.fails is not None:
            raise self.fails
        return None

    async def probe(self, timeout_s: float = 1.0) -> None:
        """One token."""
        self.probes += 1
        if self.fails is not None:
            raise self.fails

    async def answer(self, question: Question) -> Answer:
        """As the test wants it."""
        self.questions.append(question)
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        value = self._answers(question)
        if isinstance(value, Answer):
            return value
        return Answer(
            value=Raw(encode_json(value)),
            fields={"number": FieldNote(confidence=0.75, start=3, end=7)},
            usage=Usage(tokens_in=20, tokens_out=5, tokens_cached=8, reading_s=0.01, writing_s=0.02),
        )

    async def close(self) -> None:
        """Ends."""
        self.closed = True


class Hosts:
    """Opens fake hosts, and keeps them: `hosts["a"]` is the newest of model a."""

    def __init__(self, answers: Callable[[Question], Any] = lambda question: {"number": "4711"}) -> None:
        self.opened: list[FakeHost] = []
        self.answers = answers
        self.prepare: Callable[[FakeHost], None] = lambda host: None

    def __call__(self, spec: ModelSpec) -> FakeHost:
        host = FakeHost(spec, lambda question: self.answers(question))
        self.prepare(host)
        self.opened.append(host)
        return host

    def __getitem__(self, name: str) -> FakeHost:
        return next(host for host in reversed(self.opened) if host.spec.name == name)

    @property
    def alive(self) -> list[str]:
        """Names of those that are not closed."""
        return [host.spec.name for host in self.opened if not host.closed]
