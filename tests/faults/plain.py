"""A worker that has nothing of Skerry, only nats-py and json (docs/bus.md), and does what no worker should."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nats
import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import APIError

from tests.support import wait_until


class Task:
    """A task that was taken."""

    def __init__(self, message: Any) -> None:
        self.message = message
        self.body: dict[str, Any] = json.loads(message.data)
        self.id = {name: self.body[name] for name in ("run", "step", "attempt")}

    @property
    def subject(self) -> str:
        """Where its result belongs."""
        return result_subject(**self.id)

    def result(self, **what: Any) -> dict[str, Any]:
        """A result for it."""
        return {**self.id, "size": "rules", "worker": "plain", **what}


def result_subject(run: str, step: str, attempt: object) -> str:
    """Where the result of an attempt belongs."""
    return f"result.{run.rpartition('-')[0]}.{run}.{step}.{attempt}"


class PlainWorker:
    """Use it with `async with`."""

    def __init__(self, data: Path) -> None:
        self._file = data / "nats" / "connection.json"
        self.nc = Client()
        self.js: JetStreamContext
        self._pull: JetStreamContext.PullSubscription

    async def __aenter__(self) -> PlainWorker:
        where = json.loads(self._file.read_bytes())
        await self.nc.connect(where["url"], nkeys_seed_str=where["seed"], allow_reconnect=False)
        self.js = self.nc.jetstream()
        self._pull = await self.js.pull_subscribe_bind(consumer="workers", stream="SKERRY_TASK_rules")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.nc.close()

    async def take(self, run: str = "", timeout_s: float = 10.0) -> Task:
        """The next task (of a run)."""
        while True:
            try:
                message = (await self._pull.fetch(1, timeout=timeout_s))[0]
            except nats.errors.TimeoutError:
                raise AssertionError(f"no task came within {timeout_s:g} s") from None
            task = Task(message)
            if run in ("", task.id["run"]):
                return task
            await message.nak()

    async def publish(self, subject: str, body: bytes | dict[str, Any]) -> bool:
        """Puts something on the result stream, whatever it is. False when there is a message on that subject."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            await self.js.publish(subject, data, timeout=5)
        except APIError as error:
            assert error.err_code == 10077, error
            return False
        return True

    async def results_taken(self, timeout_s: float = 15.0) -> None:
        """Waits until the engine has taken everything off the result stream."""

        async def empty() -> bool:
            return (await self.js.stream_info("SKERRY_RESULT")).state.messages == 0

        await wait_until(empty, timeout_s)

    async def put_blob(self, node: str, name: str, data: bytes) -> dict[str, Any]:
        """Puts a blob; the engine's answer."""
        headers = {"skerry-sha256": name, "skerry-offset": "0", "skerry-size": str(len(data))}
        answer = await self.nc.request(f"blob.{node}.put", data, timeout=5, headers=headers)
        return dict(json.loads(answer.data))
