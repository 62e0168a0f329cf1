"""`skerry ...` with a lease of a second: `python -m tests.cluster.program engine ...`.

A worker that is killed keeps its task for a lease; a test does not wait for half a minute.
"""

from __future__ import annotations

import msgspec

from skerry.core import wire

LEASE_S = 1.0
_task_queue = wire.task_queue


def task_queue(size: str) -> wire.Queue:
    """The queue of a size."""
    return msgspec.structs.replace(_task_queue(size), lease_s=LEASE_S)


wire.task_queue = task_queue  # before the other modules take the name over

if __name__ == "__main__":
    from skerry.cli import main

    main()
