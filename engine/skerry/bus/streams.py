"""Queues as JetStream has them: a work-queue stream, a durable consumer, and a stream of notes about dead letters.

One subject is one attempt of one step, and a stream holds at most one message of a subject and refuses a second: so a
re-send is refused by the stream itself, not by a window of time that a restart forgets.
"""

from __future__ import annotations

import logging
from typing import Any

from skerry.bus.api import CONSUMER_NOT_FOUND, STREAM_NAME_TAKEN, STREAM_NOT_FOUND, SUBJECTS_OVERLAP, Api, ApiError
from skerry.bus.client import Client
from skerry.core.wire import Queue
from skerry.errors import Conflict

logger = logging.getLogger("skerry.bus")

STREAM_BYTES_MAX = 256 * 1024**2
"""The default for one stream. Beyond it the stream refuses, and `publish` says `Busy`."""
_NOTES_BYTES_MAX = 8 * 1024**2
_NOTES_AGE_MAX_S = 14 * 24 * 3600
_ACK_PENDING_MAX = 10_000
_PULLS_WAITING_MAX = 2048
_NS = 1_000_000_000

_FIXED = ("retention", "storage")
_MENDABLE = ("discard", "discard_new_per_subject", "max_msgs_per_subject")
_CONSUMER_FIXED = ("ack_policy", "deliver_policy")
_CONSUMER_MENDABLE = ("ack_wait", "max_deliver", "filter_subject", "max_ack_pending")


class Streams:
    """Makes queues, and makes them again on a new connection: the server may have come back with an empty store."""

    def __init__(self, api: Api, *, bytes_max: int, replicas: int) -> None:
        self._api = api
        self._bytes_max = bytes_max
        self._replicas = replicas
        self.prefix = api.prefix
        self._known: dict[tuple[str, str], Queue] = {}

    async def up(self, client: Client) -> None:
        """A connection is there."""
        for queue in list(self._known.values()):
            await self._make(queue)

    def down(self) -> None:
        """It is lost; the queues stay."""

    async def ensure(self, queue: Queue) -> None:
        """Makes what is missing and mends what differs. Raises `Conflict` where it cannot: it says what differs."""
        await self._make(queue)
        self._known[queue.stream, queue.consumer] = queue

    def want(self, queue: Queue) -> None:
        """The same at the next connection, and whenever there is a new one."""
        self._known[queue.stream, queue.consumer] = queue

    async def _make(self, queue: Queue) -> None:
        await make_stream(self._api, stream_config(queue, bytes_max=self._bytes_max, replicas=self._replicas))
        try:
            await make_stream(self._api, notes_config(queue, replicas=self._replicas))
        except ApiError as error:
            if error.code != SUBJECTS_OVERLAP:
                raise
            logger.warning("another stream keeps the advisories of %s: dead letters cannot be listed", queue.stream)
        await self._consumer(queue)

    async def _consumer(self, queue: Queue) -> None:
        wanted = consumer_config(queue)
        where = f"{queue.stream}.{queue.consumer}"
        try:
            there: dict[str, Any] = (await self._api.call(f"CONSUMER.INFO.{where}"))["config"]
        except ApiError as error:
            if error.code != CONSUMER_NOT_FOUND:
                raise
        else:
            _refuse(f"consumer {where}", wanted, there, _CONSUMER_FIXED)
            if all(there.get(key) == wanted[key] for key in _CONSUMER_MENDABLE):
                return
        # Creates or updates; the same configuration from several processes at once is one consumer.
        await self._api.call(f"CONSUMER.CREATE.{where}", {"stream_name": queue.stream, "config": wanted})


async def make_stream(api: Api, wanted: dict[str, Any]) -> None:
    """Makes a stream, or mends one that is there. Raises `Conflict` where it cannot."""
    name = wanted["name"]
    try:
        told = await api.call(f"STREAM.INFO.{name}")
    except ApiError as error:
        if error.code != STREAM_NOT_FOUND:
            raise
        try:
            await api.call(f"STREAM.CREATE.{name}", wanted)
            return
        except ApiError as refusal:
            if refusal.code != STREAM_NAME_TAKEN:
                raise
        # Somebody else was faster, with a configuration of another version.
        told = await api.call(f"STREAM.INFO.{name}")
    there: dict[str, Any] = told["config"]
    _refuse(f"stream {name}", wanted, there, _FIXED)
    changed = {key: wanted[key] for key in _MENDABLE if key in wanted and there.get(key) != wanted[key]}
    missing = [subject for subject in wanted["subjects"] if subject not in there.get("subjects", [])]
    if missing:
        changed["subjects"] = [*there.get("subjects", []), *missing]
    # An operator may have chosen another size: only "no limit at all" is mended.
    if there.get("max_bytes", -1) <= 0:
        changed["max_bytes"] = wanted["max_bytes"]
    # Whoever has made it may not have been told of the cluster; fewer than there are is never what is meant.
    if there.get("num_replicas", 1) < wanted["num_replicas"]:
        changed["num_replicas"] = wanted["num_replicas"]
    if changed:
        logger.warning("stream %s differs and is updated: %s", name, ", ".join(sorted(changed)))
        await api.call(f"STREAM.UPDATE.{name}", {**there, **changed})


def _refuse(what: str, wanted: dict[str, Any], there: dict[str, Any], keys: tuple[str, ...]) -> None:
    different = [f"{key} is {there.get(key)!r}, not {wanted[key]!r}" for key in keys if there.get(key) != wanted[key]]
    if different:
        raise Conflict(
            f"{what} is there with another configuration: {'; '.join(different)}",
            hint="remove it if it is not in use, or use another NATS account",
        )


def stream_config(queue: Queue, *, bytes_max: int, replicas: int) -> dict[str, Any]:
    """A work queue on disk that refuses what it has already, and refuses everything when it is full."""
    return {
        "name": queue.stream,
        "subjects": list(queue.subjects),
        "retention": "workqueue",
        "storage": "file",
        "discard": "new",
        "max_msgs_per_subject": 1,
        "discard_new_per_subject": True,
        "max_bytes": bytes_max,
        "num_replicas": replicas,
    }


def notes_name(queue: Queue) -> str:
    """The stream of a queue's dead letter notes."""
    return f"{queue.stream}_DEAD"


def notes_config(queue: Queue, *, replicas: int) -> dict[str, Any]:
    """Keeps JetStream's advisories on messages that were tried too often or rejected."""
    advisory = "$JS.EVENT.ADVISORY.CONSUMER"
    return {
        "name": notes_name(queue),
        "subjects": [f"{advisory}.MAX_DELIVERIES.{queue.stream}.>", f"{advisory}.MSG_TERMINATED.{queue.stream}.>"],
        "retention": "limits",
        "storage": "file",
        "discard": "old",
        "max_age": _NOTES_AGE_MAX_S * _NS,
        "max_bytes": _NOTES_BYTES_MAX,
        "num_replicas": replicas,
    }


def consumer_config(queue: Queue) -> dict[str, Any]:
    """Hands a message to one taker at a time, for as long as a lease without a sign of life."""
    return {
        "name": queue.consumer,
        "durable_name": queue.consumer,
        "filter_subject": queue.filter,
        "ack_policy": "explicit",
        "deliver_policy": "all",
        "ack_wait": int(queue.lease_s * _NS),
        "max_deliver": queue.deliveries_max or -1,
        "max_ack_pending": _ACK_PENDING_MAX,
        "max_waiting": _PULLS_WAITING_MAX,
    }
