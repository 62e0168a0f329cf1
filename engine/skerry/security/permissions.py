"""What each kind of member may send and hear: the only place where subjects become permissions.

A server refuses whatever is not named here. Subjects are those of `skerry.core.wire` and `skerry.sync.wire`, and of
JetStream's API (docs.nats.io/reference/reference-protocols/nats_api_reference). An acknowledgement has two forms, of
which the newer one begins with a domain and an account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias, assert_never

from skerry.core import wire
from skerry.core.structs import Frozen
from skerry.core.wire import SIZES, WORKER_PING, Queue
from skerry.sync import wire as sync

Kind: TypeAlias = Literal["hub", "node", "engine", "worker", "person"]
"""`node`: an uplink at a hub. `engine` and `worker`: at the server of a house, where tasks pass."""

_NOTES = "_DEAD"
_ADOPT = "hub.adopt"
_EVERYBODY = ("*",)


class Rights(Frozen):
    """Subjects that may be published to and subscribed to; `answers`: also to whoever asks it something, once."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    answers: bool = False


def inbox(name: str) -> str:
    """Where answers to a member go. Each has one of its own: who may listen to `_INBOX.>` hears everybody's."""
    return f"_INBOX_{name}"


def rights(kind: Kind, name: str, *, size: str = "", nodes: Sequence[str] = (), domain: str = "") -> Rights:
    """What a member may do.

    `size` is that of a worker, and "cloud" for a node whose tasks of that size go to the hub. `nodes` are those that a
    worker serves or a person speaks to (none: all), or that a node has adopted; of an engine, the groups that it is in.
    `domain` is the JetStream domain of a hub, for nodes that reach it through a leaf.
    """
    match kind:
        case "hub":
            return _hub(name)
        case "node":
            return _node(name, nodes, domain, cloud=size == "cloud")
        case "engine":
            return _engine(name, nodes)
        case "worker":
            return _worker(name, size, nodes or _EVERYBODY)
        case "person":
            return _person(name, nodes or _EVERYBODY)
        case _:
            assert_never(kind)


def _hub(name: str) -> Rights:
    api, stream = "$JS.API", sync.STREAM
    return Rights(
        publish=(
            *(f"{api}.STREAM.{verb}.{stream}" for verb in ("INFO", "CREATE", "UPDATE")),
            f"{api}.DIRECT.GET.{stream}",
            f"{api}.DIRECT.GET.{stream}.>",
            sync.OWNER,
            sync.GIVE,
            _ADOPT,
            sync.cursor_subject("*"),
            "hub.command.>",
            sync.wake_subject("*"),
            *_desk(),
        ),
        subscribe=(
            f"{inbox(name)}.>",
            "hub.ask.*.*",
            sync.GIVE,
            _ADOPT,
            sync.OWNER,
            sync.cursor_subject("*"),
        ),
        answers=True,
    )


def _desk() -> Iterator[str]:
    """What the hub's part of the size `cloud` takes: the queues, and a result for a task that nobody finishes."""
    tasks = wire.task_queue("cloud")
    yield from (*_making(tasks), *_burying(tasks), *_making(wire.result_queue("hub")))
    yield "result.>"


def _beyond(names: Sequence[str], apis: Sequence[str]) -> tuple[list[str], list[str]]:
    """What a node's engine publishes and hears where its cloud is: tasks, and its own results, leases and blobs."""
    publish = [f"{kind}.cloud.>" for kind in ("task", "cancel")] + [WORKER_PING]
    subscribe = [wire.worker_subject("cloud", "*", "alive")]
    for node in names:
        results = wire.result_queue(node)
        own = [*_looking(results), *_taking(results), f"$JS.API.CONSUMER.CREATE.{results.stream}.{node}"]
        publish += [subject.replace("$JS.API", api, 1) for api in apis for subject in own]
        subscribe += [wire.lease_subject(node), wire.blob_subject(node, "get"), wire.blob_subject(node, "put")]
    return list(dict.fromkeys(publish)), subscribe


def _node(name: str, adopted: Sequence[str], domain: str, *, cloud: bool) -> Rights:
    """Its own part of the hub's stream, to write and to look at; its own questions; its own news."""
    names = (name, *adopted)
    own = [f"hub.journal.{node}.>" for node in names]
    apis = ("$JS.API", *((f"$JS.{domain}.API",) if domain else ()))
    tasks, news = _beyond(names, apis) if cloud else ([], [])
    return Rights(
        publish=(
            *own,
            *(f"hub.ask.{node}.>" for node in names),
            *(f"{api}.DIRECT.GET.{sync.STREAM}.{part}" for api in apis for part in own),
            *tasks,
        ),
        subscribe=(f"{inbox(name)}.>", *map(sync.wake_subject, names), *news),
        answers=cloud,
    )


def _engine(node: str, groups: Sequence[str]) -> Rights:
    results = wire.result_queue(node)
    queues = [wire.task_queue(size) for size in SIZES]
    return Rights(
        publish=(
            "task.>",
            "cancel.>",
            f"event.{node}.>",
            WORKER_PING,
            *_making(results),
            *_taking(results),
            *(subject for queue in queues for subject in (*_making(queue), *_burying(queue))),
            *_commands((node,)),
            *(_sharing(groups) if groups else ()),
        ),
        subscribe=(
            f"{inbox(node)}.>",
            *(wire.command_subject(group, "status") for group in groups),
            wire.lease_subject(node),
            wire.blob_subject(node, "get"),
            wire.blob_subject(node, "put"),
            wire.command_subject(node, "*"),
            wire.command_subject(node, "*", "*"),
            wire.worker_subject("*", "*", "alive"),
        ),
        answers=True,
    )


def _sharing(groups: Sequence[str]) -> Iterator[str]:
    """What engines of a group need: claims, and to hand a start to the one that has claimed it."""
    for verb in ("INFO", "CREATE", "UPDATE", "MSG.GET", "MSG.DELETE"):
        yield f"$JS.API.STREAM.{verb}.{wire.START_STREAM}"
    yield from (wire.start_subject(group, "*") for group in groups)
    yield from (wire.command_subject(group, "status") for group in groups)
    yield from (wire.command_subject("*", verb) for verb in ("publish", "start"))


def _worker(name: str, size: str, nodes: Sequence[str]) -> Rights:
    queue = wire.task_queue(size)
    service = f"skerry-{size}"
    asked = (f"$SRV.{verb}{end}" for verb in ("PING", "INFO", "STATS") for end in ("", f".{service}", f".{service}.*"))
    return Rights(
        publish=(
            *_looking(queue),
            *_taking(queue),
            *(subject for node in nodes for subject in _for_node(node)),
            wire.worker_subject(size, "*", "alive"),
        ),
        subscribe=(
            f"{inbox(name)}.>",
            f"cancel.{size}.>",
            WORKER_PING,
            wire.worker_subject(size, "*", "status"),
            *asked,
        ),
        answers=True,
    )


def _person(name: str, nodes: Sequence[str]) -> Rights:
    """Commands in the person's own name: so an engine knows who it was. Which of them, its `[people]` say."""
    return Rights(
        publish=(
            *(f"command.{node}.*.{name}" for node in nodes),
            *(wire.blob_subject(node, "get") for node in nodes),
            *(wire.blob_subject(node, "put") for node in nodes),
            "command.*.status",
            WORKER_PING,
        ),
        subscribe=(f"{inbox(name)}.>", wire.worker_subject("*", "*", "alive")),
    )


def _for_node(node: str) -> Iterator[str]:
    """What a worker sends to the engine whose task it has."""
    yield f"result.{node}.>"
    yield wire.lease_subject(node)
    yield wire.blob_subject(node, "get")
    yield wire.blob_subject(node, "put")


def _commands(nodes: Iterable[str]) -> Iterator[str]:
    for node in nodes:
        yield wire.command_subject(node, "*")
        yield wire.blob_subject(node, "get")
        yield wire.blob_subject(node, "put")


def _looking(queue: Queue) -> Iterator[str]:
    """Whether a queue is there. Making it is an engine's."""
    for stream in (queue.stream, queue.stream + _NOTES):
        yield f"$JS.API.STREAM.INFO.{stream}"
    yield f"$JS.API.CONSUMER.INFO.{queue.stream}.{queue.consumer}"


def _making(queue: Queue) -> Iterator[str]:
    yield from _looking(queue)
    for stream in (queue.stream, queue.stream + _NOTES):
        yield f"$JS.API.STREAM.CREATE.{stream}"
        yield f"$JS.API.STREAM.UPDATE.{stream}"
    yield f"$JS.API.CONSUMER.CREATE.{queue.stream}.{queue.consumer}"


def _taking(queue: Queue) -> Iterator[str]:
    yield f"$JS.API.CONSUMER.MSG.NEXT.{queue.stream}.{queue.consumer}"
    yield f"$JS.ACK.{queue.stream}.{queue.consumer}.>"
    yield f"$JS.ACK.*.*.{queue.stream}.{queue.consumer}.>"


def _burying(queue: Queue) -> Iterator[str]:
    """Dead letters of a queue and the notes about them, to read and to remove."""
    for stream in (queue.stream, queue.stream + _NOTES):
        yield f"$JS.API.STREAM.MSG.GET.{stream}"
        yield f"$JS.API.STREAM.MSG.DELETE.{stream}"
