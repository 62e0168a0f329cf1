"""Off, telemetry is not there: nothing of it is imported, by an engine, a worker or a program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from skerry.telemetry.settings import Telemetry, from_environment, resource

_PROGRAM = """
import asyncio, sys
from pathlib import Path
from skerry.config import Config
from skerry.core import api
from skerry.node import open_node

async def main():
    config = Config(data=Path(sys.argv[1]), node="edge1", modules=("tests.telemetry.flows",))
    async with open_node(config) as node:
        run = (await node.verbs.start(api.Start(workflow="tell-local", data={"count": 3}))).runs[0]
        while (await node.engine.journal.row(run)).status != "done":
            await asyncio.sleep(0.01)

asyncio.run(main())
import skerry_workers.process
found = [name for name in sys.modules if name.partition(".")[0] in ("opentelemetry", "google")]
found += [name for name in sys.modules if name.startswith(("skerry.telemetry", "skerry_workers.tracing"))]
print(*sorted(found))
"""


def test_nothing_is_imported_when_it_is_off(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _PROGRAM, str(tmp_path / "data")]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["skerry.telemetry", "skerry.telemetry.settings"]
    assert not (tmp_path / "data" / "telemetry").exists()


def test_a_program_that_imports_skerry_imports_nothing_of_it() -> None:
    code = "import sys, skerry; print(*[name for name in sys.modules if 'telemetry' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []


def test_what_turns_it_on() -> None:
    assert Telemetry().resolved({}) is None
    kept = Telemetry(keep=True).resolved({})
    assert kept is not None and kept.endpoint == ""
    named = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://there:4318/", "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b,x=1"}
    told = Telemetry().resolved(named)
    assert told is not None and told.endpoint == "http://there:4318"
    assert told.header_lines() == {"api-key": "a b", "x": "1"}
    ours = Telemetry(endpoint="http://here").resolved(named)
    assert ours is not None and ours.endpoint == "http://here"
    assert Telemetry(endpoint="http://here").resolved({"OTEL_SDK_DISABLED": "true"}) is None


def test_a_workers_settings_come_as_variables() -> None:
    assert from_environment({}) is None
    found = from_environment({"SKERRY_TELEMETRY_ENDPOINT": "http://here", "SKERRY_TELEMETRY_CONTENT": "True"})
    assert found is not None and (found.endpoint, found.content) == ("http://here", True)
    assert from_environment({"SKERRY_TELEMETRY_KEEP": "perhaps"}) is None


def test_who_speaks() -> None:
    named = {"OTEL_SERVICE_NAME": "shop", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=edge,service.name=x"}
    told = resource(named, service__name="skerry", host__name="box")
    assert told == {"service.name": "shop", "host.name": "box", "deployment.environment.name": "edge"}
