"""Pages: what was written is read, and nothing else."""

from __future__ import annotations

import os
import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.core import codec
from skerry.core.chain import GENESIS, Header, body_digest
from skerry.core.projection import RunRow
from skerry.errors import DataError
from skerry.sync import page as pages
from skerry.sync import wire

BODIES = st.one_of(st.none(), st.integers().map(lambda n: b'{"n":%d}' % n), st.just('{"ä": "\\u00e4 "}'.encode()))


def chained(
    bodies: list[bytes | None], *, first: int = 1, epoch: int = 1, previous: bytes = GENESIS
) -> list[list[Any]]:
    """Stored events with these bodies."""
    stored: list[list[Any]] = []
    for seq, body in enumerate(bodies, first):
        salt = os.urandom(16)
        digest = body_digest(salt, body or b"gone")
        header = Header(seq, epoch, f"n-{seq % 3}", seq, seq * 10, "step.completed", 1, digest, previous)
        stored.append([*header, salt if body is not None else None, body])
        previous = header.hash()
    return stored


@given(st.lists(BODIES, min_size=1, max_size=20), st.integers(1, 10**9), st.integers(1, 5))
def test_what_is_written_is_read(bodies: list[bytes | None], first: int, epoch: int) -> None:
    stored = chained(bodies, first=first, epoch=epoch)
    rows = [RunRow(run="n-1", workflow="shop", version=3, note="x")]
    page = pages.read(pages.write("n", epoch, stored, rows))
    assert [list(event[:11]) for event in page.events] == stored
    assert (page.node, page.epoch, page.first, page.last) == ("n", epoch, first, first + len(bodies) - 1)
    assert page.hash == Header(*stored[-1][:9]).hash()
    assert page.hash_at(first - 1) == GENESIS
    assert list(page.rows) == rows


@given(st.data())
def test_any_edit_shows_in_the_hash_or_is_no_page(data: st.DataObject) -> None:
    stored = chained([b'{"n":1}', None, b'{"n":3}'])
    whole = pages.read(pages.write("n", 1, stored, []))
    text = bytearray(zlib.decompress(pages.write("n", 1, stored, [])))
    begins = text.index(b'"events"')
    at = data.draw(st.integers(begins, len(text) - 1))
    text[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[at]))
    try:
        edited = pages.read(zlib.compress(bytes(text)))
    except DataError:
        return
    same = [event[:11] for event in edited.events] == [event[:11] for event in whole.events]
    assert same or edited.hash != whole.hash


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no zlib",
        zlib.compress(b"no json"),
        zlib.compress(b"{}"),
        zlib.compress(msgspec.json.encode(pages.Body(node="n", epoch=1, first=1, previous=GENESIS, events=[]))),
        pages.write("n", 1, chained([b"{}"]), [])[:-5],
    ],
    ids=["empty", "bytes", "text", "object", "no events", "cut off"],
)
def test_what_is_no_page_is_refused(data: bytes) -> None:
    with pytest.raises(DataError):
        pages.read(data)


def test_a_bomb_is_refused() -> None:
    with pytest.raises(DataError, match="too long"):
        pages.read(zlib.compress(b" " * (65 * 1024 * 1024)))


@given(st.lists(st.binary(max_size=50), max_size=6), st.data())
def test_blobs_are_what_their_names_say(blobs: list[bytes], data: st.DataObject) -> None:
    parts = [wire.BlobPart(sha256=codec.sha256(blob), size=len(blob)) for blob in blobs]
    packed = pages.write_blobs(blobs)
    assert pages.read_blobs(packed, parts) == [(part.sha256, blob) for part, blob in zip(parts, blobs, strict=True)]
    others = [*parts[:-1], wire.BlobPart(sha256="0" * 64, size=parts[-1].size)] if parts else [*parts]
    if parts:
        with pytest.raises(DataError):
            pages.read_blobs(packed, others)
        with pytest.raises(DataError):
            pages.read_blobs(packed[: data.draw(st.integers(0, len(packed) - 5))], parts)
        with pytest.raises(DataError):
            pages.read_blobs(pages.write_blobs([*blobs, b"more"]), parts)
