"""What goes over the bus: subjects, messages, headers. docs/bus.md says the same to workers in other languages.

Subjects (every token is letters, digits, `_` and `-`):

    task.<size>.<run>.<step>.<attempt>      work queue per size; one message per subject, so a re-send is refused
    result.<node>.<run>.<step>.<attempt>    work queue per node
    cancel.<size>.<run>.<step>.<attempt>    core NATS, to whoever works on it; may be lost (then: the next lease)
    lease.<node>                            core NATS request: does the engine still want this attempt?
    blob.<node>.get  blob.<node>.put        core NATS requests: bytes by hash, in pieces
    start.<group>.<key>                     stream of claims: who of a group of engines begins something, the first
    command.<group>.status                  core NATS request: the engines of a group; the first that answers
    command.<node>.<verb>                   core NATS requests: publish, start, signal, answer, cancel, retry, ...
    command.<node>.<verb>.<member>          the same, from somebody whom the server lets send in that name only
    event.<node>.<type>                     core NATS: events that workflows emit, for whoever listens
    worker.<size>.<name>.status             core NATS request: what a worker is doing
    worker.<size>.<name>.alive              core NATS: the same, every few seconds, and to each `worker.ping`

A message's data is one JSON object; its headers are CloudEvents 1.0 attributes (binary mode of the NATS protocol
binding: `ce-id`, `ce-source`, `ce-type`, `ce-specversion`) and a W3C `traceparent`.
"""

from __future__ import annotations

import hashlib
import re
from typing import Literal, TypeAlias

import msgspec
from msgspec import Raw

from skerry.core.answers import FieldNote
from skerry.core.events import Failure
from skerry.core.ids import TaskId, node_of
from skerry.core.structs import NOTHING, Frozen
from skerry.errors import DataError

Size: TypeAlias = Literal["rules", "small", "medium", "large", "cloud"]
SIZES: tuple[Size, ...] = ("rules", "small", "medium", "large", "cloud")
"""From the smallest to the biggest: the order in which a cascade escalates."""

MESSAGE_VALUE_BYTES_MAX = 256 * 1024
"""A value longer than this does not travel in a message: the message names its blob."""
MESSAGE_BYTES_MAX = 1024 * 1024
"""A message longer than this, headers included, does not pass: it is what a NATS server takes unless it is told."""
BLOB_PIECE_BYTES = 512 * 1024
"""How much of a blob one `blob.<node>.get` answers, and one `put` carries, at most."""
BLOB_BYTES_MAX = 64 * 1024 * 1024
"""A bigger document is refused where it comes in."""


class Task(Frozen, omit_defaults=True):
    """One attempt of a step, for a worker.

    `kind` "call": run the task named `target` with the arguments `args` (an object by parameter name). "ask": answer
    `prompt` about `args`, as JSON that fits `schema`. When the arguments are longer than a message may be, `args` is
    missing and `args_blob` is their SHA-256. `deadline_us`: after it nobody wants the result (0: no deadline).
    `key` is the same for all attempts of the step: an idempotency key. `fields`: only these are asked for again, and
    `schema` has no others (empty: all of them).
    `local_only`: what it is about must not leave the machine, whatever a model is called.
    """

    run: str
    step: str
    attempt: int
    workflow: str
    kind: Literal["call", "ask"]
    target: str
    size: Size
    key: str
    args: Raw = NOTHING
    args_blob: str = ""
    prompt: str = ""
    schema: Raw = NOTHING
    objections: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    deadline_us: int = 0
    timeout_s: float = 0.0
    local_only: bool = False

    @property
    def id(self) -> TaskId:
        """Which attempt of which step of which run."""
        return TaskId(self.run, self.step, self.attempt)


class Result(Frozen, omit_defaults=True):
    """What a worker made of a task: a value (or the hash of the blob it put), or a failure.

    `model` says what answered, with what effort; `fields` are notes on the answer's fields, by their path.
    """

    run: str
    step: str
    attempt: int
    size: str
    worker: str
    value: Raw = NOTHING
    value_blob: str = ""
    failure: Failure | None = None
    retry_after_s: float = 0.0
    model: dict[str, str | int | float] = {}
    fields: dict[str, FieldNote] = {}

    @property
    def id(self) -> TaskId:
        """Which attempt of which step of which run."""
        return TaskId(self.run, self.step, self.attempt)


class Lease(Frozen):
    """A worker asks whether an attempt is still wanted; the answer is `{"wanted": true}` or false."""

    run: str
    step: str
    attempt: int
    worker: str = ""


class Wanted(Frozen):
    """The answer to a `Lease`."""

    wanted: bool


class BlobGet(Frozen):
    """Asks for a blob's bytes from `offset` on. The answer is the bare bytes, `BLOB_PIECE_BYTES` of them.

    Fewer are the last piece; none at offset 0: the blob is not there (or has no bytes: its hash tells).
    """

    sha256: str
    offset: int = 0


class BlobKept(Frozen):
    """The value of the `Reply` to a piece that was put: the offset that is wanted next; the blob's size when done.

    Done means that the blob is whole, fits its hash and is on disk. An offset lower than what was sent so far: the
    engine was restarted and begins again.
    """

    next: int


class ModelStatus(Frozen, omit_defaults=True):
    """A model of a worker. It is loaded at its first question, and unloaded when it is idle.

    `digest` is known once it was loaded; `memory_mb` is what its process has. `reason` says why it is broken, `away`
    why an endpoint could not be reached when it was asked last (empty once it has answered): its worker keeps trying.
    """

    name: str
    backend: str
    state: Literal["unloaded", "loading", "ready", "broken"]
    digest: str = ""
    slots: int = 1
    busy: int = 0
    memory_mb: int = 0
    threads: int = 0
    context: int = 0
    reason: str = ""
    away: str = ""


WorkerState: TypeAlias = Literal["starting", "loading", "warming", "ready", "draining", "broken"]


class WorkerStatus(Frozen, omit_defaults=True):
    """What a worker says about itself. `lost` of its `slots` are held by calls that did not end when told to.

    `reason` says why it is broken: it leaves, or it has no model that works (then it takes tasks, and refuses them).
    `done` and `failed` count results since it started; a failure is one, too.
    """

    name: str
    size: str
    state: WorkerState
    slots: int
    busy: int = 0
    lost: int = 0
    done: int = 0
    failed: int = 0
    pid: int = 0
    host: str = ""
    version: str = ""
    tasks: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    reason: str = ""
    started_us: int = 0
    models: tuple[ModelStatus, ...] = ()


class Begun(Frozen, omit_defaults=True):
    """A claim: `node` begins what the request of `verb` asks for, or has: then `runs` are there, and no `request`."""

    node: str
    verb: str
    at_us: int
    request: Raw = NOTHING
    runs: tuple[str, ...] = ()


class Reply(Frozen, omit_defaults=True):
    """The answer to a command: a value, or an error with its class name and a hint."""

    ok: bool = True
    value: Raw = NOTHING
    error: str = ""
    message: str = ""
    hint: str = ""


def task_subject(size: str, task: TaskId) -> str:
    """Where a task is published."""
    return f"task.{size}.{task.run}.{task.step}.{task.attempt}"


def result_subject(task: TaskId) -> str:
    """Where the result of a task is published: it carries the node that owns the run."""
    return f"result.{node_of(task.run)}.{task.run}.{task.step}.{task.attempt}"


def cancel_subject(size: str, task: TaskId) -> str:
    """Where the news is published that a task is no longer wanted."""
    return f"cancel.{size}.{task.run}.{task.step}.{task.attempt}"


def lease_subject(node: str) -> str:
    """Where a worker asks whether a task is still wanted."""
    return f"lease.{node}"


def blob_subject(node: str, verb: Literal["get", "put"]) -> str:
    """Where blobs are fetched and put."""
    return f"blob.{node}.{verb}"


def blob_headers(sha256: str, offset: int, size: int) -> dict[str, str]:
    """The headers of a piece that is put: whose piece, where it begins, and how many bytes the whole blob has."""
    return {"skerry-sha256": sha256, "skerry-offset": str(offset), "skerry-size": str(size)}


def command_subject(node: str, verb: str, member: str = "") -> str:
    """Where an engine takes commands; `*` for all of them. `member`: of somebody whom the server knows by that name."""
    return f"command.{node}.{verb}.{member}" if member else f"command.{node}.{verb}"


START_STREAM, START_SUBJECTS = "SKERRY_START", "start.>"
"""The stream of claims."""


def start_subject(group: str, key: str) -> str:
    """Where the claim on something is; `*` as the key for all of a group."""
    return f"start.{group}.{key}"


def event_subject(node: str, event: str) -> str:
    """Where an emitted event passes. Its type may have dots ("invoice.posted")."""
    return f"event.{node}.{event}"


WORKER_PING = "worker.ping"
"""Every worker answers it with a message to its `alive` subject."""


def worker_subject(size: str, worker: str, verb: Literal["status", "alive"]) -> str:
    """Where a worker answers what it is doing, or says so by itself; `*` for all sizes or workers."""
    return f"worker.{size}.{worker}.{verb}"


_NUMBER = re.compile(r"[0-9]{1,9}")


def task_of(subject: str) -> TaskId:
    """The task that a task, result or cancel subject names. Raises `DataError` when it is none of these."""
    parts = subject.split(".")
    if len(parts) != 5 or parts[0] not in ("task", "result", "cancel") or not _NUMBER.fullmatch(parts[4]):
        raise DataError(f"the subject {subject!r} names no task")
    return TaskId(parts[2], parts[3], int(parts[4]))


class Queue(Frozen):
    """A work queue: a stream with the subjects in it, and the durable consumer that hands them out."""

    stream: str
    subjects: tuple[str, ...]
    consumer: str
    filter: str
    lease_s: float
    """How long a message stays with one taker without a sign of life before it is handed out again."""
    deliveries_max: int = 10
    """So often a message is handed out; then it is a dead letter. 0: for ever."""


def task_queue(size: str) -> Queue:
    """The tasks of one size, shared by all its workers."""
    subjects = f"task.{size}.>"
    return Queue(stream=f"SKERRY_TASK_{size}", subjects=(subjects,), consumer="workers", filter=subjects, lease_s=30.0)


def result_queue(node: str) -> Queue:
    """The results for one node. Never dead letters: the work is done, and an engine that crashes on one comes back."""
    return Queue(
        stream="SKERRY_RESULT",
        subjects=("result.>",),
        consumer=node,
        filter=f"result.{node}.>",
        lease_s=30.0,
        deliveries_max=0,
    )


def traceparent(run: str, span: str = "") -> str:
    """A W3C trace context (w3.org/TR/trace-context, version 00): the trace is the run's, the span that of `span`."""
    return f"00-{trace_id(run)}-{span_id(run, span)}-01"


def trace_id(run: str) -> str:
    """The id of a run's trace, in hex."""
    return hashlib.blake2b(run.encode(), digest_size=16).hexdigest()


def span_id(run: str, span: str) -> str:
    """The id of a span in it: of a step, of one of its attempts (`step/attempt`), or (empty) of the run itself."""
    return hashlib.blake2b(f"{run}/{span}".encode(), digest_size=8).hexdigest()


def headers(*, id: str, source: str, type: str, trace: str = "", **more: str) -> dict[str, str]:
    """CloudEvents attributes and trace context of a message."""
    named = {
        "ce-specversion": "1.0",
        "ce-id": id,
        "ce-source": source,
        "ce-type": type,
        "content-type": "application/json",
    }
    if trace:
        named["traceparent"] = trace
    named.update(more)
    return named


encode = msgspec.json.Encoder().encode
decode_task: msgspec.json.Decoder[Task] = msgspec.json.Decoder(Task)
decode_result: msgspec.json.Decoder[Result] = msgspec.json.Decoder(Result)
