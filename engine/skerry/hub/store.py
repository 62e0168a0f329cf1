"""What the hub knows, in SQLite: the nodes' journals, and how far each is. Made of the stream; can be made again.

Whatever a batch changes is one transaction with the batch's place in the stream. It blocks; writers wait for each
other.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec

from skerry.core.chain import GENESIS, Header
from skerry.core.projection import RunRow
from skerry.core.structs import Frozen
from skerry.errors import JournalNewer, NotFound
from skerry.hub.sql import SQL, TABLES
from skerry.journal.faults import translated
from skerry.journal.reader import BUSY_S, read_only_uri
from skerry.sync.page import Event, Page
from skerry.sync.plan import START, Apart, Gap, Place, Take, Verdict, judge
from skerry.sync.wire import Command, Cursor, Outcome

DATABASE = "hub.db"
_VERSION = 2
_TO_VERSION_2 = "ALTER TABLE nodes ADD COLUMN adopted_by TEXT NOT NULL DEFAULT ''; PRAGMA user_version = 2"
_REMOVED = "bodies.removed"
_MISSING = "are missing"
"""So ends the trouble of a node of which events are missing."""


class NodeView(Frozen, omit_defaults=True):
    """A node, as the hub sees it. `behind`: events that its journal had when it was last heard, and that are not here.

    `apart`: pages that do not belong to its chain. `adopted_by`: the node that goes on with it, as it was lost. `runs`
    counts its runs by status.
    """

    node: str
    epoch: int
    seq: int
    hash: str
    at_us: int
    head: int
    sent_us: int
    applied_us: int
    software: str
    trouble: str
    apart: int
    adopted_by: str = ""
    runs: dict[str, int] = {}

    @property
    def behind(self) -> int:
        """How many events are known to be missing."""
        return max(0, self.head - self.seq)


class RunView(Frozen):
    """A run, and the node that owns it. `apart`: what is known of it was cut off by a later epoch of its node."""

    node: str
    row: RunRow
    apart: bool = False


class ApartView(Frozen):
    """Events of a node that belong to no chain, and why; `page` is them, as `sync.page` reads it."""

    node: str
    epoch: int
    first: int
    last: int
    at_us: int
    why: str
    page: bytes


class CommandView(Frozen, omit_defaults=True):
    """A command, and what became of it: `state` is "open", or that of its outcome."""

    state: str
    command: Command
    outcome: Outcome | None = None


class _Node(NamedTuple):
    key: int
    place: Place
    trouble: str


class HubStore:
    """The store of a folder. With `write`, it is made if it is not there, and changed."""

    def __init__(self, folder: Path, *, write: bool = False) -> None:
        """Raises `NotFound` when there is none, `JournalError` when it cannot be used."""
        self.path = folder / DATABASE
        self._writing = threading.Lock()
        if not write and not self.path.exists():
            raise NotFound(f"there is no hub in {folder}", hint="name its folder with --data, or start it: skerry hub")
        with translated("opening it", self.path):
            if write:
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
                uri = f"{self.path.absolute().as_uri()}?mode=rw"
            else:
                uri = read_only_uri(self.path)
            self._db = sqlite3.connect(
                uri, uri=True, isolation_level=None, timeout=BUSY_S, check_same_thread=False, cached_statements=100
            )
            if write:
                self._make()
            ((version,),) = self._db.execute("PRAGMA user_version").fetchall()
        if version != _VERSION:
            self._db.close()
            if 0 < version < _VERSION:
                raise NotFound(f"the hub in {folder} is an older one", hint="start it once: skerry hub")
            if not version:
                raise NotFound(f"the hub in {folder} is just being made", hint="try again in a moment")
            raise JournalNewer(
                f"{self.path} is of version {version}", hint="use the Skerry that made it, or a newer one"
            )

    def _make(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        # What a power cut takes from the end is taken from the stream again.
        self._db.execute("PRAGMA synchronous = NORMAL")
        ((version,),) = self._db.execute("PRAGMA user_version").fetchall()
        if not version:
            self._db.executescript(f"BEGIN IMMEDIATE;\n{TABLES}\nPRAGMA user_version = {_VERSION};\nCOMMIT;")
        elif version == 1:
            self._db.executescript(f"BEGIN IMMEDIATE; {_TO_VERSION_2}; COMMIT")
        if self.meta("hub") is None:
            self._db.execute(SQL["put_meta"], ("hub", f"hub-{uuid.uuid4().hex[:12]}"))

    def close(self) -> None:
        """Lets go of the file."""
        self._db.close()

    # --- where it is --------------------------------------------------------------------------------------------------

    def meta(self, name: str) -> Any:
        """A note about the store itself; None when there is none."""
        found = self._all("meta", (name,))
        return found[0][0] if found else None

    @property
    def hub(self) -> str:
        """Its name."""
        return str(self.meta("hub"))

    @property
    def place(self) -> tuple[int, str]:
        """(up to which message of the stream it has come, that message's batch)."""
        return int(self.meta("place") or 0), str(self.meta("stamp") or "")

    def stands(self, node: str) -> tuple[Place, str]:
        """How far a node's journal is here, and what keeps the rest away."""
        found = self._node(node)
        return (found.place, found.trouble) if found is not None else (START, "")

    # --- taking in ----------------------------------------------------------------------------------------------------

    def take_page(self, cursor: Cursor, page: Page, data: bytes, place: int) -> Verdict:
        """A page, which its cursor names; `data` are its bytes, in case they belong nowhere. Raises `JournalError`."""
        with self._transaction():
            node = self._heard(cursor)
            verdict = judge(
                node.place,
                page,
                hash_at=lambda seq: self._hash_at(node.key, seq),
                hash_of=lambda epoch, seq: self._hash_of(node.key, epoch, seq),
            )
            if isinstance(verdict, Take):
                self._take(node, page, verdict)
            elif isinstance(verdict, Apart):
                now_us = time.time_ns() // 1000
                values = (node.key, page.epoch, page.first, page.last, page.hash, now_us, verdict.why, data)
                self._db.execute(SQL["put_apart"], values)
                trouble = f"events {page.first} to {page.last} were kept apart: {verdict.why}"
                self._db.execute(SQL["node_trouble"], {"key": node.key, "trouble": trouble})
            elif isinstance(verdict, Gap):
                trouble = f"the events between {node.place.seq} and {page.first} {_MISSING}"
                self._db.execute(SQL["node_trouble"], {"key": node.key, "trouble": trouble})
            self._come_to(place, cursor.batch)
        return verdict

    def take_blobs(self, cursor: Cursor, blobs: Sequence[tuple[str, bytes]], place: int) -> None:
        """Blobs, whose bytes fit their names. Raises `JournalError`."""
        with self._transaction():
            self._heard(cursor)
            lines = [(bytes.fromhex(name), len(data), data) for name, data in blobs]
            self._db.executemany(SQL["put_blob"], lines)
            self._come_to(place, cursor.batch)

    def take_outcome(self, outcome: Outcome, place: int, stamp: str) -> None:
        """What became of a command, as its node says. Raises `JournalError`."""
        command = outcome.command
        with self._transaction():
            self._db.execute(
                SQL["put_outcome"],
                {
                    "id": command.id,
                    "node": command.node,
                    "run": command.run,
                    "state": outcome.state,
                    "at_us": command.at_us,
                    "decided_us": outcome.at_us,
                    "command": msgspec.json.encode(command),
                    "outcome": msgspec.json.encode(outcome),
                },
            )
            self._come_to(place, stamp)

    def take_command(self, command: Command, place: int, stamp: str) -> None:
        """A command that waits for its node. Raises `JournalError`."""
        values = (command.id, command.node, command.run, command.at_us, msgspec.json.encode(command))
        with self._transaction():
            self._db.execute(SQL["put_command"], values)
            self._come_to(place, stamp)

    def take_adoption(self, cursor: Cursor, place: int, stamp: str) -> None:
        """From the event of its cursor on, a node's journal is another node's to write. Raises `JournalError`."""
        with self._transaction():
            node = self._heard(cursor)
            self._db.execute(SQL["node_adopted"], {"key": node.key, "by": cursor.by})
            if cursor.epoch > node.place.epoch and (node.place.seq, node.place.hash) == (cursor.seq, cursor.digest):
                self._db.execute(SQL["add_line"], (node.key, cursor.epoch, cursor.seq + 1))
                stands = {"epoch": cursor.epoch, "seq": cursor.seq, "hash": cursor.digest, "at_us": 0}
                self._db.execute(SQL["node_stands"], {"key": node.key, **stands})
            self._come_to(place, stamp)

    def pass_over(self, place: int, stamp: str, cursor: Cursor | None = None, trouble: str = "") -> None:
        """A batch that changes nothing; with `trouble`, because it cannot be read. Raises `JournalError`."""
        with self._transaction():
            if cursor is not None and trouble:
                key = self._heard(cursor).key
                self._db.execute(SQL["node_trouble"], {"key": key, "trouble": trouble})
            self._come_to(place, stamp)

    def begin_again(self) -> None:
        """The stream is another one than it was: it is read from its beginning. Raises `JournalError`."""
        with self._transaction():
            self._come_to(0, "")

    def gaps(self) -> dict[str, Place]:
        """Nodes of which something is missing, and up to where they are here."""
        return {node: place for node, (place, trouble) in self._all_stand().items() if trouble.endswith(_MISSING)}

    def note_hole(self) -> None:
        """Something has fallen out of the stream before it was read: of which node, and whether it was a blob, nobody
        can say. So all are asked to send again what comes after what is here now. Raises `JournalError`."""
        hole = self.hole()
        places = {node: hole.get(node, place) for node, (place, _) in self._all_stand().items()}
        with self._transaction():
            self._db.execute(SQL["put_meta"], ("hole", msgspec.json.encode(places)))

    def hole(self) -> dict[str, Place]:
        """From where on nodes are to be asked again; nothing when there is no hole."""
        noted = self.meta("hole")
        return msgspec.json.decode(noted, type=dict[str, Place]) if noted else {}

    def hole_is_asked_for(self) -> None:
        """The nodes have been asked. Raises `JournalError`."""
        with self._transaction():
            self._db.execute(SQL["put_meta"], ("hole", b""))

    # --- looking ------------------------------------------------------------------------------------------------------

    def nodes(self) -> list[NodeView]:
        """Every node, by name."""
        counts: dict[str, dict[str, int]] = {}
        for node, status, count in self._all("fleet_runs"):
            counts.setdefault(node, {})[status] = count
        fields = NodeView.__struct_fields__[:-1]
        lines = [dict(zip(fields, line, strict=True)) for line in self._all("fleet")]
        return [NodeView(**{**each, "hash": each["hash"].lower()}, runs=counts.get(each["node"], {})) for each in lines]

    def runs(self, *, node: str = "", status: str = "", workflow: str = "", limit: int = 100) -> list[RunView]:
        """Runs of all nodes (or one), newest first."""
        asked = {"node": node, "status": status, "workflow": workflow, "limit": limit}
        decode = msgspec.json.Decoder(RunRow).decode
        return [RunView(node=name, row=decode(row), apart=bool(apart)) for name, row, apart in self._all("runs", asked)]

    def find(self, named: str) -> list[RunView]:
        """Runs of that id, or with such a beginning or end (of six characters or more); a few of them."""
        decode = msgspec.json.Decoder(RunRow).decode
        found = self._all("find_run", {"named": named})
        return [RunView(node=name, row=decode(row), apart=bool(apart)) for name, row, apart in found]

    def command(self, id: str) -> CommandView | None:
        """A command, and what became of it; None when there is none."""
        return next(map(_command_view, self._all("command", (id,))), None)

    def commands(self, *, node: str = "", state: str = "", limit: int = 1_000_000) -> list[CommandView]:
        """Commands, the newest first."""
        return [_command_view(line) for line in self._all("commands", {"node": node, "state": state, "limit": limit})]

    def adopted_by(self, node: str) -> str:
        """The node that goes on with another one's journal; empty when none does."""
        found = self._all("adopted_by", (node,))
        return str(found[0][0]) if found else ""

    def fork(self, node: str, epoch: int) -> int:
        """The last event of an epoch that counts, when a later one has ended it; -1 when none has."""
        ((found,),) = self._all("fork", {"node": node, "epoch": epoch})
        return -1 if found is None else int(found)

    def apart(self, *, node: str = "", limit: int = 1000) -> list[ApartView]:
        """What belongs to no chain."""
        fields = ApartView.__struct_fields__
        lines = self._all("apart", {"node": node, "limit": limit})
        return [ApartView(**dict(zip(fields, line, strict=True))) for line in lines]

    def row(self, run: str) -> RunRow | None:
        """A run's row, as its node sent it last; None when there is no such run."""
        found = self._all("row_of_run", (run,))
        return msgspec.json.decode(found[0][0], type=RunRow) if found else None

    def asked(self, run: str) -> str:
        """The step of a run's last review, as far as its bodies are here; empty when there is none."""
        for (body,) in self._all("last_review", (run,)):
            return str(cast("dict[str, Any]", msgspec.json.decode(body)).get("step", ""))
        return ""

    def chain(self, node: str, *, after: int = 0, limit: int = 1000) -> list[Sequence[Any]]:
        """A node's events as its journal has them: header, salt, body."""
        return self._all("chain", {"node": node, "after": after, "limit": limit})

    def blob(self, sha256: str) -> bytes | None:
        """A blob's bytes; None when there is none of that name."""
        found = self._all("blob", (bytes.fromhex(sha256),))
        return bytes(found[0][0]) if found else None

    # --- inside -------------------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Generator[None]:
        with self._writing, translated("writing", self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _come_to(self, place: int, stamp: str) -> None:
        self._db.execute(SQL["put_meta"], ("place", place))
        self._db.execute(SQL["put_meta"], ("stamp", stamp))

    def _node(self, name: str) -> _Node | None:
        found = self._all("node", (name,))
        if not found:
            return None
        key, epoch, seq, hash, trouble = found[0]
        return _Node(key, Place(epoch, seq, hash), trouble)

    def _all_stand(self) -> dict[str, tuple[Place, str]]:
        """`stands` of every node. Cheap, unlike `nodes`, which counts runs: an idle hub asks again and again."""
        return {node: (Place(epoch, seq, hash), trouble) for node, epoch, seq, hash, trouble in self._all("stands")}

    def _heard(self, cursor: Cursor) -> _Node:
        node = self._node(cursor.node)
        if node is None:
            key = self._db.execute(SQL["add_node"], (cursor.node, GENESIS)).fetchone()[0]
            node = _Node(key, START, "")
        if cursor.kind in ("page", "blobs") and cursor.epoch >= node.place.epoch:
            now_us = time.time_ns() // 1000
            heard = {"key": node.key, "head": cursor.head, "sent_us": cursor.at_us, "software": cursor.software}
            self._db.execute(SQL["node_heard"], {**heard, "now_us": now_us})
        return node

    def _hash_at(self, key: int, seq: int) -> bytes | None:
        if seq == 0:
            return GENESIS
        ((epoch,),) = self._all("epoch_at", {"node": key, "seq": seq})
        return self._hash_of(key, epoch, seq)

    def _hash_of(self, key: int, epoch: int, seq: int) -> bytes | None:
        found = self._all("event", {"node": key, "epoch": epoch, "seq": seq})
        return Header(*found[0]).hash() if found else None

    def _take(self, node: _Node, page: Page, verdict: Take) -> None:
        if page.epoch > node.place.epoch:
            self._db.execute(SQL["add_line"], (node.key, page.epoch, page.first))
        events = page.events[verdict.skip :]
        keys = self._put_rows(node.key, page, events)
        self._db.executemany(
            SQL["insert_event"],
            [
                (node.key, e.epoch, e.seq, keys[e.run], e.n, e.at_us, e.kind, e.version, e.digest, e.previous, *e[9:11])
                for e in events
            ],
        )
        for event in events:
            if event.kind == _REMOVED and event.body is not None:
                self._remove(node.key, event.body)
        last = events[-1]
        stands = {"epoch": page.epoch, "seq": page.last, "hash": page.hash, "at_us": last.at_us}
        self._db.execute(SQL["node_stands"], {"key": node.key, **stands})

    def _put_rows(self, key: int, page: Page, events: Sequence[Event]) -> dict[str, int]:
        """Puts the rows of runs that are in a page; the runs' keys."""
        last = {event.run: event for event in events}
        rows = {row.run: row for row in page.rows}
        keys = {"": 0}
        for run, event in last.items():
            if not run:
                continue
            row = rows.get(run) or RunRow(run=run, workflow="", version=0)
            self._db.execute(
                SQL["put_run"],
                {
                    "run": run,
                    "node": key,
                    "epoch": event.epoch,
                    "seq": event.seq,
                    "workflow": row.workflow,
                    "status": row.status,
                    "started_us": row.started_us,
                    "row": msgspec.json.encode(row),
                },
            )
            keys[run] = self._db.execute(SQL["run_key"], (run,)).fetchone()[0]
        return keys

    def _remove(self, key: int, body: bytes) -> None:
        """A node has removed the bodies of a run: so does the hub."""
        told = cast("dict[str, Any]", msgspec.json.decode(body))
        self._db.execute(SQL["remove_bodies"], {"run": str(told.get("of", "")), "node": key})

    def _all(self, query: str, values: Any = ()) -> list[Any]:
        with translated("reading", self.path):
            return self._db.execute(SQL[query], values).fetchall()


def _command_view(line: Sequence[Any]) -> CommandView:
    state, command, outcome = line
    return CommandView(
        state=state,
        command=msgspec.json.decode(command, type=Command),
        outcome=msgspec.json.decode(outcome, type=Outcome) if outcome else None,
    )
