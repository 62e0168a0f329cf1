"""The journal: the append-only facts of a node, in SQLite; the only truth. See docs/journal.md."""

from skerry.journal.reader import JournalReader
from skerry.journal.sqlite import SqliteJournal

__all__ = ["JournalReader", "SqliteJournal"]
