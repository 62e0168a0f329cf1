"""The engine: drives the runs of one node.

The hot path is `_advance`, and it is the whole ordering argument: something happens to a run (`Execution` says what
follows from it), the events are appended, and only when they are on disk are their effects performed. Append, then
act. All facts enter through `_append`; nothing else writes.

A run is in memory while something is under way for it. When it only waits, it may leave (eviction) and comes back when
it is due or spoken to: what it needs is in the journal, from its last `state.entered` on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Generator, Mapping, Sequence
from typing import Any, NoReturn, ParamSpec, TypeVar

from skerry.core import events as ev
from skerry.core.asks import look_again
from skerry.core.execution import Execution
from skerry.core.fleet import Fleet
from skerry.core.ids import TaskId
from skerry.core.pending import (
    CancelChild,
    DropTask,
    Effect,
    EmitEvent,
    RunCall,
    RunEnded,
    SendTask,
    StartChild,
    Transition,
)
from skerry.core.projection import LIVE, RunRow, Status
from skerry.core.putoff import put_off
from skerry.core.recall import resume
from skerry.core.wire import SIZES, Size, cancel_subject
from skerry.errors import DataError, Denied, JournalError, NondeterminismError, NotFound, SkerryError, Unavailable
from skerry.ports import Append, Bus, Claim, Clock, Journal, Message, Recorded
from skerry.registry import Registry
from skerry.runtime.calls import LocalCalls
from skerry.runtime.children import Children
from skerry.runtime.experience import Experience
from skerry.runtime.limits import EngineLimits
from skerry.runtime.outbox import Outbox
from skerry.runtime.sending import event_message, publish_task
from skerry.tools import Tools

log = logging.getLogger("skerry.engine")

_FORGOTTEN_S = 2.0
"""A run whose memory did not fit its journal is taken up again after so long."""

P = ParamSpec("P")
T = TypeVar("T")


class Engine:
    """Drives the runs of one node on its journal and bus. `start` it, and `stop` it in the end."""

    def __init__(
        self,
        journal: Journal,
        bus: Bus | None,
        clock: Clock,
        registry: Registry,
        *,
        sizes: Sequence[Size] = SIZES[:1],
        reachable: Callable[[Size], bool] | None = None,
        limits: EngineLimits | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`sizes` are those that this node has workers for; without a bus, nothing leaves the process.

        `reachable` says whether a size can be reached, where the node knows that (without: the failures of its tasks
        tell). `settings` are handed to local tasks (`task_context().settings`).
        """
        self.journal = journal
        self.bus = bus
        self.clock = clock
        self.registry = registry
        self.sizes = tuple(sizes)
        self.limits = limits or EngineLimits()
        self.settings = settings or {}
        self.node = journal.head.node
        self.broken: asyncio.Future[NoReturn] | None = None
        self.draining = False
        self.paused = False
        """Only records what follows, and does none of it: the engine that starts next will."""
        self.runs: dict[str, Execution] = {}
        self.idle: OrderedDict[str, None] = OrderedDict()
        self.tools: Tools | None = None
        """What may be called; who puts the engine together sets it. None: everything."""
        self.skipped: dict[str, str] = {}
        """Runs that cannot be driven with the code that is loaded, and why."""
        self.calls = LocalCalls(self)
        self.children = Children(self)
        self.experience = Experience(clock, reachable)
        self.outbox = Outbox(self._send, clock, window=self.limits.tasks_on_bus_max, room=self.experience.room)
        self.fleet = Fleet(
            self.sizes,
            reachable=self.experience.reachable,
            wait_s=self.outbox.wait_s,
            expected=self.experience.expected,
        )
        self.timer_set: Callable[[int], None] = lambda wake_us: None
        self._last_us = journal.head.at_us
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loading: dict[str, asyncio.Task[Execution | None]] = {}
        self._writing: dict[str, int] = {}
        """How many appends of a run are on their way to the disk."""
        self._wanted: dict[str, int] = {}
        """Runs that somebody is waiting to get from the journal."""
        self._watchers: dict[str, list[asyncio.Future[None]]] = {}
        self._enders: dict[str, list[asyncio.Future[None]]] = {}
        self._settlers: dict[str, list[asyncio.Future[None]]] = {}
        """Who waits until nothing of a run is on its way to the disk."""
        self._touched: set[str] | None = None
        """While the journal is scanned for runs to take up: those of which something was written meanwhile."""
        self._tasks: set[asyncio.Task[Any]] = set()

    # --- the hot path -----------------------------------------------------------------------------------------------

    async def advance(self, run: Execution, transition: Transition, claims: Sequence[Claim] = ()) -> None:
        """Makes a transition durable, then does what it asks for."""
        step = await self._advance(run, transition, claims)
        if step is not None:
            self.spawn(self._drive_calls(run, step))

    async def _advance(self, run: Execution, transition: Transition, claims: Sequence[Claim] = ()) -> str | None:
        """Returns the one local step to go on with, if that is all there is to do."""
        if self.draining or self.paused:
            put_off(run, transition, self._last_us)
        if transition.events or transition.row is not None or claims:
            try:
                await self._append(run, transition, claims)
            except JournalError as error:
                self.journal_failed(error)
                raise
            except Exception:  # refused before anything was written: the run in memory is ahead of its journal
                self._forget(run)
                raise
            finally:
                self._appended(run.row.run)
            if self._watchers:
                self._tell(self._watchers, run.row.run)
        if transition.error is not None:
            _tell_of(run, transition.error)
        local: str | None = None
        for effect in transition.effects:
            if type(effect) is RunCall and local is None:
                local = effect.step
            else:
                self._perform(run, effect)
        if transition.row is not None:
            self._stand(run, transition.row)
        return local

    # All facts of all runs go through here.
    # A transition is decided and appended without an `await` in between: its time is the last that was given out.
    def _append(self, run: Execution, transition: Transition, claims: Sequence[Claim]) -> Awaitable[None]:
        name = run.row.run
        writing = self._writing
        writing[name] = writing.get(name, 0) + 1
        if self._touched is not None:
            self._touched.add(name)
        first_n = run.n + 1
        run.n += len(transition.events)
        return self.journal.append(Append(name, first_n, self._last_us, transition.events, transition.row, claims))

    def _appended(self, name: str) -> None:
        writing = self._writing
        if writing[name] == 1:
            del writing[name]
            if self._settlers:
                self._tell(self._settlers, name)
        else:
            writing[name] -= 1

    async def _drive_calls(self, run: Execution, step: str) -> None:
        """A local call, and the one that follows from it, and so on: a run of local steps is one loop."""
        following: str | None = step
        current = asyncio.current_task()
        assert current is not None, "local calls run in a task of their own"
        while following is not None:
            if self.draining or self.paused:  # what follows is in the journal, for the engine that starts next
                put = Transition()
                put.effects.append(RunCall(following))
                await self._advance(run, put)
                return
            transition = await self.calls.run(run, following, current)
            following = None if transition is None else await self._advance(run, transition)

    def _perform(self, run: Execution, effect: Effect) -> None:
        if self.stopping and type(effect) is not RunCall:
            if type(effect) is RunEnded:
                self._tell(self._enders, effect.row.run)
            return
        match effect:
            case RunCall(step):
                self.spawn(self._drive_calls(run, step))
            case SendTask(step):
                pending = run.pending.get(step)
                if pending is not None:
                    priority = getattr(pending.command, "priority", None)  # only asks have one of their own
                    if priority is None:
                        priority = run.row.priority
                    self.outbox.offer(pending.size, TaskId(run.row.run, step, pending.attempt), priority)
            case DropTask(task, size):
                self._drop(task, size)
            case StartChild(step):
                self.spawn(self.children.start(run, step))
            case CancelChild(child):
                self.spawn(self.children.cancel(child))
            case EmitEvent(step):
                self.spawn(self._emit(run, step))
            case RunEnded(row):
                self._tell(self._enders, row.run)
                if row.parent:
                    self.spawn(self.children.tell_parent(row))

    def _stand(self, run: Execution, row: RunRow) -> None:
        """Where the run stands now: over, idle, or under way."""
        name = row.run
        if row.status not in LIVE:
            if self.runs.get(name) is run:
                del self.runs[name]
            self.idle.pop(name, None)
            return
        if run.machine is None:
            return  # it was forgotten while this was being written
        if row.wake_us:
            self.timer_set(row.wake_us)
        self.runs[name] = run
        if row.status == "running":
            self.idle.pop(name, None)
            return
        self.idle[name] = None
        self.idle.move_to_end(name)
        for _ in range(len(self.idle) - max(1, self.limits.idle_runs_max)):
            name = next(iter(self.idle))
            if name in self._writing or name in self._wanted:
                self.idle.move_to_end(name)  # who reads it now would not find what is on its way to the disk
            else:
                self._evict(name)

    @property
    def stopping(self) -> bool:
        """Whether nothing more is begun: what follows is recorded, and the engine that starts next does it."""
        return self.draining or self.paused

    # --- time and driving -------------------------------------------------------------------------------------------

    def now_us(self) -> int:
        """Journal time: the clock's, but never before what was (promise J9)."""
        now = self.clock.now_us()
        if now > self._last_us:
            self._last_us = now
        return self._last_us

    def drive(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Calls a method of an `Execution`, which runs the user's code.

        No event loop is visible to it: what it started there would go on behind the engine's back.
        """
        loop = self._loop or asyncio._get_running_loop()
        asyncio._set_running_loop(None)
        try:
            return function(*args, **kwargs)
        except SkerryError:  # raised before anything has changed
            raise
        except Exception:
            asyncio._set_running_loop(loop)
            self._forget(*args, getattr(function, "__self__", None))
            raise
        finally:
            asyncio._set_running_loop(loop)

    def sizes_used(self) -> tuple[Size, ...]:
        """The sizes that this node has workers for, and those that its tasks ask for all the same."""
        loads = self.outbox.load()
        named = {task.size for task in self.registry.tasks.values()}
        return tuple(size for size in SIZES if size in self.sizes or size in named or size in loads)

    # --- runs in memory ---------------------------------------------------------------------------------------------

    @property
    def live(self) -> int:
        """How many runs are under way in memory."""
        return len(self.runs) - len(self.idle)

    async def get(self, run: str) -> Execution | None:
        """A run that is being driven, from memory or the journal; None when it is over, failed or parked.

        Raises `NotFound` when there is no such run.
        """
        # What is returned is in memory at this very moment: whoever drives it must not await anything before.
        if (execution := self._driven(run)) is not None:
            return execution
        self._wanted[run] = self._wanted.get(run, 0) + 1  # it must not leave memory before we have seen it there
        try:
            while (execution := self._driven(run)) is None:
                loading = self._loading.get(run)
                if loading is None:
                    loading = self._loading[run] = asyncio.get_running_loop().create_task(self._load(run))
                    loading.add_done_callback(lambda _: self._loading.pop(run, None))
                if await asyncio.shield(loading) is None and self._driven(run) is None:
                    return None
            return execution
        finally:
            self._wanted[run] -= 1
            if not self._wanted[run]:
                del self._wanted[run]

    def _driven(self, name: str) -> Execution | None:
        """A run in memory, unless it has come to its end there: it is over as soon as the disk says so, too."""
        run = self.runs.get(name)
        return run if run is not None and run.machine is not None else None

    async def _load(self, name: str) -> Execution | None:
        row, events = await self.at_rest(name, LIVE)
        return await self.take_up(row, events) if events else None

    async def at_rest(self, name: str, status: Collection[Status]) -> tuple[RunRow, list[Recorded]]:
        """A run as the journal has it; with its events from its last `state.entered` on if it has one of these states.

        When this returns, nobody is writing what would follow on them; the caller must not await anything before it
        does. There are no events when somebody is driving the run. Raises `NotFound` when there is no such run.
        """
        while True:
            await self._settled(name)
            with self.news(name) as news:
                row = await self.journal.row(name)
                if row is None:
                    raise NotFound(f"there is no run {name} on node {self.node}", hint="`skerry runs` lists them")
                if row.status not in status:
                    return row, []
                events = await self.journal.events(name, after_n=max(0, row.entry_n - 1))
                if self._driven(name) is not None:
                    return row, []
                if not news.done() and name not in self._writing:
                    return row, events

    async def _settled(self, name: str) -> None:
        """Returns when nothing of a run is on its way to the disk."""
        while name in self._writing:
            settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._settlers.setdefault(name, []).append(settled)
            await settled

    async def take_up(self, row: RunRow, events: Sequence[Recorded]) -> Execution | None:
        """Drives a run on from its last `state.entered`; parks it when its code does something else than it did."""
        if (driven := self._driven(row.run)) is not None:
            return driven  # there is one Execution of a run, never two
        try:
            workflow = self.registry.workflow(row.workflow)
        except NotFound as error:
            self.skipped[row.run] = f"{error.message}; {error.hint}"
            return None
        if (row.workflow, row.version) in self.registry.workflows:
            workflow = self.registry.workflows[row.workflow, row.version]
        placed = [(r.header.n, r.header.at_us, r.event) for r in events if r.event is not None]
        if not placed:
            gone = "has no bodies here: they were withheld from the hub, or removed"
            self.skipped[row.run] = f"run {row.run} {gone if events else 'is damaged; run `skerry verify`'}"
            return None
        now = self.now_us()
        try:
            run, transition = self.drive(resume, workflow, row, placed, now, self.fleet)
        except (NondeterminismError, DataError) as error:
            run = Execution(workflow, row, self.fleet)
            run.n, run.entry_n = events[-1].header.n, row.entry_n
            transition = run.park(_parked(error), now)
        except Exception as error:  # a mistake of ours: it must not keep the other runs from being taken up
            log.exception("run %s cannot be taken up", row.run)
            self.skipped[row.run] = f"run {row.run} cannot be taken up: {type(error).__name__}: {error}"
            return None
        self.skipped.pop(row.run, None)
        self._stand(run, run.row)
        await self.advance(run, transition)
        return run if run.row.status in LIVE else None

    def _evict(self, name: str) -> None:
        run = self.runs.pop(name)
        del self.idle[name]
        if run.machine is not None:
            self.drive(run.machine.close)

    def _forget(self, *suspects: object) -> None:
        """What is in memory of a run does not fit its journal any more: it is read again."""
        for run in suspects:
            if not isinstance(run, Execution):
                continue
            machine, run.machine = run.machine, None
            if machine is not None:
                self.drive(machine.close)
            run.pending.clear()
            name = run.row.run
            if self.runs.get(name) is run:
                del self.runs[name]
                self.idle.pop(name, None)
                self.spawn(self._take_up_again(name))

    async def _take_up_again(self, name: str) -> None:
        await self.clock.sleep(_FORGOTTEN_S)
        if not self.draining:
            await self.get(name)

    # --- effects ----------------------------------------------------------------------------------------------------

    async def _send(self, task: TaskId) -> bool:
        run = self.runs.get(task.run)
        pending = run.pending.get(task.step) if run is not None else None
        if run is None or pending is None or pending.attempt != task.attempt or not pending.in_flight:
            return False
        if self.bus is None:
            return True
        if (late := self.drive(look_again, run, task.step, self.now_us())) is not None:
            await self.advance(run, late)
            return False
        try:
            if self.tools is not None:
                await self.tools.check(run, pending)
            await publish_task(self.bus, run, task.step, pending)
        except (DataError, Denied) as error:  # no bus will ever take it (a prompt is too long), or it is not granted
            if run.pending.get(task.step) is pending and pending.attempt == task.attempt:
                kind = type(error).__name__
                failure = ev.Failure(kind=kind, message=f"the task cannot be sent: {error.message}")
                self.spawn(self.advance(run, self.drive(run.fail, task.step, failure, self.now_us())))
            return False
        return True

    def _drop(self, task: TaskId, size: str) -> None:
        if not size:
            self.calls.cancel(task)
            return
        self.outbox.settle(size, task)
        if self.bus is not None:
            self.spawn(self.bus.notify(Message(cancel_subject(size, task), b"{}")))

    async def _emit(self, run: Execution, step: str) -> None:
        pending = run.pending.get(step)
        if pending is None:
            return
        failure: ev.Failure | None = None
        try:
            message = event_message(self.node, run.row.run, step, pending.command)
            await self.children.trigger(run, step, pending.command)
            if self.bus is not None:
                with contextlib.suppress(Unavailable):  # who listens there hears it or not; the journal has it
                    await self.bus.notify(message)
        except JournalError:
            raise
        except SkerryError as error:  # its data is too long, or does not fit what it triggers: the code is told
            failure = ev.Failure(kind=type(error).__name__, message=error.message)
        if run.pending.get(step) is not pending:
            return
        if failure is None:
            await self.advance(run, self.drive(run.complete, step, b"null", self.now_us()))
        else:
            await self.advance(run, self.drive(run.fail, step, failure, self.now_us()))

    # --- waiting for news of a run ------------------------------------------------------------------------------------

    async def watch(self, run: str, timeout_s: float, *, end: bool = False) -> None:
        """Returns when something was recorded of a run (with `end`: when it has ended or failed), or after so long."""
        with self.news(run, end=end) as news:
            await asyncio.wait([news], timeout=timeout_s)

    @contextlib.contextmanager
    def news(self, run: str, *, end: bool = False) -> Generator[asyncio.Future[None], None, None]:
        """A future that is done when something was recorded of a run from now on (with `end`: when it has ended)."""
        waiting = self._enders if end else self._watchers
        news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.setdefault(run, []).append(news)
        try:
            yield news
        finally:
            news.cancel()
            if run in waiting and news in waiting[run]:
                waiting[run].remove(news)
                if not waiting[run]:
                    del waiting[run]

    def _tell(self, waiting: dict[str, list[asyncio.Future[None]]], run: str) -> None:
        for news in waiting.pop(run, ()):
            _done(news)

    # --- life ---------------------------------------------------------------------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Runs something beside; an error in it ends up in the log, a broken journal ends the engine."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None or isinstance(error, JournalError):
            return
        level = logging.WARNING if isinstance(error, SkerryError) else logging.ERROR
        log.log(level, "%s", error, exc_info=None if isinstance(error, SkerryError) else error)

    def journal_failed(self, error: JournalError) -> None:
        """The journal cannot be written: nothing in memory counts any more, the engine has to end (promise J2)."""
        if self.broken is not None and not self.broken.done():
            log.error("the journal cannot be written, the engine ends: %s", error)
            self.broken.set_exception(error)

    async def recover(self, progress: Callable[[int], None] | None = None) -> int:
        """Takes up every run that was under way; returns how many. What was sent and not heard of is sent again."""
        self._loop = asyncio.get_running_loop()
        self.broken = self._loop.create_future()
        self.broken.add_done_callback(lambda f: f.cancelled() or f.exception())
        count = 0
        self._touched = set()
        try:
            async for row, events in self.journal.unfinished():
                if row.run in self.runs:
                    continue
                if row.run in self._touched:  # by its parent or child: what was read of it is out of date
                    await self.get(row.run)
                else:
                    await self.take_up(row, events)
                count += 1
                if progress is not None:
                    progress(count)
        finally:
            self._touched = None
        if self.skipped:
            log.warning("%d runs wait for code that is not loaded: %s", len(self.skipped), _first(self.skipped))
        self.spawn(self.children.cancel_orphans())
        return count

    async def drain(self, timeout_s: float) -> None:
        """Lets local calls finish, for so long; the rest is taken up at the next start."""
        self.draining = True
        await self.outbox.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._all_done()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.calls.close()
        for name in tuple(self.runs):
            run = self.runs.pop(name)
            if run.machine is not None:
                self.drive(run.machine.close)
        self.idle.clear()

    async def _all_done(self) -> None:
        """Returns when nothing is under way: no call, and nothing on its way to the disk that may begin one."""
        while self._tasks or self._writing:
            if self._tasks:
                await asyncio.wait(self._tasks)
            else:
                await self._settled(next(iter(self._writing)))


def _parked(error: SkerryError) -> ev.RunParked:
    if isinstance(error, NondeterminismError):
        return ev.RunParked(reason=error.message, step=error.step, expected=error.expected, got=error.got)
    return ev.RunParked(reason=f"{error.message}; {error.hint}" if error.hint else error.message)


def _first(notes: Mapping[str, str]) -> str:
    run, why = next(iter(notes.items()))
    return f"{run}: {why}"


def _done(news: asyncio.Future[None]) -> None:
    if not news.done():
        news.set_result(None)


def _tell_of(run: Execution, error: BaseException) -> None:
    """The journal has an error's words; where in the state's code it came from is for the log."""
    name, state = run.row.run, run.row.state
    if isinstance(error, SkerryError):
        log.warning("run %s failed in state %s: %s: %s", name, state, type(error).__name__, error)
    else:
        log.error("run %s failed in state %s", name, state, exc_info=error)
