"""What goes between node and hub: subjects, records, and the stream that they lie in.

    hub.journal.<node>.piece         stream SKERRY_HUB: a piece of a page or of blobs; only ever in a batch
    hub.journal.<node>.blob.<sha>    the same stream, in a batch with blobs: this one is in the stream
    hub.journal.<node>.cursor        the same stream: the last message of each batch, a `Cursor`; the fence is on it
    hub.journal.<node>.outcome.<id>  the same stream: what became of a command, an `Outcome`; one message a subject
    hub.journal.<node>.apart         the same stream: the last message of a batch that a fenced node sends, a `Cursor`
    hub.owner                        the same stream: which hub takes this stream in, an `Owner`
    hub.command.<node>.<id>          the same stream: what the hub wants of a node, a `Command`; one message a subject
    hub.ask.<node>.where             core NATS request: how far has the hub come with this node? `Stands`
    hub.ask.<node>.commands          core NATS request: what waits for this node? `Waiting`
    hub.ask.<node>.chain             core NATS request: a page of the node that it adopts. `AskChain`, `Piece`
    hub.ask.<node>.blob              core NATS request: a blob of that node. `AskBlob`, `Piece`
    hub.wake.<node>                  core NATS: there is a command or a rewind for this node; may be lost
    hub.give                         core NATS request: keep a command. A `Command`; answered with a `wire.Reply`
    hub.adopt                        core NATS request: let another node adopt a lost one. An `Adoption`; `wire.Reply`

A batch is one atomic publish of JetStream (ADR-50 of nats-architecture-and-design): all of it is in the stream, one
after the other, or nothing. Its last message expects to be the first after the cursor that the sender has seen, so of
two senders one is refused, and a sender that does not know whether it was heard looks at the last cursor.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Raw

from skerry.core.chain import GENESIS
from skerry.core.structs import Frozen
from skerry.errors import DataError

STREAM = "SKERRY_HUB"
OWNER = "hub.owner"
GIVE = "hub.give"
ADOPT = "hub.adopt"
PIECE_BYTES = 512 * 1024
"""How much of a page or of blobs one message carries."""
BATCH_PIECES_MAX = 990
"""JetStream takes 1000 messages in a batch. That is enough for the longest blob and the longest page."""
STREAM_BYTES_MAX = 1024**3
"""The default of the stream's length. What falls out at its beginning is asked of the nodes again, if it is missed."""

BATCH_HEADER = "Nats-Batch-Id"
"""JetStream keeps it on each message of a batch, so that a reader knows what belongs together."""


def piece_subject(node: str) -> str:
    """Where pieces go."""
    return f"hub.journal.{node}.piece"


def blob_subject(node: str, sha256: str) -> str:
    """What says that a blob is in the stream."""
    return f"hub.journal.{node}.blob.{sha256}"


def cursor_subject(node: str) -> str:
    """Where cursors go; `*` for all nodes."""
    return f"hub.journal.{node}.cursor"


def apart_subject(node: str) -> str:
    """Where the batches of a node end that another one has adopted."""
    return f"hub.journal.{node}.apart"


def outcome_subject(node: str, id: str) -> str:
    """Where it is said what became of a command."""
    return f"hub.journal.{node}.outcome.{id}"


def command_subject(node: str, id: str) -> str:
    """Where a command is."""
    return f"hub.command.{node}.{id}"


def ask_subject(node: str, what: Literal["where", "commands", "chain", "blob"]) -> str:
    """Where a node asks the hub; `*` for all nodes."""
    return f"hub.ask.{node}.{what}"


def wake_subject(node: str) -> str:
    """Where a node hears that there is a command, or a rewind, for it."""
    return f"hub.wake.{node}"


def stream_config(*, bytes_max: int, replicas: int) -> dict[str, Any]:
    """The stream, for JetStream's `STREAM.CREATE`."""
    return {
        "name": STREAM,
        "subjects": ["hub.journal.>", "hub.command.>", OWNER],
        "retention": "limits",
        "storage": "file",
        "discard": "old",
        "max_bytes": bytes_max,
        "num_replicas": replicas,
        "allow_atomic": True,
        "allow_direct": True,
    }


class BlobPart(Frozen):
    """A blob in a batch: its name, and how many bytes of the whole, one after the other, are its."""

    sha256: str
    size: int


class Cursor(Frozen, omit_defaults=True):
    """How far a node's journal is in the stream: up to the event `seq` of `epoch`, whose header has `hash` (hex).

    `kind` "page": the batch holds the events from `first` on. "blobs": it holds these `blobs`, and `seq` is as before.
    "rewind": the hub has written it, as it lacks what comes after `seq` and does not find it in the stream. "adopted":
    the hub has written it, as the node `by` adopts this one; from there on `by` says who sends.

    `pieces` and `size` (bytes) are those of the batch; `head` was the journal's last event when it was sent, at
    `at_us`. `floor` is the place in the stream of the last rewind: what lies before it may be lost.
    """

    kind: Literal["page", "blobs", "rewind", "adopted"]
    node: str
    epoch: int
    seq: int
    hash: str
    first: int = 0
    batch: str = ""
    pieces: int = 0
    size: int = 0
    blobs: tuple[BlobPart, ...] = ()
    head: int = 0
    at_us: int = 0
    floor: int = 0
    software: str = ""
    by: str = ""

    @property
    def digest(self) -> bytes:
        """The hash's bytes. Raises `DataError` when it is none."""
        return digest(self.hash)


class Owner(Frozen):
    """Which hub takes the stream in: `hub` is the name of its store, `instance` of the process."""

    hub: str
    instance: str
    at_us: int
    where: str = ""


class Mine(Frozen, omit_defaults=True):
    """What a node tells of itself when it asks: the epoch of its journal (0: it does not say)."""

    epoch: int = 0


class Stands(Frozen, omit_defaults=True):
    """A node's journal is in the hub's store up to `seq` of `epoch` (0: nothing). `trouble`: what keeps the rest.

    `fork` is the last event of the asker's epoch that counts, when a later epoch has ended it (-1: none has).
    """

    hub: str
    node: str
    epoch: int = 0
    seq: int = 0
    hash: str = ""
    trouble: str = ""
    fork: int = -1


Verb: TypeAlias = Literal["signal", "answer", "cancel", "retry", "adopt"]
"""What may be sent down: what carries an id, under which the engine takes it once; and the adoption of a lost node."""


class Command(Frozen, omit_defaults=True):
    """What somebody at the hub wants of a run on a node: `request` is the JSON of the verb's struct in `core.api`.

    Of "adopt", which is for no run, it is that of an `Adopt`.

    `by` is who sent it, at `at_us`. After `valid_until_us` (0: never) the node does not take it any more.
    """

    id: str
    node: str
    run: str
    verb: Verb
    request: Raw
    by: str
    hub: str = ""
    at_us: int = 0
    valid_until_us: int = 0


class Waiting(Frozen):
    """Commands that wait for a node, the oldest first; the first of them, if there are many."""

    commands: list[Command]


class Outcome(Frozen, omit_defaults=True):
    """What became of a command on its node. `status` is the run's at that time; `message` says why it was refused."""

    command: Command
    state: Literal["applied", "refused", "expired"]
    at_us: int
    status: str = ""
    error: str = ""
    message: str = ""


class Adoption(Frozen, omit_defaults=True):
    """The node `node` is lost: `by` is to take over its runs. `person` says so, for `reason`.

    `sure`: also if it seems to be connected.
    """

    node: str
    by: str
    person: str = ""
    reason: str = ""
    sure: bool = False


class Adopt(Frozen, omit_defaults=True):
    """Take over `node`: what the hub has of it ends with the event `seq`, whose header has `hash`; go on in `epoch`."""

    node: str
    epoch: int
    seq: int
    hash: str
    person: str = ""
    reason: str = ""


class AskChain(Frozen):
    """The page of `node` that comes after an event; of its bytes, those from `offset` on."""

    node: str
    after: int
    offset: int = 0


class AskBlob(Frozen):
    """A blob of `node`; of its bytes, those from `offset` on."""

    node: str
    sha256: str
    offset: int = 0


class Piece(Frozen, omit_defaults=True):
    """A part of `size` bytes. A `size` of -1: there is no such thing; `message` says why, if it is refused."""

    size: int
    data: bytes = b""
    message: str = ""


def digest(text: str) -> bytes:
    """The bytes of a hash in hex; of an empty one, what stands before the first event. Raises `DataError`."""
    try:
        found = bytes.fromhex(text) if text else GENESIS
    except ValueError:
        found = b""
    if len(found) != len(GENESIS):
        raise DataError(f"{text[:80]!r} is no hash")
    return found


_cursor = msgspec.json.Decoder(Cursor)


def decode_cursor(data: bytes) -> Cursor:
    """A cursor from its JSON. Raises `DataError`."""
    try:
        return _cursor.decode(data)
    except msgspec.MsgspecError as error:
        raise DataError(f"it is no cursor: {error}") from None


encode = msgspec.json.Encoder().encode
