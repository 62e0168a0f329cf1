"""The bus alone: task to a worker process, result back, confirmed acks on both sides; beside it plain nats-py.

    python -m benchmarks.bus_adapter [--json] [--seconds 4]

A round trip is: publish the task (acknowledged), the worker's handler publishes the result (acknowledged) and acks the
task, the engine's handler takes the result and acks it. Our acks are confirmed by the server; those of the floor are
plain, as nats-py's `ack()` is. Both use one long-lived pull, and the same server.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import nats
from nats.aio.msg import Msg

from skerry.bus import NatsBus, NatsServer
from skerry.bus.connectionfile import read_address
from skerry.core.ids import TaskId
from skerry.core.wire import Queue, headers, result_queue, result_subject, task_queue, task_subject
from skerry.ports import Delivery, Message

NODE = "bench"
SIZE = "rules"
AT_A_TIME = 64
DATA = json.dumps({"run": f"{NODE}-0", "kind": "call", "target": "price", "args": {"text": "x" * 120}}).encode()

OneTrip = Callable[[int], Awaitable[None]]


def task_message(number: int) -> Message:
    """The message of one task, with the headers that real ones have."""
    task = TaskId(f"{NODE}-R{number}", "1", 1)
    named = headers(
        id=str(task), source="skerry/bench", type="skerry.task", trace="00-" + "1" * 32 + "-" + "2" * 16 + "-01"
    )
    return Message(task_subject(SIZE, task), DATA, named)


def result_message(subject: str, data: bytes) -> Message:
    """The message of its result."""
    _, _, run, step, attempt = subject.split(".")
    task = TaskId(run, step, int(attempt))
    named = headers(id=str(task), source="skerry/worker", type="skerry.result")
    return Message(result_subject(task), data, named)


# ---- ours


async def our_worker(file: Path) -> None:
    """Answers tasks until it is killed."""
    bus = await NatsBus.connect(file, name="worker")

    async def handler(delivery: Delivery) -> None:
        await bus.publish(result_message(delivery.message.subject, delivery.message.data))
        await delivery.ack()

    await bus.consume(task_queue(SIZE), handler, window=AT_A_TIME)
    await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def our_trips(file: Path) -> AsyncIterator[OneTrip]:
    """Round trips through `NatsBus`."""
    bus = await NatsBus.connect(file, name="engine")
    waiting: dict[str, asyncio.Future[None]] = {}

    async def handler(delivery: Delivery) -> None:
        future = waiting.pop(delivery.message.subject, None)
        if future is not None:
            future.set_result(None)
        await delivery.ack()

    await bus.ensure(task_queue(SIZE))
    await bus.consume(result_queue(NODE), handler, window=4 * AT_A_TIME)

    async def trip(number: int) -> None:
        message = task_message(number)
        future = waiting[result_message(message.subject, b"").subject] = asyncio.get_running_loop().create_future()
        await bus.publish(message)
        await future

    yield trip
    await bus.close()


# ---- plain nats-py


async def _plain(file: Path) -> Any:
    address = read_address(file)
    return await nats.connect(address.url, nkeys_seed_str=address.seed)


async def _pull(client: Any, queue: Queue, callback: Callable[[Msg], Coroutine[Any, Any, None]]) -> None:
    """One pull request that outlasts the benchmark: the fastest that plain nats-py can be made to go."""

    async def only_messages(message: Msg) -> None:
        if not (message.headers and "Status" in message.headers):
            await callback(message)

    inbox = client.new_inbox()
    await client.subscribe(inbox, cb=only_messages, pending_msgs_limit=-1)
    request = json.dumps({"batch": 1_000_000, "expires": 600_000_000_000}).encode()
    await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{queue.stream}.{queue.consumer}", request, reply=inbox)
    await client.flush()


async def plain_worker(file: Path) -> None:
    """Answers tasks until it is killed; each in a task of its own, as ours are."""
    client = await _plain(file)
    jetstream = client.jetstream()
    running: set[asyncio.Task[None]] = set()

    async def answer(message: Msg) -> None:
        result = result_message(message.subject, message.data)
        await jetstream.publish(result.subject, result.data, headers=dict(result.headers))
        await client.publish(message.reply, b"+ACK")

    async def callback(message: Msg) -> None:
        task = asyncio.create_task(answer(message))
        running.add(task)
        task.add_done_callback(running.discard)

    await _pull(client, task_queue(SIZE), callback)
    await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def plain_trips(file: Path) -> AsyncIterator[OneTrip]:
    """Round trips through nats-py's own publish and callbacks."""
    client = await _plain(file)
    jetstream = client.jetstream()
    waiting: dict[str, asyncio.Future[None]] = {}

    async def callback(message: Msg) -> None:
        future = waiting.pop(message.subject, None)
        if future is not None:
            future.set_result(None)
        await client.publish(message.reply, b"+ACK")

    await _pull(client, result_queue(NODE), callback)

    async def trip(number: int) -> None:
        message = task_message(number)
        future = waiting[result_message(message.subject, b"").subject] = asyncio.get_running_loop().create_future()
        await jetstream.publish(message.subject, message.data, headers=dict(message.headers))
        await future

    yield trip
    await client.close()


# ---- measuring


async def throughput(trip: OneTrip, seconds: float, first: int) -> float:
    """Round trips per second, 64 at a time."""
    done = 0
    end = time.perf_counter() + seconds

    async def runner(number: int) -> None:
        nonlocal done
        while time.perf_counter() < end:
            await trip(number)
            number += AT_A_TIME
            done += 1

    before = time.perf_counter()
    await asyncio.gather(*(runner(first + index) for index in range(AT_A_TIME)))
    return done / (time.perf_counter() - before)


async def latency_ms(trip: OneTrip, seconds: float, first: int) -> float:
    """Median of one at a time, in milliseconds."""
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while (before := time.perf_counter()) < end:
        await trip(first)
        first += 1
        taken.append(time.perf_counter() - before)
    return statistics.median(taken) * 1000


@contextlib.asynccontextmanager
async def worker(kind: str, file: Path) -> AsyncIterator[None]:
    """The other process."""
    command = [sys.executable, "-m", "benchmarks.bus_adapter", "--worker", kind, "--file", str(file)]
    process = await asyncio.create_subprocess_exec(*command)
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def measure(seconds: float) -> dict[str, float]:
    """Everything, the floor in the same run; in turns, so that noise of the machine meets both."""
    found: dict[str, list[float]] = {}
    kinds = {"floor": plain_trips, "ours": our_trips}
    number = 0
    with tempfile.TemporaryDirectory() as folder:
        async with NatsServer(Path(folder)) as server, await NatsBus.connect(server.connection_file) as bus:
            await bus.ensure(task_queue(SIZE))
            await bus.ensure(result_queue(NODE))
            for _ in range(3):
                for kind, trips in kinds.items():
                    async with worker(kind, server.connection_file), trips(server.connection_file) as trip:
                        # The first trip waits for the worker; a short run warms both up.
                        await throughput(trip, 0.3, number)
                        number += 10_000_000
                        found.setdefault(f"{kind}/s", []).append(await throughput(trip, seconds, number))
                        number += 10_000_000
                        found.setdefault(f"{kind} ms", []).append(await latency_ms(trip, seconds / 2, number))
                        number += 10_000_000
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> None:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--seconds", type=float, default=2.5)
    options.add_argument("--worker", choices=("ours", "floor"), help=argparse.SUPPRESS)
    options.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    run = asyncio.run
    if chosen.worker:
        run(our_worker(chosen.file) if chosen.worker == "ours" else plain_worker(chosen.file))
        return
    found = run(measure(chosen.seconds))
    figures: list[dict[str, Any]] = [
        {"name": "bus adapter, 64 at a time", "unit": "steps/s", "value": found["ours/s"], "floor": found["floor/s"]},
        {
            "name": "bus adapter, one at a time, p50",
            "unit": "ms",
            "value": found["ours ms"],
            "floor": found["floor ms"],
        },
    ]
    rounded: list[dict[str, Any]] = [
        {k: round(v, 3) if isinstance(v, float) else v for k, v in each.items()} for each in figures
    ]
    for each in rounded:
        each["ratio"] = round(float(each["value"]) / float(each["floor"]), 3)
        print(f"{each['name']}: {each['value']} {each['unit']}, plain nats-py {each['floor']}, ratio {each['ratio']}")
    if chosen.json:
        print(json.dumps({"figures": rounded}))


if __name__ == "__main__":
    main()
