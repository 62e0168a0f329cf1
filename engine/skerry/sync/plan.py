"""How a node decides from where on to send, and the hub what to do with what came. Pure: both only compare hashes.

A node's journal is a chain. An epoch begins when a person says that the folder was restored from a copy; from then on
the chain may go on from an earlier event than the hub has. What the hub had beyond that is kept, apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias

from skerry.core.chain import GENESIS
from skerry.sync.page import Page

RESTORED_HINT = "was this folder restored from a copy, or copied? Stop its engine and say so: skerry sync --restored"


class Place(NamedTuple):
    """An event of a chain: which, and the hash of its header. Of nothing at all: `START`."""

    epoch: int
    seq: int
    hash: bytes


START = Place(0, 0, GENESIS)


# --- the node ---------------------------------------------------------------------------------------------------------


class Own(Protocol):
    """A node's own journal."""

    @property
    def epoch(self) -> int:
        """The epoch in which it is written now."""
        ...

    def end(self) -> int:
        """The seq of its last event."""
        ...

    def hash_at(self, seq: int) -> bytes | None:
        """The hash of the header `seq`; None when there is no such event."""
        ...

    def first_after(self, epoch: int) -> int:
        """The seq of the first event of a later epoch; one after the end when there is none yet."""
        ...


class Ship(NamedTuple):
    """Send what comes after the event `after`."""

    after: int


class Stuck(NamedTuple):
    """Send nothing: why, in one word and in sentences."""

    why: str
    message: str
    hint: str


def plan(there: Place, own: Own) -> Ship | Stuck:
    """From where on a node sends, when the end of what was sent in its name is `there`."""
    if there.epoch > own.epoch:
        return Stuck(
            "superseded",
            f"another copy of this node, of epoch {there.epoch}, has taken over: this journal is of epoch {own.epoch}",
            "stop this one, or keep what it did since: skerry export",
        )
    if own.hash_at(there.seq) == there.hash:
        return Ship(there.seq)
    if own.epoch > there.epoch:
        base = own.first_after(there.epoch) - 1
        if base <= there.seq:
            return Ship(base)
    if there.seq > own.end():
        return Stuck("behind", f"the hub has events up to {there.seq}, this journal ends at {own.end()}", RESTORED_HINT)
    return Stuck("fork", f"event {there.seq} is not the one that the hub has", RESTORED_HINT)


# --- the hub ----------------------------------------------------------------------------------------------------------


class Take(NamedTuple):
    """Its events follow what is there, but for the first `skip` of them, which are there. `cut`: after which event the
    chain goes on with it, where that is not the last one: what is there beyond is kept apart."""

    skip: int = 0
    cut: int | None = None


class Known(NamedTuple):
    """All of it is there already."""


class Gap(NamedTuple):
    """Something is missing before it."""


class Apart(NamedTuple):
    """It does not belong to the chain: kept apart, with the reason."""

    why: str


Verdict: TypeAlias = Take | Known | Gap | Apart

HashAt: TypeAlias = Callable[[int], bytes | None]
HashOf: TypeAlias = Callable[[int, int], bytes | None]


def judge(there: Place, page: Page, *, hash_at: HashAt, hash_of: HashOf) -> Verdict:
    """What to do with a page of a node whose chain ends at `there`.

    `hash_at(seq)` is the hash of an event of that chain, `hash_of(epoch, seq)` of any that is there, also apart; None
    where there is none.
    """
    if page.last <= there.seq or page.epoch < there.epoch:
        if hash_of(page.epoch, page.last) == page.hash:
            return Known()
        if page.epoch < there.epoch:
            return Apart(f"it is of epoch {page.epoch}, which epoch {there.epoch} has ended")
    base = page.first - 1
    if base > there.seq:
        return Gap()
    if hash_at(base) != page.previous:
        return Apart(f"its event {page.first} does not follow event {base} that is here")
    if page.epoch > there.epoch:
        return Take(cut=base if base < there.seq else None)
    if page.last <= there.seq or page.hash_at(there.seq) != there.hash:
        return Apart(f"it has another event {min(page.last, there.seq)} than is here, in the same epoch {page.epoch}")
    return Take(skip=there.seq - base)
