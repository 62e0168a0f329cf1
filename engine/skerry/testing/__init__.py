"""The public test kit: a node in memory for your workflows' tests, ports in memory, conformance suites for adapters."""

from __future__ import annotations

from skerry.testing.clock import SimClock
from skerry.testing.lab import Lab, NoResult
from skerry.testing.memory_bus import MemoryBus
from skerry.testing.memory_journal import MemoryDisk, MemoryJournal

__all__ = ["Lab", "MemoryBus", "MemoryDisk", "MemoryJournal", "NoResult", "SimClock"]
