"""Steps through NATS, on a worker in another process: task there, result back, every step on disk before the next.

The whole node is real: its own nats-server, the engine with its journal, one worker process. The floor is a plain
nats-py round trip (task published, a worker process publishes the result, both acknowledged and acked) through a
nats-server of its own, 64 at a time as well; and one at a time, three such round trips and two plain commits.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path

from benchmarks import bus_adapter, workflows
from benchmarks.figures import AWAITERS, Figure, Options, PlainJournal, Turns, Until, folder, options, parser, show
from benchmarks.steps import one_run, throughput
from skerry.bus import NatsBus, NatsServer
from skerry.config import Config, Workers
from skerry.core.wire import result_queue, task_queue
from skerry.node import Node, open_node

SECONDS = 30.0
"""How long the turns go on."""


async def step_s(node: Node, runs: int) -> float:
    """The median time of a step, one run at a time, in seconds: of a run, by ten."""
    taken: list[float] = []
    for x in range(runs):
        before = time.perf_counter()
        await one_run(node.verbs, node.engine, workflows.remote.name, x)
        taken.append((time.perf_counter() - before) / workflows.STEPS)
    return statistics.median(taken)


@contextlib.asynccontextmanager
async def plain_trips(path: Path) -> AsyncIterator[bus_adapter.OneTrip]:
    """Round trips of plain nats-py, with a server and a worker process of their own."""
    async with NatsServer(path) as server:
        async with await NatsBus.connect(server.connection_file) as bus:
            await bus.ensure(task_queue(bus_adapter.SIZE))
            await bus.ensure(result_queue(bus_adapter.NODE))
        file = server.connection_file
        async with bus_adapter.worker("floor", file), bus_adapter.plain_trips(file) as trip:
            await trip(0)  # waits for the worker
            yield trip


class Bench:
    """A node and a floor, both up, and what was measured of them."""

    def __init__(self, node: Node, trip: bus_adapter.OneTrip, plain: PlainJournal, quick: bool) -> None:
        self.node = node
        self.trip = trip
        self.plain = plain
        self.quick = quick
        self.turns = Turns()
        self._number = 1

    async def turn(self) -> None:
        """Each thing once."""
        runs, ones, seconds = (AWAITERS, 2, 0.1) if self.quick else (4 * AWAITERS, 12, 0.8)
        engine, verbs, turns = self.node.engine, self.node.verbs, self.turns
        turns.add("trips/s", await bus_adapter.throughput(self.trip, seconds, self._next()))
        turns.add("steps/s", await throughput(verbs, engine, workflows.remote.name, runs))
        turns.add("trip ms", await bus_adapter.latency_ms(self.trip, seconds / 2, self._next()))
        turns.add("commit ms", self.plain.commit_s(10 * ones) * 1e3)
        turns.add("step ms", await step_s(self.node, ones) * 1e3)

    def _next(self) -> int:
        """Numbers that no round trip had: one message per subject."""
        self._number += 10_000_000
        return self._number

    def figures(self) -> list[Figure]:
        """The medians."""
        median = self.turns.median
        trip, commit = median("trip ms"), median("commit ms")
        return [
            Figure(
                f"steps on a worker, {AWAITERS} runs at a time",
                "steps/s",
                median("steps/s"),
                median("trips/s"),
                ">= 3,000; floor: plain round trips/s",
            ),
            Figure(
                "step on a worker, one run at a time, p50", "ms", median("step ms"), 3 * trip + 2 * commit, "ratio <= 1"
            ),
            Figure("  its floor: a plain round trip (x 3)", "ms", trip),
            Figure("  its floor: a plain commit (x 2)", "ms", commit),
        ]


async def measure(asked: Options, path: Path) -> tuple[list[Figure], list[str]]:
    """Everything, in turns."""
    config = Config(
        data=path / "data",
        node="bench",
        modules=(workflows.__name__,),
        workers={"rules": Workers(processes=1, slots=AWAITERS)},
        log_level="warning",
    )
    until = Until(0.0 if asked.quick else SECONDS, 1 if asked.quick else 5)
    plain = PlainJournal(path / "plain.db")
    async with plain_trips(path / "floor") as trip, open_node(config, workers=True) as node:
        bench = Bench(node, trip, plain, asked.quick)
        await one_run(node.verbs, node.engine, workflows.remote.name, 0)  # waits for the worker
        if not asked.quick:
            await throughput(node.verbs, node.engine, workflows.remote.name, 2 * AWAITERS)
        while until.more():
            await bench.turn()
    plain.close()
    return bench.figures(), [bench.turns.spread("steps/s", "trips/s", "step ms", "trip ms")]


def main() -> None:
    """The command line."""
    asked = options(parser(__doc__).parse_args())
    with folder(asked) as path:
        figures, notes = asyncio.run(measure(asked, Path(path)))
    show("steps through the bus", figures, asked, notes)


if __name__ == "__main__":
    main()
