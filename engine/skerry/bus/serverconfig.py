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


LEAF_RECONNECT = "500ms"
"""How long the server waits before it tries a lost link to the hub again."""


class Key(NamedTuple):
    """An nkey: `seed` is the secret, `public` is what the server's configuration holds."""

    seed: str
    public: str


class Network(NamedTuple):
    """For a server that other machines reach: where it listens, with which certificate, and whom it lets in.

    `accounts` is a file that the configuration includes; it names `own`, the key of the server's owner, who gets its
    answers below `inbox`. `authority` signed the certificate (None: one that machines know anyway), which is for
    `tls_name`. `leaf_port` 0: no leaf nodes. Made by `skerry.security`.
    """

    name: str
    host: str
    port: int
    leaf_port: int
    tls_name: str
    certificate: Path
    private_key: Path
    authority: Path | None
    accounts: Path
    own: Key
    inbox: str
    domain: str = ""

    @property
    def watched(self) -> tuple[Path, ...]:
        """Files that the server reads again when they change."""
        return (self.accounts, self.certificate, self.private_key)

    def local_url(self, url: str) -> str:
        """Where the owner connects to, from a URL with the port that the server listens on."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        return f"tls://{host}:{url.rpartition(':')[2]}"


class Leaf(NamedTuple):
    """A link to a hub's server, for an account of its own: what passes on the bus here does not pass there.

    `url` is where the hub's server takes leaf nodes. One of `seed` (of an nkey) and `credentials` (a file) lets in, or
    a user and password in the `url`. `authority` signed the hub's certificate; `inbox` is below which answers come.
    """

    url: str
    seed: str = ""
    credentials: Path | None = None
    authority: Path | None = None
    inbox: str = ""

    def remote(self) -> str:
        """Its part of the configuration."""
        entry = [f"url: {json.dumps(self.url)}", "account: HUB", "ignore_discovered_servers: true"]
        entry += ['first_info_timeout: "10s"']
        if self.seed:
            entry.append(f"nkey: {json.dumps(self.seed)}")
        if self.credentials is not None:
            entry.append(f"credentials: {json.dumps(str(self.credentials.absolute()))}")
        if self.authority is not None:
            entry.append(f"tls {{ ca_file: {json.dumps(str(self.authority.absolute()))} }}")
        return f'leafnodes {{ reconnect: "{LEAF_RECONNECT}", remotes: [ {{ {", ".join(entry)} }} ] }}\n'


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


def render(
    *,
    store: Path,
    ports: Path,
    port: int,
    key: Key,
    limits: ServerLimits,
    network: Network | None = None,
    store_key: str = "",
    leaf: Leaf | None = None,
    leaf_key: Key | None = None,
) -> str:
    """The configuration file. `port` 0 lets the server choose one. `leaf_key` opens the account of the `leaf`.

    It listens on loopback only and lets in who has the `key`, unless there is a `network`. The server puts a folder
    `jetstream` into `store`.
    """
    quoted = json.dumps
    cipher = f'\n  cipher: "aes"\n  key: "{store_key}"' if store_key else ""
    named = network.domain if network is not None else "node" if leaf is not None else ""
    domain = f'\n  domain: "{named}"' if named else ""
    return f"""\
server_name: "{network.name if network is not None else "skerry"}"
ports_file_dir: {quoted(str(ports))}
max_payload: {limits.payload_bytes_max}
ping_interval: "20s"
jetstream {{
  store_dir: {quoted(str(store))}
  max_file_store: {limits.store_bytes_max}
  max_memory_store: {limits.memory_bytes_max}
  sync_interval: "{SYNC_INTERVAL}"{domain}{cipher}
}}
{_home(port, key, leaf, leaf_key) if network is None else _abroad(network)}"""


def _home(port: int, key: Key, leaf: Leaf | None, leaf_key: Key | None) -> str:
    hub, link = "", ""
    if leaf is not None and leaf_key is not None:
        hub, link = f"  HUB: {{ users: [ {{ nkey: {leaf_key.public} }} ] }}\n", leaf.remote()
    return f"""\
listen: "127.0.0.1:{port or -1}"
accounts {{
  SKERRY: {{ jetstream: enabled, users: [ {{ nkey: {key.public} }} ] }}
{hub}  SYS: {{ users: [] }}
}}
system_account: SYS
{link}"""


def _abroad(network: Network) -> str:
    """TLS on all that it listens on. An `include` is relative to the configuration's folder."""
    store = network.accounts.parent
    certificate, private_key = json.dumps(str(network.certificate)), json.dumps(str(network.private_key))
    tls = f'tls {{ cert_file: {certificate}, key_file: {private_key}, min_version: "1.2", timeout: 5 }}'
    host = f"[{network.host}]" if ":" in network.host else network.host
    leaf = ""
    if network.leaf_port:
        leaf = f"""\
leafnodes {{
  listen: "{host}:{network.leaf_port}"
  no_advertise: true
  isolate_leafnode_interest: true
  {tls}
}}
"""
    return f"""\
listen: "{host}:{network.port or -1}"
{tls}
{leaf}include "../{store.name}/{network.accounts.name}"
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
