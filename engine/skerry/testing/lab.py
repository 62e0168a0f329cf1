"""A whole node in memory, to test workflows with: `async with Lab(my_workflow) as lab: ...`.

The engine is the real one; journal and bus are in memory, time stands still until `skip`, and tasks that would go to
workers run in the same process. `crash` forgets everything but the journal and starts again: a workflow whose test
passes with a crash in the middle survives one.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from contextlib import AsyncExitStack
from datetime import timedelta
from types import ModuleType, TracebackType
from typing import Any, get_type_hints

import msgspec
from msgspec import Raw

from skerry.core import api
from skerry.core import events as ev
from skerry.core.codec import encode_json
from skerry.core.commands import signal_name
from skerry.core.projection import LIVE, RunRow
from skerry.core.replay import Replay, replay
from skerry.core.state import State
from skerry.core.tasks import CONTEXT, Prompt, TaskContext, TaskFunction, Written
from skerry.core.types import Blob, blobs_in
from skerry.core.wire import SIZES, Result, Size, Task, decode_task, encode, headers, result_subject, task_queue
from skerry.core.workflow import Workflow
from skerry.errors import DefinitionError, SkerryError
from skerry.ports import Append, Delivery, Message
from skerry.registry import Registry
from skerry.runtime.calls import failure_of
from skerry.runtime.engine import Engine
from skerry.runtime.limits import EngineLimits
from skerry.runtime.service import Service
from skerry.runtime.verbs import Verbs
from skerry.testing.clock import SimClock
from skerry.testing.memory_broker import MemoryBroker
from skerry.testing.memory_bus import MemoryBus
from skerry.testing.memory_journal import MemoryDisk, MemoryJournal


class NoResult(SkerryError):
    """The run that a test waited for did not end with a result; says how it stands and why."""


def _registry(things: Iterable[object]) -> Registry:
    registry = Registry()
    for thing in things:
        inside = vars(thing).values() if isinstance(thing, ModuleType) else (thing,)
        known: list[object] = [each for each in inside if isinstance(each, Workflow | TaskFunction | Prompt)]
        if not known:
            raise DefinitionError(
                f"a Lab has no use for {thing!r:.100}", hint="hand it workflows, tasks, prompts, or a module with some"
            )
        for each in known:
            registry.add(each)
    return registry


class Lab:
    """A node in memory.

    Args:
        things: the workflows to run, and the tasks and prompts that workers are to serve; of a module, all that stand
            in it.
        sizes: the sizes for which there are workers.
        settings: what tasks find in `task_context().settings`.

    Raises:
        DefinitionError: something else was handed in, or a module without any of these.
    """

    def __init__(
        self,
        *things: Workflow[Any] | TaskFunction[..., Any] | Prompt | ModuleType,
        sizes: Iterable[Size] = ("rules",),
        settings: dict[str, str] | None = None,
        limits: EngineLimits | None = None,
    ) -> None:
        self.registry = _registry(things)
        self.clock = SimClock()
        self.away: set[Size] = set()
        """Sizes that cannot be reached, until they are taken out again: the network is gone."""
        self.disk = MemoryDisk()
        self._broker = MemoryBroker(clock=self.clock)
        self._sizes: tuple[Size, ...] = tuple(size for size in SIZES if size in set(sizes))
        self._settings = settings
        self._limits = limits
        self._stack = AsyncExitStack()

    # --- life ---------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Lab:
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _open(self) -> None:
        journal = MemoryJournal(self.disk, entropy=self.clock.entropy)
        bus = MemoryBus(self._broker)
        self.engine = Engine(
            journal,
            bus,
            self.clock,
            self.registry,
            sizes=self._sizes,
            reachable=lambda size: size not in self.away,
            limits=self._limits,
            settings=self._settings,
        )
        self.verbs = Verbs(self.engine)
        service = Service(self.engine, self.verbs, sweep_s=0)  # nothing gets lost here, and time flies
        self._stack.push_async_callback(journal.close)
        self._stack.push_async_callback(bus.close)
        self._stack.push_async_callback(self.engine.drain, 0.0)
        self._stack.push_async_callback(service.stop)
        await self.engine.recover()
        await service.start()
        for size in self._sizes:
            await bus.consume(task_queue(size), self._work, window=16)

    async def crash(self) -> None:
        """Forgets all memory and starts again from the journal, as after a kill -9."""
        self.disk = self.engine.journal.crash() if isinstance(self.engine.journal, MemoryJournal) else self.disk
        await self._stack.aclose()
        self._stack = AsyncExitStack()
        await self._open()

    # --- using it -----------------------------------------------------------------------------------------------------

    async def start(self, workflow: Workflow[Any], state: State) -> str:
        """Starts a run in a start state; returns its id."""
        data: dict[str, Any] = msgspec.json.decode(workflow.encode_start(state))
        data.pop("state")
        started = await self.verbs.start(api.Start(workflow=workflow.name, data=data))
        return started.runs[0]

    async def publish(self, event: str, **data: Any) -> tuple[str, ...]:
        """Publishes an event; returns the runs that it started."""
        started = await self.verbs.publish(api.Publish(type=event, data=msgspec.to_builtins(data)))
        return started.runs

    async def put(self, data: bytes, name: str = "document") -> Blob:
        """Puts a document into the blob store."""
        sha256 = hashlib.sha256(data).hexdigest()
        at_us = max(self.clock.now_us(), self.engine.journal.head.at_us)
        await self.engine.journal.append(Append("", 0, at_us, (), blobs={sha256: data}))
        return Blob(sha256=sha256, size=len(data), name=name)

    async def signal(self, run: str, signal: object, *, key: str = "", by: str = "") -> None:
        """Sends a signal to a run."""
        name = signal_name(type(signal))
        value = Raw(encode_json(signal))
        await self.verbs.signal(api.Signal(run=run, signal=name, value=value, key=key, by=by))

    async def approve(self, run: str, *, by: str = "tester", reason: str = "", **changes: Any) -> None:
        """Answers the run's open review with yes; `changes` correct an answer."""
        await self.settled(run)
        await self.verbs.answer(api.Answer(run=run, approved=True, by=by, reason=reason, changes=changes))

    async def reject(self, run: str, *, by: str = "tester", reason: str = "") -> None:
        """Answers the run's open review with no."""
        await self.settled(run)
        await self.verbs.answer(api.Answer(run=run, approved=False, by=by, reason=reason))

    async def skip(self, duration: timedelta) -> None:
        """Lets time pass."""
        await self.clock.advance(duration.total_seconds())

    async def settled(self, run: str, *, timeout_s: float = 10.0) -> RunRow:
        """Waits until nothing is under way for a run, and returns how it stands. Raises `TimeoutError`."""
        async with asyncio.timeout(timeout_s):
            while True:
                row = await self.row(run)
                if row.status != "running":
                    return row
                await asyncio.sleep(0)

    async def row(self, run: str) -> RunRow:
        """How a run stands."""
        row = await self.engine.journal.row(run)
        assert row is not None, f"there is no run {run}"
        return row

    async def result(self, run: str) -> Any:
        """The run's result. Raises `NoResult` when it waits, or has ended in another way."""
        row = await self.settled(run)
        for event in reversed(await self.events(run)):
            if isinstance(event, ev.RunCompleted):
                return self.registry.workflow(row.workflow, row.version).decode_result(event.result, event.value)
        where = "waits" if row.status in LIVE else f"is {row.status}"
        raise NoResult(f"run {run} has no result: it {where} in state {row.state}. {row.note}")

    async def events(self, run: str) -> list[Any]:
        """A run's events."""
        return [recorded.event for recorded in await self.engine.journal.events(run)]

    async def replay(self, run: str) -> Replay:
        """Drives the run again from its journal and compares."""
        row = await self.row(run)
        placed = [
            (r.header.n, r.header.at_us, r.event) for r in await self.engine.journal.events(run) if r.event is not None
        ]
        return replay(self.registry.workflow(row.workflow, row.version), row, placed)

    # --- the workers --------------------------------------------------------------------------------------------------

    async def _work(self, delivery: Delivery) -> None:
        task = decode_task.decode(delivery.message.data)
        result = Result(run=task.run, step=task.step, attempt=task.attempt, size=task.size, worker="lab")
        try:
            result = msgspec.structs.replace(result, value=Raw(await self._run(task)))
        except Exception as error:
            result = msgspec.structs.replace(result, failure=failure_of(error))
        named = headers(id=str(task.id), source="skerry/lab", type="skerry.result")
        assert self.engine.bus is not None
        await self.engine.bus.publish(Message(result_subject(task.id), encode(result), named))
        await delivery.ack()

    async def _run(self, task: Task) -> bytes:
        args = bytes(task.args) or await self.engine.journal.blob(task.args_blob)
        if task.kind == "ask":
            prompt = self.registry.prompts[task.target]
            if prompt.rules is None:
                raise SkerryError(f"prompt {prompt.name} has no rules")
            about = next(iter(get_type_hints(prompt.rules).values()), Any)
            return encode_json(prompt.rules(msgspec.json.decode(args, type=about)))
        function = self.registry.tasks[task.target]
        arguments = function.unpack(args)
        blobs = {b.sha256: await self.engine.journal.blob(b.sha256) for b in blobs_in(arguments)}
        written = Written()
        CONTEXT.set(
            lambda: TaskContext(
                run=task.run,
                step=task.step,
                attempt=task.attempt,
                key=task.key,
                read=lambda blob: blobs[blob.sha256],
                write=written.write,
                settings=self._settings or {},
            )
        )
        value = function.function(**arguments)
        raw = function.outcome.cross(await value if function.is_async else value)[0]
        for data in written.values():
            await self.put(data)
        return raw
