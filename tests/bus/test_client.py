"""What we use of nats-py's inside is still there, and our short cuts hold what they promise."""

from __future__ import annotations

import inspect
import logging

import nats.aio.client
import nats.aio.transport
import nats.protocol.parser
import pytest

from skerry.bus import NatsServer
from skerry.bus.client import Client
from skerry.bus.target import LocalServer
from tests.support import wait_until


def test_nats_py_is_inside_as_we_know_it() -> None:
    """A new version has changed something that `bus/client.py` builds on: look there before moving the pin."""
    theirs = nats.aio.client.Client
    assert list(inspect.signature(theirs._process_msg).parameters) == [
        "self",
        "sid",
        "subject",
        "reply",
        "data",
        "headers",
    ]
    assert list(inspect.signature(theirs._close).parameters) == ["self", "status", "do_cbs"]
    client = theirs()
    assert (client._sid, client._transport) == (0, None)
    assert type(client._ps) is nats.protocol.parser.Parser
    assert inspect.iscoroutinefunction(client._ps.parse)
    for name in ("allow_reconnect", "pending_size", "reconnect_time_wait", "max_reconnect_attempts", "nkeys_seed_str"):
        assert name in inspect.signature(theirs.connect).parameters
    transport = nats.aio.transport.TcpTransport()  # type: ignore[no-untyped-call]
    assert transport._io_writer is None
    assert {"write", "drain", "close", "wait_closed"} <= set(dir(transport))


async def test_a_tap_that_raises_does_not_end_the_reading(server: NatsServer, caplog: pytest.LogCaptureFixture) -> None:
    endpoint = LocalServer(file=server.connection_file).endpoint()
    client = Client(name="test")
    await client.open(endpoint.servers, timeout_s=2, options=endpoint.options)
    heard: list[bytes] = []

    def tap(subject: bytes, reply: bytes, headers: bytes, data: bytes) -> None:
        heard.append(data)
        if data == b"bad":
            raise ValueError("as the test wants it")

    try:
        sid = client.tap("a.*", tap)
        with caplog.at_level(logging.ERROR):
            client.send(b"PUB a.b 3\r\nbad\r\nPUB a.b 4\r\ngood\r\n")
            await wait_until(lambda: heard == [b"bad", b"good"])
        assert "could not be taken" in caplog.text
        # What the server has sent before it hears of the end still arrives.
        client.send(b"PUB a.b 4\r\nlast\r\n")
        await client.untap(sid)
        assert heard[-1] == b"last"
    finally:
        await client.abandon()
    assert not client.usable
    await client.abandon()
