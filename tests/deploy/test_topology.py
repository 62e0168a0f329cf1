"""The topology of compose.yaml, run as plain processes: a hub on three NATS servers, two edge nodes, workers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry import shipped
from tests.deploy.topology import ROOT, Collector, Topology
from tests.support import wait_until_blocking

INVOICE = ROOT / "workflows" / "skerry_workflows" / "invoice" / "demo" / "04-lamps-ubl.xml"
MODELS = ("edge1-small", "edge2-small")


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Stands in for OpenTelemetry's."""
    made = Collector()
    yield made
    made.close()


def hub_says(topology: Topology, what: str) -> list[dict[str, object]]:
    done = topology.call("hub", "skerry", "hub", what, "--data", "/data", "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_events_of_two_edges_come_to_the_hub(tmp_path: Path, collector: Collector) -> None:
    skip = () if shipped.runnable() else MODELS
    topology = Topology(tmp_path, collector=collector.address, skip=skip)
    try:
        topology.start().wait_healthy()
        for edge in ("edge1", "edge2"):
            known = ("--config", "/data/skerry.toml", "--data-dir", "/data")
            done = topology.call(edge, "skerry", "publish", *known, "invoice.received", "--file", str(INVOICE))
            assert done.returncode == 0, f"{done.stderr}\n{topology.logs()}"

        def done_everywhere() -> bool:
            ended = {run["node"] for run in hub_says(topology, "runs") if run["status"] == "done"}
            return ended == {"edge1", "edge2"} and all(not node["behind"] for node in hub_says(topology, "nodes"))

        wait_until_blocking(done_everywhere, 30.0)
        wait_until_blocking(lambda: "/v1/traces" in collector.paths, 30.0)
        stream = topology.call("nats1", "python", "-c", _HEALTH).stdout
        assert stream == '{"status":"ok"}'
    except BaseException as error:
        error.add_note(topology.logs())
        raise
    finally:
        codes = topology.stop()
    assert set(codes.values()) == {0}


_HEALTH = (
    "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8222/healthz').read().decode().strip(), end='')"
)
