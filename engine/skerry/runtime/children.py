"""Runs begin: by an event, by name, or as the child of another run; and a child tells its parent how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from skerry.core import events as ev
from skerry.core.commands import Command, Start
from skerry.core.execution import Execution
from skerry.core.ids import RunIds, TaskId
from skerry.core.pending import Pending
from skerry.core.projection import ENDED, LIVE, RunRow
from skerry.core.wire import BLOB_BYTES_MAX
from skerry.core.workflow import Workflow
from skerry.errors import Busy, Conflict, DataError, NotFound
from skerry.ports import Claim

if TYPE_CHECKING:
    from skerry.core.types import Blob
    from skerry.runtime.engine import Engine


_GIVEN_UP = ENDED | {"failed"}
"""Who has failed begins again with other children after a retry; who is parked goes on with those that it has."""
_PAGE = 500
"""Rows that are read at a time in the search for children without a parent."""


class Children:
    """Starts runs, each of them once for its id."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ids = RunIds(engine.node)
        self._starting: dict[tuple[str, str], asyncio.Future[str]] = {}
        self._beginning = 0
        """Runs whose first events are on their way to the disk."""

    # --- from outside -----------------------------------------------------------------------------------------------

    async def begin(
        self,
        workflow: Workflow[Any],
        data: Mapping[str, Any],
        file: Blob | None,
        started: ev.RunStarted,
        *,
        id: str = "",
        bounded: bool = True,
    ) -> tuple[str, bool]:
        """Starts a run and returns its id, and whether the same id had started it before.

        Raises `DataError` when the data does not fit the start state, and `Busy` beyond the bound of live runs. What a
        run starts is not `bounded`: it waits for it, and at the bound all would wait for each other.
        """
        state = self.start_state(workflow, data, file)
        scope = f"start/{workflow.name}/{started.source}"
        return await self._once(scope, id, workflow, state, started, bounded=bounded)

    def start_state(self, workflow: Workflow[Any], data: Mapping[str, Any], file: Blob | None) -> bytes:
        """The JSON of a run's start state. Raises `DataError` when the data does not fit it."""
        if file is not None and file.size > BLOB_BYTES_MAX:
            raise DataError(f"{file.name or 'the file'} has {file.size} bytes; {BLOB_BYTES_MAX} are taken at most")
        return workflow.encode_start(workflow.start_from(data, file))

    async def _once(
        self, scope: str, id: str, workflow: Workflow[Any], state: bytes, started: ev.RunStarted, *, bounded: bool
    ) -> tuple[str, bool]:
        if not id:
            return await self._begin(workflow, state, started, (), bounded=bounded), False
        while (going := self._starting.get((scope, id))) is not None:
            await asyncio.wait([going])  # somebody is starting the very same thing: the answer is theirs
        # From before the look-up on: what is not in the journal yet may be on its way there.
        self._starting[scope, id] = asyncio.get_running_loop().create_future()
        try:
            known = await self._engine.journal.answer(scope, id)
            if known is not None:
                return known, True
            return await self._begin(workflow, state, started, (scope, id), bounded=bounded), False
        finally:
            self._starting.pop((scope, id)).cancel()

    async def _begin(
        self,
        workflow: Workflow[Any],
        state: bytes,
        started: ev.RunStarted,
        claim: tuple[str, str] | tuple[()],
        *,
        bounded: bool,
    ) -> str:
        engine = self._engine
        if bounded and (live := engine.live + self._beginning) >= engine.limits.live_runs_max:
            raise Busy(
                f"{live} runs are under way, which is as many as this engine takes",
                hint="try again later, start more workers (`skerry status`), or raise live_runs_max",
            )
        now = engine.now_us()
        name = self._ids.next(now // 1000, engine.clock.entropy)
        row = RunRow(
            run=name,
            workflow=workflow.name,
            version=workflow.version,
            parent=started.parent,
            priority=started.priority,
            source=started.source,
            event_id=started.event_id,
            started_us=now,
            updated_us=now,
        )
        run, transition = engine.drive(Execution.begin, workflow, started, row, state, engine.fleet)
        transition.row = run.row
        claims = (Claim(claim[0], claim[1], name),) if claim else ()
        self._beginning += 1
        try:
            await engine.advance(run, transition, claims)
        finally:
            self._beginning -= 1
        return name

    # --- from a step --------------------------------------------------------------------------------------------------

    async def start(self, run: Execution, step: str) -> None:
        """Starts the child run of a step unless it was started before; gives the step its outcome if it has ended."""
        engine = self._engine
        pending = run.pending.get(step)
        if pending is None or not isinstance(pending.command, Start):
            return
        command, parent, claim = pending.command, f"{run.row.run}/{step}", _claim(run.row.run, step, pending)
        workflow = command.workflow
        started = ev.RunStarted(
            workflow=workflow.name,
            version=workflow.version,
            source=run.row.run,
            event_id=claim,
            parent=parent,
            detached=command.detached,
            priority=run.row.priority,
        )
        child, _ = await self._once("child", claim, workflow, command.args, started, bounded=False)
        if not command.detached and not await self.wanted(parent, claim):
            return await self._cancel(child, run.row.run)  # its parent was cancelled while it was being started
        if command.detached:
            if run.pending.get(step) is pending:
                outcome = msgspec.json.encode(child)
                await engine.advance(run, engine.drive(run.complete, step, outcome, engine.now_us()))
            return
        row = await engine.journal.row(child)
        if row is not None and row.status in ENDED:
            await self.tell_parent(row)

    async def tell_parent(self, child: RunRow) -> None:
        """A run has ended: the step that started it gets its result, or learns that it was cancelled."""
        engine = self._engine
        if not child.parent or child.status not in ENDED:
            return
        name, _, step = child.parent.rpartition("/")
        completed = await self._completed(child) if child.status == "done" else None
        run = await engine.get(name)
        pending = run.pending.get(step) if run is not None else None
        if run is None or pending is None or not isinstance(pending.command, Start) or pending.command.detached:
            return
        if child.event_id != _claim(name, step, pending):
            return  # the step was retried by hand, and waits for another child
        now = engine.now_us()
        if child.status == "cancelled":
            failure = ev.Failure(kind="ChildCancelled", message=f"the child run {child.run} was cancelled")
        elif completed is None:
            failure = ev.Failure(kind="ResultGone", message=f"the result of the child run {child.run} was pruned")
        else:
            try:
                value, result = completed.value, completed.result
                taken = engine.drive(run.complete, step, value, now, result=result, by=child.run)
                return await engine.advance(run, taken)
            except DataError as error:  # it was recorded by other code: the parent's cannot read it
                failure = ev.Failure(kind="DataError", message=error.message)
        await engine.advance(run, engine.drive(run.fail, step, failure, now, by=child.run))

    async def _completed(self, child: RunRow) -> ev.RunCompleted | None:
        for recorded in reversed(await self._engine.journal.events(child.run, after_n=child.entry_n)):
            if isinstance(recorded.event, ev.RunCompleted):
                return recorded.event
        return None

    async def cancel(self, start: TaskId) -> None:
        """Cancels the child run that an attempt of a step started, if it did and the child has not ended."""
        child = await self._engine.journal.answer("child", _claim_of(start))
        if child is not None and not await self._detached(child):
            await self._cancel(child, start.run)

    async def _cancel(self, child: str, parent: str) -> None:
        engine = self._engine
        run = await engine.get(child)
        if run is not None and not run.cancelling:
            reason = f"its parent {parent} was cancelled"
            await engine.advance(run, engine.drive(run.cancel, parent, reason, engine.now_us()))

    async def wanted(self, parent: str, claim: str) -> bool:
        """Whether the step `run/step` still waits for the child that it claimed, or may do so after a retry."""
        name, _, step = parent.rpartition("/")
        try:
            run = await self._engine.get(name)
        except NotFound:
            return True
        if run is not None:
            pending = run.pending.get(step)
            return pending is not None and _claim(name, step, pending) == claim
        row = await self._engine.journal.row(name)
        return row is None or row.status not in _GIVEN_UP

    async def cancel_orphans(self) -> None:
        """After a crash: a run may have ended, or given up a step, and its child has not heard of it.

        Looks at all live runs, page by page, beside the engine's work.
        """
        engine, before = self._engine, ""
        while rows := await engine.journal.rows(status=tuple(LIVE), limit=_PAGE, before=before):
            before = rows[-1].run
            for row in rows:
                if engine.draining:
                    return
                if row.parent and not await self.wanted(row.parent, row.event_id) and not await self._detached(row.run):
                    await self._cancel(row.run, row.parent.rpartition("/")[0])

    async def _detached(self, run: str) -> bool:
        first = await self._engine.journal.events(run, limit=1)
        return bool(first) and isinstance(first[0].event, ev.RunStarted) and first[0].event.detached

    async def trigger(self, run: Execution, step: str, command: Command) -> None:
        """Starts what an emitted event triggers on this node."""
        engine = self._engine
        workflows = engine.registry.triggered_by(command.target)
        try:
            data = msgspec.json.decode(command.args, type=dict[str, Any]) if workflows else {}
        except msgspec.ValidationError:
            raise Conflict(f"event {command.target} starts runs, but its data is no object") from None
        for workflow in workflows:  # all of it is looked at before any of them starts
            self.start_state(workflow, data, None)
        for workflow in workflows:
            started = ev.RunStarted(
                workflow=workflow.name,
                version=workflow.version,
                source=run.row.run,
                event=command.target,
                event_id=f"{run.row.run}/{step}",
                priority=run.row.priority,
            )
            await self.begin(workflow, data, None, started, id=started.event_id, bounded=False)


def _claim(run: str, step: str, pending: Pending) -> str:
    """The id under which the child of a step is started, once. A detached one is nobody's to cancel: it stays."""
    detached = isinstance(pending.command, Start) and pending.command.detached
    return _claim_of(TaskId(run, step, 1 if detached else pending.attempt))


def _claim_of(start: TaskId) -> str:
    return f"{start.run}/{start.step}" + (f"/{start.attempt}" if start.attempt > 1 else "")
