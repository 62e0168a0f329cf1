"""Letting machines and people in: each makes a key, tells its public half, and is told where to go and whom to trust.

    skerry node init                      on the node: makes its key, says the public half
    skerry hub init --host hub.example    on the hub: its key, its certificates, an empty roll
    skerry hub enrol edge1 --key U...     on the hub: writes edge1.enrolment.json
    skerry node join edge1.enrolment.json on the node: keeps the authority, writes [hub] into skerry.toml

What travels (a public key one way, an enrolment the other) is no secret; but it must not be exchanged on the way, so
take a channel on which you know the other one.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from skerry.bus.serverconfig import Network, write_private
from skerry.core.structs import Frozen
from skerry.errors import Conflict, DataError, NotFound
from skerry.security import authority, natsconf
from skerry.security.members import OWN_TENANT, ROLL, Member, Roll, folder_of, own_key, read_roll
from skerry.security.permissions import Kind, inbox

ACCOUNTS = "accounts.conf"
LEAF = "leaf.conf"
_OF_HUB = "hub-ca.pem"


class Enrolment(Frozen, omit_defaults=True):
    """What a member is told. `authority` is the certificate (PEM) that signed the server's; empty: a known one."""

    name: str
    kind: Kind
    key: str
    url: str
    server: str
    tenant: str = OWN_TENANT
    leaf_url: str = ""
    authority: str = ""
    inbox_prefix: str = ""


def open_server(data: Path, roll: Roll) -> Roll:
    """Makes (or makes anew) what a server needs that other machines reach: key, certificate, accounts.

    Called again, it keeps the authority, the owner's key and the members, and issues a new certificate. Raises
    `DataError` for a roll that cannot be, `Unavailable` without `cryptography` where a certificate has to be made.
    """
    if not roll.hosts:
        raise DataError("under which name do others reach this machine?", hint="--host NAME; may be repeated")
    if bool(roll.certificate) != bool(roll.private_key):
        raise DataError("a certificate needs its private key, and the other way round", hint="give both files")
    for given in filter(None, (roll.certificate, roll.private_key, roll.authority)):
        if not Path(given).is_file():
            raise DataError(f"there is no file {given}")
    folder = folder_of(data)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    with _alone(data):
        before = read_roll(data)
        if before is not None:
            if before.owner != roll.owner or before.kind != roll.kind:
                raise Conflict(f"{folder} is that of {before.kind} {before.owner}", hint="use another data folder")
            roll = msgspec.structs.replace(roll, members=before.members)
        if not roll.certificate:
            authority.issue(folder, roll.owner, roll.hosts)
        _write(data, roll)
    return roll


def enrol(data: Path, member: Member) -> Enrolment:
    """Lets somebody in, or gives them another key; returns what they are to be told.

    Raises `NotFound` when the server is for its own machine only, `DataError` and `Conflict` as `Roll.with_member`.
    """
    need_roll(data)
    with _alone(data):
        roll = need_roll(data).with_member(msgspec.structs.replace(member, at_us=time.time_ns() // 1000))
        _write(data, roll)
    signer = _authority(data, roll)
    return Enrolment(
        name=member.name,
        kind=member.kind,
        key=member.key,
        url=roll.url,
        server=roll.owner,
        tenant=member.tenant,
        leaf_url=roll.leaf_url if member.kind == "node" else "",
        authority=signer.read_text() if signer is not None else "",
        inbox_prefix=inbox(member.name),
    )


def entrust(data: Path, lost: str, to: str) -> bool:
    """Lets a node hand over in the name of another one as well, which it adopts. Whether there is anything to be said.

    The lost one keeps its rights: should it come back, it is told that it is fenced, and what it did is kept apart.
    """
    if read_roll(data) is None:
        return False
    with _alone(data):
        roll = need_roll(data)
        member = roll.find(to)
        if member is None or lost in member.nodes:
            return False
        _write(data, roll.with_member(msgspec.structs.replace(member, nodes=(*member.nodes, lost))))
    return True


def revoke(data: Path, name: str, tenant: str = OWN_TENANT) -> None:
    """Shuts somebody out; the server ends their connections. Raises `NotFound`."""
    need_roll(data)
    with _alone(data):
        _write(data, need_roll(data).without(name, tenant))


def join(data: Path, told: Enrolment) -> dict[str, str]:
    """Keeps what a server has told; returns the settings with which it is reached.

    Raises `Conflict` when it was told to the owner of another key.
    """
    key = own_key(data)
    if key.public != told.key:
        raise Conflict(
            f"{told.name} was enrolled with another key than this folder's",
            hint=f"enrol it again with this one: {key.public}",
        )
    folder = folder_of(data).absolute()
    settings = {"url": told.url, "nkey": str(folder / "key.nk"), "inbox_prefix": told.inbox_prefix}
    if told.kind == "person":
        settings["member"] = told.name
    signer: Path | None = None
    if told.authority:
        signer = folder / _OF_HUB
        write_private(signer, told.authority)
        settings["tls_ca"] = str(signer)
    if told.leaf_url:
        write_private(folder / LEAF, natsconf.leaf(told.name, told.leaf_url, key.seed, signer))
    return settings


def network(data: Path) -> Network | None:
    """How the server of a data folder is reached by other machines; None when it is not."""
    roll = read_roll(data)
    if roll is None:
        return None
    folder = folder_of(data).absolute()
    made = authority.files(folder)
    return Network(
        name=roll.owner,
        host=roll.host,
        port=roll.port,
        leaf_port=roll.leaf_port,
        tls_name=roll.hosts[0],
        certificate=Path(roll.certificate) if roll.certificate else made.server,
        private_key=Path(roll.private_key) if roll.private_key else made.server_key,
        authority=_authority(data, roll),
        accounts=folder / ACCOUNTS,
        own=own_key(data),
        inbox=inbox(roll.owner),
        domain=natsconf.DOMAIN if roll.kind == "hub" else "",
    )


@contextmanager
def _alone(data: Path) -> Generator[None, None, None]:
    """Until the roll is written, nobody else changes it: two who enrol at a time would forget one of them."""
    folder_of(data).mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder_of(data) / "roll.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def need_roll(data: Path) -> Roll:
    """The roll. Raises `NotFound` when there is none."""
    roll = read_roll(data)
    if roll is None:
        raise NotFound(
            f"the server of {data} is for its own machine only", hint="skerry hub init (or skerry node open) first"
        )
    return roll


def read_enrolment(path: Path) -> Enrolment:
    """What is in an enrolment's file. Raises `NotFound`, `DataError`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Enrolment)
    except FileNotFoundError:
        raise NotFound(f"there is no {path}", hint="the hub writes it: skerry hub enrol NAME") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"{path} is no enrolment: {error}") from None


def key_of(text: str) -> str:
    """A public key as it was given: itself, or in a file."""
    path = Path(text)
    if len(text) < 200 and not text.startswith(("U", "S")) and path.is_file():
        return path.read_text().strip()
    return text.strip()


def host_names(hosts: Sequence[str], fallback: str) -> tuple[str, ...]:
    """Names and addresses for the certificate."""
    return tuple(dict.fromkeys(hosts)) or (fallback,)


def _authority(data: Path, roll: Roll) -> Path | None:
    if roll.certificate:
        return Path(roll.authority) if roll.authority else None
    return authority.files(folder_of(data).absolute()).authority


def _write(data: Path, roll: Roll) -> None:
    """The accounts last: a running server reads them."""
    folder = folder_of(data)
    write_private(folder / ROLL, msgspec.json.format(msgspec.json.encode(roll)).decode() + "\n")
    write_private(folder / ACCOUNTS, natsconf.accounts(roll, own_key(data)))
