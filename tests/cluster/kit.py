"""Three nats-servers that are one cluster, and `skerry` processes on it, all of which can be killed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from skerry.bus import NatsBus, RemoteServer
from skerry.client import Client
from tests.sync.kit import Program, Server, free_port

MODULE = "tests.cluster.relay"
PATIENCE_S = 25.0


class Quick(Program):
    """With the short lease of `program`."""

    module = "tests.cluster.program"


class Cluster:
    """The servers `n1`, `n2` and so on, and the programs that were started on them; folders are by name."""

    def __init__(self, folder: Path, *, size: int = 3) -> None:
        self.folder = folder
        ports = [free_port() for _ in range(size)]
        routes = ", ".join(f'"nats-route://127.0.0.1:{port}"' for port in ports)
        self.servers = [
            Server(
                folder / f"n{number}",
                config=f'cluster {{ name: "house", listen: "127.0.0.1:{port}", routes: [{routes}] }}'
                if size > 1
                else "",
            )
            for number, port in enumerate(ports, 1)
        ]
        self.replicas = size
        self.programs: list[Program] = []

    @property
    def url(self) -> str:
        """All of them."""
        return ",".join(server.url for server in self.servers)

    def environment(self, **more: str) -> dict[str, str]:
        """Settings of whoever is on this cluster."""
        return {"SKERRY_NATS_URL": self.url, "SKERRY_NATS_REPLICAS": str(self.replicas), **more}

    async def start(self) -> Cluster:
        """Returns when they have found a leader."""
        for server in self.servers:
            server.start()
        async with asyncio.timeout(PATIENCE_S):
            while not await self._leads():  # noqa: ASYNC110 - a server tells nobody
                await asyncio.sleep(0.1)
        return self

    def program(self, name: str, *arguments: str, **env: str) -> Program:
        """`skerry ...`, whose log is in a folder of that name."""
        made = Quick(self.folder / name, *arguments, env=self.environment(**env))
        self.programs.append(made)
        return made

    def engine(self, node: str, **env: str) -> Program:
        """An engine with relays."""
        data = str(self.folder / node)
        return self.program(node, "engine", "--data", data, "--node", node, "-m", MODULE, "--json", **env).start()

    def worker(self, name: str, *, slots: int = 4, **env: str) -> Program:
        """A worker for all of them."""
        known = ("--size", "rules", "--name", name, "--slots", str(slots))
        return self.program(name, "worker", *known, "-m", MODULE, **env).start()

    def client(self, node: str = "", *, group: str = "") -> Client:
        """Speaks to one of the engines, or to any of a group, over the cluster."""
        nats = RemoteServer(url=self.url)
        return Client.connect(nats=nats, node=node, group=group, by="test", timeout_s=PATIENCE_S)

    async def told(self, stream: str) -> dict[str, Any]:
        """What JetStream says of a stream."""
        async with await NatsBus.connect(self.url) as bus:
            return await bus._api.call(f"STREAM.INFO.{stream}")  # pyright: ignore[reportPrivateUsage]

    def leader(self, told: dict[str, Any]) -> Server:
        """The server that leads a stream."""
        return next(server for server in self.servers if server.folder.name == told["cluster"]["leader"])

    def stop(self) -> None:
        """Ends everything."""
        for program in self.programs:
            program.stop()
        for server in self.servers:
            server.stop()

    def tails(self) -> str:
        """What the programs said last."""
        return "\n".join(f"--- {each.log.parent.name}\n{each.tail()}" for each in self.programs)

    async def _leads(self) -> bool:
        from skerry.errors import SkerryError

        try:
            async with await NatsBus.connect(self.url, timeout_s=2.0) as bus:
                await bus._api.call("INFO")  # pyright: ignore[reportPrivateUsage]
        except SkerryError:
            return False
        return True
