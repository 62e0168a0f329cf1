"""The size `cloud` at the hub: tasks go there when they can, and each answer comes back once."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from skerry.bus import NatsBus
from skerry.client import Client
from skerry.core import events as ev
from skerry.core.ids import TaskId
from skerry.core.projection import RunRow
from skerry.core.wire import decode_result, result_queue, task_queue, task_subject
from skerry.hub.cloud import CloudDesk
from skerry.journal import JournalReader
from skerry.ports import Delivery, Message
from tests.models.endpoint import EndpointServer, Likeness
from tests.support import wait_until
from tests.sync import errands
from tests.sync.conftest import House
from tests.sync.kit import Program, Server, leaf_hub, leaf_servers
from tests.sync.proxy import Proxy


class Sky(House):
    """A hub with a worker of the cloud, and a node that reaches it through a network that can be cut."""

    proxy: Proxy
    endpoint: EndpointServer
    worker: Program
    node1: Program

    async def begin(self, *, leaf: Server | None = None, own: str = "") -> None:
        """With `leaf`, the node knows only that server; `own`: where the one that it starts has a link to."""
        self.proxy = await Proxy(self.server.port).start()
        where = {"SKERRY_HUB_URL": self.proxy.url}
        if leaf is not None:
            where = {"SKERRY_HUB_URL": leaf.url, "SKERRY_HUB_DOMAIN": "hub"}
        if own:
            where = {"SKERRY_HUB_URL": own, "SKERRY_HUB_LEAF": "true", "SKERRY_HUB_DOMAIN": "hub"}
        more = {"SKERRY_MODULES": "tests.sync.errands", "ERRANDS": str(self.folder)}
        self.hub("--cloud").start()
        model = {"backend": "openai", "url": self.endpoint.url, "model": "m1", "sizes": ["cloud"]}
        env = {**more, "SKERRY_MODELS": json.dumps({"far": model})}
        self.worker = self._kept(
            Program(self.folder / "far", "worker", "--size", "cloud", "--nats", self.server.url, env=env)
        ).start()
        self.node1 = self.node(**more, **where, SKERRY_HUB_CLOUD="true").start()

    def client(self) -> Client:
        return Client.connect(data=self.folder / "edge1", node="edge1", by="bob", timeout_s=20.0)

    async def part(self) -> None:
        """There is no network any more."""
        await self.proxy.close()

    async def mend(self) -> None:
        await self.proxy.start()

    def done(self) -> Counter[str]:
        """How often each errand was done."""
        file = self.folder / "done"
        return Counter(file.read_text().split()) if file.exists() else Counter()

    async def completed(self, run: str) -> list[ev.AnyEvent]:
        async with await JournalReader.open(self.folder / "edge1") as journal:
            events = [recorded.event for recorded in await journal.events(run)]
        return [event for event in events if isinstance(event, ev.StepCompleted)]


@asynccontextmanager
async def built(folder: Path, *, leaf: str = "") -> AsyncIterator[tuple[Sky, Server | None]]:
    sky, near, own = Sky(folder), None, ""
    if leaf == "own":
        sky.server, own = leaf_hub(folder)
    elif leaf:
        sky.server, near = leaf_servers(folder)
    else:
        sky.server.start()
    with EndpointServer(Likeness(answer={"what": "a cat"})) as sky.endpoint:
        try:
            await sky.begin(leaf=near, own=own)
            yield sky, near
        finally:
            for program in sky.programs:
                program.stop()
            await sky.proxy.close()
            for server in (sky.server, near):
                if server is not None:
                    server.stop()


@pytest.fixture
async def sky(tmp_path: Path) -> AsyncIterator[Sky]:
    async with built(tmp_path) as (found, _):
        yield found


@pytest.mark.timeout(120)
async def test_what_the_cloud_is_asked_waits_for_the_link_and_comes_back_once(sky: Sky) -> None:
    async with sky.client() as client:
        for what in ("tea", "much"):  # the second one's answer is longer than a message
            fetched = await (await client.start(errands.errands, {"what": what})).result(timeout_s=40.0)
            assert fetched.what.startswith(f"{what} from afar")
        asked = await client.start(errands.wonders, {"offline": "review"})
        assert (await asked.result(timeout_s=30.0)).what == "a cat"

        await sky.part()
        called = [await client.start(errands.errands, {"what": f"salt-{n}"}) for n in range(5)]
        by_choice = {how: await client.start(errands.wonders, {"offline": how}) for how in ("wait", "review", "skip")}
        late = await client.start(errands.wonders, {"offline": "wait", "seconds": 2})

        async def row(run: str) -> RunRow:
            return await client.row(run)

        async def stand() -> bool:
            rows = [await row(by_choice[how].run) for how in ("wait", "review", "skip")]
            return [each.status for each in rows] == ["running", "review", "review"]

        await wait_until(stand, 30.0)
        assert "cannot be reached" in (await row(by_choice["review"].run)).note

        async def gave_up() -> bool:
            return (await row(late.run)).status == "review"

        await wait_until(gave_up, 20.0)
        assert sky.done().total() == 2

        await sky.mend()
        assert (await by_choice["wait"].result(timeout_s=30.0)).what == "a cat"
        for handle in called:
            await handle.result(timeout_s=30.0)
            assert len(await sky.completed(handle.run)) == 1
    assert set(sky.done().values()) == {1}
    assert sky.done().total() == 7


@pytest.mark.timeout(120)
async def test_a_link_that_breaks_again_and_again_doubles_and_loses_nothing(sky: Sky) -> None:
    async with sky.client() as client:
        handles = [await client.start(errands.errands, {"what": f"salt-{n}"}) for n in range(30)]
        for _ in range(6):
            sky.proxy.cut()
            await asyncio.sleep(0.2)  # this is the fault
        sky.worker.kill()
        sky.worker.start()
        sky.node1.kill()
        sky.node1.start()
    async with sky.client() as client:
        for handle in handles:
            fetched = await client.result(handle.run, errands.errands, timeout_s=60.0)
            assert fetched.what.startswith("salt-")
            assert len(await sky.completed(handle.run)) == 1


@pytest.mark.timeout(120)
@pytest.mark.parametrize("leaf", ["near", "own"])
async def test_through_a_leaf(tmp_path: Path, leaf: str) -> None:
    """The node knows its own leaf server only. What is sent into an outage of the hub's server is done once."""
    async with built(tmp_path, leaf=leaf) as (sky, near), sky.client() as client:
        for cut in (None, sky.server, *([near] if near is not None else [])):
            if cut is not None:
                cut.kill()
            handle = await client.start(errands.errands, {"what": "tea"})
            if cut is not None:
                cut.start()
            assert (await handle.result(timeout_s=40.0)).what == "tea from afar"
            assert len(await sky.completed(handle.run)) == 1
    assert set(sky.done().values()) == {1}


async def test_a_task_that_no_worker_finishes_comes_back_as_lost(house: House) -> None:
    """The hub buries it: the queue is everybody's."""
    async with await NatsBus.connect(house.server.url) as bus:
        desk = CloudDesk(bus, sweep_s=0.05)
        await desk.start()

        async def poison(delivery: Delivery) -> None:
            await delivery.reject("it makes no sense")

        results: list[Message] = []

        async def take(delivery: Delivery) -> None:
            results.append(delivery.message)
            await delivery.ack()

        await bus.consume(task_queue("cloud"), poison, window=1)
        await bus.consume(result_queue("edge1"), take, window=1)
        task = TaskId("edge1-01HF7YAT00AAAAAAAAAAAAAAAA", "1-1", 3)
        await bus.publish(Message(task_subject("cloud", task), b"{}"))
        sweeping = asyncio.create_task(desk.run())
        await wait_until(lambda: results)
        sweeping.cancel()
        result = decode_result.decode(results[0].data)
        assert result.id == task
        assert result.failure is not None
        assert (result.failure.kind, result.failure.retryable) == ("WorkerLost", True)
        assert await bus.dead_letters(task_queue("cloud")) == []
