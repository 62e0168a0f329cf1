"""Tenants are accounts: of two on one server, neither sees, hears or can ask anything of the other."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import nats.errors
import pytest

from skerry.hub.store import HubStore
from skerry.sync import wire as sync
from tests.security.kit import Town, environment, tries
from tests.support import wait_until
from tests.sync.kit import Program, Writer, end_at_hub, end_of


def arrived(hub: Path, edge: Path) -> bool:
    """Whether all that a node has is there."""
    return end_at_hub(hub, "edge1") == end_of(edge)


async def test_nothing_crosses(tmp_path: Path) -> None:
    """Each tenant has a hub and a node, of the same name; where no hub runs, nobody answers."""
    town = Town(tmp_path)
    town.enrol("edge1", "node")
    for tenant in ("acme", "zeta"):
        town.enrol(f"{tenant}-hub", "hub", tenant=tenant)
        town.enrol("edge1", "node", tenant=tenant, home=f"{tenant}-edge1")
    async with town.open():
        programs: list[Program] = []
        writers: list[Writer] = []
        try:
            for tenant in ("acme", "zeta"):
                hub, edge = tmp_path / f"{tenant}-hub", tmp_path / f"{tenant}-edge1"
                # Of another seed there are other runs: were they mixed, the hashes would not hold.
                writers.append(await Writer(edge, seed=len(writers)).open())
                await writers[-1].write(4 + len(writers), blob_bytes=9000)
                at_hub = environment("SKERRY_NATS", town.at(f"{tenant}-hub"))
                at_node = environment("SKERRY_HUB", town.at("edge1", home=f"{tenant}-edge1"))
                programs.append(Program(hub, "hub", "--data", str(hub), env=at_hub).start())
                programs.append(Program(edge, "uplink", "--data", str(edge), env=at_node).start())
            for tenant, runs in (("acme", 5), ("zeta", 6)):
                hub, edge = tmp_path / f"{tenant}-hub", tmp_path / f"{tenant}-edge1"
                await wait_until(partial(arrived, hub, edge), 30.0)
                store = HubStore(hub)
                (view,) = store.nodes()
                store.close()
                assert (view.node, view.runs, view.trouble) == ("edge1", {"done": runs}, "")
            async with tries(town.at("edge1")) as tried:  # the server's own account, in which no hub runs
                with pytest.raises(nats.errors.NoRespondersError):
                    await tried.client.request(sync.ask_subject("edge1", "where"), b"", timeout=5.0)
        finally:
            for program in programs:
                program.stop()
            for writer in writers:
                await writer.close()
    assert "Violation" not in (town.data / "nats" / "server.log").read_text()
