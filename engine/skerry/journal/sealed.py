"""Sealing at rest: bodies, salts, blobs and notes are ciphertext on disk, for whoever has the disk and not the key.

AES-256-GCM (NIST SP 800-38D) with a random nonce for each value; every value names its key, so keys can change under a
journal (`rotate`). Digests and hashes are those of what was said, not of the ciphertext: so the chain stays as it is
when the key changes, and a hub can check it. The salt of a digest is sealed with its body, or guesses could be tried.

Reading costs no statement a change: where there are keys, a connection gets temporary views of the names of the
tables, which hide them, and unseal as they are read. Where there are none, nothing of this file runs but one look for
them at opening. Statements that write, or need an index by name, say `main.`.
"""

from __future__ import annotations

import base64
import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec

from skerry.core.structs import Frozen
from skerry.errors import JournalError, Unavailable

FOLDER, FILE = "security", "journal.keys"
_MARK = 1
"""The first byte of a sealed value; JSON never begins with it."""
_ID_BYTES, _NONCE_BYTES, _KEY_BYTES, _SALT_BYTES, _TAG_BYTES = 4, 12, 32, 16, 16
_HEAD_BYTES = 1 + _ID_BYTES + _NONCE_BYTES
_MORE_BYTES = _HEAD_BYTES + _TAG_BYTES
_NOTE = "sealed:"

VIEWS = """
CREATE TEMP VIEW events AS SELECT
    seq, epoch, run_key, n, at_us, kind, version, digest, previous,
    unseal_salt(salt, body) AS salt, unseal_body(salt, body) AS body
FROM main.events;
CREATE TEMP VIEW blobs AS SELECT rowid AS rowid, sha256, size, at_us, unseal_blob(data, size) AS data FROM main.blobs;
CREATE TEMP VIEW runs AS SELECT
    key, run, workflow, version, status, state, entry_n, wake_us, parent, priority, source, event_id,
    started_us, updated_us, ended_us, unseal_note(note) AS note, pruned_us
FROM main.runs;
"""


class Keys(Frozen):
    """The file: keys by their ids (hex), in base64, and which of them seals what is new."""

    current: str
    keys: dict[str, str]


def jetstream_key(folder: Path) -> str:
    """With what the node's own nats-server seals what is on its way; "" when the journal has no keys.

    It is another one for each key of the journal: what is on the bus is made anew from the journal when that changes.
    Raises `JournalError`.
    """
    keys = read_keys(folder)
    if keys is None:
        return ""
    return hashlib.sha256(b"skerry jetstream " + keys.keys[keys.current].encode()).hexdigest()


class _Cipher(Protocol):
    """`cryptography`'s AESGCM."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes: ...
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes: ...


class Seal:
    """Seals and unseals with the keys of one journal."""

    def __init__(self, keys: Keys) -> None:
        """Raises `Unavailable` without `cryptography`."""
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError:
            raise Unavailable(
                "this journal is sealed, and cryptography is not installed", hint="pip install 'skerry[security]'"
            ) from None
        self.current: str = keys.current
        self._ciphers: dict[bytes, _Cipher] = {
            bytes.fromhex(name): AESGCM(base64.b64decode(key)) for name, key in keys.keys.items()
        }
        self._id = bytes.fromhex(keys.current)
        self._cipher = self._ciphers[self._id]

    def has(self, name: str) -> bool:
        """Whether there is a key of that id."""
        return bytes.fromhex(name) in self._ciphers

    def seal(self, data: bytes) -> bytes:
        """Ciphertext, with the id of its key before it."""
        nonce = os.urandom(_NONCE_BYTES)
        return bytes((_MARK,)) + self._id + nonce + self._cipher.encrypt(nonce, data, self._id)

    def unseal(self, data: Any) -> bytes | None:
        """What was sealed; None when it is not ours, or was changed."""
        if not isinstance(data, bytes):
            return None
        name = data[1 : 1 + _ID_BYTES]
        cipher = self._ciphers.get(name)
        if cipher is None:
            return None
        try:
            return cipher.decrypt(data[1 + _ID_BYTES : _HEAD_BYTES], data[_HEAD_BYTES:], name)
        except Exception:  # cryptography's InvalidTag: it is not imported where nothing is sealed
            return None

    # --- as the columns have it. What cannot be unsealed stays as it is, fits no digest, and is reported so

    def events(self, lines: list[Any], columns: int) -> None:
        """Seals salt and body, the last two of so many columns, of one event after the other, in place."""
        for at in range(columns - 1, len(lines), columns):
            lines[at] = bytearray(self.seal(bytes(lines[at - 1] + lines[at])))
            lines[at - 1] = bytearray()

    def note(self, note: str) -> str:
        """A run's note. None stays none."""
        return _NOTE + base64.b64encode(self.seal(note.encode())).decode() if note else note

    def of_salt(self, salt: Any, body: Any) -> Any:
        """A salt: of a sealed event, it is with the body."""
        plain = self.unseal(body) if salt == b"" else None
        return salt if plain is None else plain[:_SALT_BYTES]

    def of_body(self, salt: Any, body: Any) -> Any:
        """A body."""
        plain = self.unseal(body) if salt == b"" else None
        return body if plain is None else plain[_SALT_BYTES:]

    def of_blob(self, data: bytes, size: int) -> bytes:
        """A blob, whose length says whether it is sealed."""
        plain = self.unseal(data) if len(data) == size + _MORE_BYTES else None
        return data if plain is None else plain

    def of_note(self, note: str) -> str:
        """A note."""
        if not note.startswith(_NOTE):
            return note
        try:
            plain = self.unseal(base64.b64decode(note[len(_NOTE) :]))
        except ValueError:
            plain = None
        return note if plain is None else plain.decode()

    def functions(self) -> Iterator[tuple[str, int, Callable[..., Any]]]:
        """For SQLite: what the views call."""
        yield "unseal_salt", 2, self.of_salt
        yield "unseal_body", 2, self.of_body
        yield "unseal_blob", 2, self.of_blob
        yield "unseal_note", 1, self.of_note


def keys_file(folder: Path) -> Path:
    """Where a data folder's keys are. It may be a link to a place that is there only while the machine runs."""
    return folder / FOLDER / FILE


def read_seal(folder: Path) -> Seal | None:
    """What a data folder's journal is sealed with; None when it has no keys. Raises `JournalError`, `Unavailable`."""
    keys = read_keys(folder)
    try:
        return Seal(keys) if keys is not None else None
    except (ValueError, KeyError) as error:
        raise JournalError(f"{keys_file(folder)} holds no keys: {error}") from None


def read_keys(folder: Path) -> Keys | None:
    """A data folder's keys; None when there are none. Raises `JournalError`."""
    path = keys_file(folder)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Keys)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise JournalError(f"{path} cannot be read: {error}", hint="the journal's keys are in it") from None


def new_keys(before: Keys | None) -> Keys:
    """Another key, which seals what is new; those from before can still unseal."""
    name, key = os.urandom(_ID_BYTES).hex(), base64.b64encode(os.urandom(_KEY_BYTES)).decode()
    return Keys(current=name, keys={**(before.keys if before is not None else {}), name: key})


def write_keys(folder: Path, keys: Keys) -> None:
    """Replaces the keys, and returns when the disk has them: what is sealed with them may follow."""
    path = Path(os.path.realpath(keys_file(folder)))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, msgspec.json.encode(keys))
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(beside, path)
    fd = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def unsealing(db: sqlite3.Connection, folder: Path) -> Seal | None:
    """Has a connection unseal what it reads, where there are keys.

    Raises `JournalError` when the journal is sealed with a key that is not there.
    """
    seal = read_seal(folder)
    need_key(seal, _meta(db), folder)
    if seal is not None:
        for name, count, function in seal.functions():
            db.create_function(name, count, function, deterministic=True)
        db.executescript(VIEWS)
    return seal


def need_key(seal: Seal | None, sealed: str, folder: Path) -> None:
    """Raises `JournalError` when there is no key of the id that the journal names."""
    if sealed and (seal is None or not seal.has(sealed)):
        raise JournalError(
            f"the journal in {folder} is sealed, and its key {sealed} is not there",
            hint=f"put it back into {keys_file(folder)}",
        )


def _meta(db: sqlite3.Connection) -> str:
    """The id of the key with which the journal is sealed; "" for none, and in a file that is no journal yet."""
    try:
        found = db.execute("SELECT value FROM main.meta WHERE name = 'sealed'").fetchone()
    except sqlite3.Error:
        return ""
    return str(found[0]) if found else ""
