"""A worker as a NATS micro service, so that `nats micro ls`, `info` and `stats` show it (ADR-32 of NATS, revision 6).

Its endpoints are `tasks`, which come from a stream and whose failures are results, and `status`, a plain request that
cannot fail: so none of them ever answers with `Nats-Service-Error`. What changes while a worker lives (its state, its
models) is in the `data` of STATS, as metadata must not change.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from skerry.core.structs import Frozen
from skerry.core.wire import WorkerStatus, encode, task_queue, worker_subject
from skerry.ports import Bus, Message, Subscription

_TYPE = "io.nats.micro.v1.{}_response"
_VERSION = re.compile(r"\d+\.\d+\.\d+")


class Counts(Frozen):
    """What STATS says of the tasks of a worker: results, failures among them, seconds of work."""

    requests: int
    errors: int
    seconds: float
    last_error: str = ""


class MicroService:
    """Answers `$SRV.PING`, `$SRV.INFO`, `$SRV.STATS`, of all services, this size and this worker; and `status`."""

    def __init__(self, status: Callable[[], WorkerStatus], counts: Callable[[], Counts]) -> None:
        self._status = status
        self._counts = counts
        self._asked = 0
        self._asked_ns = 0

    async def start(self, bus: Bus) -> list[Subscription]:
        """Begins to answer. Raises `Unavailable`."""
        status = self._status()
        name = service_name(status.size)
        found = [await bus.respond(worker_subject(status.size, status.name, "status"), self._say_status)]
        for verb, answer in (("PING", self._ping), ("INFO", self._info), ("STATS", self._stats)):
            subjects = (f"$SRV.{verb}", f"$SRV.{verb}.{name}", f"$SRV.{verb}.{name}.{status.name}")
            found += [await bus.respond(subject, _responder(answer)) for subject in subjects]
        return found

    async def _say_status(self, _: Message) -> bytes:
        began = time.perf_counter_ns()
        said = encode(self._status())
        self._asked += 1
        self._asked_ns += time.perf_counter_ns() - began
        return said

    def _head(self, kind: str) -> dict[str, Any]:
        status = self._status()
        version = _VERSION.match(status.version)
        return {
            "type": _TYPE.format(kind),
            "name": service_name(status.size),
            "id": status.name,
            "version": version.group() if version else "0.0.0",
            "metadata": {"size": status.size, "host": status.host, "pid": str(status.pid)},
        }

    def _ping(self) -> dict[str, Any]:
        return self._head("ping")

    def _info(self) -> dict[str, Any]:
        status = self._status()
        size = status.size
        return {
            **self._head("info"),
            "description": f"Skerry worker of size {size}",
            "endpoints": [
                {
                    "name": "tasks",
                    "subject": task_queue(size).filter,
                    "queue_group": "workers",
                    "metadata": {"tasks": ",".join(status.tasks), "prompts": ",".join(status.prompts)},
                },
                {
                    "name": "status",
                    "subject": worker_subject(size, status.name, "status"),
                    "queue_group": "",
                    "metadata": {},
                },
            ],
        }

    def _stats(self) -> dict[str, Any]:
        status, counts = self._status(), self._counts()
        size = status.size
        return {
            **self._head("stats"),
            "started": datetime.fromtimestamp(status.started_us / 1e6, UTC).isoformat().replace("+00:00", "Z"),
            "endpoints": [
                {
                    "name": "tasks",
                    "subject": task_queue(size).filter,
                    "queue_group": "workers",
                    **_numbers(counts.requests, round(counts.seconds * 1e9), counts.errors, counts.last_error),
                    "data": {
                        "state": status.state,
                        "reason": status.reason,
                        "slots": status.slots,
                        "busy": status.busy,
                        "models": {model.name: model.state for model in status.models},
                    },
                },
                {
                    "name": "status",
                    "subject": worker_subject(size, status.name, "status"),
                    "queue_group": "",
                    **_numbers(self._asked, self._asked_ns),
                    "data": {},
                },
            ],
        }


def _numbers(requests: int, nanoseconds: int, errors: int = 0, last_error: str = "") -> dict[str, Any]:
    return {
        "num_requests": requests,
        "num_errors": errors,
        "last_error": last_error,
        "processing_time": nanoseconds,
        "average_processing_time": nanoseconds // max(1, requests),
    }


def service_name(size: str) -> str:
    """The service of a size; its workers are the instances of it."""
    return f"skerry-{size}"


def _responder(answer: Callable[[], dict[str, Any]]) -> Any:
    async def respond(_: Message) -> bytes:
        return msgspec.json.encode(answer())

    return respond
