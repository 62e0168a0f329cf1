"""Answers from a cassette: for tests, and for going through a run again without its model.

A cassette is a file of JSON lines: the first says which model it was recorded from, each other one is a question and
its answer, found by a hash of both question and model. With the option `of` (another model's table, as in skerry.toml)
what the cassette does not have is asked there, and recorded. How long somebody waits for an answer is no part of a
question.
"""

from __future__ import annotations

import hashlib
import os
import threading
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, cast

import msgspec
from msgspec import Raw

from skerry.core.answers import FieldNote
from skerry.core.structs import Frozen
from skerry_workers.models.port import (
    Answer,
    Backend,
    Capabilities,
    ModelBroken,
    ModelSpec,
    Question,
    Stopped,
    Usage,
)


class Head(Frozen, omit_defaults=True):
    """The first line of a cassette: the recorded model."""

    cassette: int
    digest: str
    capabilities: Capabilities


class Entry(Frozen, omit_defaults=True):
    """Any other line. `value` is the answer's JSON as a text; the question is there to be read by people."""

    key: str
    question: Question
    value: str
    fields: dict[str, FieldNote] = {}
    usage: Usage = Usage()
    finish: Literal["stop", "length"] = "stop"


def load(spec: ModelSpec) -> Recorded:
    """Opens a cassette. Raises `ModelBroken`: there is none (and nothing to record from), or it cannot be read."""
    inner = _inner(spec.options.get("of"))
    path = Path(spec.path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        data = b""
    except OSError as error:
        raise ModelBroken(f"cassette {path}: {error.strerror}") from None
    if not data and inner is None:
        raise ModelBroken(f"there is no cassette {path}, or nothing on it", hint="record one: set the option `of`")
    return Recorded(path, data, inner)


def _inner(of: Any) -> Backend | None:
    if of is None:
        return None
    try:
        spec = msgspec.convert({"name": "recorded", **of}, ModelSpec)
    except (msgspec.ValidationError, TypeError) as error:
        raise ModelBroken(f"the option `of` of a recorded model is no model: {error}") from None
    return cast(Backend, import_module(f"skerry_workers.models.{spec.backend}").load(spec))


def key_of(question: Question, digest: str) -> str:
    """Under which an answer is found."""
    asked = msgspec.structs.replace(question, timeout_s=0.0)
    return hashlib.sha256(digest.encode() + b"\0" + msgspec.json.encode(asked, order="sorted")).hexdigest()


class Recorded:
    """A cassette as a backend; `inner` answers, and is recorded, where it has nothing."""

    def __init__(self, path: Path, data: bytes, inner: Backend | None = None) -> None:
        self._path = path
        self._inner = inner
        self._writing = threading.Lock()
        whole, _, torn = data.rpartition(b"\n")  # a line that has no end was being written when the power went
        head, *entries = whole.split(b"\n")
        self._head = self._read_head(head) if data else None
        self._entries: dict[str, Answer] = {}
        for number, line in enumerate(entries, start=2):
            entry: Entry = self._decode(line, number, Entry)
            self._entries[entry.key] = Answer(
                value=Raw(entry.value.encode()), fields=entry.fields, usage=entry.usage, finish=entry.finish
            )
        if inner is not None:
            self._begin(len(data) - len(torn))
        assert self._head is not None
        self.digest = self._head.digest
        self.capabilities = self._head.capabilities

    def answer(self, question: Question, stop: threading.Event) -> Answer:
        """See `Backend`. Raises `ModelBroken` for a question that is not on the cassette."""
        if stop.is_set():
            raise Stopped("taken back")
        key = key_of(question, self.digest)
        known = self._entries.get(key)
        if known is not None:
            return known
        if self._inner is not None:
            answer = self._inner.answer(question, stop)
            self._keep(key, question, answer)
            return answer
        if question.tokens_max == 1:  # whether a model writes at all: a cassette does
            return Answer(value=Raw(b"null"), usage=Usage(tokens_out=1), finish="length")
        raise ModelBroken(
            f"the cassette {self._path} has no answer to this question ({key[:12]})",
            hint="prompt, schema or document are not what they were: record it again",
        )

    def close(self) -> None:
        """See `Backend`."""
        if self._inner is not None:
            self._inner.close()

    def _decode(self, line: bytes, number: int, kind: type[Any]) -> Any:
        try:
            return msgspec.json.decode(line, type=kind)
        except msgspec.MsgspecError as error:
            raise ModelBroken(f"cassette {self._path}, line {number}: {error}", hint="record it again") from None

    def _read_head(self, line: bytes) -> Head:
        head: Head = self._decode(line, 1, Head)
        if head.cassette != 1:
            raise ModelBroken(f"cassette {self._path} has version {head.cassette}, and this one reads version 1")
        if self._inner is not None and head.digest != self._inner.digest:
            raise ModelBroken(f"cassette {self._path} was recorded from another model", hint="record into a new file")
        return head

    def _begin(self, size: int) -> None:
        """Ready to write: a new cassette gets its head, a torn line is cut off."""
        assert self._inner is not None
        if self._head is None:
            self._head = Head(cassette=1, digest=self._inner.digest, capabilities=self._inner.capabilities)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_bytes(msgspec.json.encode(self._head) + b"\n")
        else:
            os.truncate(self._path, size)

    def _keep(self, key: str, question: Question, answer: Answer) -> None:
        entry = Entry(
            key=key,
            question=msgspec.structs.replace(question, timeout_s=0.0),
            value=bytes(answer.value).decode("utf-8", "replace"),
            fields=dict(answer.fields),
            usage=answer.usage,
            finish=answer.finish,
        )
        with self._writing, self._path.open("ab") as file:
            file.write(msgspec.json.encode(entry) + b"\n")
            self._entries[key] = answer
