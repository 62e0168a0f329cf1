"""The journal: the append-only facts of a node, in SQLite; the only truth. See docs/journal.md."""

from skerry.journal.anchor import Anchor
from skerry.journal.export import export
from skerry.journal.prune import prune
from skerry.journal.reader import JournalReader
from skerry.journal.sqlite import SqliteJournal
from skerry.journal.verify import Fault, Report, verify

__all__ = ["Anchor", "Fault", "JournalReader", "Report", "SqliteJournal", "export", "prune", "verify"]
