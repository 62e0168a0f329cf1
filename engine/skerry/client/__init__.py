"""Talking to a running engine from a program.

    async with Client.connect(data="skerry-data") as client:
        handle = await client.start(invoice, {"document": blob})
        print(await handle.result())

Every change is answered after its commit. Where no answer comes, it is asked again with the same id, so that it is
done once; what has no id (`cancel`, `retry`) is asked once.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

import msgspec
from msgspec import Raw

from skerry import config as settings
from skerry.client.caller import Caller, blob_of, read_file
from skerry.client.ended import ENDS, STANDING, RunEvent, ended_without, seen
from skerry.core import api, codec, wire
from skerry.core import events as ev
from skerry.core.events import AnyEvent
from skerry.core.projection import RunRow, Status
from skerry.core.state import State
from skerry.core.structs import Frozen
from skerry.core.types import Blob
from skerry.core.workflow import Workflow
from skerry.errors import DataError, Unavailable
from skerry.ports import Message

if TYPE_CHECKING:
    from skerry.bus import Target

__all__ = ["Client", "Handle", "RunEvent"]

R = TypeVar("R")
A = TypeVar("A", bound=Frozen)

TIMEOUT_S = 10.0
"""How long an engine may take to answer, its restart included."""
_POLL_S = 10.0


class Handle(Generic[R]):
    """A run that was started. `again`: this very start had been taken in before."""

    def __init__(self, client: Client, run: str, workflow: Workflow[R] | None, *, again: bool = False) -> None:
        self.run = run
        self.again = again
        self._client = client
        self._workflow = workflow

    async def result(self, *, timeout_s: float | None = None) -> R:
        """See `Client.result`."""
        return cast("R", await self._client.result(self.run, self._workflow, timeout_s=timeout_s))

    async def row(self) -> RunRow:
        """How it stands."""
        return await self._client.row(self.run)

    def events(self, *, after_n: int = 0) -> AsyncGenerator[RunEvent, None]:
        """See `Client.events`."""
        return self._client.events(self.run, after_n=after_n)

    async def signal(self, value: msgspec.Struct | Any, *, signal: str = "", key: str = "") -> api.Taken:
        """See `Client.signal`."""
        return await self._client.signal(self.run, value, signal=signal, key=key)

    async def cancel(self, *, reason: str = "", kill: bool = False) -> api.Taken:
        """See `Client.cancel`."""
        return await self._client.cancel(self.run, reason=reason, kill=kill)

    def __repr__(self) -> str:
        return f"Handle({self.run!r})"


class Client:
    """A connection to one node's engine. Made by `connect`, used with `async with`."""

    def __init__(self, caller: Caller, *, by: str) -> None:
        """Internal: use `connect`."""
        self._caller = caller
        self._by = by

    @classmethod
    def connect(
        cls,
        *,
        data: Path | str | None = None,
        nats: str | Target | None = None,
        node: str = "",
        group: str = "",
        by: str = "",
        timeout_s: float = TIMEOUT_S,
    ) -> Client:
        """A client, for `async with`.

        Args:
            data: the engine's data folder, on this machine.
            nats: the URL of the NATS server (or a `skerry.bus.RemoteServer`), where the engine uses one of its own.
                Without `data`, name the `node` as well. With neither, the settings say where (see `skerry.config`).
            node: the engine's node.
            group: instead of `node`: the name of a group of engines, of which each start goes to the one that answers
                first, and everything else to the node of its run.
            by: who is speaking; it goes into the journal with each change.
            timeout_s: how long to wait for a connection and for each answer.
        """
        if data is None and nats is None:
            config = settings.load()
            data, nats, node, group = config.data, config.nats.target(), node or config.node, group or config.group
        folder = None if data is None else Path(data)
        return cls(Caller(data=folder, nats=nats, node=node, timeout_s=timeout_s, group=group), by=by)

    @property
    def node(self) -> str:
        """The node that this client talks to."""
        return self._caller.node

    async def __aenter__(self) -> Client:
        """Connects. Raises `Unavailable` when nothing runs there."""
        await self._caller.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._caller.close()

    # --- changes ------------------------------------------------------------------------------------------------------

    async def publish(
        self,
        event: str,
        data: Mapping[str, Any] | None = None,
        *,
        file: Blob | Path | str | None = None,
        source: str = "",
        id: str = "",
        priority: int = 0,
    ) -> list[Handle[Any]]:
        """Publishes an event; returns the runs that it started (or had started: the same id is taken in once).

        A file's id is its content, so the same file is taken in once per `source`; everything else is new unless it
        is given an `id`.
        """
        await self._caller.choose()
        blob = await self._blob(file)
        request = api.Publish(
            type=event,
            data=dict(data or {}),
            file=blob,
            source=source,
            id=id or (blob.sha256 if blob else uuid.uuid4().hex),
            priority=priority,
            by=self._by,
        )
        started = await self._caller.again("publish", request, api.Started)
        return [Handle(self, run, None, again=started.again) for run in started.runs]

    @overload
    async def start(
        self,
        workflow: Workflow[R],
        data: Mapping[str, Any] | State | None = None,
        *,
        file: Blob | Path | str | None = None,
        source: str = "",
        id: str = "",
        priority: int = 0,
    ) -> Handle[R]: ...
    @overload
    async def start(
        self,
        workflow: str,
        data: Mapping[str, Any] | State | None = None,
        *,
        file: Blob | Path | str | None = None,
        source: str = "",
        id: str = "",
        priority: int = 0,
    ) -> Handle[Any]: ...
    async def start(
        self,
        workflow: Workflow[Any] | str,
        data: Mapping[str, Any] | State | None = None,
        *,
        file: Blob | Path | str | None = None,
        source: str = "",
        id: str = "",
        priority: int = 0,
    ) -> Handle[Any]:
        """Starts one run. `data` are the fields of the start state, or the state itself; `file` goes into its Blob."""
        await self._caller.choose()
        request = api.Start(
            workflow=workflow if isinstance(workflow, str) else workflow.name,
            data=_fields(data),
            file=await self._blob(file),
            source=source,
            id=id or uuid.uuid4().hex,
            priority=priority,
            by=self._by,
        )
        started = await self._caller.again("start", request, api.Started)
        if started.waits_for:
            raise Unavailable(
                f"node {started.waits_for} has taken it in, and does not answer", hint="it begins when that is back"
            )
        if not started.runs:
            raise Unavailable("the engine started nothing and did not say why", hint="see its log")
        known = None if isinstance(workflow, str) else workflow
        return Handle(self, started.runs[0], known, again=started.again)

    async def signal(
        self, run: str, value: msgspec.Struct | Any, *, signal: str = "", key: str = "", id: str = ""
    ) -> api.Taken:
        """Sends a run a signal. Its name is that of the value's type, unless `signal` names it."""
        name = signal or (type(value).__name__ if isinstance(value, msgspec.Struct) else "")
        if not name:
            raise DataError("a signal needs a name", hint="pass a struct, or signal='Name'")
        raw = Raw(codec.encode_json(value))
        request = api.Signal(run=run, signal=name, value=raw, key=key, id=id or uuid.uuid4().hex, by=self._by)
        return await self._caller.again("signal", request, api.Taken)

    async def answer(
        self,
        run: str,
        approved: bool,
        *,
        step: str = "",
        changes: Mapping[str, Any] | None = None,
        reason: str = "",
        id: str = "",
    ) -> api.Taken:
        """Answers a run's open review. With `changes`, these fields of the best answer are replaced."""
        request = api.Answer(
            run=run,
            approved=approved,
            step=step,
            changes=dict(changes or {}),
            reason=reason,
            id=id or uuid.uuid4().hex,
            by=self._by,
        )
        return await self._caller.again("answer", request, api.Taken)

    async def cancel(self, run: str, *, reason: str = "", kill: bool = False) -> api.Taken:
        """Ends a run. Its code may clean up; the second time, or with `kill`, it is not asked."""
        return await self.ask("cancel", api.Cancel(run=run, reason=reason, kill=kill, by=self._by), api.Taken)

    async def retry(self, run: str, *, reason: str = "") -> api.Taken:
        """Drives a failed or parked run again."""
        return await self.ask("retry", api.RetryRun(run=run, reason=reason, by=self._by), api.Taken)

    async def put_file(self, path: Path | str, *, name: str = "", media_type: str = "") -> Blob:
        """Puts a file into the engine's blob store, in pieces. What is there already is not sent again."""
        data = await asyncio.to_thread(read_file, Path(path))
        blob = blob_of(data, Path(path), name=name, media_type=media_type)
        await self._caller.put(data, blob)
        return blob

    async def put(self, data: bytes, *, name: str = "", media_type: str = "application/octet-stream") -> Blob:
        """Puts bytes into the engine's blob store. What is there already is not sent again."""
        blob = Blob(sha256=codec.sha256(data), size=len(data), name=name, media_type=media_type)
        await self._caller.put(data, blob)
        return blob

    # --- questions ----------------------------------------------------------------------------------------------------

    async def runs(
        self, *, status: tuple[Status, ...] = (), workflow: str = "", limit: int = 100, before: str = ""
    ) -> list[RunRow]:
        """Rows of runs, newest first."""
        rows: list[RunRow] = []
        while len(rows) < limit:  # an answer has a thousand at most
            request = api.ListRuns(status=status, workflow=workflow, limit=limit - len(rows), before=before)
            page = (await self._caller.again("runs", request, api.Rows)).rows
            if not page:
                break
            rows += page
            before = page[-1].run
        return rows

    async def row(self, run: str) -> RunRow:
        """How a run stands. Raises `NotFound`."""
        return (await self.show(run, limit=1)).row

    async def show(self, run: str, *, after_n: int = 0, wait_s: float = 0.0, limit: int = 1000) -> api.Shown:
        """A run's row, and its events after `after_n`; waits for them up to `wait_s` (at most 20)."""
        request = api.Show(run=run, after_n=after_n, wait_s=wait_s, limit=limit)
        return await self._caller.again("show", request, api.Shown, wait_s=wait_s)

    async def events(self, run: str, *, after_n: int = 0) -> AsyncGenerator[RunEvent, None]:
        """A run's events, those to come included, until nothing more happens by itself (done, failed, ...)."""
        while True:
            shown = await self.show(run, after_n=after_n, wait_s=_POLL_S)
            for each in shown.events:
                yield seen(each)
                after_n = each.n
            if not shown.events and shown.row.status in STANDING:
                return

    @overload
    async def result(self, run: str, workflow: Workflow[R], *, timeout_s: float | None = None) -> R: ...
    @overload
    async def result(
        self, run: str, workflow: Workflow[Any] | None = None, *, timeout_s: float | None = None
    ) -> Any: ...
    async def result(self, run: str, workflow: Workflow[Any] | None = None, *, timeout_s: float | None = None) -> Any:
        """Waits for a run's result; of its declared type when the workflow is given, plain JSON otherwise.

        Raises:
            StepFailed: the run has failed, or an error of `skerry.errors` when it failed with one.
            Conflict: it was cancelled.
            NondeterminismError: it is parked.
            TimeoutError: it has not ended within `timeout_s`. It goes on all the same.
        """
        last: AnyEvent | None = None
        asked = ""
        limit = asyncio.timeout(timeout_s)
        try:
            async with limit, aclosing(self.events(run)) as events:
                async for each in events:
                    if isinstance(each.event, ENDS):
                        last = each.event
                    elif isinstance(each.event, ev.CancelRequested):
                        asked = each.event.reason
        except TimeoutError:
            if not limit.expired():
                raise
            raise TimeoutError(f"run {run} has not ended within {timeout_s} s; it goes on") from None
        if not isinstance(last, ev.RunCompleted):
            raise ended_without(run, last, asked)
        raw = bytes(last.value) or (await self.blob(last.blob) if last.blob else b"null")
        return msgspec.json.decode(raw) if workflow is None else workflow.decode_result(last.result, Raw(raw))

    async def status(self) -> api.EngineStatus:
        """What the engine is doing."""
        return await self._caller.again("status", None, api.EngineStatus)

    async def workers(self, *, wait_s: float = 0.5) -> list[wire.WorkerStatus]:
        """The workers that answer within `wait_s`, by size and name."""
        found: dict[str, wire.WorkerStatus] = {}

        def take(message: Message) -> None:
            status = msgspec.json.decode(message.data, type=wire.WorkerStatus)
            found[status.name] = status

        listening = await self._caller.listen(wire.worker_subject("*", "*", "alive"), take)
        try:
            await self._caller.notify(Message(wire.WORKER_PING, b"{}"))
            await asyncio.sleep(wait_s)
        finally:
            await listening.close()
        order = {size: place for place, size in enumerate(wire.SIZES)}
        return sorted(found.values(), key=lambda worker: (order.get(cast("wire.Size", worker.size), 99), worker.name))

    async def blob(self, sha256: str) -> bytes:
        """A blob's bytes. Raises `NotFound`."""
        return await self._caller.blob(sha256)

    async def ask(self, verb: str, request: Frozen | None, answer: type[A]) -> A:
        """One request of `skerry.core.api`, asked once. Raises the error that the engine answers with."""
        return await self._caller.once(verb, request, answer)

    async def ask_again(self, verb: str, request: Frozen | None, answer: type[A]) -> A:
        """The same, asked until there is an answer: for what changes nothing, or carries an id."""
        return await self._caller.again(verb, request, answer)

    async def _blob(self, file: Blob | Path | str | None) -> Blob | None:
        return file if isinstance(file, Blob) or file is None else await self.put_file(file)


def _fields(data: Mapping[str, Any] | State | None) -> dict[str, Any]:
    """A start state's fields, without its tag: the engine knows which state it starts in."""
    if not isinstance(data, State):
        return dict(data or {})
    fields: dict[str, Any] = msgspec.json.decode(codec.encode_json(data))
    fields.pop("state", None)
    return fields
