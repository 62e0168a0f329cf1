"""Streams and consumers that are there already, as somebody else or an older version made them."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from skerry.bus import NatsBus, NatsServer, ServerLimits
from skerry.bus.streams import consumer_config, notes_config, stream_config
from skerry.core.wire import SIZES, result_queue, task_queue
from skerry.errors import Busy, Conflict, Unavailable
from skerry.testing.conformance.bus import Taken, message, queue
from tests.bus.conftest import Connect
from tests.support import wait_until


async def api(bus: NatsBus, verb: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    return await bus._api.call(verb, body)  # pyright: ignore[reportPrivateUsage]


def plain(**more: Any) -> dict[str, Any]:
    """A stream as somebody may have made it."""
    return {"name": "SUITE_small", "subjects": ["work.small.>"], "retention": "workqueue", "storage": "file", **more}


async def test_a_queue_is_made_as_it_says(bus: NatsBus) -> None:
    for each in (*(task_queue(size) for size in SIZES), result_queue("n1"), result_queue("n2")):
        await bus.ensure(each)
        made = (await api(bus, f"STREAM.INFO.{each.stream}"))["config"]
        wanted = stream_config(each, bytes_max=256 * 1024**2, replicas=1)
        assert {key: made[key] for key in wanted} == wanted
        notes = notes_config(each, replicas=1)
        made = (await api(bus, f"STREAM.INFO.{notes['name']}"))["config"]
        assert {key: made[key] for key in notes} == notes
        consumer = consumer_config(each)
        made = (await api(bus, f"CONSUMER.INFO.{each.stream}.{each.consumer}"))["config"]
        assert {key: made[key] for key in consumer} == consumer


async def test_what_differs_is_mended_where_that_is_possible(bus: NatsBus, caplog: pytest.LogCaptureFixture) -> None:
    await api(bus, "STREAM.CREATE.SUITE_small", plain(subjects=["other.small"], discard="old"))
    with caplog.at_level(logging.WARNING):
        await bus.ensure(queue())
    assert "SUITE_small differs and is updated" in caplog.text
    made = (await api(bus, "STREAM.INFO.SUITE_small"))["config"]
    assert (made["discard"], made["max_msgs_per_subject"], made["discard_new_per_subject"]) == ("new", 1, True)
    assert sorted(made["subjects"]) == ["other.small", "work.small.>"]
    assert made["max_bytes"] == 256 * 1024**2


async def test_a_size_that_an_operator_chose_stays(bus: NatsBus, caplog: pytest.LogCaptureFixture) -> None:
    await api(bus, "STREAM.CREATE.SUITE_small", {**stream_config(queue(), bytes_max=12_345, replicas=1)})
    await bus.ensure(queue())
    assert (await api(bus, "STREAM.INFO.SUITE_small"))["config"]["max_bytes"] == 12_345
    assert "differs" not in caplog.text


@pytest.mark.parametrize(
    ("differs", "says"),
    [
        ({"retention": "limits"}, "retention is 'limits', not 'workqueue'"),
        ({"storage": "memory"}, "storage is 'memory'"),
    ],
)
async def test_what_cannot_be_mended_is_said(bus: NatsBus, differs: dict[str, str], says: str) -> None:
    await api(bus, "STREAM.CREATE.SUITE_small", {**plain(), **differs})
    with pytest.raises(Conflict, match=says):
        await bus.ensure(queue())


async def test_a_consumer_is_updated(bus: NatsBus) -> None:
    await bus.ensure(queue(lease_s=30.0, deliveries_max=10))
    await bus.ensure(queue(lease_s=5.0, deliveries_max=3))
    made = (await api(bus, "CONSUMER.INFO.SUITE_small.workers"))["config"]
    assert (made["ack_wait"], made["max_deliver"]) == (5_000_000_000, 3)


async def test_subjects_of_another_stream(bus: NatsBus) -> None:
    await api(bus, "STREAM.CREATE.THEIRS", {"name": "THEIRS", "subjects": ["work.>"]})
    with pytest.raises(Unavailable, match="subjects overlap"):
        await bus.ensure(queue())


async def test_somebody_else_keeps_the_advisories(bus: NatsBus, caplog: pytest.LogCaptureFixture) -> None:
    await api(bus, "STREAM.CREATE.ADV", {"name": "ADV", "subjects": ["$JS.EVENT.ADVISORY.CONSUMER.>"]})
    await bus.ensure(queue())
    assert "dead letters cannot be listed" in caplog.text
    await bus.publish(message())
    assert await bus.dead_letters(queue()) == []


async def test_no_room_on_the_server(tmp_path: Any) -> None:
    async with NatsServer(tmp_path, limits=ServerLimits(store_bytes_max=10 * 1024**2)) as server:
        async with await NatsBus.connect(server.connection_file) as bus:
            with pytest.raises(Unavailable, match="insufficient storage") as refused:
                await bus.ensure(queue())
            assert "limit" in refused.value.hint


async def test_a_full_stream_of_messages_is_busy_too(bus: NatsBus) -> None:
    await api(bus, "STREAM.CREATE.SUITE_small", {**stream_config(queue(), bytes_max=10**6, replicas=1), "max_msgs": 2})
    await bus.ensure(queue())
    await bus.publish(message(1))
    await bus.publish(message(2))
    await bus.publish(message(2))
    with pytest.raises(Busy, match="maximum messages exceeded"):
        await bus.publish(message(3))


async def test_a_worker_in_another_language_rejects_with_plain_words(bus: NatsBus, connect: Connect) -> None:
    taken = Taken()
    await bus.consume(queue(), taken, window=1)
    await bus.publish(message())
    delivery: Any = await taken.wait()
    replies = bus._connection.replies  # pyright: ignore[reportPrivateUsage]
    await replies.send(delivery.reply, b"", b"+TERM it smells", 2.0)

    async def listed() -> list[tuple[str, str]]:
        return [(each.reason, each.subject) for each in await bus.dead_letters(queue())]

    assert await wait_until(listed) == [("it smells", "")]


async def test_any_client_can_read_what_we_publish(bus: NatsBus, server: NatsServer) -> None:
    """`nats sub` and workers in other languages: standard headers, JSON, standard pulls."""
    import nats

    from skerry.bus.connectionfile import read_address

    await bus.ensure(queue())
    await bus.publish(message(1, data=json.dumps({"a": 1}).encode(), **{"ce-id": "n-RUN1/1/1"}))
    address = read_address(server.connection_file)
    client = await nats.connect(address.url, nkeys_seed_str=address.seed)
    try:
        pull = await client.jetstream().pull_subscribe_bind(consumer="workers", stream="SUITE_small")
        [got] = await pull.fetch(1, timeout=5)
        assert json.loads(got.data) == {"a": 1}
        assert got.headers == {"ce-id": "n-RUN1/1/1"}
        await got.ack_sync()
    finally:
        await client.close()
