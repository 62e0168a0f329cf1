"""What a worker and its sandbox say to each other, over a socket that belongs to one call.

A frame is twelve bytes (the length of its head in 4, of its payload in 8, big-endian), a JSON head, and a payload of
plain bytes. First the runner sends its process id in 4 bytes, then the worker sends a `Request` (payload: the
arguments' JSON, then the documents in order), and the runner answers with an `Answer` (payload: the value's JSON,
then the documents that the call has made).
"""

from __future__ import annotations

import struct

import msgspec

from skerry.core.structs import Frozen
from skerry.core.tasks import Limits

LENGTHS = struct.Struct("!IQ")
PID = struct.Struct("!I")
HEAD_BYTES_MAX = 1024 * 1024


class Document(Frozen):
    """One of the documents that a call may read."""

    sha256: str
    size: int


class Request(Frozen):
    """A call to make. The payload begins with `args_size` bytes of arguments."""

    kind: str
    target: str
    run: str
    step: str
    attempt: int
    key: str
    limits: Limits
    args_size: int
    documents: tuple[Document, ...] = ()
    settings: dict[str, str] = {}


class Answer(Frozen, omit_defaults=True):
    """What came of it; `kind` is empty when the payload is a value. `trace` is for the worker's log."""

    kind: str = ""
    message: str = ""
    retryable: bool = False
    retry_after_s: float = 0.0
    trace: str = ""
    written: tuple[int, ...] = ()
    """How long the documents are that the call has made."""


class Exit(Frozen):
    """The news that a runner has ended: its wait status, the processor time and the most memory that it used."""

    pid: int
    status: int
    cpu_s: float
    memory_kb: int


class Kill(Frozen):
    """A runner that shall be killed."""

    pid: int


class Setup(Frozen):
    """What the sandbox process is started with, as JSON: its two sockets, its parent, and what to load."""

    jobs: int
    control: int
    parent: int
    folder: str
    idle: int
    size: str
    modules: tuple[str, ...]


OUT_OF_MEMORY = "OutOfMemory"
"""The `kind` of an answer that says so; the worker makes a sentence of it."""


def frame(head: object, payload_size: int) -> bytes:
    """The beginning of a frame: what comes before the payload."""
    body = msgspec.json.encode(head)
    return LENGTHS.pack(len(body), payload_size) + body
