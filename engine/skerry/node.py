"""A node, put together: journal, bus, engine, and on one machine its nats-server and workers too.

This is the only module, beside the command line, that knows the adapters.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from skerry.bus import LocalServer, NatsBus, NatsServer, RemoteServer
from skerry.calibration import Follower
from skerry.clock import SystemClock
from skerry.config import Config
from skerry.core import events as ev
from skerry.core.cascade import CLOUD
from skerry.core.ids import check_token
from skerry.core.wire import SIZES, Size, command_subject
from skerry.errors import Conflict, DataError, JournalError, SkerryError, Unavailable
from skerry.journal import SqliteJournal
from skerry.journal.prune import prune
from skerry.journal.sealed import jetstream_key
from skerry.people import People
from skerry.pool import WorkerPool
from skerry.ports import Append, Message
from skerry.registry import load
from skerry.runtime.engine import Engine
from skerry.runtime.service import Service
from skerry.runtime.shared import Shared
from skerry.runtime.verbs import Pruner, Verbs
from skerry.runtime.watch import EngineTaker
from skerry.security.enrolment import network
from skerry.sources import Planned, Watching, plan, watching
from skerry.tools import Tools
from skerry.version import __version__

if TYPE_CHECKING:
    from skerry.bus.beyond import Beyond
    from skerry.bus.serverconfig import Leaf, Network
    from skerry.health.node import NodeHealth

log = logging.getLogger("skerry.node")

_SWITCH_S = 0.0005
_ALONE_S = 1.0
_GARBAGE_MIN = 10_000
"""Objects made and not freed, before the youngest are searched for garbage; Python's own 700 are a dozen steps."""


class Node:
    """A running node. `pool` holds the worker processes that it started, if it did."""

    def __init__(self, config: Config, engine: Engine, service: Service, server: NatsServer | None) -> None:
        self.config = config
        self.engine = engine
        self.service = service
        self.verbs = service.verbs
        self.server = server
        self.pool: WorkerPool | None = None
        self.watching: Watching | None = None
        self.recovered = 0

    async def wait_broken(self) -> SkerryError:
        """Returns when the node cannot go on (the disk is full, nats-server will not start), with the reason."""
        waits = [asyncio.ensure_future(self._journal_broken())]
        if self.server is not None:
            waits.append(asyncio.ensure_future(self.server.gave_up()))
        if self.pool is not None:
            waits.append(asyncio.ensure_future(self.pool.gave_up()))
        if self.config.hub.server() is not None:
            waits.append(asyncio.ensure_future(self._adopted()))
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            for wait in waits:
                wait.cancel()

    async def _adopted(self) -> SkerryError:
        """Another node has adopted this one: nothing more is begun here."""
        from skerry.hub.fence import fenced

        def stop() -> None:
            self.engine.paused = True

        head = self.engine.journal.head
        return await fenced(self.config.data, head.node, head.epoch, stop)

    async def _journal_broken(self) -> SkerryError:
        assert self.engine.broken is not None, "the engine has not recovered yet"
        try:
            await asyncio.shield(self.engine.broken)
        except JournalError as error:
            return error
        raise AssertionError("the engine's journal is never broken without an error")


def tune_interpreter() -> None:
    """Settings of Python's own for a process that drives runs; called once, when all modules are loaded.

    The journal's thread takes its turn sooner: Python lets a busy event loop keep the interpreter for 5 ms, which is
    many commits. And garbage is looked for more rarely, and not among what was imported: a step leaves hundreds of
    objects behind, nearly all of them without a cycle.
    """
    sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_S))
    gc.freeze()
    gc.set_threshold(_GARBAGE_MIN, 20, 20)


@asynccontextmanager
async def open_node(
    config: Config,
    *,
    workers: bool = False,
    drain_s: float = 10.0,
    progress: Callable[[int], None] | None = None,
) -> AsyncGenerator[Node, None]:
    """Starts everything that the configuration names, recovers, and serves; drains and stops at the end.

    Args:
        config: the settings.
        workers: whether to start the configured worker processes and watches as well (`skerry up`).
        drain_s: how long workers, and then local calls, may take to finish at the end; the rest is handed back.
        progress: told how many runs have been taken up in recovery.

    Raises `JournalLocked` when another process has the data folder, `Unavailable` when the bus cannot be reached or
    the `http_port` cannot be had, `DefinitionError` when a module cannot be loaded.
    """
    registry = load(config.modules)
    planned = plan(config.watch, registry) if workers else []
    tune_interpreter()
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        journal = await SqliteJournal.open(config.data, node=config.node, clock=clock)
        stack.push_async_callback(journal.close)
        if config.hub.server() is not None or (config.data / "fenced.json").exists():
            await _check_fence(config, journal)
        await _note_start(journal, clock)
        server = await _server(config, stack)
        near = await _connect(config, server, journal.head.node, stack)
        beyond = _beyond(config, near, journal.head.node, stack)
        engine = Engine(
            journal,
            near if beyond is None else beyond,
            clock,
            registry,
            sizes=_sizes(config),
            reachable=None if beyond is None else beyond.reaches,
            limits=config.limits,
            settings=config.environment(),
        )
        if beyond is not None:
            beyond.reached = partial(engine.outbox.look, CLOUD)
        verbs = await _verbs(config, engine, journal)
        if config.group:
            verbs.shared = Shared(engine, await near.starts(), _group(config, engine.node))
        node = Node(config, engine, Service(engine, verbs), server)
        _tell(config, journal, engine, stack)
        _hand_over(config, stack)
        _follow_calibration(config, engine, stack)
        health = await _health(config, engine, journal, stack)
        stack.push_async_callback(engine.drain, drain_s)
        node.recovered = await engine.recover(progress)
        stack.push_async_callback(node.service.stop)
        await node.service.start()
        if beyond is not None:
            await beyond.start()
        _go_on_with_adopted(config, stack)
        if health is not None:
            health.recovered = True
        if workers:
            node.watching = await stack.enter_async_context(_watching(planned, node, clock))
            node.pool = WorkerPool(config, drain_s=drain_s)
            stack.push_async_callback(node.pool.stop)
            await node.pool.start()
        yield node


@asynccontextmanager
async def _watching(planned: Sequence[Planned], node: Node, clock: SystemClock) -> AsyncGenerator[Watching, None]:
    """What the settings name is watched, and `skerry status` shows it."""
    async with watching(planned, node.config.data, EngineTaker(node.service), clock) as started:
        node.verbs.watches = started.status
        yield started


@asynccontextmanager
async def offline(config: Config) -> AsyncGenerator[Service, None]:
    """What an engine answers, where none runs: under the journal's lock, without a bus. It is not started.

    What is changed is on disk when it is answered; what follows from it goes on when an engine starts.
    Raises `JournalLocked` when an engine (or another command) has the folder.
    """
    registry = load(config.modules)  # before the journal is opened, let alone locked
    clock = SystemClock()
    journal = await SqliteJournal.open(config.data, node=config.node, clock=clock)
    engine = Engine(journal, None, clock, registry, sizes=_sizes(config), limits=config.limits)
    engine.paused = True
    try:
        yield Service(engine, await _verbs(config, engine, journal))
    finally:
        await engine.drain(0)
        with contextlib.suppress(JournalError):
            await journal.close()


async def _server(config: Config, stack: AsyncExitStack) -> NatsServer | None:
    if config.nats.target() is not None:
        return None
    net = network(config.data)
    server = NatsServer(config.data, network=net, store_key=jetstream_key(config.data), leaf=_leaf(config, net))
    stack.push_async_callback(server.stop)
    await server.start()
    return server


def _leaf(config: Config, net: Network | None) -> Leaf | None:
    """The link to the hub that our server is to have. Raises `DataError`."""
    link = config.hub.link()
    if link is not None and net is not None:
        raise DataError(
            "a server that other machines reach has no link to a hub that Skerry makes",
            hint="leave [hub] leaf out: the uplink then connects to the hub by itself",
        )
    return link


def _remote(config: Config) -> RemoteServer | LocalServer:
    target = config.nats.target()
    if target is None:
        raise Unavailable("there is no NATS server", hint="leave `nats.url` out: Skerry then starts its own")
    return target


async def _connect(config: Config, server: NatsServer | None, node: str, stack: AsyncExitStack) -> NatsBus:
    where = server.connection_file if server is not None else _remote(config)
    bus = await NatsBus.connect(where, name=f"skerry engine {node}")
    stack.push_async_callback(bus.close)
    if server is None:
        await _check_alone(bus, node)
    return bus


async def _check_alone(bus: NatsBus, node: str) -> None:
    """On a bus that several share. Raises `Conflict` when an engine answers to our name: it would take our results."""
    try:
        await bus.request(Message(command_subject(node, "status"), b"{}"), timeout_s=_ALONE_S)
    except Unavailable:
        return
    raise Conflict(f"an engine of node {node} runs on this bus already", hint="each has a name of its own: --node NAME")


def _group(config: Config, node: str) -> str:
    if check_token("the group", config.group) == node:
        raise DataError(f"group and node are both called {node}", hint="a group of engines has a name of its own")
    return config.group


def _sizes(config: Config) -> tuple[Size, ...]:
    return tuple(size for size in SIZES if size in config.workers or (size == CLOUD and config.hub.serves_cloud))


def _beyond(config: Config, near: NatsBus, node: str, stack: AsyncExitStack) -> Beyond | None:
    """A bus that reaches workers at the hub as well, where the settings say so."""
    where = config.hub.server() if config.hub.serves_cloud else None
    if where is None:
        return None
    from skerry.bus.beyond import Beyond

    bus = Beyond(near, where, node, domain=config.hub.domain)
    stack.push_async_callback(bus.close)
    return bus


async def _note_start(journal: SqliteJournal, clock: SystemClock) -> None:
    at_us = max(journal.head.at_us, clock.now_us())
    started = ev.NodeStarted(node=journal.head.node, software=__version__)
    await journal.append(Append("", journal.last_n("") + 1, at_us, (started,)))


def _tell(config: Config, journal: SqliteJournal, engine: Engine, stack: AsyncExitStack) -> None:
    """Begins the telemetry, if there is to be any. It follows the journal: nothing of the engine knows of it."""
    settings = config.telemetry.resolved(os.environ)
    if settings is None:
        return
    from skerry.telemetry.node import NodeTelemetry, probe

    try:
        telemetry = NodeTelemetry(settings, config.data, engine.node, probe(engine.outbox, journal, engine.runs))
    except OSError as error:
        log.warning("there is no telemetry: %s", error)
        return
    stack.push_async_callback(telemetry.stop)


async def _health(config: Config, engine: Engine, journal: SqliteJournal, stack: AsyncExitStack) -> NodeHealth | None:
    """Begins to answer over HTTP, if that is wanted. Raises `Unavailable`."""
    if not config.http_port:
        return None
    from skerry.health.node import NodeHealth

    health = NodeHealth(engine, journal, config.data)
    await health.start(config.http_port)
    stack.push_async_callback(health.close)
    return health


def _hand_over(config: Config, stack: AsyncExitStack) -> None:
    """Begins to hand over the journal to the hub, if there is one: a process of its own does it."""
    if config.hub.server() is None:
        return
    from skerry.hub.process import UplinkKeeper

    keeper = UplinkKeeper(config)
    stack.push_async_callback(keeper.stop)
    keeper.start()


async def _check_fence(config: Config, journal: SqliteJournal) -> None:
    """Raises `Conflict` when another node has adopted this one."""
    from skerry.hub.fence import handed_over
    from skerry.hub.process import UplinkKeeper, look_for_fence

    try:
        await look_for_fence(config, journal.head.node, journal.head.epoch)
    except Conflict:
        if config.hub.server() is not None:  # what it did before it heard of that still goes to the hub
            keeper = UplinkKeeper(config)
            keeper.start()
            await handed_over(config.data)
            await keeper.stop()
        raise


def _go_on_with_adopted(config: Config, stack: AsyncExitStack) -> None:
    """Runs an engine for each node that this one has adopted, or adopts later."""
    if config.hub.server() is None and not (config.data / "adopted").exists():
        return
    from skerry.hub.adopted import AdoptedKeeper

    keeper = AdoptedKeeper(config)
    stack.push_async_callback(keeper.stop)
    keeper.start()


def _follow_calibration(config: Config, engine: Engine, stack: AsyncExitStack) -> None:
    """Takes the thresholds of `calibration.json`, now and whenever it changes. Raises `DataError`."""
    following = asyncio.create_task(Follower(config.data, engine.fleet).run(), name="skerry calibration")

    async def stop() -> None:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    stack.push_async_callback(stop)


async def _verbs(config: Config, engine: Engine, journal: SqliteJournal) -> Verbs:
    """What can be asked of an engine: it is told who may do what, what may be called, and when it was adopted."""
    engine.fleet.adopted_us = await journal.adopted_us()
    engine.tools = Tools(config.tools, journal.events) if config.tools else None
    people = People(config.people, config.worth) if config.people else None
    return Verbs(engine, prune=_pruner(journal), people=people)


def _pruner(journal: SqliteJournal) -> Pruner:
    return partial(prune, journal)
