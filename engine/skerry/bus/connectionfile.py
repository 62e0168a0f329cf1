"""`connection.json`: how processes of the same user reach a supervised server, written anew at each of its launches."""

from __future__ import annotations

from pathlib import Path

import msgspec

from skerry.core.structs import Frozen
from skerry.errors import Unavailable

FILE_NAME = "connection.json"
LEAF_FILE_NAME = "hub.json"
"""The same for what speaks to a hub's server through a leaf of this one."""


class ServerAddress(Frozen, omit_defaults=True):
    """Where a launch of the server listens, and the key that it lets in.

    For a server that other machines reach, also: who signed its certificate (empty: one that machines know anyway), the
    name in it, and below which subject answers are received.
    """

    url: str
    seed: str
    pid: int
    launch: int
    tls_ca: str = ""
    tls_name: str = ""
    inbox_prefix: str = ""


def read_address(path: Path) -> ServerAddress:
    """What is in the file now. Raises `Unavailable` when there is none: then no server runs, or not yet."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=ServerAddress)
    except FileNotFoundError:
        raise Unavailable(f"no bus runs in {path.parent}", hint="start it: skerry up") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise Unavailable(f"{path} cannot be read: {error}", hint="it is written when the bus starts") from None
