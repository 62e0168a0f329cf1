"""J8: an early signal's long value lives once, however many states are entered before somebody wants it."""

from __future__ import annotations

from msgspec import Raw

from skerry.core import codec
from skerry.core.events import CancelRequested, HeldSignal, SignalReceived, StateEntered

LONG = Raw(b'"' + b"v" * 100_000 + b'"')
SHORT = Raw(b"1")


def test_j8_a_long_early_signal_is_a_blob_in_every_state_it_waits_through() -> None:
    received = codec.encode(SignalReceived(id="1", signal="S", value=LONG))
    inbox = (HeldSignal(id="1", signal="S", value=LONG), HeldSignal(id="2", signal="S", value=SHORT))
    entered = StateEntered(entry=2, state="A", inbox=inbox, value=Raw(b"{}"))
    body, blob, data = codec.encode(entered)
    assert len(body) < 400
    assert (blob, data) == ("", b"")  # nothing new is written: the signal's own blob is referred to
    decoded = codec.decode(body)
    assert codec.blobs_of(decoded) == [received.blob]
    back = codec.restore(decoded, {received.blob: received.data})
    assert isinstance(back, StateEntered)
    assert [bytes(held.value) for held in back.inbox] == [bytes(LONG), bytes(SHORT)]
    assert all(not held.blob for held in back.inbox)


def test_what_is_written_as_it_is_is_written_the_same() -> None:
    small = SignalReceived(id="1", signal="S", value=SHORT)
    assert codec.encode_small(small) == codec.encode(small).body
    assert codec.blobs_of(codec.decode(codec.encode(small).body)) == []
    assert codec.encode_small(SignalReceived(id="1", signal="S", value=LONG)) is None
    assert codec.encode_small(StateEntered(entry=1, state="A", value=SHORT)) is None
    assert codec.encode_small(CancelRequested()) == codec.encode(CancelRequested()).body
