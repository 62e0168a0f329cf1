"""Servers and connections that are stopped after each test."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from skerry.bus import NatsBus, NatsServer
from skerry.bus.target import Target

Connect: TypeAlias = Callable[..., Awaitable[NatsBus]]
FakeServer: TypeAlias = Callable[[str], None]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A running server."""
    async with NatsServer(tmp_path) as running:
        yield running


@pytest.fixture
async def connect(server: NatsServer) -> AsyncIterator[Connect]:
    """Opens connections to it."""
    opened: list[NatsBus] = []

    async def connect(where: Path | str | Target | None = None, **options: Any) -> NatsBus:
        opened.append(await NatsBus.connect(where or server.connection_file, **options))
        return opened[-1]

    yield connect
    for bus in opened:
        await bus.close()


@pytest.fixture
async def bus(connect: Connect) -> NatsBus:
    """One connection."""
    return await connect()


@pytest.fixture
def fake_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """Puts a shell script in the place of nats-server; it runs in the server's folder."""

    def put(script: str) -> None:
        path = tmp_path / "fake-nats-server"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(stat.S_IRWXU)
        monkeypatch.setenv("NATS_SERVER_BIN", str(path))

    return put


READY = """echo '{"nats": ["nats://127.0.0.1:1"]}' > run/nats-server_$$.ports"""
"""What a fake server does when it is ready."""
ALIVE = "while :; do sleep 0.05; done"
"""... and then."""
