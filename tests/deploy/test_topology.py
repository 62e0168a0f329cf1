"""The topology of compose.yaml, run as plain processes: a hub on three NATS servers, two edge nodes, workers."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from skerry import shipped
from skerry.hub.store import HubStore
from tests.deploy.topology import ROOT, Collector, Topology
from tests.support import wait_until_blocking
from tests.sync.kit import end

INVOICES = ROOT / "workflows" / "skerry_workflows" / "invoice" / "demo"
MODELS = ("edge1-small", "edge2-small")


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Stands in for OpenTelemetry's."""
    made = Collector()
    yield made
    made.close()


def publish(topology: Topology, edge: str, invoice: str) -> None:
    known = ("--config", "/data/skerry.toml", "--data-dir", "/data")
    told = topology.call(edge, "skerry", "publish", *known, "invoice.received", "--file", str(INVOICES / invoice))
    assert told.returncode == 0, told.stderr


def ended(topology: Topology, nodes: list[str]) -> bool:
    """Whether the hub has just these nodes' runs, all of them over or with a person, and is not behind."""
    store = HubStore(topology.volume("hub"))
    try:
        runs, behind = store.runs(), any(view.behind for view in store.nodes())
    finally:
        store.close()
    over = all(run.row.status in ("done", "review") for run in runs)
    return over and not behind and sorted(run.node for run in runs) == nodes


@pytest.mark.slow
def test_events_of_two_edges_come_to_the_hub(tmp_path: Path, collector: Collector) -> None:
    skip = () if shipped.runnable() else MODELS
    topology = Topology(tmp_path, collector=collector.address, skip=skip)
    try:
        topology.start().wait_healthy()
        publish(topology, "edge1", "04-lamps-ubl.xml")
        publish(topology, "edge2", "04-lamps-ubl.xml")
        wait_until_blocking(partial(ended, topology, ["edge1", "edge2"]), 30.0)
        wait_until_blocking(lambda: "/v1/traces" in collector.paths, 30.0)
        # One server of three may go.
        end(topology.services["nats2"].process, signal.SIGKILL)
        publish(topology, "edge1", "06-werkzeug-again-ubl.xml")
        wait_until_blocking(partial(ended, topology, ["edge1", "edge1", "edge2"]), 40.0)
    except BaseException as error:
        error.add_note(topology.logs())
        raise
    finally:
        codes = topology.stop()
    assert {name: code for name, code in codes.items() if code} == {"nats2": -signal.SIGKILL}
