"""What can be asked of an engine: one method per verb, from and to the structs of `core.api`.

Each change is answered when it is on disk; the same id gets the same answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from skerry.core import api
from skerry.core import events as ev
from skerry.core.audit import accepted, audited
from skerry.core.codec import encode, encode_json
from skerry.core.commands import Wait
from skerry.core.execution import Execution
from skerry.core.pending import Effect, Transition
from skerry.core.projection import ENDED, LIVE, OVER, STOPPED, RunRow
from skerry.core.recall import resume
from skerry.core.remains import remains
from skerry.core.structs import NOTHING
from skerry.core.verdicts import open_review, take_review
from skerry.core.workflow import Workflow
from skerry.errors import Busy, Conflict, DataError, JournalError, NotFound, Unavailable
from skerry.people import LOOKING, People
from skerry.ports import Claim, Recorded
from skerry.registry import Registry
from skerry.runtime.asked import asked_of, check_signal
from skerry.version import __version__

if TYPE_CHECKING:
    from skerry.runtime.engine import Engine
    from skerry.runtime.shared import Shared

_PAGE_BYTES = 384 * 1024
"""How much of a run's history one answer has: a message on the bus has a limit."""
_HEADER_BYTES = 100
_ROWS_MAX = 1000
_INBOX_BYTES_MAX = 4 * 1024 * 1024
"""Of the signals that a run keeps, beside their number (`EngineLimits.inbox_max`); one is kept however long it is."""
_BUS = "bus"
"""From where a member of the NATS server speaks, in the journal."""
WAIT_S_MAX = 20.0
"""How long `show` waits for news at most."""
_WAITING_MAX, _WAIT_S_CROWDED = 128, 0.5
"""So many wait that long at a time; with more of them, the others ask more often, so that everybody gets a turn."""

Pruner = Callable[[api.Prune], Awaitable[api.Pruned]]


class Verbs:
    """Answers requests. `prune` comes from the journal's adapter, which alone knows how."""

    def __init__(self, engine: Engine, *, prune: Pruner | None = None, people: People | None = None) -> None:
        """`people`: who may do what; None: everybody may do everything."""
        self._engine = engine
        self._people = people
        self._prune = prune
        self._waiting = 0
        self._changing: dict[tuple[str, str], asyncio.Future[None]] = {}
        self.watches: Callable[[], tuple[api.WatchStatus, ...]] = tuple
        """Says how the watches stand; who starts them sets it."""
        self.shared: Shared | None = None
        """How starts are shared with other engines; who puts the engine into a group sets it."""
        self._started_us = engine.clock.now_us()
        self._verbs: dict[str, tuple[type[Any], Callable[[Any], Awaitable[Any]]]] = {
            "publish": (api.Publish, self.publish),
            "start": (api.Start, self.start),
            "signal": (api.Signal, self.signal),
            "answer": (api.Answer, self.answer),
            "audit": (api.Audit, self.audit),
            "cancel": (api.Cancel, self.cancel),
            "retry": (api.RetryRun, self.retry),
            "runs": (api.ListRuns, self.runs),
            "show": (api.Show, self.show),
            "status": (dict, self.status),
            "prune": (api.Prune, self.prune),
        }

    @property
    def names(self) -> tuple[str, ...]:
        """What can be asked for."""
        return tuple(self._verbs)

    async def handle(self, verb: str, request: Any, *, member: str = "") -> Any:
        """The answer to a request that is decoded already. Raises any `SkerryError`.

        `member`: who the server says it is; otherwise it is who the request says it is.
        """
        if member and hasattr(request, "by"):
            request = msgspec.structs.replace(request, by=f"{member}@{_BUS}")
        if self._people is not None:
            await self._check(self._people, verb, request, member or getattr(request, "by", ""))
        return await self._verbs[verb][1](request)

    async def handle_json(self, verb: str, data: bytes, *, member: str = "") -> bytes:
        """The JSON of the answer to a request in JSON. Raises any `SkerryError`."""
        if verb not in self._verbs:
            raise NotFound(f"an engine knows no command {verb!r}", hint=f"it knows {', '.join(self._verbs)}")
        type, _ = self._verbs[verb]
        try:
            request = msgspec.json.decode(data or b"{}", type=type)
        except msgspec.MsgspecError as error:
            raise DataError(f"the request {verb!r} is not understood: {error}") from None
        return encode_json(await self.handle(verb, request, member=member))

    async def _check(self, people: People, verb: str, request: Any, by: str) -> None:
        """Raises `Denied`. Who looks by the key of the folder's owner need not say who they are."""
        if verb in LOOKING and not by:
            return
        if isinstance(request, api.Publish):
            for workflow in self._engine.registry.triggered_by(request.type):
                people.check(verb, by, workflow.name)
            return
        run = getattr(request, "run", "")
        people.check(verb, by, (await self._row(run)).workflow if run else getattr(request, "workflow", ""))
        if isinstance(request, api.Signal):
            check_signal(people, request)

    # --- beginning ----------------------------------------------------------------------------------------------------

    async def publish(self, event: api.Publish) -> api.Started:
        """Starts every workflow that the event triggers. Raises `NotFound` when there is none."""
        workflows = self._triggered(event)  # all of it is looked at before any of them starts

        async def begin(event: api.Publish) -> api.Started:
            started = [
                await self._begin(workflow, event, event.type, bounded=workflow is workflows[0])
                for workflow in workflows
            ]
            return api.Started(runs=tuple(run for run, _ in started), again=all(again for _, again in started))

        return await (begin(event) if self.shared is None else self.shared.begin(event, begin))

    def _triggered(self, event: api.Publish) -> list[Workflow[Any]]:
        workflows = self._engine.registry.triggered_by(event.type)
        if not workflows:
            raise NotFound(
                f"no workflow is started by {event.type!r}",
                hint=f"known events: {_known_events(self._engine.registry)}",
            )
        for workflow in workflows:
            self._engine.children.start_state(workflow, event.data, event.file)
        return workflows

    async def start(self, start: api.Start) -> api.Started:
        """Starts one run. Raises `NotFound` when there is no such workflow."""
        workflow = self._engine.registry.workflow(start.workflow)

        async def begin(start: api.Start) -> api.Started:
            run, again = await self._begin(workflow, start, "")
            return api.Started(runs=(run,), again=again)

        if self.shared is None:
            return await begin(start)
        self._engine.children.start_state(workflow, start.data, start.file)
        return await self.shared.begin(start, begin)

    async def _begin(
        self, workflow: Workflow[Any], request: api.Publish | api.Start, event: str, *, bounded: bool = True
    ) -> tuple[str, bool]:
        self._refuse_when_draining()
        id = request.id or (request.file.sha256 if request.file is not None else "")
        started = ev.RunStarted(
            workflow=workflow.name,
            version=workflow.version,
            source=request.source,
            event=event,
            event_id=id,
            priority=request.priority,
            by=request.by,
        )
        return await self._engine.children.begin(workflow, request.data, request.file, started, id=id, bounded=bounded)

    # --- speaking to a run --------------------------------------------------------------------------------------------

    async def signal(self, signal: api.Signal) -> api.Taken:
        """Gives a run a signal; a step that waits for it takes it at once."""
        id = signal.id or self._new_id()
        held = ev.HeldSignal(id=id, signal=signal.signal, key=signal.key, value=signal.value, by=signal.by)

        def give(run: Execution, now: int) -> Transition:
            _refuse_when_full(run, held, self._engine.limits.inbox_max)
            return run.signal(held, now)

        return await self._change(signal.run, id, give)

    async def answer(self, answer: api.Answer) -> api.Taken:
        """A person's answer to an open review."""
        id = answer.id or self._new_id()
        entered = await self._entered(answer.run) if self._people is not None else None

        def take(run: Execution, now: int) -> Transition:
            step = open_review(run, answer.step)
            if self._people is not None:
                self._people.check_answer(answer.by, asked_of(self._people, run, step, answer, entered))
            return take_review(run, step, answer.approved, answer.changes, answer.by, answer.reason, id, now)

        try:
            return await self._change(answer.run, id, take)
        except Conflict as error:
            await self._note_refused(answer, id, error)
            raise

    async def _note_refused(self, answer: api.Answer, id: str, error: Conflict) -> None:
        """Of two people who decide at the same time, the second one's word is on record as well."""
        engine = self._engine
        past = [recorded.event for recorded in await engine.journal.events(answer.run)]
        answered = [e.step for e in past if isinstance(e, ev.ReviewAnswered) and answer.step in ("", e.step)]
        if not answered or any(isinstance(e, ev.AnswerRefused) and e.id == id for e in past):
            return
        refused = ev.AnswerRefused(
            step=answered[-1],
            approved=answer.approved,
            by=answer.by,
            reason=answer.reason,
            message=error.message,
            id=id,
        )
        with contextlib.suppress(Conflict):  # it goes on meanwhile: the answer is refused all the same
            run = await engine.get(answer.run)
            if run is None:
                row, events = await engine.at_rest(answer.run, OVER)
                if events:
                    run = Execution(self._workflow_of(row), row, engine.fleet)
                    run.n = events[-1].header.n
                    await engine.advance(run, Transition([refused]))
            elif not any(pending.review for step, pending in run.pending.items() if answer.step in ("", step)):
                await engine.advance(run, engine.drive(run.note, refused, engine.now_us()))

    async def _entered(self, run: str) -> ev.StateEntered | None:
        """The beginning of a run's state, which says what people decide on."""
        row = await self._row(run)
        found = await self._engine.journal.events(run, after_n=max(0, row.entry_n - 1), limit=1)
        event = found[0].event if found else None
        return event if isinstance(event, ev.StateEntered) else None

    async def audit(self, audit: api.Audit) -> api.Taken:
        """A person has looked again at an answer of a run that has ended. Raises `Conflict` while it has not."""
        engine = self._engine
        self._refuse_when_draining()
        recorded = await engine.journal.events(audit.run)
        row, events = await engine.at_rest(audit.run, ENDED)
        if not events:
            raise Conflict(f"run {audit.run} is {row.status}", hint="answers are audited once their run has ended")
        placed = [(each.header.n, each.header.at_us, each.event) for each in recorded if each.event is not None]
        event = audited(accepted(audit.run, placed), audit.step, audit.changes, audit.by, audit.reason)
        run = Execution(self._workflow_of(row), row, engine.fleet)
        run.n = events[-1].header.n
        await engine.advance(run, Transition([event]))
        return api.Taken(run=audit.run, status=row.status)

    async def _change(self, name: str, id: str, change: Callable[[Execution, int], Any]) -> api.Taken:
        """Changes a run once for an id: who asks a second time meanwhile waits, and gets the first one's answer."""
        self._refuse_when_draining()
        while (going := self._changing.get((name, id))) is not None:
            await asyncio.wait([going])
        self._changing[name, id] = asyncio.get_running_loop().create_future()
        try:
            return await self._change_once(name, id, change)
        finally:
            self._changing.pop((name, id)).cancel()

    async def _change_once(self, name: str, id: str, change: Callable[[Execution, int], Any]) -> api.Taken:
        engine = self._engine
        scope = f"signal/{name}"
        known = await engine.journal.answer(scope, id)
        run = await engine.get(name)
        if known is not None:
            return api.Taken(run=name, status=(await self._row(name)).status, again=True)
        if run is None:
            row = await self._row(name)
            if name in engine.skipped:
                raise Unavailable(f"run {name} cannot be driven here: {engine.skipped[name]}")
            if row.status in LIVE:
                return await self._change_once(name, id, change)  # it was retried just now
            raise Conflict(f"run {name} is {row.status} and takes no more signals", hint=_hint(row))
        transition = engine.drive(change, run, engine.now_us())
        await engine.advance(run, transition, (Claim(scope, id, "taken"),))
        return api.Taken(run=name, status=run.row.status)

    async def cancel(self, cancel: api.Cancel) -> api.Taken:
        """Ends a run. One that is over stays as it is."""
        engine = self._engine
        self._refuse_when_draining()
        claims = _claims(cancel.run, cancel.id)
        if (before := await self._before(cancel.run, claims)) is not None:
            return before
        left: Sequence[Effect] = ()
        while (run := await engine.get(cancel.run)) is None:
            row, events = await engine.at_rest(cancel.run, STOPPED)
            if cancel.run in engine.skipped:
                raise Unavailable(f"run {cancel.run} cannot be driven here: {engine.skipped[cancel.run]}")
            if row.status in ENDED:
                return api.Taken(run=cancel.run, status=row.status, again=True)
            if events:
                run = Execution(self._workflow_of(row), row, engine.fleet)
                run.n, run.entry_n = events[-1].header.n, row.entry_n
                left = remains(cancel.run, (recorded.event for recorded in events))
                break
        transition = engine.drive(run.cancel, cancel.by, cancel.reason, engine.now_us(), kill=cancel.kill, id=cancel.id)
        transition.effects.extend(left)
        await engine.advance(run, transition, claims)
        return api.Taken(run=cancel.run, status=run.row.status)

    async def _before(self, run: str, claims: Sequence[Claim]) -> api.Taken | None:
        """The answer to an id that was taken before."""
        for claim in claims:
            if await self._engine.journal.answer(claim.scope, claim.id) is not None:
                return api.Taken(run=run, status=(await self._row(run)).status, again=True)
        return None

    def _workflow_of(self, row: RunRow) -> Workflow[Any]:
        registry = self._engine.registry
        known = registry.workflows.get((row.workflow, row.version))
        return known if known is not None else registry.workflow(row.workflow)

    async def retry(self, retry: api.RetryRun) -> api.Taken:
        """Drives a failed or parked run again: from the failure on, what it did no longer counts."""
        engine = self._engine
        self._refuse_when_draining()
        claims = _claims(retry.run, retry.id)
        if (before := await self._before(retry.run, claims)) is not None:
            return before
        row, events = await engine.at_rest(retry.run, STOPPED)
        if row.status in ENDED:
            raise Conflict(f"run {retry.run} is {row.status}; only a failed or parked one can be retried")
        if not events:
            return api.Taken(run=retry.run, status=row.status, again=True)
        n, now = events[-1].header.n, engine.now_us()
        retried = ev.RunRetried(from_n=retry_point(events), by=retry.by, reason=retry.reason, id=retry.id)
        placed = [(r.header.n, r.header.at_us, r.event) for r in events if r.event is not None]
        live = msgspec.structs.replace(row, status="running", note="")
        workflow = self._workflow_of(row)
        run, transition = engine.drive(resume, workflow, live, [*placed, (n + 1, now, retried)], now, engine.fleet)
        run.n = n
        transition.events.insert(0, retried)
        transition.row = run.row
        await engine.advance(run, transition, claims)
        return api.Taken(run=retry.run, status=run.row.status)

    # --- looking ------------------------------------------------------------------------------------------------------

    async def runs(self, query: api.ListRuns) -> api.Rows:
        """Rows of runs, newest first."""
        rows = await self._engine.journal.rows(
            status=query.status, workflow=query.workflow, limit=min(query.limit, _ROWS_MAX), before=query.before
        )
        return api.Rows(rows=tuple(rows))

    async def show(self, query: api.Show) -> api.Shown:
        """A run and its events; waits for news when there are none and the run goes on."""
        if query.wait_s <= 0:
            row, events = await self._look(query)
        else:
            with self._engine.news(query.run, end=query.end) as news:  # from before we look, so that none is missed
                row, events = await self._look(query)
                if (query.end or not events) and row.status in LIVE:
                    longest = WAIT_S_MAX if self._waiting < _WAITING_MAX else _WAIT_S_CROWDED
                    self._waiting += 1
                    try:
                        await asyncio.wait([news], timeout=min(query.wait_s, longest))
                    finally:
                        self._waiting -= 1
                    row, events = await self._look(query)
        return api.Shown(row=row, events=tuple(_page(events)))

    async def _look(self, query: api.Show) -> tuple[RunRow, list[Recorded]]:
        # The row first: when it says that a run has ended, the events after it are all there.
        row = await self._row(query.run)
        return row, await self._engine.journal.events(query.run, after_n=query.after_n, limit=query.limit)

    async def status(self, query: Any = None) -> api.EngineStatus:
        """What the engine is doing."""
        engine = self._engine
        loads = engine.outbox.load()
        return api.EngineStatus(
            node=engine.node,
            software=__version__,
            pid=os.getpid(),
            started_us=self._started_us,
            seq=engine.journal.head.seq,
            live_runs=engine.live,
            live_runs_max=engine.limits.live_runs_max,
            draining=engine.draining,
            sizes=tuple(
                api.SizeLoad(size=size, on_bus=loads.get(size, (0, 0))[0], waiting=loads.get(size, (0, 0))[1])
                for size in engine.sizes_used()
            ),
            workflows=tuple(f"{name} v{version}" for name, version in sorted(engine.registry.workflows)),
            notes=(*sorted(set(engine.skipped.values())), *_unserved(engine)),
            watches=self.watches(),
        )

    async def prune(self, prune: api.Prune) -> api.Pruned:
        """Removes the bodies of runs that ended long ago."""
        if self._prune is None:
            raise Unavailable("this engine's journal cannot be pruned")
        try:
            return await self._prune(prune)
        except JournalError as error:
            self._engine.journal_failed(error)
            raise

    # --- helpers ------------------------------------------------------------------------------------------------------

    async def _row(self, run: str) -> RunRow:
        row = await self._engine.journal.row(run)
        if row is None:
            raise NotFound(f"there is no run {run} on node {self._engine.node}", hint="`skerry runs` lists them")
        return row

    def _refuse_when_draining(self) -> None:
        if self._engine.draining:
            raise Unavailable("the engine is stopping", hint="ask again when it is back")

    def _new_id(self) -> str:
        return self._engine.clock.entropy(12).hex()


def _refuse_when_full(run: Execution, held: ev.HeldSignal, inbox_max: int) -> None:
    """What a run keeps goes with it from state to state, in memory and on disk: it must not be without a bound."""
    waits = (pending.command for pending in run.pending.values() if isinstance(pending.command, Wait))
    if any(wait.takes(held.signal, held.key) for wait in waits):
        return
    kept, size = len(run.inbox), sum(len(bytes(each.value)) for each in run.inbox)
    if kept >= inbox_max or (kept and size + len(bytes(held.value)) > _INBOX_BYTES_MAX):
        raise Busy(
            f"run {run.row.run} keeps {kept:,} signals ({size:,} bytes) for which no step has waited yet, and takes no"
            f" more {held.signal} before one does",
            hint="send it again later; `skerry show` says what the run waits for",
        )


def retry_point(events: list[Recorded]) -> int:
    """From where on a failed run's events no longer count: the failure of the step that killed it, or its end."""
    last = next(r for r in reversed(events) if isinstance(r.event, ev.RunFailed | ev.RunParked))
    step = last.event.failure.step if isinstance(last.event, ev.RunFailed) else ""
    if not step:
        return last.header.n
    erred = [r.header.n for r in events if isinstance(r.event, ev.StepErred) and r.event.step == step]
    begun = [r.header.n for r in events if isinstance(r.event, ev.StepScheduled) and r.event.step == step]
    return max(erred) if erred else max(begun, default=last.header.n)


def _page(events: Iterable[Recorded]) -> Iterator[api.ShownEvent]:
    """As many of the events as go into one answer, but one at least."""
    room = _PAGE_BYTES
    for recorded in events:
        event = shown(recorded)
        size = len(bytes(event.event)) + _HEADER_BYTES
        if size > room < _PAGE_BYTES:
            return
        room -= size
        yield event


def shown(recorded: Recorded) -> api.ShownEvent:
    """An event as the outside sees it: as it is written, so a long value is named by its blob."""
    header = recorded.header
    return api.ShownEvent(
        n=header.n,
        seq=header.seq,
        at_us=header.at_us,
        kind=header.kind,
        event=Raw(encode(recorded.event).body) if recorded.event is not None else NOTHING,
    )


def _unserved(engine: Engine) -> Iterator[str]:
    for size, (on_bus, waiting) in sorted(engine.outbox.load().items()):
        if size not in engine.sizes and on_bus + waiting:
            yield f"tasks of size {size} wait ({on_bus + waiting}), and this node has no workers of that size"


def _claims(run: str, id: str) -> Sequence[Claim]:
    """The id of a change of a run, so that it is made once."""
    return (Claim(f"signal/{run}", id, "taken"),) if id else ()


def _hint(row: RunRow) -> str:
    return f"`skerry retry {row.run}` drives it again" if row.status in ("failed", "parked") else ""


def _known_events(registry: Registry) -> str:
    return ", ".join(sorted({w.on for w in registry.workflows.values() if w.on})) or "none"
