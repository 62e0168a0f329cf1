"""Which NATS server to use, and how to get in: asked again before each connection."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from skerry.bus.connectionfile import read_address
from skerry.core.structs import Frozen
from skerry.errors import DataError


class Endpoint(NamedTuple):
    """Where to connect now: URLs, options of nats-py's `connect`, seconds for one attempt and between attempts.

    `key_changes`: credentials that are refused may be right in a moment.
    """

    servers: list[str]
    options: dict[str, Any]
    timeout_s: int
    retry_s_max: float
    key_changes: bool = False


class Target(Protocol):
    """Something that knows where the server is."""

    def endpoint(self) -> Endpoint:
        """Where it is now. Raises `Unavailable` when it is nowhere (yet)."""
        ...


class LocalServer(Frozen):
    """The supervised server of a data folder: port and key change with each launch, the file tells them."""

    file: Path

    def endpoint(self) -> Endpoint:
        """Reads connection.json."""
        address = read_address(self.file)
        options: dict[str, Any] = {"nkeys_seed_str": address.seed}
        if address.tls_name:
            options.update(tls=_context(address.tls_ca or None), tls_hostname=address.tls_name)
        if address.inbox_prefix:
            options["inbox_prefix"] = address.inbox_prefix
        # Attempts on loopback cost nothing, and the server is back in a fraction of a second.
        return Endpoint([address.url], options, timeout_s=2, retry_s_max=0.25, key_changes=True)


class RemoteServer(Frozen):
    """A NATS server or cluster that somebody else runs (`--nats URL`).

    `url`: one or several, by commas: `nats://`, or `tls://`; a user and password, or a token, may be in it. Otherwise
    credentials are files (`creds`: JWT and seed; `nkey`: a seed) or `token`. `tls_ca` names a PEM file with the
    authority that signed the server's certificate, `tls_cert` and `tls_key` our own certificate. `inbox_prefix` is
    where answers go, for a user whose permissions name one. `replicas`: so many servers of a cluster are to keep each
    stream that we make; one that is there with fewer gets more, one with more stays. `member`: the name under which
    the server lets a person in, who may give commands in that name only.
    """

    url: str
    user: str = ""
    password: str = ""
    token: str = ""
    creds: Path | None = None
    nkey: Path | None = None
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    inbox_prefix: str = ""
    replicas: int = 1
    member: str = ""

    def endpoint(self) -> Endpoint:
        """Reads certificates anew. Raises `DataError` for a URL or a file that cannot be used."""
        servers = [each.strip() if "://" in each else f"nats://{each.strip()}" for each in self.url.split(",")]
        for server in servers:
            if urlsplit(server).scheme not in ("nats", "tls"):
                raise DataError(f"{urlsplit(server).scheme}:// is not supported", hint="use nats:// or tls://")
        options: dict[str, Any] = {}
        if self.user:
            options.update(user=self.user, password=self.password)
        if self.token:
            options["token"] = self.token
        if self.creds is not None:
            options["user_credentials"] = str(_there(self.creds))
        if self.nkey is not None:
            options["nkeys_seed"] = str(_there(self.nkey))
        if self.tls_ca is not None or self.tls_cert is not None:
            options["tls"] = _context(self.tls_ca, self.tls_cert, self.tls_key)
        if self.inbox_prefix:
            options["inbox_prefix"] = self.inbox_prefix
        return Endpoint(servers, options, timeout_s=5, retry_s_max=5.0)


def _context(authority: Path | str | None, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=authority)
        if certificate is not None:
            context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise DataError(f"the certificates cannot be used: {error}", hint="PEM files are expected") from None
    return context


def _there(path: Path) -> Path:
    if not path.is_file():
        raise DataError(f"there is no credentials file {path}")
    return path


def target_of(where: Path | str | Target) -> Target:
    """A connection file, a URL, or a target itself."""
    if isinstance(where, Path):
        return LocalServer(file=where)
    if isinstance(where, str):
        return RemoteServer(url=where)
    return where
