"""What `skerry doctor` makes of what it finds, where only the finding is of interest."""

from __future__ import annotations

import pytest

from skerry.cli import checks
from skerry.cli.checks import served
from skerry.config import Config, Nats
from skerry.core import api
from skerry.core.wire import WorkerStatus

READY = WorkerStatus(name="w", size="rules", state="ready", slots=4)


@pytest.mark.parametrize(
    ("found", "waiting", "here", "verdict"),
    [
        ([READY], 0, {"rules": 1}, "ok"),
        ([], 0, {"rules": 1}, "bad"),
        ([], 0, {}, "bad"),
        ([], 0, {"rules": 0}, "note"),
        ([], 3, {"rules": 0}, "warning"),
        ([READY], 3, {"rules": 0}, "ok"),
    ],
)
def test_no_worker_processes_here_is_a_choice(
    found: list[WorkerStatus], waiting: int, here: dict[str, int], verdict: str
) -> None:
    finding = served(api.SizeLoad(size="rules", on_bus=waiting, waiting=0), found, here)
    assert finding.verdict == verdict
    assert (verdict == "ok") == (not finding.mend)


def test_servers_of_a_cluster_without_copies_are_noticed() -> None:
    def found(url: str, replicas: int) -> list[str]:
        config = Config(nats=Nats(url=url, replicas=replicas))
        return [f"{each.verdict}: {each.mend}" for each in checks.nats_server(config)]

    assert found("nats://a,nats://b,nats://c", 1) == ["warning: [nats] replicas = 3"]
    assert found("nats://a,nats://b,nats://c", 3) == []
    assert found("nats://a", 1) == []
