"""What a worker and the process of its model say to each other over a socket pair.

A frame is the length of its head in 4 bytes and of its payload in 8 (big-endian), a JSON head, and the payload: bytes
as they are, for only the value of an answer that was cut off is no JSON.
"""

from __future__ import annotations

import struct

import msgspec
from msgspec import Raw

from skerry.core.structs import Frozen
from skerry_workers.models.port import Answer, Capabilities, ModelSpec, Question

LENGTHS = struct.Struct("!IQ")
HEAD_BYTES_MAX = 64 * 1024 * 1024
PAYLOAD_BYTES_MAX = 64 * 1024 * 1024
ALIVE_S = 1.0
"""So often the child says that it lives."""


class Message(Frozen, tag=True, omit_defaults=True):
    """Base of all of them; the class's name is in the JSON as `type`."""


class Load(Message):
    """To the child, first: the model to load."""

    spec: ModelSpec


class Ask(Message):
    """To the child: a question, under a number that is used once."""

    id: int
    question: Question


class Cancel(Message):
    """To the child: nobody waits for the answer to this question any more."""

    id: int


class Alive(Message):
    """From the child, every `ALIVE_S`: it lives."""


class Ready(Message):
    """From the child: the model is loaded."""

    capabilities: Capabilities
    digest: str
    loading_s: float


class Refused(Message):
    """From the child: an error, to a question or (0) to `Load`. `trace` is for the log: a defect has one."""

    id: int
    kind: str
    text: str
    hint: str = ""
    retry_after_s: float = 0.0
    trace: str = ""


class Answered(Message):
    """From the child: an answer; its value is the payload."""

    id: int
    answer: Answer


ToChild = Load | Ask | Cancel
FromChild = Alive | Ready | Refused | Answered

to_child: msgspec.json.Decoder[ToChild] = msgspec.json.Decoder(ToChild)
from_child: msgspec.json.Decoder[FromChild] = msgspec.json.Decoder(FromChild)


class Setup(Frozen):
    """What the child is started with, as its argument: its socket, and its parent's process id."""

    socket: int
    parent: int


def frame(message: Message, payload: bytes | Raw = b"") -> bytes:
    """A whole frame."""
    head = msgspec.json.encode(message)
    body = bytes(payload)
    return LENGTHS.pack(len(head), len(body)) + head + body
