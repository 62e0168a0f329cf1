"""The header of an event, and the chain that the headers form (promises J1 and J5).

A header names the event's place twice (in its node's journal and in its run), and holds the salted digest of the
body and the hash of the header before it. Whoever edits an event must rewrite all headers that follow; whoever keeps
one later hash, outside, sees even that. The salt lies beside the body and goes with it, so that a removed body
cannot be guessed from its digest.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import msgspec

_sha256 = hashlib.sha256
_encode = msgspec.json.Encoder().encode

GENESIS = b"\x00" * 32
"""What stands for the hash before the first header."""


class Header(NamedTuple):
    """One line of the journal, without its body. Times are microseconds since 1970, UTC."""

    seq: int
    epoch: int
    run: str
    n: int
    at_us: int
    kind: str
    version: int
    digest: bytes
    previous: bytes

    def hash(self) -> bytes:
        """SHA-256 over the header as a JSON array (hashes in base64); the next header holds it as `previous`."""
        return header_hash(self)


def header_hash(header: tuple[int, int, str, int, int, str, int, bytes, bytes]) -> bytes:
    """The same for the fields of a header in a plain tuple, which costs less to make."""
    return _sha256(_encode(header)).digest()


def body_digest(salt: bytes, body: bytes) -> bytes:
    """The salted digest of a body: SHA-256 over salt and body."""
    return _sha256(salt + body).digest()
