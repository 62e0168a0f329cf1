"""Two engines share the workers of a cluster of three NATS servers, and machines go."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from skerry.bus import NatsBus, RemoteServer
from skerry.client import Client, Handle
from skerry.core.wire import task_queue
from skerry.errors import Unavailable
from tests.cluster.kit import PATIENCE_S, Cluster
from tests.cluster.relay import relay
from tests.support import wait_until

RUNS, LEGS = 12, 12
STREAMS = ("SKERRY_TASK_rules", "SKERRY_RESULT")


async def made_by_somebody_who_knows_of_one_server(cluster: Cluster) -> None:
    """A stream, which is to become one of the cluster: nats-server takes ten seconds for that."""
    async with await NatsBus.connect(cluster.url) as bus:
        await bus.ensure(task_queue("medium"))
    async with await NatsBus.connect(RemoteServer(url=cluster.url, replicas=cluster.replicas)) as bus:
        await bus.ensure(task_queue("medium"))
    assert (await cluster.told("SKERRY_TASK_medium"))["config"]["num_replicas"] == 3


async def copied(cluster: Cluster) -> bool:
    """Whether every server has every stream."""
    told = [await cluster.told(stream) for stream in STREAMS]
    return all(
        len(each["cluster"].get("replicas", ())) == 2 and all(r["current"] for r in each["cluster"]["replicas"])
        for each in told
    )


async def empty(cluster: Cluster, stream: str) -> bool:
    """Whether all that was in it is done with."""
    return bool((await cluster.told(stream))["state"]["messages"] == 0)


async def begun(client: Client, id: str) -> str:
    """The run of an event; asked for until the cluster has a leader again."""
    until = asyncio.get_running_loop().time() + PATIENCE_S
    while True:
        try:
            [run] = await client.publish("relay.began", {"baton": id, "legs": 1}, id=id)
            return run.run
        except Unavailable:
            assert asyncio.get_running_loop().time() < until


async def carried(run: Handle[object], baton: str) -> set[str]:
    """Which workers carried a baton; it came back whole, in order, and to who sent it."""
    legs = (await run._client.result(run.run, relay, timeout_s=60.0)).legs  # pyright: ignore[reportPrivateUsage]
    assert [leg.partition(" by ")[0] for leg in legs] == [f"{baton}.{number}" for number in range(LEGS)]
    return {leg.partition(" by ")[2] for leg in legs}


@pytest.mark.slow
async def test_no_task_is_lost_when_a_worker_or_a_server_goes(cluster: Cluster) -> None:
    await made_by_somebody_who_knows_of_one_server(cluster)
    for node in ("north", "south"):
        cluster.engine(node, SKERRY_GROUP="house")
    first, second = cluster.worker("first"), cluster.worker("second")
    try:
        async with cluster.client("north") as north, cluster.client("south") as south:
            runs: dict[str, Handle[object]] = {}
            for number in range(RUNS):
                for name, client in (("north", north), ("south", south)):
                    baton = f"{name}{number}"
                    [runs[baton]] = await client.publish("relay.began", {"baton": baton, "legs": LEGS})
                    assert runs[baton].run.startswith(f"{name}-")
            await wait_until(partial(copied, cluster), PATIENCE_S)
            first.kill()
            cluster.leader(await cluster.told(STREAMS[0])).kill()
            # What comes now comes to both, and is begun once.
            both = await asyncio.gather(*(begun(client, f"late{n}") for n in range(4) for client in (north, south)))
            assert both[::2] == both[1::2]
            assert len(set(both)) == 4
            by = await asyncio.gather(*(carried(run, baton) for baton, run in runs.items()))
            assert str(second.pid) in set().union(*by)
    except BaseException as error:
        error.add_note(cluster.tails())
        raise
    for stream in STREAMS:
        assert (await cluster.told(stream))["config"]["num_replicas"] == 3
        await wait_until(partial(empty, cluster, stream), PATIENCE_S)
