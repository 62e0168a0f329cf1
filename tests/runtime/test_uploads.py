"""Blobs come in pieces, from many at a time, and some never come to an end."""

from __future__ import annotations

import hashlib

import pytest

from skerry.core.wire import BLOB_BYTES_MAX, BLOB_PIECE_BYTES, blob_headers
from skerry.errors import Busy, DataError
from skerry.runtime.uploads import Uploads
from skerry.testing import MemoryJournal, SimClock

DATA = bytes(range(256)) * 4096  # two pieces
NAME = hashlib.sha256(DATA).hexdigest()


def uploads(uploads_max: int = 2) -> tuple[Uploads, SimClock, MemoryJournal]:
    clock, journal = SimClock(), MemoryJournal()
    return Uploads(journal, clock, uploads_max=uploads_max), clock, journal


async def test_two_pieces_are_kept_and_handed_out_again() -> None:
    store, _, journal = uploads()
    half = BLOB_PIECE_BYTES
    assert (await store.put(blob_headers(NAME, 0, len(DATA)), DATA[:half])).next == half
    assert (await store.put(blob_headers(NAME, half, len(DATA)), DATA[half:])).next == len(DATA)
    assert await journal.blob(NAME) == DATA
    assert await store.get(NAME, 0) + await store.get(NAME, half) == DATA
    assert (await store.put(blob_headers(NAME, 0, len(DATA)), b"")).next == len(DATA)  # it is there already


async def test_a_piece_that_does_not_follow_is_told_where_to_go_on() -> None:
    store, _, _ = uploads()
    assert (await store.put(blob_headers(NAME, 77, len(DATA)), DATA[77:])).next == 0


async def test_what_does_not_fit_its_name_is_refused_and_may_be_put_again() -> None:
    store, _, journal = uploads()
    with pytest.raises(DataError, match="SHA-256"):
        await store.put(blob_headers(NAME, 0, 3), b"abc")
    await store.put(blob_headers(NAME, 0, len(DATA)), DATA)
    assert await journal.blob(NAME) == DATA


@pytest.mark.parametrize(
    "headers", [{}, {"skerry-sha256": NAME, "skerry-offset": "x", "skerry-size": "1"}, blob_headers("short", 0, 1)]
)
async def test_headers_that_make_no_sense_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(DataError):
        await uploads()[0].put(headers, b"")


async def test_too_large_is_refused_with_the_first_piece() -> None:
    with pytest.raises(DataError, match="limit"):
        await uploads()[0].put(blob_headers(NAME, 0, BLOB_BYTES_MAX + 1), b"x")


async def test_an_abandoned_upload_makes_room_after_a_while() -> None:
    store, clock, _ = uploads(uploads_max=1)
    await store.put(blob_headers("a" * 64, 0, 10), b"12345")
    with pytest.raises(Busy):
        await store.put(blob_headers(NAME, 0, len(DATA)), DATA)
    await clock.advance(61)
    assert (await store.put(blob_headers(NAME, 0, len(DATA)), DATA)).next == len(DATA)


async def test_no_piece_of_a_blob_that_is_not_there() -> None:
    assert await uploads()[0].get(NAME, 0) == b""


async def test_uploads_together_are_bounded_too() -> None:
    store, _, _ = uploads(uploads_max=100)
    for number in range(4):
        await store.put(blob_headers(f"{number:064d}", 0, BLOB_BYTES_MAX), b"x")
    with pytest.raises(Busy):
        await store.put(blob_headers(NAME, 0, len(DATA)), DATA)
