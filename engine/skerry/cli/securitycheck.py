"""What `skerry doctor` looks at of keys, certificates and people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from skerry.cli import words
from skerry.cli.checks import Finding
from skerry.errors import SkerryError

if TYPE_CHECKING:
    from skerry.config import Config
    from skerry.security.members import Roll

_SOON_DAYS = 30
_OPEN = 0o077
_HERE = ("localhost", "127.", "::1")


def security(config: Config) -> Iterator[Finding]:
    """Secrets are for their owner only, the server's certificate is good for a while, limits can be judged."""
    from skerry.security.members import folder_of

    folder = folder_of(config.data)
    if folder.is_dir():
        yield from _secrets(folder)
        yield from _server(config.data)
        yield from _sealed(config.data)
    yield from _links(config)
    yield from _people(config)


def _links(config: Config) -> Iterator[Finding]:
    """What leaves the machine is encrypted."""
    for name, server in (("nats", config.nats), ("hub", config.hub)):
        for url in filter(None, server.url.split(",")):
            parts = urlsplit(url if "://" in url else f"nats://{url}")
            plain = parts.scheme != "tls" and server.tls_ca is None
            if plain and not (parts.hostname or "").startswith(_HERE):
                found = f"{name}: what goes to {parts.hostname} can be read on the way"
                yield Finding("links", "warning", found, "let the server speak TLS, and write tls:// (skerry hub init)")


def _secrets(folder: Path) -> Iterator[Finding]:
    public = ("roll.json", "roll.lock", "accounts.conf", "ca.pem", "server.pem", "hub-ca.pem")
    opened = [path for path in sorted(folder.iterdir()) if path.name not in public and path.stat().st_mode & _OPEN]
    for path in opened:
        yield Finding("secrets", "bad", f"others may read {path}", f"chmod 600 {path}")
    if not opened:
        yield Finding("secrets", "ok", f"{folder} is for its owner only")


def _server(data: Path) -> Iterator[Finding]:
    from skerry.security.enrolment import network
    from skerry.security.members import read_roll

    try:
        roll = read_roll(data)
        reached = network(data)
    except SkerryError as error:
        yield Finding("members", "bad", error.message, error.hint)
        return
    if roll is None or reached is None:
        return
    yield Finding("members", "ok", f"{words.plural(len(roll.members), 'member')} of {roll.owner}, at {roll.url}")
    yield _certificate(reached.certificate, roll)


def _certificate(path: Path, roll: Roll) -> Finding:
    from skerry.security.authority import ends

    again = (
        "renew it" if roll.certificate else f"skerry {roll.kind} {'init' if roll.kind == 'hub' else 'open'} ... again"
    )
    try:
        until = ends(path)
    except SkerryError as error:
        return Finding("certificate", "note", error.message, error.hint)
    except (OSError, ValueError) as error:
        return Finding("certificate", "bad", f"{path} cannot be read: {error}", again)
    days = (until - datetime.now(UTC)).days
    said = f"good until {until:%Y-%m-%d}"
    if days < 0:
        return Finding("certificate", "bad", f"it was {said}", again)
    return Finding("certificate", "warning" if days < _SOON_DAYS else "ok", said, again if days < _SOON_DAYS else "")


def _sealed(data: Path) -> Iterator[Finding]:
    from skerry.journal.sealed import read_keys

    try:
        keys = read_keys(data)
    except SkerryError as error:
        yield Finding("sealing", "bad", error.message, error.hint)
        return
    if keys is None:
        return
    if len(keys.keys) > 1:
        yield Finding("sealing", "warning", "a change of keys was interrupted", "skerry rotate-key ends it")
    else:
        yield Finding("sealing", "ok", f"the journal is sealed with key {keys.current}")


def _people(config: Config) -> Iterator[Finding]:
    for name, person in config.people.items():
        if person.limit is None or "approve" not in person.roles:
            continue
        unknown = [workflow for workflow in person.workflows if workflow not in config.worth]
        if unknown:
            found = f"{name} approves up to a limit, and where {', '.join(unknown)} has its amounts is not known"
            yield Finding(
                "people", "warning", found, f"[worth] {unknown[0]} = ...; until then they cannot approve there"
            )
