"""`python -m skerry_workers` with a lease of a second: a test cannot wait half a minute for a redelivery."""

from __future__ import annotations

import sys

import msgspec

from skerry.core import wire

LEASE_S = 1.0
_task_queue = wire.task_queue


def task_queue(size: str) -> wire.Queue:
    """The same queue, with the short lease."""
    return msgspec.structs.replace(_task_queue(size), lease_s=LEASE_S)


if __name__ == "__main__":
    wire.task_queue = task_queue
    from skerry_workers.__main__ import main

    sys.exit(main(sys.argv[1:]))
