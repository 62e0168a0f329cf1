"""What a nats-server child is told, and the key that opens it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple, cast

import nkeys  # pyright: ignore[reportMissingTypeStubs]

from skerry.core.wire import MESSAGE_BYTES_MAX

SYNC_INTERVAL = "10s"
"""How often the server calls fsync. Not `always`: that is one fsync per message, and what is on the bus can be rebuilt
from the journal, which does sync. A killed server loses nothing (the pages are the kernel's); a power cut loses at
most the last ten seconds, which costs re-sending tasks and doing some work twice. The server's default is 2 minutes."""


class Key(NamedTuple):
    """An nkey: `seed` is the secret, `public` is what the server's configuration holds."""

    seed: str
    public: str


class ServerLimits(NamedTuple):
    """What the server may use, in bytes. Explicit: the default is three quarters of what was free when it started."""

    store_bytes_max: int = 4 * 1024**3
    memory_bytes_max: int = 64 * 1024**2
    payload_bytes_max: int = MESSAGE_BYTES_MAX


def new_key() -> Key:
    """A fresh user key. The secret half is in our memory and in connection.json (0600), never on a command line."""
    # nkeys has no types.
    tool = cast(Any, nkeys)
    seed = cast(bytes, tool.encode_seed(os.urandom(32), tool.PREFIX_BYTE_USER))
    public = cast(bytes, tool.from_seed(bytearray(seed)).public_key)
    return Key(seed.decode(), public.decode())


def render(*, store: Path, ports: Path, port: int, key: Key, limits: ServerLimits) -> str:
    """The configuration file. `port` 0 lets the server choose one; it listens on loopback only.

    The server puts a folder `jetstream` into `store`.
    """
    quoted = json.dumps
    return f"""\
server_name: "skerry"
listen: "127.0.0.1:{port or -1}"
ports_file_dir: {quoted(str(ports))}
max_payload: {limits.payload_bytes_max}
ping_interval: "20s"
jetstream {{
  store_dir: {quoted(str(store))}
  max_file_store: {limits.store_bytes_max}
  max_memory_store: {limits.memory_bytes_max}
  sync_interval: "{SYNC_INTERVAL}"
}}
accounts {{
  SKERRY: {{ jetstream: enabled, users: [ {{ nkey: {key.public} }} ] }}
  SYS: {{ users: [] }}
}}
system_account: SYS
"""


def write_private(path: Path, text: str) -> None:
    """Replaces a file at once, readable by its owner only. Readers see the old one or the new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(fd, 0o600)
        os.write(fd, text.encode())
    finally:
        os.close(fd)
    os.replace(beside, path)
