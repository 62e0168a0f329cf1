"""A lost node's journal, made again of what the hub has of it, so that another node can go on with it.

Header for header, salt for salt: the chain goes on where it was cut. What is no event follows from the events: rows as
far as these tell, and which ids were answered. It blocks, and belongs into a thread.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from skerry.core import codec
from skerry.core import events as ev
from skerry.core.chain import GENESIS, Header
from skerry.core.projection import ENDED, Life, RunRow, live_on
from skerry.errors import DataError
from skerry.hub.sql import SQL
from skerry.journal.faults import translated
from skerry.journal.migrate import migrations
from skerry.journal.reader import DATABASE, row_values
from skerry.journal.references import references
from skerry.journal.sql import SQL as JOURNAL_SQL
from skerry.sync.page import Page

_JSON_BEGINS = (b"{", b"[", b'"')
_RUN_FIELDS = RunRow.__struct_fields__


class Copy:
    """A journal in a folder that is being made; page after page, each on disk when `take` returns."""

    def __init__(self, folder: Path, node: str) -> None:
        """Goes on with what is there already. Raises `JournalError`."""
        self.path = folder / DATABASE
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with translated("making a copy", self.path):
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA secure_delete = ON")
            self._migrate()
            self._db.execute(JOURNAL_SQL["put_meta"], ("node", node))
        self._node = node

    def close(self) -> None:
        """Lets go of the file."""
        self._db.close()

    @property
    def end(self) -> tuple[int, bytes, int]:
        """(seq, hash, epoch) of the last event."""
        found = self._db.execute(JOURNAL_SQL["last_event"]).fetchone()
        if found is None:
            return 0, GENESIS, 1
        header = Header(*found)
        return header.seq, header.hash(), header.epoch

    def take(self, page: Page) -> None:
        """What comes next. Raises `DataError` when it does not, `JournalError`."""
        seq, hash, _ = self.end
        if page.node != self._node or page.first != seq + 1 or page.previous != hash:
            raise DataError(f"the page of node {page.node} from event {page.first} on does not follow event {seq}")
        rows = {row.run: row for row in page.rows}
        with translated("making a copy", self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                keys = self._put_rows(rows, {event.run for event in page.events if event.run})
                self._db.executemany(
                    JOURNAL_SQL["insert_event"], [(e.seq, e.epoch, keys[e.run], *e[3:11]) for e in page.events]
                )
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def put_blob(self, name: str, data: bytes, at_us: int) -> None:
        """A blob. Raises `DataError` when its bytes do not fit its name."""
        if codec.sha256(data) != name:
            raise DataError(f"the bytes of blob {name} do not fit its name")
        with translated("making a copy", self.path):
            self._db.execute(JOURNAL_SQL["insert_blob"], (bytes.fromhex(name), len(data), at_us, data))

    def missing(self) -> Iterator[set[str]]:
        """Names of blobs that events refer to and that are not there, some at a time; each is put before the next."""
        after, todo = 0, set[str]()
        while lines := self._db.execute(JOURNAL_SQL["prune_bodies"], (after,)).fetchall():
            for _, body in lines:
                todo |= references(bytes(body))
            after = lines[-1][0]
        known = set[str]()
        while todo:
            names, todo = todo - known, set[str]()
            known |= names
            there = {name for name in names if self._blob(name) is not None}
            if names - there:
                yield names - there
            for name in names:
                data = self._blob(name)
                if data is not None and data[:1] in _JSON_BEGINS:
                    todo |= references(data)

    def finish(self) -> None:
        """Puts right what is no event. Raises `JournalError`."""
        with translated("making a copy", self.path):
            self._db.execute("BEGIN IMMEDIATE")
            _, _, epoch = self.end
            self._db.execute(JOURNAL_SQL["put_meta"], ("epoch", epoch))
            after = 0
            while lines := self._db.execute(JOURNAL_SQL["export_rows"], (after,)).fetchall():
                for key, *fields in lines:
                    row = self._put_right(key, RunRow(**dict(zip(_RUN_FIELDS, fields, strict=True))))
                    self._db.execute(JOURNAL_SQL["put_run"], (key, *row_values(row)))
                after = lines[-1][0]
            for run, version, body in self._db.execute(SQL["copy_told"]):
                if claim := _claim(run, codec.decode(bytes(body), version=version)):
                    self._db.execute(SQL["copy_claim"], claim)
            self._db.execute("COMMIT")

    # --- inside -------------------------------------------------------------------------------------------------------

    def _migrate(self) -> None:
        ((version,),) = self._db.execute("PRAGMA user_version").fetchall()
        for number, script in migrations().items():
            if number > version:
                self._db.executescript(f"BEGIN;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")

    def _blob(self, name: str) -> bytes | None:
        found = self._db.execute(JOURNAL_SQL["blob"], (bytes.fromhex(name),)).fetchone()
        return None if found is None else bytes(found[0])

    def _put_rows(self, rows: dict[str, RunRow], runs: set[str]) -> dict[str, int]:
        """The rows as they came; the runs' keys."""
        keys = {"": 0}
        last, _ = self._db.execute(JOURNAL_SQL["last_run"]).fetchone()
        for run in sorted(runs):
            found = self._db.execute(JOURNAL_SQL["place_of_run"], (run,)).fetchone()
            keys[run] = found[0] if found else (last := last + 1)
            row = rows.get(run) or RunRow(run=run, workflow="", version=0)
            self._db.execute(JOURNAL_SQL["put_run"], (keys[run], *row_values(row)))
        return keys

    def _put_right(self, key: int, row: RunRow) -> RunRow:
        """A row was read after its events, and may know more than they tell. What they do not tell is found out when
        the run is taken up, so one that goes on is `running`."""
        life, ended_us = Life(), 0
        for n, kind, at_us in self._db.execute(SQL["copy_life"], (key,)):
            life = live_on(life, n, kind)
            if life.end in ENDED:
                ended_us = ended_us or at_us
        state = row.state
        for version, body in self._db.execute(SQL["copy_body"], (key, life.entry_n)):
            entered = codec.decode(bytes(body), version=version)
            state = entered.state if isinstance(entered, ev.StateEntered) else state
        return msgspec.structs.replace(
            row,
            status=life.end or "running",
            state=state,
            entry_n=life.entry_n,
            wake_us=0,
            ended_us=ended_us if life.end in ENDED else 0,
            note=row.note if life.end else "",
        )


def _claim(run: str, event: ev.AnyEvent) -> Sequence[Any] | None:
    """The id that an event has answered, as `runtime` claims it; None when it has answered none."""
    match event:
        case ev.RunStarted(event_id=id, parent=parent, workflow=workflow, source=source) if id:
            return ("child" if parent else f"start/{workflow}/{source}", id, run)
        case ev.SignalReceived(id=id) | ev.ReviewAnswered(id=id) | ev.CancelRequested(id=id) | ev.RunRetried(id=id) if (
            id
        ):
            return (f"signal/{run}", id, "taken")
        case _:
            return None
