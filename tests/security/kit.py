"""A server with members, and what they try."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import nats
import nats.errors
from nats.aio.client import Client as Nats

from skerry.bus import NatsServer, RemoteServer
from skerry.bus.connectionfile import read_address
from skerry.security import enrolment
from skerry.security.members import Member, Roll, own_key
from skerry.security.permissions import Kind, inbox


class Town:
    """A server that other machines reach, and its members, each with a folder of its own below `folder`."""

    def __init__(self, folder: Path, *, owner: str = "hq", kind: Kind = "hub", leaf_port: int = 0) -> None:
        self.folder = folder
        self.data = folder / owner
        self.data.mkdir(parents=True)
        roll = Roll(owner=owner, kind=kind, hosts=("localhost",), host="127.0.0.1", port=0, leaf_port=leaf_port)
        enrolment.open_server(self.data, roll)

    def enrol(self, name: str, kind: Kind, *, home: str = "", **more: Any) -> RemoteServer:
        """A new member, whose folder is `home` (or as they are called), and how it reaches the server."""
        folder = self.folder / (home or name)
        member = Member(name=name, kind=kind, key=own_key(folder).public, **more)
        enrolment.join(folder, enrolment.enrol(self.data, member))
        return self.at(name, home=home)

    @property
    def url(self) -> str:
        """With the port that the server has chosen; as long as it does not run, with none that works."""
        file = self.data / "nats" / "connection.json"
        port = read_address(file).url.rpartition(":")[2] if file.exists() else "1"
        return f"tls://localhost:{port}"

    def at(self, name: str, *, home: str = "") -> RemoteServer:
        """How a member reaches the server."""
        folder = self.folder / (home or name) / "security"
        return RemoteServer(
            url=self.url, nkey=folder / "key.nk", tls_ca=folder / "hub-ca.pem", inbox_prefix=inbox(name)
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[NatsServer]:
        """Runs the server."""
        async with NatsServer(self.data, network=enrolment.network(self.data)) as server:
            yield server


def environment(prefix: str, target: RemoteServer) -> dict[str, str]:
    """How a program is told where to connect."""
    named = {key: value for key, value in msgspec.structs.asdict(target).items() if value and key != "replicas"}
    return {f"{prefix}_{key.upper()}": str(value) for key, value in named.items()}


class Tried:
    """A connection, and what the server objected to on it."""

    def __init__(self, client: Nats, errors: list[str]) -> None:
        self.client = client
        self.errors = errors

    async def publish(self, subject: str, data: bytes = b"{}") -> bool:
        """Whether it is let through."""
        self.errors.clear()
        await self.client.publish(subject, data)
        return await self._allowed()

    async def subscribe(self, subject: str) -> bool:
        """Whether it is let through."""
        self.errors.clear()
        await self.client.subscribe(subject)
        return await self._allowed()

    async def _allowed(self) -> bool:
        # A first ping of nats-py may overtake what was published; a refusal comes before the answer to the second.
        await self.client.flush()
        await self.client.flush()
        return not any("permissions violation" in error for error in self.errors)


@asynccontextmanager
async def tries(target: RemoteServer) -> AsyncIterator[Tried]:
    """Connects as a member, as a program that is not ours would."""
    errors: list[str] = []

    async def note(error: Exception) -> None:
        errors.append(str(error).lower())

    options = target.endpoint().options
    client: Nats = await nats.connect(
        target.url,
        error_cb=note,
        allow_reconnect=False,
        nkeys_seed=str(target.nkey),
        tls=ssl.create_default_context(cafile=target.tls_ca),
        inbox_prefix=options["inbox_prefix"].encode(),
    )
    try:
        yield Tried(client, errors)
    finally:
        await client.close()
