"""What is started here is stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.sync.kit import Program, Server, Writer, hub_program, node_program, uplink_program


class House:
    """A server with a hub, and nodes with uplinks; folders are by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = Server(folder / "server")
        self.programs: list[Program] = []
        self.writers: list[Writer] = []

    def hub(self, *more: str, folder: str = "hub") -> Program:
        return self._kept(hub_program(self.folder / folder, self.server, *more))

    def uplink(self, folder: str = "edge1", **env: str) -> Program:
        return self._kept(uplink_program(self.folder / folder, self.server, **env))

    def node(self, **env: str) -> Program:
        return self._kept(node_program(self.folder / "edge1", self.server, **env))

    async def writer(self, folder: str = "edge1", *, node: str = "edge1", raise_epoch: bool = False) -> Writer:
        writer = Writer(self.folder / folder, node=node, seed=len(self.writers))
        self.writers.append(writer)
        return await writer.open(raise_epoch=raise_epoch)

    def _kept(self, program: Program) -> Program:
        self.programs.append(program)
        return program


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house, with its server running."""
    built = House(tmp_path)
    built.server.start()
    try:
        yield built
    finally:
        for writer in built.writers:
            await writer.close()
        for program in built.programs:
            program.stop()
        built.server.stop()
