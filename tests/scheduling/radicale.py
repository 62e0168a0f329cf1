"""A real CalDAV server (Radicale) on loopback, in a process of its own, stopped by whoever started it."""

from __future__ import annotations

import http.client
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import wait_until_blocking


@contextmanager
def radicale(folder: Path, port: int, user: str = "ada", password: str = "secret") -> Iterator[str]:
    """The address of an empty calendar of `user`."""
    (folder / "users").write_text(f"{user}:{password}\n")
    (folder / "config").write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = htpasswd\nhtpasswd_filename = {folder}/users\n"
        f"htpasswd_encryption = plain\ndelay = 0\n[storage]\nfilesystem_folder = {folder}/storage\n"
    )
    with (folder / "radicale.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "radicale", "--config", str(folder / "config")], stdout=log, stderr=log
        )
    try:
        wait_until_blocking(lambda: server.poll() is not None or _answers(port), timeout_s=30)
        assert server.poll() is None, (folder / "radicale.log").read_text()
        _make(port, user, password)
        yield f"http://127.0.0.1:{port}/{user}/mine/"
    finally:
        server.terminate()
        server.wait(20)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()


def _make(port: int, user: str, password: str) -> None:
    import base64

    said = base64.b64encode(f"{user}:{password}".encode()).decode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("MKCALENDAR", f"/{user}/mine/", headers={"Authorization": f"Basic {said}"})
        assert connection.getresponse().status == 201
    finally:
        connection.close()
