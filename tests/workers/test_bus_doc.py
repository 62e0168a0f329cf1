"""docs/bus.md: its examples are what the code reads and writes, and the worker on it works as it stands there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from skerry.bus import NatsBus, NatsServer
from skerry.core import wire
from skerry.ports import Message
from tests.support import wait_until
from tests.support.markdown import Block, blocks
from tests.workers.engine import FakeEngine

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "bus.md").read_text(encoding="utf-8")
BLOCKS = blocks(PAGE)
TYPES: dict[str, Any] = {
    "task": wire.Task,
    "result": wire.Result,
    "lease": wire.Lease,
    "get": wire.BlobGet,
    "status": wire.WorkerStatus,
}


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "json"], ids=lambda block: f"line {block.line}")
def test_an_example_is_what_the_code_writes(block: Block) -> None:
    read = msgspec.json.decode(block.text.encode(), type=TYPES[block.words[1]])
    assert json.loads(wire.encode(read)) == json.loads(block.text)


@pytest.mark.parametrize("type", [wire.Task, wire.Result], ids=lambda type: str(type.__name__))
def test_every_field_is_explained(type: Any) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    for field in type.__struct_fields__:
        assert any(f"`{field}`" in row.split("|")[1] for row in rows), f"docs/bus.md does not explain {field}"


def test_the_numbers_are_those_of_the_code() -> None:
    assert f"lease of {wire.task_queue('rules').lease_s:g} seconds" in PAGE
    assert f"{wire.BLOB_PIECE_BYTES:,} bytes" in PAGE
    assert f"{wire.MESSAGE_VALUE_BYTES_MAX >> 10} KiB" in PAGE
    assert f"{wire.BLOB_BYTES_MAX >> 20} MiB" in PAGE
    assert wire.task_queue("rules").deliveries_max == 10
    for size in wire.SIZES:
        assert f"`{size}`" in PAGE


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A running server."""
    async with NatsServer(tmp_path / "data") as running:
        yield running


@pytest.fixture
async def engine(server: NatsServer) -> AsyncIterator[FakeEngine]:
    """The engine's side."""
    async with await NatsBus.connect(server.connection_file) as bus, FakeEngine(bus) as running:
        yield running


@pytest.fixture
def worker(engine: FakeEngine, server: NatsServer, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The page's worker, started as the page says; nothing of Skerry can be imported where it runs."""
    (example,) = [block.text for block in BLOCKS if block.section == "A complete worker" and block.language == "python"]
    script = tmp_path / "shout.py"
    # -I keeps PYTHONPATH and the script's folder out; the editable install's .pth would still find skerry.
    script.write_text(example.replace("import nats\n", "import nats\nsys.modules['skerry'] = None\n", 1))
    with subprocess.Popen([sys.executable, "-I", str(script), server.connection_file.read_text()]) as process:
        yield process
        process.kill()


async def settled(engine: FakeEngine) -> bool:
    """Whether every task was acked."""
    said = await engine.bus.request(Message("$JS.API.STREAM.INFO.SKERRY_TASK_rules", b""), timeout_s=5.0)
    return bool(json.loads(said)["state"]["messages"] == 0)


async def test_the_worker_of_the_page(engine: FakeEngine, worker: subprocess.Popen[bytes]) -> None:
    result = await engine.call("shout", text="skerry")
    assert engine.value(result) == "SKERRY"
    assert result.worker == f"shout-{worker.pid}"

    long = "x" * (2 * wire.BLOB_PIECE_BYTES)
    args = engine.keep(json.dumps({"text": long}).encode())
    result = await engine.result(await engine.send(engine.task("call", "shout", b"", args_blob=args.sha256)))
    assert engine.value(result) == "x".upper() * len(long)

    unknown = await engine.call("whisper", text="skerry")
    assert unknown.failure is not None
    assert (unknown.failure.kind, unknown.failure.retryable) == ("NotFound", False)
    wrong = await engine.call("shout", words="skerry")
    assert wrong.failure is not None
    assert wrong.failure.kind == "TypeError"
    late = await engine.call("shout", {"deadline_us": 1}, text="skerry")
    assert late.failure is not None
    assert late.failure.kind == "TimedOut"

    nonsense = Message(f"task.rules.{result.run}.nonsense.1", b"what?")
    await engine.bus.publish(nonsense)
    assert engine.value(await engine.call("shout", text="on")) == "ON"
    await wait_until(lambda: settled(engine))
    (letter,) = await wait_until(lambda: engine.bus.dead_letters(wire.task_queue("rules")))
    assert letter.deliveries == 1
    assert all(len(each) == 1 for each in engine.results.values())
