"""Events to bytes and back; values over 4 KiB go to blobs on the way (promises J7 and J8)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from skerry.core.events import VERSION, AnyEvent, Event, HeldSignal, StateEntered
from skerry.core.structs import NOTHING
from skerry.errors import JournalCorrupt, JournalNewer

INLINE_BYTES_MAX = 4096
"""A value longer than this lives once, as a blob under its SHA-256."""

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
UPCASTERS: dict[int, Upcaster] = {}
"""From the body of an old version to the one after it; empty, as there is only one version yet."""

_encoder = msgspec.json.Encoder(order="deterministic", decimal_format="string")
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
encode_json = _encoder.encode
"""How every value of the user's is encoded: keys in order, decimals as strings."""


class Encoded(NamedTuple):
    """An event's body, and the blob that it refers to (none when `blob` is empty)."""

    body: bytes
    blob: str
    data: bytes


def sha256(data: bytes) -> str:
    """The name of a blob: the SHA-256 of its bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def encode_small(event: Event) -> bytes | None:
    """The event's body, if it can be written as it is: most can, and this costs less than `encode`. Else None."""
    value: Raw | None = getattr(event, "value", None)
    if value is None or (0 < len(bytes(value)) <= INLINE_BYTES_MAX and type(event) is not StateEntered):
        return _encoder.encode(event)
    return None


def encode(event: Event) -> Encoded:
    """The event's body; a value over `INLINE_BYTES_MAX` is taken out of it as a blob."""
    if type(event) is StateEntered and event.inbox:
        event = msgspec.structs.replace(event, inbox=tuple(map(_without_value, event.inbox)))
    value: Raw | None = getattr(event, "value", None)
    if value is None or 0 < len(raw := bytes(value)) <= INLINE_BYTES_MAX:
        return Encoded(_encoder.encode(event), "", b"")
    if not raw:
        return Encoded(_encoder.encode(msgspec.structs.replace(event, value=NOTHING)), "", b"")
    name = sha256(raw)
    return Encoded(_encoder.encode(msgspec.structs.replace(event, value=NOTHING, blob=name)), name, raw)


def _without_value(held: HeldSignal) -> HeldSignal:
    """A signal that is kept, without a long value: that has been a blob since the signal was received."""
    raw = bytes(held.value)
    if len(raw) <= INLINE_BYTES_MAX:
        return held
    return msgspec.structs.replace(held, value=NOTHING, blob=sha256(raw))


def decode(body: bytes, *, version: int = VERSION) -> AnyEvent:
    """The event of a body, which was written in `version`. A blob's value is still out: see `restore`.

    Raises `JournalNewer` when a newer Skerry wrote it, `JournalCorrupt` when it is no event.
    """
    if version > VERSION:
        raise JournalNewer(
            f"the journal holds an event of version {version}; this Skerry reads up to {VERSION}",
            hint="open this data folder with the Skerry that wrote it, or a newer one",
        )
    try:
        if version == VERSION:
            return _decoder.decode(body)
        old: dict[str, Any] = msgspec.json.decode(body)
        for step in range(version, VERSION):
            old = UPCASTERS[step](old)
        return msgspec.convert(old, AnyEvent)  # type: ignore[no-any-return]
    except (msgspec.MsgspecError, KeyError) as error:
        raise JournalCorrupt(f"a body in the journal is no event: {error}") from error


def blobs_of(event: AnyEvent) -> list[str]:
    """The blobs in which the event's values are."""
    name = getattr(event, "blob", "")
    names = [name] if name else []
    if type(event) is StateEntered and event.inbox:
        names += [held.blob for held in event.inbox if held.blob]
    return names


def restore(event: AnyEvent, blobs: Mapping[str, bytes]) -> AnyEvent:
    """The event with its values put back, as it was when it was encoded. `blobs` has at least those of `blobs_of`."""
    if type(event) is StateEntered and event.inbox:
        inbox = tuple(
            msgspec.structs.replace(held, value=Raw(blobs[held.blob]), blob="") if held.blob else held
            for held in event.inbox
        )
        event = msgspec.structs.replace(event, inbox=inbox)
    name = getattr(event, "blob", "")
    if not name:
        return event
    return msgspec.structs.replace(event, value=Raw(blobs[name]), blob="")
