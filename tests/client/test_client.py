"""The client against a real engine on a real bus, and against one that does not answer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import Raw

from skerry import Decision
from skerry.bus import NatsBus, NatsServer
from skerry.client import Client
from skerry.client.caller import error_of
from skerry.config import Config
from skerry.core import api, codec, wire
from skerry.core.events import RunCompleted
from skerry.core.types import Blob
from skerry.errors import Conflict, DataError, NotFound, SkerryError, StepFailed, Unavailable
from skerry.node import open_node
from skerry.ports import Message
from tests.cli.wishes import Granted, Refused, Wish, letters, wishes


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """A client of an engine without workers."""
    config = Config(data=tmp_path / "data", modules=("tests.cli.wishes",), workers={})
    async with open_node(config), Client.connect(data=config.data, by="ada") as connected:
        yield connected


async def test_a_result_has_its_type(client: Client) -> None:
    handle = await client.start(wishes, Wish(what="a kite"))
    assert await handle.result(timeout_s=10) == Granted(what="a kite")
    assert (await handle.row()).status == "done"
    assert await client.result(handle.run) == {"what": "a kite", "by": ""}
    assert await client.result(handle.run, wishes) == Granted(what="a kite")


async def test_the_same_id_is_the_same_run(client: Client) -> None:
    first = await client.start("wishes", {"what": "a kite"}, id="7")
    second = await client.start("wishes", {"what": "a kite"}, id="7")
    assert (first.run, first.again, second.again) == (second.run, False, True)
    assert (await client.start("wishes", {"what": "a kite"})).run != first.run


async def test_events_come_as_they_happen(client: Client) -> None:
    handle = await client.start(wishes, Wish(what="a boat", euros=500))
    kinds: list[str] = []
    async for each in handle.events():
        kinds.append(each.kind)
        if each.kind == "review.opened":
            await client.answer(handle.run, True, reason="summer")
        if isinstance(each.event, RunCompleted):
            assert each.event.result == "Granted"
    assert kinds[-1] == "run.completed"
    assert await handle.result() == Granted(what="a boat", by="ada")


async def test_a_no_is_a_result_too(client: Client) -> None:
    handle = await client.start(wishes, Wish(what="a boat", euros=500))
    taken = await handle.signal(Decision(approved=False, reason="too dear"))
    assert not taken.again
    assert await handle.result(timeout_s=10) == Refused(reason="too dear")
    with pytest.raises(Conflict):
        await client.answer(handle.run, True)


async def test_what_a_run_failed_with_is_raised(client: Client) -> None:
    handle = await client.start(wishes, Wish(what="the moon"))
    with pytest.raises(StepFailed, match="ValueError: the moon is not for sale") as caught:
        await handle.result(timeout_s=10)
    assert caught.value.kind == "ValueError"
    assert f"skerry retry {handle.run}" in caught.value.hint
    assert (await client.retry(handle.run)).status == "failed"


async def test_a_cancelled_run_has_no_result(client: Client) -> None:
    handle = await client.start(wishes, Wish(what="a boat", euros=500))
    await handle.cancel(reason="sold out")
    with pytest.raises(Conflict, match="sold out"):
        await handle.result(timeout_s=10)


async def test_waiting_for_a_result_ends_when_its_time_is_up(client: Client) -> None:
    handle = await client.start(wishes, Wish(what="a boat", euros=500))
    with pytest.raises(TimeoutError):
        await handle.result(timeout_s=0.2)
    assert (await handle.row()).status == "review"


async def test_publish_and_list(client: Client) -> None:
    handles = await client.publish("wish.made", {"what": "a kite"})
    await client.publish("wish.made", {"what": "a boat", "euros": 500})
    await handles[0].result(timeout_s=10)
    assert [row.run for row in await client.runs(status=("done",))] == [handles[0].run]
    assert len(await client.runs()) == 2
    assert (await client.status()).workflows == ("letters v1", "wishes v1")
    assert await client.workers(wait_s=0.1) == []


@pytest.mark.parametrize("size", [0, 1, wire.BLOB_PIECE_BYTES, 2 * wire.BLOB_PIECE_BYTES + 1])
async def test_a_file_goes_and_comes_in_pieces(size: int, client: Client, tmp_path: Path) -> None:
    content = os.urandom(size)
    file = tmp_path / "letter.txt"
    file.write_bytes(content)
    blob = await client.put_file(file)
    assert blob == Blob(sha256=codec.sha256(content), size=size, name="letter.txt", media_type="text/plain")
    assert await client.put_file(file) == blob
    assert await client.blob(blob.sha256) == content


async def test_a_file_starts_a_run_once(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear all")
    first = (await client.publish("letter.written", file=file))[0]
    second = (await client.publish("letter.written", file=file))[0]
    assert (first.run, second.again) == (second.run, True)
    assert await (await client.start(letters, file=file)).result(timeout_s=10) == Granted(what="letter.txt")


async def test_errors_are_what_they_were(client: Client, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no workflow dreams") as caught:
        await client.start("dreams")
    assert "wishes" in caught.value.hint
    with pytest.raises(DataError, match="what"):
        await client.start("wishes", {"euros": 3})
    with pytest.raises(NotFound):
        await client.row("nobody-01KA0000000000000000000000")
    with pytest.raises(NotFound):
        await client.blob("0" * 64)
    with pytest.raises(NotFound, match="cannot be read"):
        await client.put_file(tmp_path / "nowhere")
    with pytest.raises(DataError, match="a signal needs a name"):
        await client.signal("x", {"approved": True})


def test_an_error_that_this_client_does_not_know() -> None:
    assert type(error_of("KeyError", "x", "y")) is SkerryError
    assert (type(error_of("Busy", "x", "y")).__name__, error_of("Busy", "x", "y").hint) == ("Busy", "y")
    assert type(error_of("NondeterminismError", "x", "y")).__name__ == "NondeterminismError"


async def test_nothing_runs(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        async with Client.connect(data=tmp_path, timeout_s=0.5):
            raise AssertionError("there is nothing to connect to")
    assert caught.value.hint == "is an engine running? start it: skerry up"
    with pytest.raises(Unavailable):
        await Client.connect(data=tmp_path).runs()


async def test_no_answer(tmp_path: Path) -> None:
    """A change is asked again, with the same id, until there is an answer; a cancel is not."""
    async with NatsServer(tmp_path) as server:
        heard: list[bytes] = []

        async def deaf_at_first(message: Message) -> bytes:
            heard.append(message.data)
            if len(heard) == 1:
                await asyncio.sleep(3600)
            return wire.encode(
                wire.Reply(value=Raw(wire.encode(api.Started(runs=("office-1",), again=len(heard) > 2))))
            )

        async with await NatsBus.connect(server.connection_file) as bus:
            await bus.respond(wire.command_subject("office", "start"), deaf_at_first)
            target = server.connection_file
            async with Client.connect(data=tmp_path, node="office", timeout_s=10) as client:
                assert (await client.start("wishes")).run == "office-1"
                assert heard[0] == heard[1]
                assert target.exists()
            async with Client.connect(data=tmp_path, node="office", timeout_s=0.5) as hurried:
                with pytest.raises(Unavailable, match="the engine of node office does not answer") as caught:
                    await hurried.status()
                assert "skerry up" in caught.value.hint
                with pytest.raises(Unavailable):
                    await hurried.cancel("office-1")
