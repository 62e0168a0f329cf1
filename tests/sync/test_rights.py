"""With the rights that enrolment gives, and no others: the cloud at the hub, and a node that adopts another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.client import Client
from skerry.hub.store import HubStore
from tests.cli import wishes
from tests.security.kit import Town
from tests.support import wait_until
from tests.sync import errands
from tests.sync.conftest import House
from tests.sync.kit import Program, call, end_at_hub, node_program


def as_member(town: Town, name: str, prefix: str) -> dict[str, str]:
    """The settings with which somebody reaches the hub's server."""
    at = town.at(name)
    names = ("url", "nkey", "tls_ca", "inbox_prefix")
    return {f"{prefix}_{field.upper()}": str(getattr(at, field)) for field in names}


@pytest.mark.timeout(150)
async def test_the_cloud_and_an_adoption_need_no_more_than_they_are_given(tmp_path: Path) -> None:
    house, town = House(tmp_path), Town(tmp_path)
    store = town.data
    town.enrol("edge1", "node", size="cloud")
    town.enrol("edge2", "node", size="cloud")
    town.enrol("w1", "worker", size="cloud")
    hub = house._kept(Program(store, "hub", "--data", str(store), "--cloud")).start()  # pyright: ignore[reportPrivateUsage]
    more = {"SKERRY_MODULES": "tests.sync.errands,tests.cli.wishes", "ERRANDS": str(tmp_path)}
    try:
        await wait_until(lambda: (store / "nats" / "connection.json").exists(), 30.0)
        await wait_until(lambda: "is up" in hub.tail(), 30.0)

        def node(name: str) -> Program:
            env = {**more, **as_member(town, name, "SKERRY_HUB"), "SKERRY_NODE": name, "SKERRY_HUB_CLOUD": "true"}
            return house._kept(node_program(tmp_path / name, house.server, **env)).start()  # pyright: ignore[reportPrivateUsage]

        first = node("edge1")
        node("edge2")
        env = {**more, **as_member(town, "w1", "SKERRY_NATS")}
        house._kept(Program(tmp_path / "w1", "worker", "--size", "cloud", env=env)).start()  # pyright: ignore[reportPrivateUsage]
        await wait_until(lambda: end_at_hub(store, "edge1") and end_at_hub(store, "edge2"), 40.0)
        async with Client.connect(data=tmp_path / "edge1", node="edge1", by="bob", timeout_s=20.0) as client:
            much = await client.start(errands.errands, {"what": "much"})
            assert (await much.result(timeout_s=40.0)).what.startswith("much from afar")
            wish = await client.start(wishes.wishes, {"what": "a boat", "euros": 5000})

        def status() -> str:
            seen = HubStore(store)
            found = seen.find(wish.run)
            seen.close()
            return found[0].row.status if found else ""

        await wait_until(lambda: status() == "review", 20.0)
        first.kill()
        town.enrol("edge2", "node", size="cloud", nodes=("edge1",))
        done = call("hub", "adopt", "edge1", "--by", "edge2", "--data", str(store))
        assert done.returncode == 0, done.stderr
        assert "has its journal" in done.stdout
        assert call("approve", wish.run, "--hub", str(store)).returncode == 0
        await wait_until(lambda: status() == "done", 40.0)
        assert "iolation" not in hub.tail(), hub.tail()
    finally:
        for program in house.programs:
            program.stop()
