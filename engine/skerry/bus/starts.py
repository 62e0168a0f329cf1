"""Who of several engines begins something: the first whose word is on its subject. A stream with one word a subject."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import msgspec

from skerry.bus import headers
from skerry.bus.api import MESSAGE_NOT_FOUND, STREAM_NOT_FOUND, Api, ApiError
from skerry.bus.client import Client
from skerry.bus.connection import Connection
from skerry.bus.streams import make_stream
from skerry.core import wire
from skerry.errors import Unavailable
from skerry.ports import Word

BYTES_MAX = 64 * 1024**2
_AGE_MAX_S = 14 * 24 * 3600
_TIMEOUT_S = 5.0
_TRIES = 3
_WRONG_LAST = frozenset((10071, 10164))
"""JetStream's "wrong last sequence"."""
_NS = 1_000_000_000


class NatsStarts:
    """See `skerry.ports.Starts`. A `Part` of a connection: it makes its stream on each."""

    def __init__(self, connection: Connection, *, replicas: int = 1) -> None:
        self._connection = connection
        self._api = Api(connection.replies)
        self._replicas = replicas

    async def up(self, client: Client) -> None:
        """A connection is there."""
        await make_stream(self._api, stream_config(replicas=self._replicas))

    def down(self) -> None:
        """It is lost; the stream stays."""

    async def first(self, subject: str, data: bytes) -> Word:
        """Puts `data` on a subject if nothing is there. Raises `Unavailable` when it is not known what is there."""
        for _ in range(_TRIES):
            place = await self._put(subject, data, after=0)
            if place:
                return Word(subject, data, place)
            found = await self._get({"last_by_subj": subject})
            if found is not None:
                return found
        raise Unavailable(f"it does not become clear what is on {subject}", hint="try again")

    async def replace(self, word: Word, data: bytes) -> None:
        """Puts `data` in a word's place, unless something else is there by now. Raises `Unavailable`."""
        await self._put(word.subject, data, after=word.place)

    async def withdraw(self, word: Word) -> None:
        """Removes a word: another may be first now. Raises `Unavailable`."""
        with suppress(ApiError):  # it is gone already
            await self._api.call(f"STREAM.MSG.DELETE.{wire.START_STREAM}", {"seq": word.place, "no_erase": True})

    async def all(self, subjects: str) -> AsyncIterator[Word]:
        """What is on the subjects that fit, one after the other. Raises `Unavailable`."""
        seq = 1
        while (word := await self._get({"seq": seq, "next_by_subj": subjects})) is not None:
            yield word
            seq = word.place + 1

    async def _put(self, subject: str, data: bytes, *, after: int) -> int:
        """The place; 0 when what is there is not in the place `after`."""
        block = headers.encode({"Nats-Expected-Last-Subject-Sequence": str(after)})
        answer = await self._connection.replies.send(subject.encode(), block, data, _TIMEOUT_S)
        if headers.status(answer.headers) == 503:
            raise Unavailable(f"no stream takes {subject}", hint="if it was there, its store was lost")
        told: dict[str, Any] = msgspec.json.decode(answer.data, type=dict[str, Any])
        error = told.get("error")
        if error and int(error.get("err_code", 0)) in _WRONG_LAST:
            return 0
        if error:
            raise ApiError(f"a message on {subject}", int(error.get("err_code", 0)), str(error.get("description", "")))
        return int(told["seq"])

    async def _get(self, which: dict[str, Any]) -> Word | None:
        """From the stream's leader: another server of the cluster may not have it yet."""
        try:
            found = (await self._api.call(f"STREAM.MSG.GET.{wire.START_STREAM}", which))["message"]
        except ApiError as error:
            if error.code in (MESSAGE_NOT_FOUND, STREAM_NOT_FOUND):
                return None
            raise
        return Word(found["subject"], base64.b64decode(found.get("data", "")), int(found["seq"]))


def stream_config(*, replicas: int) -> dict[str, Any]:
    """One message a subject; the oldest fall out after two weeks: until then, the same id is taken in once."""
    return {
        "name": wire.START_STREAM,
        "subjects": [wire.START_SUBJECTS],
        "retention": "limits",
        "storage": "file",
        "discard": "old",
        "max_msgs_per_subject": 1,
        "max_age": _AGE_MAX_S * _NS,
        "max_bytes": BYTES_MAX,
        "num_replicas": replicas,
    }
