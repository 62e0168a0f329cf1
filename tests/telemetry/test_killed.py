"""An engine that is killed while it tells: the next one goes on, and nothing is missing or told twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from skerry.core.projection import RunRow
from skerry.telemetry.follower import read_cursor
from skerry.telemetry.settings import folder_of
from skerry.telemetry.spool import batches
from tests.support import wait_until, wait_until_blocking
from tests.telemetry.journals import engine_in, follow, waiting

_STEPS, _RUNS = 400, 6
_PROGRAM = """
import asyncio, sys
from pathlib import Path
from skerry.core import api
from skerry.node import open_node
from tests.telemetry.conftest import config_of

async def main():
    config = config_of(Path(sys.argv[1]), keep=True, every_s=0.01)
    async with open_node(config) as node:
        for _ in range(int(sys.argv[3])):
            await node.verbs.start(api.Start(workflow="tell-local", data={"count": int(sys.argv[2])}))
        await asyncio.Event().wait()

asyncio.run(main())
"""


def told(data: Path) -> int:
    """How many batches of spans there are."""
    return sum(batch.signal == "traces" for batch in batches(folder_of(data)))


def kill_while_it_tells(command: list[str], data: Path) -> None:
    """Starts an engine, and kills it when it has told something more."""
    known = told(data)
    process = subprocess.Popen(command, cwd=Path(__file__).resolve().parents[2])
    try:
        wait_until_blocking(lambda: told(data) > known, 30.0)
    finally:
        process.kill()
        process.wait()


async def test_nothing_is_missing_or_told_twice_after_kill_9(tmp_path: Path) -> None:
    data = tmp_path / "data"
    command = [sys.executable, "-c", _PROGRAM, str(data), str(_STEPS), str(_RUNS)]
    for kills in range(1, 3):
        kill_while_it_tells(command, data)
        follow(data)
        async with engine_in(data) as here:

            async def done() -> list[RunRow]:
                rows = await here.engine.journal.rows(limit=100)
                return rows if all(row.status == "done" for row in rows) else []

            rows = await wait_until(done, 60.0)
        follow(data)
        spans = waiting(data)
        assert len({span.trace + span.id for span in spans}) == len(spans)
        assert len(spans) == len(rows) * (_STEPS + 2), kills
        cursor = read_cursor(folder_of(data))
        assert cursor is not None
        counted = {series.name: series.count for series in cursor.series if series.name == "skerry.steps"}
        assert counted == {"skerry.steps": len(rows) * _STEPS}
