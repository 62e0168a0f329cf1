"""The engine on its bus: results come in, questions are answered, what was lost is sent again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Raw

from skerry.core import events as ev
from skerry.core.cascade import CLOUD
from skerry.core.execution import Execution
from skerry.core.ids import TaskId, node_of
from skerry.core.projection import OVER
from skerry.core.structs import NOTHING
from skerry.core.verdicts import fenced, take_result
from skerry.core.wire import (
    WORKER_PING,
    BlobGet,
    Lease,
    Reply,
    Result,
    Wanted,
    WorkerStatus,
    blob_subject,
    command_subject,
    decode_result,
    encode,
    lease_subject,
    result_queue,
    task_of,
    task_queue,
    worker_subject,
)
from skerry.errors import Conflict, DataError, JournalError, NotFound, SkerryError
from skerry.ports import Bus, DeadLetter, Delivery, Message, Subscription
from skerry.runtime.engine import Engine
from skerry.runtime.timers import Timers
from skerry.runtime.uploads import Uploads
from skerry.runtime.verbs import Verbs

log = logging.getLogger("skerry.service")

_POISON_DELIVERIES = 5
"""A result that breaks whatever takes it is dropped at this delivery."""
_CONFLICT_S = 0.05
_NAME_MAX, _WORDS_MAX, _MODEL_MAX, _FIELDS_MAX = 128, 8192, 32, 256
"""Characters of a name and of an explanation, entries about a model, and notes on fields, that are kept of what a
worker says."""
_RETRY_AFTER_S_MAX = 86_400.0
"""A worker cannot put off a task for longer than a day."""
SWEEP_S = 10.0


class Service:
    """Serves an engine on its bus: `start` it after `Engine.recover`, `stop` it before `Engine.drain`."""

    def __init__(self, engine: Engine, verbs: Verbs, *, sweep_s: float = SWEEP_S) -> None:
        """`sweep_s` is how often silent tasks and dead letters are looked for; 0 for never."""
        self.engine = engine
        self.verbs = verbs
        self._sweep_s = sweep_s
        limits = engine.limits
        self.uploads = Uploads(
            engine.journal, engine.clock, uploads_max=limits.uploads_max, failed=engine.journal_failed
        )
        self._subscriptions: list[Subscription] = []
        self._loops: list[asyncio.Task[None]] = []
        self._queues: set[str] = set()

    async def start(self) -> None:
        """Makes the queues, begins to take results and to answer."""
        engine = self.engine
        self._loops.append(asyncio.create_task(Timers(engine).run(), name="skerry timers"))
        bus = engine.bus
        if bus is None:
            return
        node = engine.node
        await self._make_queues(bus)
        self._subscriptions = [
            await bus.respond(lease_subject(node), self._lease),
            await bus.respond(blob_subject(node, "get"), self._blob_get),
            await bus.respond(blob_subject(node, "put"), self._blob_put),
            await bus.consume(result_queue(node), self._result, window=engine.limits.results_window),
            # Each on its own: who waits for news (`show`) takes nobody else's place.
            *[await bus.respond(command_subject(node, verb), self._command) for verb in self.verbs.names],
            *[await bus.respond(command_subject(node, verb, "*"), self._command) for verb in self.verbs.names],
        ]
        if self.verbs.shared is not None:
            status = command_subject(self.verbs.shared.group, "status")
            self._subscriptions.append(await bus.respond(status, self._command))
            completing = self.verbs.shared.complete(self.verbs.handle_json)
            self._loops.append(asyncio.create_task(completing, name="skerry claims"))
        if CLOUD in engine.sizes_used():
            self._subscriptions.append(await bus.listen(worker_subject(CLOUD, "*", "alive"), self._alive))
            await bus.notify(Message(WORKER_PING, b"{}"))
        if self._sweep_s:
            self._loops.append(asyncio.create_task(self._sweep(bus), name="skerry sweep"))

    async def stop(self) -> None:
        """Takes nothing more. What is under way goes on."""
        for subscription in self._subscriptions:
            await subscription.close()
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)

    # --- results ------------------------------------------------------------------------------------------------------

    async def _result(self, delivery: Delivery) -> None:
        """Fence, judge, append; only then is the bus told to forget it."""
        subject = delivery.message.subject
        try:
            task, result = _read(delivery.message)
            run = await self._run_of(task)
            if run is not None:
                await self._take(run, task, result)
        except (DataError, NotFound) as error:
            log.warning("a result on %.400s is not taken: %s", subject, error)
        except JournalError:
            return  # the engine ends; the bus hands it out again to the next one
        except Conflict:
            return await delivery.release(_CONFLICT_S)  # something else was recorded of the run at the same time
        except Exception:
            if delivery.deliveries < _POISON_DELIVERIES:
                raise  # the bus hands it out again, later each time
            log.exception("a result on %.400s breaks whatever takes it, and is dropped", subject)
        await delivery.ack()

    async def _run_of(self, task: TaskId) -> Execution | None:
        run = await self.engine.get(task.run)
        if run is None:
            await self._fence_ended(task)
        return run

    async def _fence_ended(self, task: TaskId) -> None:
        """A result for a run that is over: recorded there, and nothing else."""
        engine = self.engine
        row, events = await engine.at_rest(task.run, OVER)
        if task.run in engine.skipped:
            raise NotFound(f"no run {task.run} is driven here")
        if not events:
            raise Conflict(f"run {task.run} is driven again")
        run = Execution(engine.registry.workflow(row.workflow), row, engine.fleet)
        run.n = events[-1].header.n
        transition = run.fence(task.step, task.attempt, f"the run is {row.status}", "", engine.now_us())
        await engine.advance(run, transition)

    async def _take(self, run: Execution, task: TaskId, result: Result | str) -> None:
        engine = self.engine
        if isinstance(result, Result) and result.value_blob and not fenced(run, result):
            result = await self._fetched(result)
            found = await engine.get(task.run)
            if found is None:
                return await self._fence_ended(task)
            run = found
        now = engine.now_us()
        pending = run.pending.get(task.step)
        size = pending.size if pending is not None and pending.attempt == task.attempt else ""
        taken = False
        if isinstance(result, str):
            transition = engine.drive(run.fence, task.step, task.attempt, result, "", now)
        else:
            taken = not fenced(run, result)
            if taken:
                engine.experience.took(result)
            transition = engine.drive(take_result, run, result, now)
        await engine.advance(run, transition)
        if taken:
            engine.outbox.settle(size, task, answered=True)
        elif size:
            engine.outbox.doubt(size, task)
        return None

    async def _fetched(self, result: Result) -> Result:
        """The result with its blob in place; a failure, when there is none."""
        try:
            value = await self.engine.journal.blob(result.value_blob)
        except NotFound:
            problem = f"the worker's answer is in a blob that was never put: {result.value_blob:.80}"
            failure = ev.Failure(kind="DataError", message=problem, retryable=True)
            return msgspec.structs.replace(result, value=NOTHING, value_blob="", failure=failure)
        return msgspec.structs.replace(result, value=Raw(value), value_blob="")

    # --- questions ----------------------------------------------------------------------------------------------------

    async def _lease(self, message: Message) -> bytes:
        lease = msgspec.json.decode(message.data, type=Lease)
        task = TaskId(lease.run, lease.step, lease.attempt)
        try:
            run = await self.engine.get(task.run)
        except NotFound:
            run = None
        pending = run.pending.get(task.step) if run is not None else None
        wanted = pending is not None and pending.attempt == task.attempt and pending.in_flight
        if pending is not None and wanted:
            self.engine.outbox.heard(pending.size, task)
        return encode(Wanted(wanted=wanted))

    async def _blob_get(self, message: Message) -> bytes:
        asked = msgspec.json.decode(message.data, type=BlobGet)
        return await self.uploads.get(asked.sha256, asked.offset)

    async def _blob_put(self, message: Message) -> bytes:
        async def put() -> bytes:
            return encode(await self.uploads.put(message.headers, message.data))

        return await _reply(put)

    def _alive(self, message: Message) -> None:
        """A worker of the cloud says how it is."""
        try:
            status = msgspec.json.decode(message.data, type=WorkerStatus)
        except msgspec.MsgspecError as error:
            log.debug("a worker says what nobody understands: %s", error)
            return
        if self.engine.experience.heard(status):
            log.info("worker %s reaches the cloud again", status.name[:_NAME_MAX])
            self.engine.outbox.look(CLOUD)

    async def _command(self, message: Message) -> bytes:
        """`command.<node>.<verb>`; behind it stands who asks, where the server lets them in by that name only."""
        _, _, verb, *member = message.subject.split(".")
        return await _reply(lambda: self.verbs.handle_json(verb, message.data, member="".join(member)))

    # --- what was lost ------------------------------------------------------------------------------------------------

    async def _sweep(self, bus: Bus) -> None:
        engine = self.engine
        while True:
            await engine.clock.sleep(self._sweep_s)
            engine.outbox.resend(engine.limits.resend_after_s)
            for size in engine.sizes_used():
                try:
                    await self._make_queues(bus)
                    await self._take_dead_letters(bus, size)
                except SkerryError as error:
                    log.info("dead letters of size %s cannot be read: %s", size, error)
                except Exception:
                    log.exception("dead letters of size %s cannot be taken", size)

    async def _make_queues(self, bus: Bus) -> None:
        """Those of all sizes that tasks ask for: where nobody works, tasks wait, and die, as well."""
        for size in self.engine.sizes_used():
            if size not in self._queues:
                await bus.ensure(task_queue(size))
                self._queues.add(size)

    async def _take_dead_letters(self, bus: Bus, size: str) -> None:
        """A task that no worker ever finished (it kills them, it makes no sense to them) counts as a failed attempt."""
        for letter in await bus.dead_letters(task_queue(size)):
            try:
                await self._take_dead_letter(letter, size)
            except (DataError, NotFound) as error:
                if isinstance(error, NotFound) and node_of(task_of(letter.subject).run) != self.engine.node:
                    continue  # it is for another engine, which shares these workers with us
                log.warning("a dead letter of size %s is for nobody: %s", size, error)
            await bus.bury(letter)

    async def _take_dead_letter(self, letter: DeadLetter, size: str) -> None:
        task = task_of(letter.subject)
        run = await self.engine.get(task.run)
        pending = run.pending.get(task.step) if run is not None else None
        if run is not None and pending is not None and pending.attempt == task.attempt:
            failure = ev.Failure(
                kind="WorkerLost",
                message=f"no worker finished the task in {letter.deliveries} tries: {letter.reason}",
                retryable=True,
            )
            result = Result(run=task.run, step=task.step, attempt=task.attempt, size=size, worker="", failure=failure)
            await self._take(run, task, result)


def _read(message: Message) -> tuple[TaskId, Result | str]:
    """The task that a result is for, and the result, or why it is none. The subject counts: the bus checks who may."""
    task = task_of(message.subject)
    try:
        str(message.data, "utf-8")
        result = decode_result.decode(message.data)
    except (ValueError, RecursionError) as error:
        return task, f"it is no result: {error}"
    if result.id != task:
        return task, f"it came for this task and names another one, {str(result.id)[:_NAME_MAX]}"
    return task, _bounded(result)


def _bounded(result: Result) -> Result:
    """What a worker says beside its value goes into events and rows: it is cut to a size that fits there."""
    if len(result.worker) > _NAME_MAX:
        result = msgspec.structs.replace(result, worker=result.worker[:_NAME_MAX])
    failure = result.failure
    if failure is not None and len(failure.kind) + len(failure.message) + len(failure.step) > _WORDS_MAX:
        cut = ev.Failure(
            kind=failure.kind[:_NAME_MAX],
            message=f"{failure.message[:_WORDS_MAX]} ...",
            retryable=failure.retryable,
        )
        result = msgspec.structs.replace(result, failure=cut)
    if not 0 <= result.retry_after_s <= _RETRY_AFTER_S_MAX:
        result = msgspec.structs.replace(result, retry_after_s=_RETRY_AFTER_S_MAX if result.retry_after_s > 0 else 0.0)
    if result.model:
        said = {
            name: value[:_NAME_MAX] if isinstance(value, str) else value
            for name, value in list(result.model.items())[:_MODEL_MAX]
            if len(name) <= _NAME_MAX and (isinstance(value, str) or abs(value) < 2**63)
        }
        result = msgspec.structs.replace(result, model=said)
    if result.fields:
        notes = {path: note for path, note in list(result.fields.items())[:_FIELDS_MAX] if len(path) <= _NAME_MAX}
        result = msgspec.structs.replace(result, fields=notes)
    return result


async def _reply(answer: Callable[[], Awaitable[bytes]]) -> bytes:
    try:
        return encode(Reply(value=Raw(await answer())))
    except SkerryError as error:
        return encode(Reply(ok=False, error=type(error).__name__, message=error.message, hint=error.hint))
    except Exception as error:
        log.exception("a command failed")
        return encode(Reply(ok=False, error="SkerryError", message=f"{type(error).__name__}: {error}"))
