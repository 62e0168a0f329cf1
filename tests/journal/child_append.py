"""A process that appends until it dies. Run by test_crash.py and test_full.py: python child_append.py FOLDER [LIMIT].

Prints one line for each append that was acknowledged, `run n seq`, as soon as it was. With LIMIT, no file of its may
grow beyond that many bytes, as on a full disk; the last line then says what it got to hear.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import resource
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from skerry.errors import JournalError
from skerry.journal import SqliteJournal
from skerry.ports import Append
from skerry.testing.conformance.journal import LARGE, begin, step
from tests.journal.clock import WallClock


def say(line: str) -> None:
    """Unbuffered: what was written is in the pipe, whatever happens to us then."""
    os.write(1, f"{line}\n".encode())


async def run(journal: SqliteJournal, name: str) -> None:
    """One run that goes on and on."""
    await journal.append(begin(name, at_us=journal.head.at_us))
    say(f"{name} 2")
    for n in itertools.count(3):
        event = step(n, LARGE) if n % 7 == 0 else step(n)
        await journal.append(Append(name, n, journal.head.at_us, [event]))
        say(f"{name} {n}")


async def main(folder: Path, limit: int) -> None:
    """Eight runs at a time."""
    journal = await SqliteJournal.open(folder, node="a", clock=WallClock())
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    say("ready")
    epoch = os.getpid()
    results = await asyncio.gather(*(run(journal, f"a-{epoch}-{each}") for each in range(8)), return_exceptions=True)
    for result in results:
        assert isinstance(result, JournalError), result
    try:
        await journal.append(begin("a-after", at_us=journal.head.at_us))
    except JournalError as error:
        say(f"refused {error}")
    await journal.close()


def append_until_killed(folder: Path, output: Connection) -> None:
    """The same in a process that multiprocessing made; acknowledgements go to `output`, as lines."""
    os.dup2(output.fileno(), 1)
    asyncio.run(main(folder, 0))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
