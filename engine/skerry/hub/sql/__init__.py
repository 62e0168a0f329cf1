"""The hub's statements, by name, and its tables."""

from __future__ import annotations

from importlib import resources

from skerry.journal.sql import parse

SQL = parse(resources.files(__name__).joinpath("queries.sql").read_text(encoding="utf-8"))
"""Name to statement."""

TABLES = resources.files(__name__).joinpath("tables.sql").read_text(encoding="utf-8")
"""What makes an empty store."""
