"""Writes runs, or the whole journal, as JSON Lines: for an archive, an auditor, or a look with other tools.

The first line is the anchor; then the rows, then the events in order (headers with hashes in hex, bodies as they are,
byte for byte), each blob before the first event that refers to it, and at the end, in a whole export, the claims.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from skerry.core.projection import RunRow
from skerry.errors import NotFound
from skerry.journal.reader import Reads
from skerry.journal.references import references

FORMAT = 1
"""The version of these lines."""

_encode = msgspec.json.Encoder().encode


async def export(journal: Reads, runs: Sequence[str] | None = None) -> AsyncIterator[bytes]:
    """The lines, each ending with a newline; of some runs, or of everything when `runs` is None.

    Raises:
        NotFound: there is no such run.
        JournalError: the journal cannot be read.
    """
    head = await journal.read_head()
    yield _line(skerry_journal=FORMAT, node=head.node, epoch=head.epoch, seq=head.seq, hash=head.hash.hex())
    written: set[str] = set()
    if runs is None:
        async for row in journal.all_rows():
            yield _row(row)
        async for line in journal.all_events(head.seq):
            async for written_line in _event(journal, line, written):
                yield written_line
        for scope, id, answer in await journal.all_claims():
            yield _line(claim=[scope, id, answer])
        return
    for run in runs:
        found = await journal.row(run)
        if found is None:
            raise NotFound(f"there is no run {run}", hint="`skerry runs` lists them")
        yield _row(found)
    for run in runs:
        for line in await journal.lines(run):
            async for written_line in _event(journal, line, written):
                yield written_line


async def _event(journal: Reads, line: Sequence[Any], written: set[str]) -> AsyncIterator[bytes]:
    """An event's line, after those of the blobs that it is the first to refer to, directly or through a blob."""
    seq, epoch, run, n, at_us, kind, version, digest, previous, salt, body = line
    todo = references(body or b"") - written
    while todo:
        name = todo.pop()
        try:
            data = await journal.blob(name)
        except NotFound:
            continue  # a word that only looks like a name
        written.add(name)
        yield _line(blob=name, data=base64.b64encode(data).decode())
        if data[:1] in (b"{", b"[", b'"'):
            todo |= references(data) - written
    yield _line(
        seq=seq, epoch=epoch, run=run, n=n, at_us=at_us, kind=kind, version=version,
        digest=digest.hex(), previous=previous.hex(),
        salt=None if salt is None else salt.hex(),
        body=None if body is None else msgspec.Raw(body),
    )  # fmt: skip


def _row(row: RunRow) -> bytes:
    return _line(row=row)


def _line(**fields: Any) -> bytes:
    return _encode(fields) + b"\n"
