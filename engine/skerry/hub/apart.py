"""What a fenced node has done since another one adopted it: it goes to the hub, where it is kept apart and shown.

It ends on a subject of its own, with a fence of its own: the node's cursor is the adopting node's now.
"""

from __future__ import annotations

import time
import uuid

from skerry.hub.link import Link
from skerry.hub.source import Source
from skerry.sync import wire
from skerry.sync.wire import Cursor
from skerry.version import __version__


async def ship_apart(source: Source, link: Link, fork: int) -> int:
    """Sends what comes after the event `fork`, on from where it was sent before; how many events these are in all.

    Raises `Fenced`, `Unavailable`.
    """
    node = source.node
    last = await link.last(wire.apart_subject(node))
    fence, after = 0, fork
    if last is not None:
        cursor = wire.decode_cursor(last.data)
        fence = last.seq
        if cursor.seq > fork and source.hash_at(cursor.seq) == cursor.digest:
            after = cursor.seq
    while (chunk := source.next(after)) is not None:
        data = chunk.data
        pieces = [data[at : at + wire.PIECE_BYTES] for at in range(0, len(data), wire.PIECE_BYTES)]
        cursor = Cursor(
            kind="page",
            node=node,
            epoch=chunk.epoch,
            seq=chunk.seq,
            hash=chunk.hash.hex(),
            first=chunk.first,
            batch=uuid.uuid4().hex,
            pieces=len(pieces),
            size=len(data),
            at_us=time.time_ns() // 1000,
            software=__version__,
        )
        messages = [(wire.piece_subject(node), piece) for piece in pieces]
        end = (wire.apart_subject(node), wire.encode(cursor))
        fence = await link.put_batch(cursor.batch, [*messages, end], after=fence)
        after = chunk.seq
    return after - fork
