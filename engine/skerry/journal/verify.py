"""Checks a journal: that nothing was edited, nothing is lost, and everything can be read (promises J1, J5, J7, J8).

`verify` reads everything once, in pieces, beside an engine if one runs. It never raises on what it finds: a damaged
page, an edited event and a file that is no database are findings, and it goes on behind them as far as it can.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import sqlite3
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, NamedTuple

from skerry.core import codec
from skerry.core.chain import GENESIS, Header, body_digest
from skerry.core.events import BodiesRemoved, kind_of
from skerry.core.projection import Life, RunRow, live_on
from skerry.core.structs import Frozen
from skerry.errors import JournalCorrupt, JournalError, JournalNewer, NotFound
from skerry.journal.anchor import Anchor
from skerry.journal.faults import DRIVER_ERRORS, translate
from skerry.journal.migrate import refuse_newer
from skerry.journal.reader import BUSY_S, DATABASE, read_only_uri, still_uri
from skerry.journal.sealed import unsealing
from skerry.journal.sql import SQL

FAULTS_MAX = 100
"""So many faults are named; all are counted."""

_PIECE = 2000
_DARK_PIECES_MAX = 50
_PAGE = re.compile(r"\bpage (\d+)", re.IGNORECASE)


class Fault(Frozen):
    """Something that is not as it was written. `message` is for people; 0 and "" mean that it has no such place.

    `what` is one of "file", "page", "event", "chain", "body", "blob", "run", "anchor".
    """

    what: str
    message: str
    seq: int = 0
    run: str = ""
    n: int = 0
    page: int = 0


class Report(Frozen):
    """What was read, and what is wrong with it."""

    node: str = ""
    epoch: int = 0
    seq: int = 0
    hash: str = ""
    events: int = 0
    removed: int = 0
    runs: int = 0
    blobs: int = 0
    seconds: float = 0.0
    fault_count: int = 0
    faults: tuple[Fault, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all is as it was written."""
        return self.fault_count == 0


class Progress(NamedTuple):
    """How far it is: events read, of how many."""

    done: int
    total: int


def verify(
    folder: Path, *, anchor: Anchor | None = None, progress: Callable[[Progress], object] | None = None
) -> Report:
    """Checks the journal of a data folder from end to end. Blocks; call it in a thread where that matters.

    Args:
        folder: The data folder.
        anchor: A place and hash that were kept outside: finds a rewritten history and a cut tail.
        progress: Called now and then.

    Raises:
        NotFound: there is no journal in that folder.
        JournalNewer: it was written by a newer Skerry: this one cannot judge it.
    """
    path = folder / DATABASE
    if not path.exists():
        raise NotFound(f"there is no journal in {folder}", hint="name the data folder with --data")
    started = time.monotonic()
    check = _Check(path, anchor, progress or (lambda _: None))
    try:
        with contextlib.closing(_connect(path)) as db:
            check.all(db)
    except JournalNewer:
        raise
    except (*DRIVER_ERRORS, OSError, JournalError) as error:
        check.fault("file", translate(error, "checking it", path).message)
    return check.report(time.monotonic() - started)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(read_only_uri(path), uri=True, isolation_level=None, timeout=BUSY_S)
    try:
        db.execute(SQL["first_look"])
    except sqlite3.OperationalError:
        db.close()
        if (uri := still_uri(path)) is None:
            raise
        db = sqlite3.connect(uri, uri=True, isolation_level=None)
    except DRIVER_ERRORS:
        pass  # a finding, further on
    with contextlib.suppress(sqlite3.Error):  # a finding, further on
        unsealing(db, path.parent)
    # A text that is not UTF-8 must be a finding about one event, not an exception about a piece of two thousand.
    db.text_factory = _text
    return db


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


class _Check:
    """What was seen so far. One pass over the events in order, then runs and blobs."""

    def __init__(self, path: Path, anchor: Anchor | None, progress: Callable[[Progress], object]) -> None:
        self._path = path
        self._anchor = anchor
        self._progress = progress
        self._faults: list[Fault] = []
        self._count = 0
        self._node, self._epoch = "", 0
        self._names: dict[int, str] = {0: ""}
        self._lives: dict[int, Life] = {}
        self._bare: dict[str, int] = {}  # runs with removed bodies: how many
        self._announced: set[str] = set()
        self._wanted: dict[bytes, tuple[int, str, int]] = {}  # blobs: the first event that refers to each
        self._last: Header | None = None
        self._dark = 0  # pieces in a row of which nothing could be read
        self._lost_seq = 0  # the last event that could not be read
        self._events = self._removed = self._runs = self._blobs = 0

    def fault(self, what: str, message: str, *, seq: int = 0, run: str = "", n: int = 0, page: int = 0) -> None:
        """Notes a finding."""
        self._count += 1
        if len(self._faults) < FAULTS_MAX:
            self._faults.append(Fault(what=what, message=message, seq=seq, run=run, n=n, page=page))

    def report(self, seconds: float) -> Report:
        """All findings."""
        last = self._last
        return Report(
            node=self._node,
            epoch=self._epoch,
            seq=last.seq if last else 0,
            hash=last.hash().hex() if last else GENESIS.hex(),
            events=self._events,
            removed=self._removed,
            runs=self._runs,
            blobs=self._blobs,
            seconds=round(seconds, 3),
            fault_count=self._count,
            faults=tuple(self._faults),
        )

    def all(self, db: sqlite3.Connection) -> None:
        """Every check, in order: what is damaged at the bottom explains what is found above."""
        with self._finding("the pages of the file"):
            self._check_pages(db)
        refuse_newer(int(db.execute("PRAGMA user_version").fetchone()[0]), self._path)
        with self._finding("what the journal says about itself"):
            self._node = str(db.execute(SQL["meta"], ("node",)).fetchone()[0])
            self._epoch = int(db.execute(SQL["meta"], ("epoch",)).fetchone()[0])
        with self._finding("the runs' names"):
            for key, name in db.execute(SQL["verify_names"]):
                self._names[key] = name
        reached = 0
        with self._finding("the events"):
            reached = self._check_events(db, 0)
        # An engine may be writing. The rest, and what stands beside the events, is read at one moment in time; and
        # not all of it, as the writer's log cannot start over while somebody reads at an old moment.
        db.execute("BEGIN")
        names: list[Any] = []
        with self._finding("the last events"):
            self._check_events(db, reached)
        with self._finding("the runs"):
            self._check_runs(db)
        with self._finding("the names of the blobs"):
            names = db.execute(SQL["verify_blobs"]).fetchall()
        db.execute("COMMIT")
        with self._finding("the blobs"):
            self._check_blobs(db, names)
        self._check_anchor()

    @contextlib.contextmanager
    def _finding(self, what: str) -> Generator[None]:
        """An exception about a whole table is a finding as well."""
        try:
            yield
        except JournalNewer:
            raise
        except (*DRIVER_ERRORS, TypeError, ValueError, OverflowError) as error:
            self.fault("file", f"{what} cannot be read: {error}")

    # --- the file -----------------------------------------------------------------------------------------------------

    def _check_pages(self, db: sqlite3.Connection) -> None:
        try:
            found = db.execute(SQL["verify_pages"], {"limit": -1}).fetchall()
        except DRIVER_ERRORS as error:
            # SQLite's check has given up. Its first answer, about the trees of pages, still says where it hurts.
            self.fault("page", f"SQLite's own check stops: {error}")
            found = db.execute(SQL["verify_pages"], {"limit": 1}).fetchall()
        for line in "\n".join(answer for (answer,) in found).splitlines():
            if line != "ok" and not line.startswith("***"):
                page = _PAGE.search(line)
                self.fault("page", f"SQLite finds: {line}", page=int(page[1]) if page else 0)

    # --- events -------------------------------------------------------------------------------------------------------

    def _check_events(self, db: sqlite3.Connection, after: int) -> int:
        """Checks the events after `after` up to those that are there now; returns the last one's place."""
        total = int(db.execute(SQL["verify_last_seq"]).fetchone()[0])
        while after < total:
            lines, after = self._piece(db, after, total)
            for line in lines:
                self._check_event(line)
            self._progress(Progress(after, total))
        return after

    def _piece(self, db: sqlite3.Connection, after: int, total: int) -> tuple[list[Any], int]:
        """The next events, and how far they reach. Where a page is damaged, one by one: some may be readable."""
        try:
            lines = db.execute(SQL["verify_events"], {"after": after, "limit": _PIECE}).fetchall()
            return lines, lines[-1][0] if lines else total
        except DRIVER_ERRORS:
            lines = list[Any]()
            reached = min(after + _PIECE, total)
            for seq in range(after + 1, reached + 1):
                try:
                    lines += db.execute(SQL["verify_event"], (seq,)).fetchall()
                except DRIVER_ERRORS as error:
                    self._lost(db, seq, error)
            self._dark = 0 if lines else self._dark + 1
            if self._dark > _DARK_PIECES_MAX:  # a damaged number may promise more events than there ever were
                self.fault("event", f"no event after seq {reached - self._dark * _PIECE} can be read", seq=reached)
                return lines, total
            return lines, reached

    def _lost(self, db: sqlite3.Connection, seq: int, error: Exception) -> None:
        self._lost_seq = seq
        key, n = -1, 0
        if self._count < FAULTS_MAX:  # the index may still know whose event it was; asking it reads all of it
            with contextlib.suppress(*DRIVER_ERRORS):
                key, n = db.execute(SQL["verify_place"], (seq,)).fetchone() or (-1, 0)
        run = self._names.get(key, "")
        place = f"event {n} of run {run} (seq {seq})" if run else f"event seq {seq}"
        self.fault("event", f"{place} cannot be read: {error}", seq=seq, run=run, n=n)

    def _check_event(self, line: Any) -> None:
        seq, key, salt, body = line[0], line[2], line[9], line[10]
        self._events += 1
        run = self._names.get(key)
        if run is None:
            self.fault("event", f"event seq {seq} belongs to a run without a name (key {key})", seq=seq, n=line[3])
        header = Header(seq, line[1], run or "", *line[3:9])
        try:
            self._check_place(header, key)
            self._check_chain(header)
            self._check_body(header, salt, body)
        except (TypeError, ValueError, AttributeError) as error:
            self.fault(
                "event", f"event seq {seq} holds values of the wrong type: {error}", seq=seq, run=header.run, n=header.n
            )
        self._last = header

    def _check_place(self, header: Header, key: int) -> None:
        seq, run, n, last = header.seq, header.run, header.n, self._last
        expected = (last.seq if last else 0) + 1
        if seq != expected and self._lost_seq < seq - 1:
            missing = f"event seq {expected} is" if seq == expected + 1 else f"events seq {expected} to {seq - 1} are"
            self.fault("event", f"{missing} missing (J1)", seq=expected)
        if last is not None and header.at_us < last.at_us:
            self.fault("event", f"event seq {seq} is earlier than the one before it (J9)", seq=seq, run=run, n=n)
        if (last is not None and header.epoch < last.epoch) or header.epoch > self._epoch:
            self.fault("event", f"event seq {seq} has epoch {header.epoch}, out of order (J1)", seq=seq, run=run, n=n)
        life = self._lives.get(key) or Life()
        if n != life.n + 1:
            message = f"after event {life.n} of {_called(run)} comes its event {n} (seq {seq}) (J1)"
            self.fault("event", message, seq=seq, run=run, n=n)
        self._lives[key] = live_on(life, n, header.kind)

    def _check_chain(self, header: Header) -> None:
        last, seq = self._last, header.seq
        if (last.seq if last else 0) != seq - 1:
            return  # told already: missing, or not to be read
        if header.previous != (last.hash() if last else GENESIS):
            at = last or header
            message = f"the header of event seq {at.seq}, or of the next one, is not what was written (J5)"
            self.fault("chain", message, seq=at.seq, run=at.run, n=at.n)
        if self._anchor is not None and seq == self._anchor.seq and header.hash().hex() != self._anchor.hash:
            message = f"event seq {seq} has another hash than the anchor: history was rewritten (J5)"
            self.fault("anchor", message, seq=seq, run=header.run, n=header.n)

    def _check_body(self, header: Header, salt: Any, body: Any) -> None:
        seq, run, n = header.seq, header.run, header.n
        if body is None:
            self._removed += 1
            self._bare[run] = self._bare.get(run, 0) + 1
            return
        wrong = ""
        if not isinstance(body, bytes) or body_digest(salt or b"", body) != header.digest:
            wrong = "is not what was written (J5)"
        else:
            try:
                event = codec.decode(body, version=header.version)
            except (JournalCorrupt, JournalNewer) as error:
                wrong = f"cannot be read: {error.message} (J7)"
            else:
                if kind_of(event) != header.kind:
                    wrong = f"is a {kind_of(event)}, its header says {header.kind}"
                if isinstance(event, BodiesRemoved):
                    self._announced.add(event.of)
                for name in codec.blobs_of(event):
                    self._wanted.setdefault(bytes.fromhex(name), (seq, run, n))
        if wrong:
            self.fault("body", f"the body of event {n} of {_called(run)} (seq {seq}) {wrong}", seq=seq, run=run, n=n)

    # --- what stands beside the events --------------------------------------------------------------------------------

    def _check_runs(self, db: sqlite3.Connection) -> None:
        for key, *fields in db.execute(SQL["verify_runs"]):
            self._runs += 1
            row = RunRow(**dict(zip(RunRow.__struct_fields__, fields, strict=True)))
            life = self._lives.get(key) or Life()
            if disagreement := life.disagreement(row):
                self.fault("run", f"run {row.run}: {disagreement}", run=row.run, n=life.n)
        for run in self._bare.keys() - self._announced:
            message = f"{self._bare[run]} bodies of {_called(run)} are gone, and no event says why (J4)"
            self.fault("body", message, run=run)

    def _check_blobs(self, db: sqlite3.Connection, names: list[Any]) -> None:
        for rowid, name, size in names:
            self._blobs += 1
            seq, run, n = self._wanted.pop(name, (0, "", 0))
            shown = name.hex() if isinstance(name, bytes) else repr(name)
            wrong = ""
            try:
                found = db.execute(SQL["verify_blob"], (rowid,)).fetchone()  # None: pruned while we were reading
                if found and (hashlib.sha256(found[0]).digest() != name or len(found[0]) != size):
                    wrong = "does not fit its name (J8)"
            except (*DRIVER_ERRORS, TypeError) as error:
                wrong = f"cannot be read: {error}"
            if wrong:
                self.fault("blob", f"blob {shown} {wrong}", seq=seq, run=run, n=n)
        for name, (seq, run, n) in self._wanted.items():
            line = db.execute(SQL["verify_event"], (seq,)).fetchone()
            if line and line[10] is not None:  # else it was pruned while we were reading
                message = f"blob {name.hex()} of event {n} of {_called(run)} (seq {seq}) is gone (J8)"
                self.fault("blob", message, seq=seq, run=run, n=n)

    def _check_anchor(self) -> None:
        anchor, end = self._anchor, self._last.seq if self._last else 0
        if anchor is None:
            return
        if anchor.node != self._node:
            self.fault("anchor", f"the anchor is of node {anchor.node}, the journal of node {self._node}")
        if end < anchor.seq:
            message = (
                f"the journal ends at seq {end}, the anchor was taken at seq {anchor.seq}: its tail is cut off (J5)"
            )
            self.fault("anchor", message, seq=end)


def _called(run: str) -> str:
    return f"run {run}" if run else "the node"
