"""What does not fit into a message travels in pieces, both ways."""

from __future__ import annotations

import hashlib

import pytest

from skerry.core import wire
from skerry.core.types import Blob
from skerry_workers.blobs import Cache
from tests.workers.engine import FakeEngine

pytestmark = pytest.mark.usefixtures("worker")
PIECE = wire.BLOB_PIECE_BYTES


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
async def test_a_document_arrives_whole(engine: FakeEngine, size: int) -> None:
    assert engine.value(await engine.call("read", document=engine.keep(b"x" * size))) == size


async def test_a_document_that_is_nowhere(engine: FakeEngine) -> None:
    result = await engine.call("read", document=Blob(sha256="0" * 64, size=3, name="scan.pdf"))
    assert result.failure is not None
    assert (result.failure.kind, result.failure.retryable) == ("NotFound", False)
    assert result.failure.message == "the engine of edge1 does not have scan.pdf"


async def test_a_damaged_document_is_asked_for_again(engine: FakeEngine) -> None:
    document = engine.keep(b"right", "scan.pdf")
    engine.blobs[document.sha256] = b"wrong"
    result = await engine.call("read", document=document)
    assert result.failure is not None
    assert result.failure.retryable
    assert "scan.pdf arrived damaged" in result.failure.message
    engine.blobs[document.sha256] = b"right"
    assert engine.value(await engine.call("read", document=document)) == 5


async def test_an_endless_document_is_refused(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "BLOB_BYTES_MAX", 2 * PIECE)
    result = await engine.call("read", document=engine.keep(b"x" * (3 * PIECE)))
    assert result.failure is not None
    assert (result.failure.kind, result.failure.retryable) == ("DataError", False)


async def test_a_document_is_fetched_once(engine: FakeEngine) -> None:
    document = engine.keep(b"x" * 100)
    assert engine.value(await engine.call("read", document=document)) == 100
    engine.blobs.clear()
    assert engine.value(await engine.call("read", document=document)) == 100


async def test_arguments_that_are_longer_than_a_message(engine: FakeEngine) -> None:
    text = "x" * wire.MESSAGE_VALUE_BYTES_MAX
    args = engine.keep(wire.encode({"text": text}))
    task = wire.Task(
        run="edge1-01", step="1", attempt=1, workflow="w", kind="call", target="echo", size="rules", key="k",
        args_blob=args.sha256,
    )  # fmt: skip
    result = await engine.result(await engine.send(task))
    assert engine.value(result) == text


@pytest.mark.parametrize("size", [wire.MESSAGE_VALUE_BYTES_MAX - 2, wire.MESSAGE_VALUE_BYTES_MAX - 1, PIECE, 3 * PIECE])
async def test_a_long_result_is_put_first(engine: FakeEngine, size: int) -> None:
    text = "x" * size
    result = await engine.call("echo", text=text)
    assert engine.value(result) == text
    assert bool(result.value_blob) == (size + 2 > wire.MESSAGE_VALUE_BYTES_MAX)
    if result.value_blob:
        assert result.value_blob == hashlib.sha256(f'"{text}"'.encode()).hexdigest()
        assert bytes(result.value) == b""


async def test_what_the_engine_has_is_not_sent_again(engine: FakeEngine) -> None:
    await engine.call("echo", text="x" * (3 * PIECE))
    engine.put_offsets.clear()
    await engine.call("echo", text="x" * (3 * PIECE))
    assert engine.put_offsets == [0]


async def test_an_engine_that_was_restarted_gets_it_from_the_beginning(engine: FakeEngine) -> None:
    engine.forget_at = 2 * PIECE
    result = await engine.call("echo", text="x" * (3 * PIECE))
    assert len(engine.value(result)) == 3 * PIECE
    assert engine.put_offsets == [0, PIECE, 2 * PIECE, 0, PIECE, 2 * PIECE, 3 * PIECE]


async def test_a_busy_engine_is_asked_again(engine: FakeEngine) -> None:
    engine.put_replies = [wire.encode(wire.Reply(ok=False, error="Busy", message="later"))] * 2
    assert len(engine.value(await engine.call("echo", text="x" * PIECE))) == PIECE


@pytest.mark.parametrize(
    ("reply", "kind", "retryable"),
    [
        (wire.encode(wire.Reply(ok=False, error="DataError", message="too long")), "DataError", False),
        (b"what?", "DataError", True),
        (b'{"value":{"next":-1}}', "DataError", True),
        (b'{"value":{"next":99999999}}', "DataError", True),
    ],
)
async def test_a_result_that_the_engine_will_not_have(
    engine: FakeEngine, reply: bytes, kind: str, retryable: bool
) -> None:
    engine.put_replies = [reply]
    result = await engine.call("echo", text="x" * PIECE)
    assert result.failure is not None
    assert (result.failure.kind, result.failure.retryable) == (kind, retryable)


def test_the_cache_keeps_what_was_used_last() -> None:
    cache = Cache(bytes_max=10)
    cache.put("a", b"xxxx")
    cache.put("b", b"xxxx")
    assert cache.get("a")
    cache.put("c", b"xxxx")
    cache.put("d", b"x" * 11)
    assert [name for name in "abcd" if cache.get(name) is not None] == ["a", "c"]


@pytest.mark.parametrize("target", ["split_async", "split_sync", "split_limited"])
async def test_documents_that_a_task_makes(engine: FakeEngine, target: str) -> None:
    data = b"a" * PIECE + b"b" * PIECE
    first, second = engine.value(await engine.call(target, document=engine.keep(data)))
    assert (first["name"], second["name"], second["media_type"]) == ("first", "second", "text/plain")
    assert [engine.blobs[each["sha256"]] for each in (first, second)] == [data[:PIECE], data[PIECE:]]
