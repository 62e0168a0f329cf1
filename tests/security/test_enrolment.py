"""From two empty folders to a node that hands over, with the commands that people use; and out again."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skerry.bus import NatsBus, RemoteServer
from skerry.bus.serverconfig import new_key
from skerry.errors import Conflict, DataError, NotFound, Unavailable
from skerry.security import enrolment, natsconf
from skerry.security.members import Member, own_key
from skerry.sync import wire as sync
from tests.security.kit import Town, tries
from tests.support import wait_until
from tests.sync.kit import Program, Server, Writer, call, end_at_hub, end_of, free_port


def say(*arguments: str, cwd: Path) -> dict[str, str]:
    """Calls a command that says JSON."""
    done = call(*arguments, "--json", SKERRY_CONFIG=str(cwd / "skerry.toml"))
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


async def test_a_node_is_enrolled_hands_over_and_is_shut_out(tmp_path: Path) -> None:
    hub, edge, port = tmp_path / "hub", tmp_path / "edge1", free_port()
    (tmp_path / "skerry.toml").write_text("")
    say("hub", "init", "--data", str(hub), "--host", "localhost", "--listen", f"127.0.0.1:{port}", cwd=tmp_path)
    key = say("node", "init", "--data", str(edge), "--node", "edge1", cwd=tmp_path)["key"]
    told = tmp_path / "edge1.json"
    say("hub", "enrol", "edge1", "--data", str(hub), "--key", key, "--out", str(told), cwd=tmp_path)
    say("node", "join", str(told), "--data", str(edge), cwd=tmp_path)
    settings = (tmp_path / "skerry.toml").read_text()
    assert f'url = "tls://localhost:{port}"' in settings

    writer = await Writer(edge).open()
    server, uplink = (
        Program(hub, "hub", "--data", str(hub)),
        Program(edge, "uplink", "--data", str(edge), env={"SKERRY_CONFIG": str(tmp_path / "skerry.toml")}),
    )
    try:
        await writer.write(5, blob_bytes=9000)
        server.start()
        uplink.start()
        await wait_until(lambda: end_at_hub(hub, "edge1") == end_of(edge), 30.0)
        assert "Violation" not in (hub / "nats" / "server.log").read_text()

        say("hub", "revoke", "edge1", "--data", str(hub), cwd=tmp_path)
        refused = tmp_path / "edge1" / "uplink" / "status.json"
        await wait_until(lambda: json.loads(refused.read_text())["state"] == "waiting", 30.0)
        await writer.write(1)
        say("hub", "enrol", "edge1", "--data", str(hub), "--key", key, "--out", str(told), cwd=tmp_path)
        await wait_until(lambda: end_at_hub(hub, "edge1") == end_of(edge), 30.0)
        where_secrets_are_not(tmp_path, [own_key(edge).seed, own_key(hub).seed], [server.pid, uplink.pid])
    finally:
        uplink.stop()
        server.stop()
        await writer.close()


def where_secrets_are_not(folder: Path, secrets: list[str], pids: list[int]) -> None:
    """Secrets lie in files of mode 0600 that are made for them, and nowhere else: no log, database, or command line."""
    kept = {"key.nk", "connection.json", "leaf.conf"}
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        data = path.read_bytes()
        if any(secret.encode() in data for secret in secrets):
            assert path.name in kept, f"{path} has a secret in it"
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, f"{path} can be read by others"
        if b"PRIVATE KEY" in data:
            assert path.name in ("ca-key.pem", "server-key.pem")
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, f"{path} can be read by others"
    for pid in pids:
        for child in (pid, *children(pid)):
            for what in ("cmdline", "environ"):
                told = Path(f"/proc/{child}/{what}").read_bytes()
                assert not any(secret.encode() in told for secret in secrets), f"{what} of {child} has a secret in it"


def content(path: Path) -> bytes:
    """What is in a file; that of the telemetry is packed."""
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in found]


async def test_who_is_let_in_while_the_server_runs(tmp_path: Path) -> None:
    town = Town(tmp_path)
    async with town.open():
        edge = town.enrol("edge1", "node")
        async with await connected(edge), tries(town.at("edge1")) as tried:
            assert await tried.publish(sync.ask_subject("edge1", "where"))
            enrolment.revoke(town.data, "edge1")
            await wait_until(lambda: tried.client.is_closed, 10.0)
        with pytest.raises(Unavailable, match="Authorization"):
            await NatsBus.connect(edge, timeout_s=5.0)


async def connected(target: RemoteServer) -> NatsBus:
    """As soon as the server has read who is new."""
    for _ in range(50):
        try:
            return await NatsBus.connect(target, timeout_s=5.0)
        except Unavailable:
            await asyncio.sleep(0.1)
    raise AssertionError("it is not let in")


async def test_through_a_leaf_with_the_rights_of_a_node(tmp_path: Path) -> None:
    """The node's own server is a leaf of the hub's, over TLS, with what `join` has written."""
    port = free_port()
    town = Town(tmp_path, leaf_port=port)
    town.enrol("edge1", "node")
    leaf = tmp_path / "edge1" / "security" / "leaf.conf"
    assert stat.S_IMODE(leaf.stat().st_mode) == 0o600
    accounts = "accounts { SKERRY: { jetstream: enabled, users: [ { user: u, password: p } ] }, SYS: {} }"
    near = Server(
        tmp_path / "near",
        config=f"{accounts}\nsystem_account: SYS\n{leaf.read_text()}",
        user="u:p",
        domain="edge1",
    )
    hub, edge = town.data, tmp_path / "edge1"
    program = Program(hub, "hub", "--data", str(hub))
    uplink = Program(
        edge,
        "uplink",
        "--data",
        str(edge),
        env={
            "SKERRY_HUB_URL": near.url,
            "SKERRY_HUB_DOMAIN": "hub",
            "SKERRY_HUB_INBOX_PREFIX": "_INBOX_edge1",
        },
    )
    writer = await Writer(edge).open()
    try:
        await writer.write(5, blob_bytes=9000)
        program.start()
        near.start()
        uplink.start()
        await wait_until(lambda: end_at_hub(hub, "edge1") == end_of(edge), 30.0)
    finally:
        uplink.stop()
        near.stop()
        program.stop()
        await writer.close()


def test_who_adopts_a_node_may_hand_over_for_it(tmp_path: Path) -> None:
    town = Town(tmp_path)
    assert not enrolment.entrust(tmp_path / "nowhere", "edge1", "edge2"), "that server has no members"
    for name in ("edge1", "edge2"):
        town.enrol(name, "node")
    assert enrolment.entrust(town.data, "edge1", "edge2")
    assert not enrolment.entrust(town.data, "edge1", "edge2")
    by = {member.name: natsconf.of(member).publish for member in enrolment.need_roll(town.data).members}
    assert sync.cursor_subject("edge1").replace("cursor", ">") in by["edge2"]
    assert sync.cursor_subject("edge2").replace("cursor", ">") not in by["edge1"]
    assert (town.data / "security" / "accounts.conf").read_text().count("hub.journal.edge1.>") > 2


async def test_passwords_are_nowhere_but_where_they_were_given(tmp_path: Path) -> None:
    """Of somebody else's server: not in the journal, in logs, on command lines or in what is told of the node."""
    secret = "hunter2-hunter2"
    config = f'authorization {{ users: [ {{ user: "u", password: "{secret}" }} ] }}'
    server = Server(tmp_path / "server", config=config, user=f"u:{secret}").start()
    data, url = tmp_path / "node", f"nats://127.0.0.1:{server.port}"
    told = {"SKERRY_MODULES": "tests.cli.wishes", "SKERRY_NODE": "n1", "SKERRY_TELEMETRY_KEEP": "true"}
    told |= {"SKERRY_TELEMETRY_EVERY_S": "0.1", "SKERRY_TELEMETRY_HEADERS": f"authorization={secret}"}
    for prefix in ("SKERRY_NATS", "SKERRY_HUB"):
        told |= {f"{prefix}_URL": url, f"{prefix}_USER": "u", f"{prefix}_PASSWORD": secret}
    engine = Program(data, "engine", "--data", str(data), env={**told, "SKERRY_LOG_LEVEL": "debug"}).start()
    try:
        asked = ("publish", "wish.made", "--data", '{"what": "a boat"}', "--data-dir", str(data))
        await wait_until(lambda: call(*asked, **told).returncode == 0, 30.0)
        await wait_until(lambda: (data / "uplink" / "status.json").exists(), 30.0)
        traces = data / "telemetry"
        await wait_until(lambda: any(b"run wishes" in content(path) for path in traces.glob("*.traces.*")), 30.0)
        for path in (path for path in data.rglob("*") if path.is_file()):
            assert secret.encode() not in content(path), path
        for pid in (engine.pid, *children(engine.pid)):
            assert secret.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        said = call("doctor", "--data", str(data), **told)
        assert secret not in said.stdout + said.stderr
        wrong = call("status", "--data", str(tmp_path), **{**told, "SKERRY_NATS_PASSWORD": f"not-{secret}"})
        assert wrong.returncode
        assert secret not in wrong.stdout + wrong.stderr
    finally:
        engine.stop()
        server.stop()


def test_several_are_enrolled_at_a_time(tmp_path: Path) -> None:
    town = Town(tmp_path)
    names = [f"edge{number}" for number in range(8)]
    members = [Member(name=name, kind="node", key=new_key().public) for name in names]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda member: enrolment.enrol(town.data, member), members))
    assert sorted(member.name for member in enrolment.need_roll(town.data).members) == names


def test_what_cannot_be(tmp_path: Path) -> None:
    town = Town(tmp_path)
    edge = own_key(tmp_path / "edge1")
    with pytest.raises(DataError, match="secret half") as refused:
        enrolment.enrol(town.data, Member(name="edge1", kind="node", key=edge.seed))
    assert edge.seed not in str(refused.value) + refused.value.hint
    with pytest.raises(DataError, match="no public key"):
        enrolment.enrol(town.data, Member(name="edge1", kind="node", key="nonsense"))
    with pytest.raises(DataError, match="not usable as a name"):
        enrolment.enrol(town.data, Member(name="edge.*", kind="node", key=edge.public))
    with pytest.raises(DataError, match="not usable as a name"):
        enrolment.enrol(town.data, Member(name="edge1", kind="node", key=edge.public, tenant='a" }'))
    with pytest.raises(DataError, match="NATS's own"):
        enrolment.enrol(town.data, Member(name="edge1", kind="node", key=edge.public, tenant="SYS"))
    enrolment.enrol(town.data, Member(name="edge1", kind="node", key=edge.public))
    with pytest.raises(Conflict, match="is edge1's already"):
        enrolment.enrol(town.data, Member(name="edge2", kind="node", key=edge.public))
    with pytest.raises(Conflict, match="owner"):
        enrolment.enrol(town.data, Member(name="hq", kind="node", key=new_key().public))
    told = enrolment.enrol(town.data, Member(name="edge1", kind="node", key=new_key().public))
    with pytest.raises(Conflict, match="another key"):
        enrolment.join(tmp_path / "edge1", told)
    with pytest.raises(NotFound):
        enrolment.revoke(town.data, "edge9")
    with pytest.raises(NotFound):
        enrolment.enrol(tmp_path / "edge1", Member(name="w", kind="worker", size="small", key=edge.public))
    assert os.stat(town.data / "security").st_mode & 0o077 == 0
