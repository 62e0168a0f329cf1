"""A server that somebody else runs: `--nats URL` with every kind of credentials."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from skerry.bus import NatsBus, RemoteServer
from skerry.bus.binary import find_binary
from skerry.bus.serverconfig import new_key
from skerry.errors import DataError, Unavailable
from skerry.testing.conformance.bus import Taken, message, queue
from tests.support import wait_until

Serve: TypeAlias = Callable[[str], AbstractAsyncContextManager[str]]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Runs a plain nats-server with some lines of configuration; gives its host and port."""

    @asynccontextmanager
    async def serving(config: str, *, jetstream: bool = True) -> AsyncIterator[str]:
        folder = tmp_path / "theirs"
        folder.mkdir(exist_ok=True)
        store = f'jetstream {{ store_dir: "{folder}", max_file_store: 2GB }}' if jetstream else ""
        (folder / "nats.conf").write_text(f'listen: "127.0.0.1:-1"\nports_file_dir: "{folder}"\n{store}\n{config}\n')
        process = await asyncio.create_subprocess_exec(
            str(find_binary()),
            "-c",
            str(folder / "nats.conf"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        ports = folder / f"nats-server_{process.pid}.ports"

        def address() -> str:
            try:
                return str(json.loads(ports.read_text())["nats"][0])
            except (FileNotFoundError, ValueError):
                assert process.returncode is None, "the test's server has ended"
                return ""

        try:
            yield (await wait_until(address)).rpartition("/")[2]
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()

    return serving


async def works(target: str | RemoteServer) -> None:
    """A message goes round."""
    async with await NatsBus.connect(target, timeout_s=5.0) as bus:
        taken = Taken(ack=True)
        await bus.consume(queue(), taken, window=1)
        await bus.publish(message())
        await taken.wait()


async def test_user_and_password_in_the_url_or_beside_it(serve: Serve) -> None:
    async with serve("authorization { user: engine, password: s3cret }") as at:
        await works(f"nats://engine:s3cret@{at}")
        await works(RemoteServer(url=at, user="engine", password="s3cret"))
        with pytest.raises(Unavailable, match="Authorization") as refused:
            await NatsBus.connect(f"nats://engine:wrong@{at}", timeout_s=30.0)
        assert "wrong" not in refused.value.message


async def test_token(serve: Serve) -> None:
    async with serve("authorization { token: t0ken }") as at:
        await works(RemoteServer(url=f"nats://{at}", token="t0ken"))
        await works(f"nats://t0ken@{at}")


async def test_nkey_file(serve: Serve, tmp_path: Path) -> None:
    key = new_key()
    (tmp_path / "engine.nk").write_text(key.seed + "\n")
    async with serve(f"authorization {{ users: [ {{ nkey: {key.public} }} ] }}") as at:
        await works(RemoteServer(url=f"nats://{at}", nkey=tmp_path / "engine.nk"))


async def test_one_of_several_servers(serve: Serve, free_port: int) -> None:
    async with serve("") as at:
        await works(f"nats://127.0.0.1:{free_port},nats://{at}")


async def test_an_inbox_that_the_permissions_name(serve: Serve) -> None:
    allowed = 'publish: { allow: [">"] }, subscribe: { allow: ["_INBOX_w17.>"] }'
    config = f"authorization {{ users: [ {{ user: w, password: w, permissions: {{ {allowed} }} }} ] }}"
    async with serve(config) as at:
        await works(RemoteServer(url=at, user="w", password="w", inbox_prefix="_INBOX_w17"))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificates with openssl")
async def test_tls(serve: Serve, tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        ["openssl", "req", "-x509", *kind, *name, "-keyout", key, "-out", cert], check=True, capture_output=True
    )
    async with serve(f'tls {{ cert_file: "{cert}", key_file: "{key}" }}') as at:
        await works(RemoteServer(url=f"tls://{at}", tls_ca=cert))
        with pytest.raises(Unavailable, match="certificate") as refused:
            await NatsBus.connect(f"tls://{at}", timeout_s=15.0)
        assert "authority" in refused.value.hint


async def test_a_server_without_jetstream(serve: Serve) -> None:
    async with serve("", jetstream=False) as at, await NatsBus.connect(at) as bus:  # type: ignore[call-arg]
        with pytest.raises(Unavailable, match="JetStream"):
            await bus.ensure(queue())


async def test_nobody_is_there(free_port: int) -> None:
    with pytest.raises(Unavailable, match=f"no connection to nats://127.0.0.1:{free_port}") as refused:
        await NatsBus.connect(f"nats://u:p@127.0.0.1:{free_port}", timeout_s=0.3)
    assert "u:p" not in refused.value.message


async def test_targets_that_can_never_work(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("no certificate")
    for target in (
        RemoteServer(url="http://localhost"),
        RemoteServer(url="ws://localhost"),
        RemoteServer(url="localhost", creds=tmp_path / "nothing"),
        RemoteServer(url="localhost", nkey=tmp_path / "nothing"),
        RemoteServer(url="tls://localhost", tls_ca=tmp_path / "bad.pem"),
    ):
        with pytest.raises(DataError):
            await NatsBus.connect(target, timeout_s=30.0)


async def test_no_server_has_run_here(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no bus runs"):
        await NatsBus.connect(tmp_path / "connection.json", timeout_s=0.2)
    (tmp_path / "connection.json").write_text("{")
    with pytest.raises(Unavailable, match="cannot be read"):
        await NatsBus.connect(tmp_path / "connection.json", timeout_s=0.2)
