"""Through a leaf, and with no more rights than a node needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client as Nats
from nats.aio.msg import Msg

from skerry.client import Client
from skerry.sync import wire
from tests.cli import wishes
from tests.support import wait_until
from tests.sync.conftest import House
from tests.sync.kit import Server, call, end_at_hub, end_of, hub_lines, journal_lines, leaf_hub, leaf_servers

_NODE = """
  publish: { allow: ["hub.journal.edge1.>", "hub.ask.edge1.>", "$JS.API.DIRECT.GET.SKERRY_HUB.hub.journal.edge1.>"] }
  subscribe: { allow: ["_INBOX_edge1.>", "hub.wake.edge1"] }
"""
_ACCOUNTS = f"""
accounts {{
  APP: {{ jetstream: enabled, users: [
    {{ user: hub, password: hub }}
    {{ user: edge1, password: e1, permissions: {{ {_NODE} }} }}
  ] }}
  SYS: {{ users: [ {{ user: sys, password: sys }} ] }}
}}
system_account: SYS
"""


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[House]:
    """A house whose server lets a node do what the guide says."""
    house = House(tmp_path)
    house.server = Server(tmp_path / "server", config=_ACCOUNTS, user="hub:hub").start()
    yield house
    for writer in house.writers:
        await writer.close()
    for program in house.programs:
        program.stop()
    house.server.stop()


def as_node(house: House) -> dict[str, str]:
    where = f"nats://127.0.0.1:{house.server.port}"
    return {
        "SKERRY_HUB_URL": where,
        "SKERRY_HUB_USER": "edge1",
        "SKERRY_HUB_PASSWORD": "e1",
        "SKERRY_HUB_INBOX_PREFIX": "_INBOX_edge1",
    }


async def test_the_rights_in_the_guide_are_enough(guarded: House) -> None:
    writer = await guarded.writer()
    await writer.write(10, blob_bytes=9000)
    guarded.hub().start()
    guarded.uplink(**as_node(guarded)).start()
    await wait_until(lambda: end_at_hub(guarded.folder / "hub", "edge1") == end_of(guarded.folder / "edge1"), 20.0)
    assert hub_lines(guarded.folder / "hub", "edge1") == journal_lines(guarded.folder / "edge1")
    log = (guarded.folder / "server" / "log").read_text()
    assert "Violation" not in log, log


async def refused(house: House, *, publish: str = "", subscribe: str = "") -> bool:
    """Whether the server refuses this to a node."""
    errors: list[str] = []

    async def note(error: Exception) -> None:
        errors.append(str(error).lower())

    client: Nats = await nats.connect(
        f"nats://edge1:e1@127.0.0.1:{house.server.port}", error_cb=note, inbox_prefix=b"_INBOX_edge1"
    )
    try:
        if publish:
            await client.publish(publish, b"{}")
        else:
            await client.subscribe(subscribe)
        # A first ping of nats-py may overtake what was published; a refusal comes before the answer to the second.
        await client.flush()
        await client.flush()
        return any("permissions violation" in error for error in errors)
    finally:
        await client.close()


async def test_a_node_can_do_nothing_else(guarded: House) -> None:
    guarded.hub().start()
    await wait_until(lambda: (guarded.folder / "hub" / "hub.db").exists(), 20.0)
    for subject in (
        wire.cursor_subject("edge2"),
        wire.piece_subject("edge2"),
        wire.command_subject("edge1", "x"),
        wire.ask_subject("edge2", "commands"),
        wire.GIVE,
        wire.OWNER,
        "$JS.API.DIRECT.GET.SKERRY_HUB",
        f"$JS.API.DIRECT.GET.SKERRY_HUB.{wire.cursor_subject('edge2')}",
        f"$JS.API.DIRECT.GET.SKERRY_HUB.{wire.command_subject('edge1', 'x')}",
        "$JS.API.STREAM.INFO.SKERRY_HUB",
        "$JS.API.STREAM.DELETE.SKERRY_HUB",
        "$JS.API.STREAM.PURGE.SKERRY_HUB",
        "$JS.API.STREAM.MSG.GET.SKERRY_HUB",
        "$JS.API.CONSUMER.CREATE.SKERRY_HUB",
        "task.small.x.1.1",
    ):
        assert await refused(guarded, publish=subject), subject
    for subject in (">", "hub.>", "hub.wake.edge2", "hub.command.edge1.>", wire.cursor_subject("edge1"), "_INBOX.>"):
        assert await refused(guarded, subscribe=subject), subject
    assert not await refused(guarded, publish=wire.ask_subject("edge1", "where"))


async def test_through_a_leaf(house: House) -> None:
    """The uplink knows its own server only, which reaches the hub's through a leaf: with an outage of either."""
    house.server.stop()
    house.server, near = leaf_servers(house.folder)
    try:
        writer = await house.writer()
        await writer.write(20, blob_bytes=9000)
        house.hub().start()
        house.uplink(SKERRY_HUB_URL=near.url, SKERRY_HUB_DOMAIN="hub").start()
        hub, data = house.folder / "hub", house.folder / "edge1"
        await wait_until(lambda: end_at_hub(hub, "edge1") == end_of(data), 20.0)
        for cut in (house.server, near):
            cut.kill()
            await writer.write(20)
            cut.start()
            await wait_until(lambda: end_at_hub(hub, "edge1") == end_of(data), 20.0)
        assert hub_lines(hub, "edge1") == journal_lines(data)
    finally:
        near.stop()


async def test_through_a_leaf_of_the_node_s_own_server(house: House) -> None:
    """What passes on the node's own bus stays there; what is for the hub goes through, also after an outage."""
    house.server.stop()
    house.server, leaf = leaf_hub(house.folder)
    house.hub().start()
    data, hub = house.folder / "edge1", house.folder / "hub"
    seen: list[str] = []
    house.node(SKERRY_HUB_URL=leaf, SKERRY_HUB_LEAF="true", SKERRY_HUB_DOMAIN="hub").start()
    await wait_until(lambda: end_at_hub(hub, "edge1") > 0, 40.0)
    watcher = await nats.connect(house.server.url)

    async def note(message: Msg) -> None:
        seen.append(message.subject)

    await watcher.subscribe(">", cb=note)
    async with Client.connect(data=data, node="edge1", by="bob", timeout_s=20.0) as client:
        run = (await client.start(wishes.wishes, {"what": "a boat", "euros": 5000})).run
        await wait_until(lambda: end_at_hub(hub, "edge1") == end_of(data), 20.0)
        await watcher.close()
        assert not [subject for subject in seen if subject.startswith(("command.", "task.", "result.", "lease."))]
        house.server.kill()
        await client.start(wishes.wishes, {"what": "a ball"})
        house.server.start()
        await wait_until(lambda: end_at_hub(hub, "edge1") == end_of(data), 20.0)
        assert call("approve", run, "--hub", str(hub), "--nats", house.server.url).returncode == 0
        assert (await client.result(run, wishes.wishes, timeout_s=20.0)) is not None
    await wait_until(lambda: end_at_hub(hub, "edge1") == end_of(data), 20.0)
    assert hub_lines(hub, "edge1") == journal_lines(data)
