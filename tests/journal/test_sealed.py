"""A sealed journal does what every journal does, says nothing to who has the disk alone, and changes its key."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from skerry.core import codec
from skerry.core.api import Prune
from skerry.errors import JournalCorrupt, JournalError, JournalLocked
from skerry.hub.source import Source
from skerry.journal import JournalReader, SqliteJournal, prune, verify
from skerry.journal.anchor import Anchor
from skerry.journal.follow import Feed
from skerry.journal.groupcommit import COLUMNS
from skerry.journal.lock import FolderLock
from skerry.journal.rotate import Rotated, rotate
from skerry.journal.sealed import Seal, keys_file, new_keys, read_seal, write_keys
from skerry.ports import Append, Journal
from skerry.testing.conformance.journal import JournalSuite, begin, step
from tests.journal.clock import WallClock
from tests.journal.files import fill, opened, tamper
from tests.support import wait_until
from tests.sync.kit import Program, call

SECRET = "Windermere"
SAID = Raw(json.dumps({"town": SECRET}).encode())
LONG = Raw(json.dumps({"town": SECRET, "padding": "x" * 6000}).encode())
NOTE = f"it went wrong in {SECRET}"


class TestSealedJournal(JournalSuite):
    """The suite that all journals pass."""

    async def open(self, folder: Path) -> Journal:
        if not keys_file(folder).exists():
            write_keys(folder, new_keys(None))
        return await SqliteJournal.open(folder, node="a", clock=WallClock())


async def tell(folder: Path) -> None:
    """A run whose body, blob and note have the secret in them."""
    async with opened(folder) as journal:
        await journal.append(begin("a-1", note=NOTE))
        await journal.append(Append("a-1", 3, 10, [step(1, SAID), step(2, LONG)]))
        await fill(journal, ["a-2"])


def found_in(folder: Path) -> list[str]:
    """Files in which the secret can be read."""
    return [path.name for path in sorted(folder.rglob("*")) if path.is_file() and SECRET.encode() in path.read_bytes()]


async def hear(folder: Path) -> list[object]:
    """All that the readers of a journal read of it."""
    async with await JournalReader.open(folder) as reader:
        row = await reader.row("a-1")
        assert row is not None
        heard: list[object] = [row.note, [each.event for each in await reader.events("a-1")]]
        heard.append(await reader.blob(codec.sha256(bytes(LONG))))
    with Feed(folder) as feed:
        heard.append([each.event for each in feed.after(0, 100)])
    source = Source(folder)
    chunk = source.next(0)
    source.close()
    assert chunk is not None
    return [*heard, chunk.data, chunk.blobs]


async def end_of(folder: Path) -> Anchor:
    """The end of the chain."""
    async with await JournalReader.open(folder) as reader:
        return await reader.anchor()


async def test_on_disk_it_is_ciphertext_and_its_readers_read_the_same(tmp_path: Path) -> None:
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    sealed.mkdir()
    write_keys(sealed, new_keys(None))
    for folder in (plain, sealed):
        await tell(folder)
    assert found_in(plain) == ["journal.db"]
    assert found_in(sealed) == []
    (note, *_), (sealed_note, *_) = await hear(plain), await hear(sealed)
    assert note == sealed_note == NOTE
    assert verify(sealed).ok
    assert stat.S_IMODE(keys_file(sealed).stat().st_mode) == 0o600


async def test_keys_change_and_the_chain_does_not(tmp_path: Path) -> None:
    await tell(tmp_path)
    heard, anchor = await hear(tmp_path), await end_of(tmp_path)
    first = rotate(tmp_path)
    assert (first.events, first.blobs, first.runs) == (13, 2, 1)
    assert found_in(tmp_path) == []
    before = keys_file(tmp_path).read_bytes()
    second = rotate(tmp_path)
    assert second == first._replace(key=second.key)
    assert second.key != first.key
    assert json.loads(keys_file(tmp_path).read_bytes())["keys"].keys() == {second.key}
    assert await hear(tmp_path) == heard
    assert verify(tmp_path, anchor=anchor).ok
    assert await end_of(tmp_path) == anchor
    # The old key unseals nothing any more.
    now = keys_file(tmp_path).read_bytes()
    keys_file(tmp_path).write_bytes(before)
    with pytest.raises(JournalError, match=second.key):
        await JournalReader.open(tmp_path)
    keys_file(tmp_path).write_bytes(now)
    assert rotate(tmp_path, off=True) == Rotated("", first.events, first.blobs, first.runs)
    assert not keys_file(tmp_path).exists()
    assert found_in(tmp_path) == ["journal.db"]
    assert await hear(tmp_path) == heard


async def test_interrupted_at_any_moment_it_can_be_read_and_ended(tmp_path: Path) -> None:
    await tell(tmp_path)
    heard = await hear(tmp_path)
    for off in (False, False, True):
        for moment in (1, 2, 3):  # after events, blobs, notes
            left = moment

            def interrupt(_: int) -> None:
                nonlocal left
                left -= 1
                if not left:
                    raise KeyboardInterrupt

            with pytest.raises(KeyboardInterrupt):
                rotate(tmp_path, off=off, progress=interrupt)
            assert await hear(tmp_path) == heard
            assert verify(tmp_path).ok
        rotate(tmp_path, off=off)
        assert await hear(tmp_path) == heard


async def test_what_was_tampered_with_is_found_and_never_sealed_anew(tmp_path: Path) -> None:
    await tell(tmp_path)
    rotate(tmp_path)
    tamper(tmp_path, "UPDATE events SET body = (SELECT body FROM events WHERE seq = 4) WHERE seq = 3")
    assert not verify(tmp_path).ok
    async with await JournalReader.open(tmp_path) as reader:
        with pytest.raises(JournalCorrupt):
            await reader.events("a-1")
    with pytest.raises(JournalCorrupt, match="event 3"):
        rotate(tmp_path)
    assert not verify(tmp_path).ok


async def test_without_its_key_it_says_so(tmp_path: Path) -> None:
    await tell(tmp_path)
    rotate(tmp_path)
    kept = tmp_path / "kept"
    keys_file(tmp_path).rename(kept)
    for opening in (opened(tmp_path).__aenter__, lambda: JournalReader.open(tmp_path)):
        with pytest.raises(JournalError, match="is not there"):
            await opening()
    with pytest.raises(JournalError, match="is not there"):
        rotate(tmp_path)
    keys_file(tmp_path).symlink_to(kept)  # where the key lies elsewhere
    assert rotate(tmp_path).events == 13
    assert keys_file(tmp_path).is_symlink()
    async with opened(tmp_path) as journal:
        with pytest.raises(JournalLocked):
            rotate(tmp_path)
        await journal.append(Append("a-1", 5, 20, [step(3, SAID)]))
    assert found_in(tmp_path) == []


async def test_an_uplink_never_hands_over_what_it_cannot_unseal(tmp_path: Path) -> None:
    await tell(tmp_path)
    rotate(tmp_path)
    source = Source(tmp_path)
    rotate(tmp_path)
    with pytest.raises(JournalError, match="cannot be unsealed"):
        source.next(0)
    source.close()
    (tmp_path / "uplink").mkdir()
    lock = FolderLock(tmp_path / "uplink")
    with pytest.raises(JournalLocked):
        rotate(tmp_path)
    lock.release()
    assert rotate(tmp_path).events == 13


async def test_pruning_knows_what_sealed_values_refer_to(tmp_path: Path) -> None:
    write_keys(tmp_path, new_keys(None))
    document = b"a document that a sealed value refers to"
    name = codec.sha256(document)
    async with opened(tmp_path) as journal:
        await journal.append(Append("", 0, 5, (), blobs={name: document, codec.sha256(b"nobody's"): b"nobody's"}))
        await journal.append(replace(begin("a-1", at_us=10)))
        await journal.append(Append("a-1", 3, 10, [step(1, Raw(json.dumps({"document": name}).encode()))]))
        assert (await prune(journal, Prune(before_us=2**60))).blobs == 1
        assert await journal.blob(name) == document


@given(data=st.binary(max_size=200), salt=st.binary(min_size=16, max_size=16), note=st.text())
def test_what_is_sealed_is_unsealed(data: bytes, salt: bytes, note: str) -> None:
    keys = new_keys(None)
    seal = Seal(new_keys(keys))
    lines = [None] * (COLUMNS - 2) + [bytearray(salt), bytearray(data)]
    seal.events(lines, COLUMNS)
    stored_salt, body = bytes(lines[-2] or b""), bytes(lines[-1] or b"")
    assert (seal.of_salt(stored_salt, body), seal.of_body(stored_salt, body)) == (salt, data)
    assert seal.of_blob(seal.seal(data), len(data)) == data == seal.of_blob(data, len(data))
    assert seal.of_blob(Seal(keys).seal(data), len(data)) == data, "the key before is still there"
    assert seal.of_note(seal.note(note)) == note
    flipped = bytearray(body)
    flipped[-1] ^= 1
    assert seal.of_body(b"", bytes(flipped)) != data or not data


def test_where_nothing_is_sealed_nothing_of_it_is_loaded(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom tests.journal.test_sealed import tell\n"
        "asyncio.run(tell(Path(sys.argv[1])))\nassert 'cryptography' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, env={**os.environ, "PYTHONPATH": "."})
    assert read_seal(tmp_path) is None
    db = sqlite3.connect(tmp_path / "journal.db")
    assert db.execute("SELECT count(*) FROM meta WHERE name = 'sealed'").fetchone() == (0,)
    db.close()


async def test_of_a_whole_node_nothing_can_be_read(tmp_path: Path) -> None:
    """Journal, what waits on the bus, logs: the word is nowhere in the folder."""
    data = tmp_path / "node"
    environment = {"SKERRY_MODULES": "tests.cli.wishes", "SKERRY_NODE": "n1"}
    engine = Program(data, "engine", "--data", str(data), env=environment)
    for turn in range(2):
        engine.start()
        try:
            await wait_until(lambda: (data / "nats" / "connection.json").exists(), 30.0)
            event = json.dumps({"what": f"a house in {SECRET} {turn}", "euros": 5000})
            made = call("publish", "wish.made", "--data", event, "--data-dir", str(data), **environment)
            assert made.returncode == 0, made.stderr
            if turn:
                assert SECRET in call("show", "latest", "--data", str(data), **environment).stdout
        finally:
            engine.stop()
        if turn == 0:
            sealed = call("rotate-key", "--data", str(data), "--json")
            assert json.loads(sealed.stdout)["events"] > 0, sealed.stderr
            (data / "engine.log").unlink(missing_ok=True)
    assert found_in(data) == []
    assert call("verify", "--data", str(data)).returncode == 0
    assert call("replay", "--all", "--data", str(data), **environment).returncode == 0
