"""A node adopts another one at a hub that lets each do only its own: its rights grow by that one node."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from skerry.bus.target import RemoteServer
from skerry.client import Client
from skerry.security.enrolment import need_roll
from tests.cli.wishes import Wish, wishes
from tests.security.kit import Town, environment
from tests.support import wait_until
from tests.sync.kit import Program, call, end_at_hub, end_of


@pytest.mark.timeout(150)
async def test_who_adopts_may_hand_over_for_the_lost_one_from_then_on(tmp_path: Path) -> None:
    town, hub = Town(tmp_path), tmp_path / "hq"
    for name in ("edge1", "edge2"):
        town.enrol(name, "node")
    programs = {"hub": Program(hub, "hub", "--data", str(hub)).start()}
    try:
        await wait_until(lambda: (hub / "nats" / "connection.json").exists(), 30.0)
        for name in ("edge1", "edge2"):
            programs[name] = node(tmp_path / name, name, town.at(name)).start()
        await wait_until(lambda: end_at_hub(hub, "edge1") and end_at_hub(hub, "edge2"), 60.0)
        async with Client.connect(data=tmp_path / "edge1", timeout_s=30.0) as client:
            run = await client.start(wishes, Wish(what="a boat", euros=5000))
        await wait_until(lambda: end_at_hub(hub, "edge1") == end_of(tmp_path / "edge1"), 30.0)
        programs["edge1"].kill()

        said = call("hub", "adopt", "edge1", "--by", "edge2", "--reason", "it burnt", "--data", str(hub), "--json")
        assert (said.returncode, json.loads(said.stdout)["state"]) == (0, "applied"), said.stderr
        adopted = tmp_path / "edge2" / "adopted" / "edge1"
        yes = call("approve", run.run, "--hub", str(hub), "--by", "ada", "--json")
        assert yes.returncode == 0, yes.stderr
        await wait_until(lambda: end_at_hub(hub, "edge1") == end_of(adopted) > end_of(tmp_path / "edge1"), 60.0)
        (member,) = [each for each in need_roll(hub).members if each.name == "edge2"]
        assert member.nodes == ("edge1",)
    finally:
        for program in reversed(programs.values()):
            program.stop()
    assert "Violation" not in (hub / "nats" / "server.log").read_text()


def node(data: Path, name: str, hub: RemoteServer) -> Program:
    """A whole node with an uplink."""
    told = {"SKERRY_MODULES": "tests.cli.wishes", "SKERRY_NODE": name, **environment("SKERRY_HUB", hub)}
    return Program(data, "engine", "--data", str(data), env=told)
