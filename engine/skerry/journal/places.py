"""Which places of runs are taken, and which claims: what `append` checks before it changes anything (promise J1)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skerry.core.projection import RunRow
from skerry.errors import Conflict
from skerry.journal.faults import translated
from skerry.journal.groupcommit import COLUMNS, Job
from skerry.journal.reader import BUSY_S, read_only_uri
from skerry.journal.sql import SQL
from skerry.ports import Claim

_REMEMBERED = 16_384
"""Runs per generation. Two generations are kept, so this many of the runs last touched need no look-up."""

NODE_KEY = 0
"""The key of the run "": the node itself."""


Place = tuple[int, int, int]
"""A run's key, its last `n`, and the `seq` of that event."""
_NO_PLACE: Place = (-1, 0, 0)


class Places:
    """Where each run stands. Runs touched lately are remembered; others are looked up on disk.

    The look-up is synchronous, as an append takes its place at once: one read by index from SQLite's page cache,
    some 10 us, which never waits for the writer.
    """

    def __init__(self, path: Path) -> None:
        """Opens a connection of its own. Raises `JournalError`."""
        self._path = path
        self._young: dict[str, Place] = {}
        self._old: dict[str, Place] = {}
        self._claims: set[tuple[str, str]] = set()  # on their way to the disk
        self._durable_seq = 0
        with translated("opening it", path):
            self._db = sqlite3.connect(read_only_uri(path), uri=True, isolation_level=None, timeout=BUSY_S)
            self._last_key, self._last_run = self._one("last_run", ()) or (0, "")

    def check(self, run: str, first_n: int | None, row: RunRow | None, claims: Sequence[Claim]) -> int:
        """The key of the run. `first_n` is None for an append without events.

        Raises:
            Conflict: its place is taken or leaves a gap, its first append has no row, or a claim exists.
        """
        key, n, _ = self._young.get(run) or self._old.get(run) or self._look_up(run)
        if first_n is None:
            if row is not None and key < 0:
                raise Conflict(f"run {run} has not begun: its first row comes with its first event")
        elif first_n != n + 1:
            raise Conflict(
                f"event {first_n} of {f'run {run}' if run else 'the node'} does not follow event {n} (J1)",
                hint="read the run again: somebody else has appended to it",
            )
        if row is not None:
            if row.run != run or not run:
                raise Conflict(f"the row of run {row.run!r} came with events of run {run!r}")
        elif key < 0:
            raise Conflict(f"the first append of run {run} has no row")
        if claims:
            self._check_claims(claims)
        return key if key >= 0 else self._last_key + 1

    def take(self, run: str, key: int, n: int, seq: int) -> None:
        """Notes the place that an append's last event takes."""
        young = self._young
        young[run] = (key, n, seq)
        if key > self._last_key:
            self._last_key = key
            if run > self._last_run:
                self._last_run = run
        if len(young) > _REMEMBERED and all(place[2] <= self._durable_seq for place in self._old.values()):
            self._young, self._old = {}, young

    def claim(self, claims: Sequence[Claim]) -> None:
        """Notes claims that are on their way."""
        self._claims.update((claim.scope, claim.id) for claim in claims)

    def last_n(self, run: str) -> int:
        """The place of a run's last event; 0 when there is none."""
        return (self._young.get(run) or self._old.get(run) or self._look_up(run))[1]

    def committed(self, jobs: Sequence[Job]) -> None:
        """Notes what is on disk now, where a look-up finds it."""
        last = next((job.events for job in reversed(jobs) if job.events), None)
        if last is not None:
            self._durable_seq = last[-COLUMNS]
        if self._claims:
            for job in jobs:
                self._claims.difference_update((claim[0], claim[1]) for claim in job.claims)

    def close(self) -> None:
        """Lets go of the file."""
        self._db.close()

    def _look_up(self, run: str) -> Place:
        if run > self._last_run:  # as that of every run that begins: see `RunIds`
            return _NO_PLACE
        if not run:
            (n,) = self._one("place_of_node", ()) or (0,)
            return (NODE_KEY, n, 0)
        found = self._one("place_of_run", (run,))
        return (found[0], found[1], 0) if found else _NO_PLACE

    def _check_claims(self, claims: Sequence[Claim]) -> None:
        new: set[tuple[str, str]] = set()
        for scope, id, _ in claims:
            if (scope, id) in new or (scope, id) in self._claims or self._one("answer", (scope, id)):
                raise Conflict(f"{id!r} was claimed before in {scope!r}")
            new.add((scope, id))

    def _one(self, query: str, values: Sequence[str]) -> tuple[Any, ...] | None:
        with translated("looking up a place", self._path):
            found: tuple[Any, ...] | None = self._db.execute(SQL[query], values).fetchone()
            return found
