"""Messages that were rejected, or handed out too often, from the notes that JetStream leaves about them."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import msgspec

from skerry.bus.api import MESSAGE_NOT_FOUND, STREAM_NOT_FOUND, Api, ApiError
from skerry.bus.delivery import read_note
from skerry.bus.streams import notes_name
from skerry.core.wire import Queue
from skerry.ports import DeadLetter


class _Advisory(msgspec.Struct):
    stream_seq: int
    deliveries: int
    reason: str = ""


class _Note(NamedTuple):
    seq: int
    rejected: bool
    advisory: _Advisory


class DeadLetters:
    """Lists and buries. A letter's id is `<its sequence in the queue>:<the note's sequence>`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def list(self, queue: Queue, limit: int) -> list[DeadLetter]:
        """The oldest `limit` of them. Notes that no longer mean anything are removed on the way."""
        letters: list[DeadLetter] = []
        seen: set[int] = set()
        async for note in self._notes(queue):
            if len(letters) >= limit:
                break
            place = note.advisory.stream_seq
            subject = await self._subject(queue, place)
            reason = f"handed out {note.advisory.deliveries} times, never settled"
            if note.rejected:
                reason, subject_then = read_note(note.advisory.reason)
                subject = subject or subject_then
            # Said twice (the server was killed in between); or a taker has settled it late after all.
            if place in seen or not (subject or note.rejected):
                await self._remove(notes_name(queue), note.seq)
                continue
            seen.add(place)
            letters.append(DeadLetter(queue, f"{place}:{note.seq}", subject, reason, note.advisory.deliveries))
        return letters

    async def bury(self, letter: DeadLetter) -> None:
        """Removes the message, if it is still there, and the note."""
        place, _, note = letter.id.partition(":")
        await self._remove(letter.queue.stream, int(place))
        await self._remove(notes_name(letter.queue), int(note))

    async def _notes(self, queue: Queue) -> AsyncIterator[_Note]:
        subject = f"$JS.EVENT.ADVISORY.CONSUMER.*.{queue.stream}.{queue.consumer}"
        seq = 1
        while True:
            found = await self._message(notes_name(queue), {"seq": seq, "next_by_subj": subject})
            if found is None:
                return
            seq = int(found["seq"])
            with contextlib.suppress(msgspec.MsgspecError):
                advisory = msgspec.json.decode(base64.b64decode(found.get("data", "")), type=_Advisory)
                yield _Note(seq, ".MSG_TERMINATED." in found["subject"], advisory)
            seq += 1

    async def _subject(self, queue: Queue, seq: int) -> str:
        found = await self._message(queue.stream, {"seq": seq})
        return str(found["subject"]) if found else ""

    async def _message(self, stream: str, which: dict[str, Any]) -> dict[str, Any] | None:
        try:
            return dict((await self._api.call(f"STREAM.MSG.GET.{stream}", which))["message"])
        except ApiError as error:
            if error.code in (MESSAGE_NOT_FOUND, STREAM_NOT_FOUND):
                return None
            raise

    async def _remove(self, stream: str, seq: int) -> None:
        # "No message found" comes in several codes, and a message that is gone is what was wanted.
        with contextlib.suppress(ApiError):
            await self._api.call(f"STREAM.MSG.DELETE.{stream}", {"seq": seq, "no_erase": True})
