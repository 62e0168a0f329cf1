"""What waits is handed over in order, once, when somebody is there to take it; and it is bounded until then."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from skerry.core import api
from skerry.errors import DataError
from skerry.node import open_node
from skerry.telemetry import otlp
from skerry.telemetry.sender import Collector as Connection
from skerry.telemetry.sender import Sender
from skerry.telemetry.settings import folder_of
from skerry.telemetry.spool import Spool, batches, tallies
from tests.support import wait_until, wait_until_blocking
from tests.telemetry.collector import Collector
from tests.telemetry.conftest import config_of, ended

Handing = Callable[[Spool, str], Sender]


def spans(*names: str) -> bytes:
    """A batch."""
    return otlp.traces([otlp.span(otlp.ids("r", name), name, 1, 2) for name in names], {"service.name": "skerry"})


def put(spool: Spool, *names: str) -> None:
    """Adds one."""
    spool.put("traces", spans(*names), len(names))


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """An empty one."""
    return Spool(tmp_path / "telemetry", "engine", 1024 * 1024)


@pytest.fixture
def handing(request: pytest.FixtureRequest) -> Iterator[Handing]:
    """Starts to hand over; ends it after the test."""
    running: list[Sender] = []

    def start(spool: Spool, url: str) -> Sender:
        sender = Sender(spool, Connection(url, {"api-key": "k"}))
        sender.start()
        running.append(sender)
        return sender

    yield start
    for sender in running:
        sender.stop(0.1)


async def test_a_collector_that_comes_late_gets_everything_once_and_in_order(tmp_path: Path, free_port: int) -> None:
    data = tmp_path / "data"
    config = config_of(data, f"http://127.0.0.1:{free_port}", spool_mb=8)
    runs: list[str] = []
    async with open_node(config) as node:

        async def some() -> None:
            for count in range(1, 6):
                started = await node.verbs.start(api.Start(workflow="tell-local", data={"count": count}))
                runs.append(started.runs[0])
                await ended(node, started.runs[0])

        await some()
        await wait_until(lambda: sum(b.items for b in batches(folder_of(data)) if b.signal == "traces") == 15 + 10)
        await wait_until(lambda: any(tally.error for tally in tallies(folder_of(data))))
    async with open_node(config) as node:  # the engine restarts, and still nobody is there
        await some()
        with Collector(free_port) as collector:
            await wait_until(lambda: len(collector.spans) >= 50, 30.0)
            await wait_until(lambda: not [b for b in batches(folder_of(data)) if b.signal == "traces"])
    assert len(collector.spans) == 50
    assert len({(span.trace, span.id) for span in collector.spans}) == 50
    roots = [span.named["skerry.run"] for span in collector.spans if span.name == "run tell-local"]
    assert roots == runs
    assert [tally.dropped for tally in tallies(folder_of(data))] == [{}]


def test_the_oldest_make_room_and_are_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "engine", 10_000)
    for number in range(200):
        put(spool, *(f"{number}-{each}-{time.time_ns()}" for each in range(5)))
        assert sum(batch.size for batch in batches(tmp_path)) <= 10_000
    left = list(batches(tmp_path))
    (dropped,) = [tally.dropped["traces"] for tally in tallies(tmp_path)]
    assert left and dropped == 1000 - sum(batch.items for batch in left)
    again = Spool(tmp_path, "engine", 10_000)
    assert again.tally.dropped["traces"] == dropped, "it is not forgotten"


def test_it_waits_while_the_collector_cannot_take_it(spool: Spool, handing: Handing, collector: Collector) -> None:
    collector.status, collector.headers = 503, {"Retry-After": "1"}
    put(spool, "a")
    put(spool, "b")
    handing(spool, collector.url)
    wait_until_blocking(lambda: collector.requests)
    began = time.monotonic()
    collector.status = 200
    wait_until_blocking(lambda: len(collector.spans) == 2)
    assert time.monotonic() - began > 0.5, "it waits as long as it is told to"
    assert [span.name for span in collector.spans] == ["a", "b"]
    assert collector.requests[0][1]["api-key"] == "k"
    wait_until_blocking(lambda: spool.tally.sent == {"traces": 2} and not spool.tally.error)


@pytest.mark.parametrize("status", [400, 413])
def test_what_is_refused_is_counted_and_keeps_nobody_waiting(
    spool: Spool, handing: Handing, collector: Collector, status: int
) -> None:
    collector.status = status
    put(spool, "a", "b")
    handing(spool, collector.url)
    wait_until_blocking(lambda: spool.tally.refused == {"traces": 2})
    collector.status = 200
    put(spool, "c")
    wait_until_blocking(lambda: [span.name for span in collector.spans] == ["c"])


def test_what_is_refused_in_part_is_counted(spool: Spool, handing: Handing, collector: Collector) -> None:
    collector.answer = json.dumps({"partialSuccess": {"rejectedSpans": "1", "errorMessage": "too old"}}).encode()
    put(spool, "a", "b", "c")
    handing(spool, collector.url)
    wait_until_blocking(lambda: spool.tally.refused == {"traces": 1} and spool.tally.sent == {"traces": 2})
    assert not list(batches(spool.folder))


def test_a_token_that_has_run_out_loses_nothing(spool: Spool, handing: Handing, collector: Collector) -> None:
    collector.status = 401
    put(spool, "a")
    handing(spool, collector.url)
    wait_until_blocking(lambda: spool.tally.error.startswith("401"))
    assert len(list(batches(spool.folder))) == 1
    collector.status = 200
    wait_until_blocking(lambda: len(collector.spans) == 1)


def test_one_of_several_processes_hands_over(spool: Spool, handing: Handing, collector: Collector) -> None:
    other = Spool(spool.folder, "worker-rules-1", 1024 * 1024)
    for number in range(50):
        put(spool if number % 2 else other, str(number))
    first = handing(spool, collector.url)
    handing(other, collector.url)
    wait_until_blocking(lambda: len(collector.spans) >= 50)
    first.stop(1.0)
    put(other, "last")
    wait_until_blocking(lambda: len(collector.spans) >= 51)
    names = [span.name for span in collector.spans]
    assert names == [*map(str, range(50)), "last"]


def test_a_batch_that_was_torn_is_refused_and_no_obstacle(spool: Spool, handing: Handing, collector: Collector) -> None:
    put(spool, "a")
    next(batches(spool.folder)).path.write_bytes(b"")
    put(spool, "b")
    handing(spool, collector.url)
    wait_until_blocking(lambda: [span.name for span in collector.spans] == ["b"])
    wait_until_blocking(lambda: spool.tally.refused == {"traces": 1})


@pytest.mark.parametrize("endpoint", ["localhost:4318", "ftp://there", "http://"])
def test_an_endpoint_that_is_none_is_said(endpoint: str) -> None:
    with pytest.raises(DataError, match=r"telemetry\.endpoint"):
        Connection(endpoint, {})
