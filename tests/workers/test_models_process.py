"""A worker of a model size as a process, on a real nats-server, with its model in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from nats.micro.service import NAME_REGEX, SEMVER_REGEX, ServiceInfo, ServicePing, ServiceStats

from skerry.bus import NatsBus, NatsServer
from skerry.core import wire
from skerry.core.codec import encode_json
from skerry.core.ids import TaskId
from skerry.errors import Unavailable
from skerry.ports import Message
from tests.models.endpoint import EndpointServer, Likeness
from tests.support import wait_until
from tests.support.http import page
from tests.workers.engine import FakeEngine
from tests.workers.sample import Note

ROOT = Path(__file__).resolve().parents[2]
DRAIN_S = 1.0


class Small:
    """A worker process of the size small, and its engine."""

    def __init__(self, engine: FakeEngine, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.engine = engine
        self.process = process
        self.port = port
        self.log = log

    async def status(self) -> wire.WorkerStatus | None:
        """What it says of itself; None while it says nothing."""
        try:
            said = await self.engine.bus.request(Message("worker.small.s1.status", b""), timeout_s=1.0)
        except Unavailable:
            return None
        return msgspec.json.decode(said, type=wire.WorkerStatus)

    async def ready(self) -> wire.WorkerStatus:
        """Its status, once it is ready."""

        async def ready() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            status = await self.status()
            return status is not None and status.state in ("ready", "broken")

        await wait_until(ready, 30.0)
        status = await self.status()
        assert status is not None
        return status

    async def page(self, path: str) -> tuple[int, str]:
        """Over HTTP."""
        return await page(self.port, path)

    async def begin(self, **more: Any) -> TaskId:
        """Asks."""
        schema = Raw(msgspec.json.encode(msgspec.json.schema(Note)))
        about = {"text": "note 4711"}
        return await self.engine.send(
            self.engine.task("ask", "plain", encode_json(about), prompt="Read it.", schema=schema, **more)
        )

    def children(self) -> list[int]:
        """The processes of its models (and of nothing else: nothing here needs the sandbox)."""
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return [int(line) for line in found.stdout.split()]


@pytest.fixture
def endpoint() -> Iterator[EndpointServer]:
    """A model behind HTTP: what is asked here goes through everything but a model's arithmetic."""
    with EndpointServer(Likeness(answer={"number": "4711", "total": 3})) as running:
        yield running


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[FakeEngine]:
    """The engine's side on a running server."""
    async with NatsServer(tmp_path / "data") as server:
        async with await NatsBus.connect(server.connection_file) as bus, FakeEngine(bus, "small") as running:
            yield running


@pytest.fixture
async def small(engine: FakeEngine, endpoint: EndpointServer, tmp_path: Path, free_port: int) -> AsyncIterator[Small]:
    """A worker whose model is the endpoint, starting."""
    settings = {
        "SKERRY_MODELS": json.dumps({"far": {"url": endpoint.url, "model": "m1", "slots": 2}}),
        "SKERRY_WORKERS": json.dumps({"small": {"slots": 4, "http_port": free_port}}),
        "SKERRY_MODULES": "tests.workers.sample",
        "SKERRY_DATA": str(tmp_path / "data"),
    }
    log = tmp_path / "s1.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "skerry.cli", "worker", "--size", "small", "--name", "s1", "--drain", str(DRAIN_S)],
            cwd=ROOT,
            env={**{k: v for k, v in os.environ.items() if not k.startswith("SKERRY_")}, **settings},
            stdin=subprocess.DEVNULL,
            stderr=output,
        )
    yield Small(engine, process, free_port, log)
    process.kill()
    process.wait()


async def test_it_answers_and_says_so_everywhere(small: Small, endpoint: EndpointServer) -> None:
    status = await small.ready()
    assert (status.state, status.slots, [model.name for model in status.models]) == ("ready", 3, ["far"])
    assert endpoint.asked, "it was asked something before it was called ready"
    result = await small.engine.result(await small.begin())
    assert small.engine.value(result) == {"number": "4711", "total": 3}
    assert (result.model["model"], result.model["backend"], result.model["tokens_in"]) == ("far", "openai", 40)
    assert "number" in result.fields
    for path in ("/livez", "/startupz", "/readyz"):
        assert (await small.page(path))[0] == 200
    assert (await small.page("/nothing"))[0] == 404
    _metrics_are_right(await small.page("/metrics"))


def _metrics_are_right(page: tuple[int, str]) -> None:
    code, text = page
    assert code == 200
    for line in text.splitlines():
        assert line.startswith("# ") or re.fullmatch(r'[a-z0-9_]+\{([a-z_]+="[^"]*",?)*\} [0-9.e+-]+', line), line
    here = 'worker="s1",size="small"'
    for expected in (
        f'slm_request_success_total{{{here},model="far",finish_reason="stop"}} 1',
        f'slm_prompt_tokens_total{{{here},model="far"}} 40',
        f'slm_prefix_cache_hits_total{{{here},model="far"}} 32',
        f'slm_worker_state{{{here},state="ready"}} 1',
        f'slm_worker_state{{{here},state="broken"}} 0',
        f"slm_models_loaded{{{here}}} 1",
        f'slm_e2e_request_latency_seconds_count{{{here},model="far"}} 1',
        f'slm_e2e_request_latency_seconds_bucket{{{here},model="far",le="+Inf"}} 1',
        f'slm_model_load_seconds_count{{{here},model="far"}} 1',
        f"slm_tasks_done_total{{{here}}} 1",
    ):
        assert expected in text.splitlines(), text


async def test_it_is_a_nats_micro_service(small: Small) -> None:
    await small.ready()
    await small.engine.result(await small.begin())

    async def said(verb: str) -> dict[str, Any]:
        data = await small.engine.bus.request(Message(f"$SRV.{verb}.skerry-small.s1", b""), timeout_s=5.0)
        return dict(json.loads(data))

    ping = ServicePing.from_dict(await said("PING"))
    assert (ping.name, ping.id, ping.type) == ("skerry-small", "s1", "io.nats.micro.v1.ping_response")
    info = ServiceInfo.from_dict(await said("INFO"))
    assert [endpoint.subject for endpoint in info.endpoints] == ["task.small.>", "worker.small.s1.status"]

    async def counted() -> bool:
        stats = ServiceStats.from_dict(await said("STATS"))
        tasks, _ = stats.endpoints
        return (tasks.num_requests, tasks.num_errors) == (1, 0) and tasks.processing_time > 0

    await wait_until(counted)
    everybody = await small.engine.bus.request(Message("$SRV.PING", b""), timeout_s=5.0)
    assert json.loads(everybody)["id"] == "s1"


async def test_it_keeps_to_the_specification_of_micro_services(small: Small, endpoint: EndpointServer) -> None:
    """ADR-32, field by field; `nats.micro` of nats-py has the names and the regular expression of versions."""
    await small.ready()
    endpoint.fault = lambda exchange: exchange.error(401, "no")
    await small.engine.result(await small.begin())
    common = {"type": str, "name": str, "id": str, "version": str, "metadata": dict}
    lists = {"INFO": {"description": str, "endpoints": list}, "STATS": {"started": str, "endpoints": list}, "PING": {}}
    endpoints = {
        "INFO": {"name": str, "subject": str, "queue_group": str, "metadata": dict},
        "STATS": {
            **{"name": str, "subject": str, "queue_group": str, "last_error": str},
            **dict.fromkeys(("num_requests", "num_errors", "processing_time", "average_processing_time"), int),
        },
    }
    metadata: list[dict[str, str]] = []
    for verb, more in lists.items():
        for subject in (f"$SRV.{verb}", f"$SRV.{verb}.skerry-small", f"$SRV.{verb}.skerry-small.s1"):
            said = json.loads(await small.engine.bus.request(Message(subject, b""), timeout_s=5.0))
            assert {name: type(value) for name, value in said.items()} == common | more
            assert said["type"] == f"io.nats.micro.v1.{verb.lower()}_response"
            assert SEMVER_REGEX.match(said["version"]) and NAME_REGEX.match(said["name"])
            metadata.append(said["metadata"])
            for each in said.get("endpoints", []):
                each.pop("data", None)
                assert {name: type(value) for name, value in each.items()} == endpoints[verb]
    assert all(isinstance(text, str) for text in metadata[0].values())
    assert all(each == metadata[0] for each in metadata), "metadata must not change"
    stats = json.loads(await small.engine.bus.request(Message("$SRV.STATS.skerry-small.s1", b""), timeout_s=5.0))
    tasks, status = stats["endpoints"]
    assert (tasks["num_requests"], tasks["num_errors"]) == (1, 1)
    assert tasks["last_error"].startswith("ModelBroken: ")
    assert tasks["average_processing_time"] == tasks["processing_time"]
    assert tasks["data"]["models"] == {"far": "broken"}
    assert status["num_requests"] > 0 and status["last_error"] == ""
    assert datetime.fromisoformat(stats["started"]).utcoffset() == timedelta(0)


async def begun(small: Small, endpoint: EndpointServer, **more: Any) -> TaskId:
    """A question that the model will never have answered."""
    endpoint.fault = lambda exchange: exchange.until_gone()
    id = await small.begin(**more)
    await wait_until(endpoint.generating.is_set)
    return id


async def test_a_cancel_stops_the_generation(small: Small, endpoint: EndpointServer) -> None:
    await small.ready()
    await small.engine.cancel(await begun(small, endpoint))
    await wait_until(endpoint.gone.is_set)
    endpoint.fault = None
    assert small.engine.value(await small.engine.result(await small.begin()))["number"] == "4711"


async def test_the_deadline_stops_the_generation(small: Small, endpoint: EndpointServer) -> None:
    await small.ready()
    deadline_us = int((time.time() + 0.5) * 1e6)
    result = await small.engine.result(await begun(small, endpoint, deadline_us=deadline_us))
    assert result.failure is not None
    assert (result.failure.kind, result.failure.retryable) == ("TimedOut", False)
    await wait_until(endpoint.gone.is_set)


async def test_a_model_that_is_killed_is_a_lost_attempt(small: Small, endpoint: EndpointServer) -> None:
    await small.ready()
    id = await begun(small, endpoint)
    (child,) = small.children()
    os.kill(child, signal.SIGKILL)
    result = await small.engine.result(id)
    assert result.failure is not None
    assert (result.failure.kind, result.failure.retryable) == ("ModelUnavailable", True)
    endpoint.fault = None

    async def answered() -> bool:
        again = await small.engine.result(await small.begin())
        return again.failure is None

    await wait_until(answered)


async def test_it_leaves_in_time_and_gives_back_what_it_has(small: Small, endpoint: EndpointServer) -> None:
    await small.ready()
    id = await begun(small, endpoint)
    children = small.children()
    began = time.monotonic()
    small.process.send_signal(signal.SIGTERM)
    await wait_until(lambda: small.process.poll() is not None, 20.0)
    assert small.process.returncode == 0
    assert time.monotonic() - began < DRAIN_S + 8
    assert id not in small.engine.results
    for child in children:
        assert not Path(f"/proc/{child}").exists(), "the model has left with its worker"
    said = await small.engine.bus.request(Message("$JS.API.STREAM.INFO.SKERRY_TASK_small", b""), timeout_s=5.0)
    assert json.loads(said)["state"]["messages"] == 1


async def test_an_endpoint_that_is_gone_is_not_ready(small: Small, endpoint: EndpointServer) -> None:
    endpoint.fault = lambda exchange: exchange.error(500, "out of order")
    await small.ready()
    code, text = await small.page("/readyz")
    assert code == 503 and "model far" in text, text
    status = await small.status()
    assert status is not None and "out of order" in status.models[0].away
    assert (await small.page("/livez"))[0] == 200
    endpoint.fault = None

    code, text = await small.page("/readyz")
    assert code == 200, text
    status = await small.status()
    assert status is not None and status.models[0].away == ""
