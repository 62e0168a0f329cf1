"""The roll of a NATS server: who is let in, with which key, as what, and in which tenant's account.

A key here is the public half of an nkey (docs.nats.io, "NKeys"); the other half never leaves its owner's machine. So
neither the roll nor the configuration that is made of it holds a secret.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import msgspec
import nkeys  # pyright: ignore[reportMissingTypeStubs]

from skerry.bus.serverconfig import Key, new_key, write_private
from skerry.core.ids import check_token
from skerry.core.structs import Frozen
from skerry.errors import Conflict, DataError, NotFound
from skerry.security.permissions import Kind

FOLDER = "security"
"""In a data folder: what this machine must keep to itself, and what it knows of others."""
ROLL = "roll.json"
KEY = "key.nk"
OWN_TENANT = "SKERRY"
"""The account of a server's own hub or engine, and of everybody whose tenant is not named."""
_RESERVED = ("SYS", "$G", "$SYS")


class Member(Frozen, omit_defaults=True):
    """Somebody who is let in. `key` is the public half of their nkey.

    `size` is that of a worker, `nodes` are those that a worker serves or a person speaks to (none: all), or that a node
    has adopted; of an engine, the groups that it is in.
    """

    name: str
    kind: Kind
    key: str
    tenant: str = OWN_TENANT
    size: str = ""
    nodes: tuple[str, ...] = ()
    by: str = ""
    at_us: int = 0


class Roll(Frozen, omit_defaults=True):
    """A server that other machines reach: where it listens, what it calls itself, and its members.

    `hosts` are the names and addresses under which others reach it, the first one first; they stand in its certificate.
    `owner` is whose server it is: the name of the hub or node that starts it. `certificate` and `private_key` are files
    that were given; empty: those that were made for it. `authority` signed them; empty: one that machines know anyway.
    """

    owner: str
    kind: Kind
    hosts: tuple[str, ...]
    host: str = "0.0.0.0"
    port: int = 4222
    leaf_port: int = 0
    certificate: str = ""
    private_key: str = ""
    authority: str = ""
    members: tuple[Member, ...] = ()

    @property
    def url(self) -> str:
        """Where members connect to."""
        name = self.hosts[0]
        return f"tls://[{name}]:{self.port}" if ":" in name else f"tls://{name}:{self.port}"

    @property
    def leaf_url(self) -> str:
        """Where leaf nodes connect to; empty when none are let in."""
        return f"tls://{self.hosts[0]}:{self.leaf_port}" if self.leaf_port else ""

    def find(self, name: str, tenant: str = OWN_TENANT) -> Member | None:
        """The member of a name."""
        return next((each for each in self.members if (each.name, each.tenant) == (name, tenant)), None)

    def with_member(self, member: Member) -> Roll:
        """With one more, or with another key for one who is there already.

        Raises `DataError` for a name or key that is none, `Conflict` when the key is somebody else's.
        """
        check_token("the member's name", member.name)
        check_token("the tenant", member.tenant)
        check_key(member.key)
        if member.tenant in _RESERVED:
            raise DataError(f"{member.tenant} is the name of an account of NATS's own", hint="choose another one")
        if member.name == self.owner and member.tenant == OWN_TENANT:
            raise Conflict(f"{member.name} is the name of this server's owner", hint="choose another name")
        for each in self.members:
            if each.key == member.key and (each.name, each.tenant) != (member.name, member.tenant):
                raise Conflict(
                    f"that key is {each.name}'s already", hint="each member has a key of its own: skerry node init"
                )
        rest = (each for each in self.members if (each.name, each.tenant) != (member.name, member.tenant))
        return msgspec.structs.replace(self, members=(*rest, member))

    def without(self, name: str, tenant: str = OWN_TENANT) -> Roll:
        """Without somebody. Raises `NotFound`."""
        if self.find(name, tenant) is None:
            raise NotFound(f"there is no member {name} here", hint="`members` lists them")
        rest = (each for each in self.members if (each.name, each.tenant) != (name, tenant))
        return msgspec.structs.replace(self, members=tuple(rest))


def folder_of(data: Path) -> Path:
    """Where keys, certificates and the roll of a data folder are."""
    return data / FOLDER


def read_roll(data: Path) -> Roll | None:
    """The roll of a data folder; None when its server is for its own machine only. Raises `DataError`."""
    path = folder_of(data) / ROLL
    try:
        return msgspec.json.decode(path.read_bytes(), type=Roll)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None


def own_key(data: Path, *, anew: bool = False) -> Key:
    """The key of this data folder's owner, made when there is none (or `anew`); its seed lies in a file, 0600."""
    folder = folder_of(data)
    path = folder / KEY
    if anew or not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = new_key()
        write_private(path, key.seed + "\n")
        return key
    try:
        seed = path.read_text().strip()
        public = cast(bytes, cast(Any, nkeys).from_seed(bytearray(seed.encode())).public_key)
    except Exception as error:  # nkeys raises errors of its own, of PyNaCl and of binascii
        raise DataError(f"{path} holds no key ({type(error).__name__})", hint="skerry node init --new-key") from None
    return Key(seed, public.decode())


def check_key(key: str) -> str:
    """The public half of a user's nkey, or a `DataError`. A seed is not repeated in the message: it is a secret."""
    if key.startswith("S"):
        raise DataError(
            "that is a seed, the secret half of a key: it stays where it is",
            hint="make a new one (skerry node init --new-key) and give its public half, which begins with U",
        )
    if not (key.startswith("U") and len(key) == 56 and key.isalnum() and key.isupper()):
        raise DataError(f"{key[:60]!r} is no public key", hint="it has 56 letters and digits, and begins with U")
    return key
