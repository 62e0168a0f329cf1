"""The engine's side of the protocol, as far as a worker can see it: publishes tasks, keeps blobs, answers leases."""

from __future__ import annotations

import asyncio
import hashlib
import json
from types import TracebackType
from typing import Any

import msgspec
from msgspec import Raw

from skerry.core import wire
from skerry.core.codec import encode_json
from skerry.core.ids import TaskId
from skerry.core.types import Blob
from skerry.ports import Bus, Delivery, Message, Subscription

NODE = "edge1"
RUN = f"{NODE}-01J0000000000000000000000A"


class FakeEngine:
    """`async with FakeEngine(bus) as engine: result = await engine.call("add", a=1)`."""

    def __init__(self, bus: Bus, size: wire.Size = "rules") -> None:
        self.bus = bus
        self.size: wire.Size = size
        self.blobs: dict[str, bytes] = {}
        self.results: dict[TaskId, list[wire.Result]] = {}
        self.leases: list[TaskId] = []
        self.unwanted: set[TaskId] = set()
        self.put_replies: list[bytes] = []
        """Answers to puts that come before the right ones."""
        self.put_offsets: list[int] = []
        self.forget_at = -1
        """At a put with this offset the engine forgets what it had, once, as a restart makes it."""
        self._parts: dict[str, bytearray] = {}
        self._step = 0
        self._news = asyncio.Event()
        self._subscriptions: list[Subscription] = []

    async def __aenter__(self) -> FakeEngine:
        await self.bus.ensure(wire.task_queue(self.size))
        self._subscriptions = [
            await self.bus.consume(wire.result_queue(NODE), self._on_result, window=100),
            await self.bus.respond(wire.lease_subject(NODE), self._on_lease),
            await self.bus.respond(wire.blob_subject(NODE, "get"), self._on_get),
            await self.bus.respond(wire.blob_subject(NODE, "put"), self._on_put),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for subscription in self._subscriptions:
            await subscription.close()

    # --- what it does ------------------------------------------------------------------------------------------------

    def task(self, kind: str, target: str, args: bytes, **more: Any) -> wire.Task:
        """A task of the next step. Long arguments are in a blob, as an engine has them."""
        self._step += 1
        if len(args) > wire.MESSAGE_VALUE_BYTES_MAX:
            name = hashlib.sha256(args).hexdigest()
            self.blobs[name] = args
            args, more = b"", {"args_blob": name, **more}
        fields: dict[str, Any] = {
            "run": RUN,
            "step": str(self._step),
            "attempt": 1,
            "workflow": "sample",
            "size": self.size,
            "key": f"{RUN}/{self._step}",
            **({"args": Raw(args)} if args else {}),
            **more,
        }
        return wire.Task(kind="ask" if kind == "ask" else "call", target=target, **fields)

    async def send(self, task: wire.Task) -> TaskId:
        """Publishes it."""
        headers = wire.headers(
            id=str(task.id), source="skerry/sample", type="skerry.task", trace=wire.traceparent(task.run)
        )
        await self.bus.publish(Message(wire.task_subject(self.size, task.id), wire.encode(task), headers))
        return task.id

    async def begin(self, target: str, /, _more: dict[str, Any] | None = None, **args: Any) -> TaskId:
        """Publishes a call."""
        return await self.send(self.task("call", target, encode_json(args), **(_more or {})))

    async def call(self, target: str, /, _more: dict[str, Any] | None = None, **args: Any) -> wire.Result:
        """Publishes a call and waits for its result."""
        return await self.result(await self.begin(target, _more, **args))

    async def ask(self, prompt: str, about: Any) -> wire.Result:
        """Publishes an ask and waits for its result."""
        return await self.result(await self.send(self.task("ask", prompt, encode_json(about), prompt="?")))

    async def cancel(self, task: TaskId) -> None:
        """Tells the workers."""
        await self.bus.notify(Message(wire.cancel_subject(self.size, task), b"{}"))

    async def result(self, task: TaskId, timeout_s: float = 20.0) -> wire.Result:
        """The first result of a task."""
        async with asyncio.timeout(timeout_s):
            while not self.results.get(task):
                self._news.clear()
                await self._news.wait()
        return self.results[task][0]

    def keep(self, data: bytes, name: str = "") -> Blob:
        """Takes a document in."""
        sha256 = hashlib.sha256(data).hexdigest()
        self.blobs[sha256] = data
        return Blob(sha256=sha256, size=len(data), name=name)

    def value(self, result: wire.Result) -> Any:
        """The value of a result, wherever it is."""
        assert result.failure is None, result.failure
        return json.loads(self.blobs[result.value_blob] if result.value_blob else bytes(result.value))

    # --- what it answers ---------------------------------------------------------------------------------------------

    async def _on_result(self, delivery: Delivery) -> None:
        result = wire.decode_result.decode(delivery.message.data)
        assert delivery.message.subject == wire.result_subject(result.id)
        self.results.setdefault(result.id, []).append(result)
        self._news.set()
        await delivery.ack()

    async def _on_lease(self, message: Message) -> bytes:
        lease = msgspec.json.decode(message.data, type=wire.Lease)
        task = TaskId(lease.run, lease.step, lease.attempt)
        self.leases.append(task)
        return wire.encode(wire.Wanted(wanted=task not in self.unwanted))

    async def _on_get(self, message: Message) -> bytes:
        get = msgspec.json.decode(message.data, type=wire.BlobGet)
        return self.blobs.get(get.sha256, b"")[get.offset : get.offset + wire.BLOB_PIECE_BYTES]

    async def _on_put(self, message: Message) -> bytes:
        sha256 = message.headers["skerry-sha256"]
        offset, size = int(message.headers["skerry-offset"]), int(message.headers["skerry-size"])
        self.put_offsets.append(offset)
        if self.put_replies:
            return self.put_replies.pop(0)
        if sha256 in self.blobs:
            return self._kept(size)
        if offset == self.forget_at:
            self.forget_at = -1
            self._parts.clear()
        part = self._parts.setdefault(sha256, bytearray())
        if offset == len(part):
            part += message.data
        if len(part) < size:
            return self._kept(len(part))
        del self._parts[sha256]
        if hashlib.sha256(part).hexdigest() != sha256:
            return wire.encode(wire.Reply(ok=False, error="DataError", message="it does not fit its hash"))
        self.blobs[sha256] = bytes(part)
        return self._kept(size)

    def _kept(self, next: int) -> bytes:
        return wire.encode(wire.Reply(value=Raw(wire.encode(wire.BlobKept(next=next)))))
