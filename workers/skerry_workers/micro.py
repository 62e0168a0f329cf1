"""A worker as a NATS micro service, so that `nats micro ls`, `info` and `stats` show it (ADR-32 of NATS)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from skerry.core.structs import Frozen
from skerry.core.wire import WorkerStatus, task_queue, worker_subject
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
    """Answers `$SRV.PING`, `$SRV.INFO` and `$SRV.STATS`, of all services, of this size, and of this worker."""

    def __init__(self, status: Callable[[], WorkerStatus], counts: Callable[[], Counts]) -> None:
        self._status = status
        self._counts = counts

    async def start(self, bus: Bus) -> list[Subscription]:
        """Begins to answer. Raises `Unavailable`."""
        status = self._status()
        name = service_name(status.size)
        found: list[Subscription] = []
        for verb, answer in (("PING", self._ping), ("INFO", self._info), ("STATS", self._stats)):
            subjects = (f"$SRV.{verb}", f"$SRV.{verb}.{name}", f"$SRV.{verb}.{name}.{status.name}")
            found += [await bus.respond(subject, _responder(answer)) for subject in subjects]
        return found

    def _head(self, kind: str) -> dict[str, Any]:
        status = self._status()
        version = _VERSION.match(status.version)
        return {
            "type": _TYPE.format(kind),
            "name": service_name(status.size),
            "id": status.name,
            "version": version.group() if version else "0.0.0",
            "metadata": {
                "state": status.state,
                "host": status.host,
                "pid": str(status.pid),
                "models": ",".join(model.name for model in status.models),
            },
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
        nanoseconds = round(counts.seconds * 1e9)
        return {
            **self._head("stats"),
            "started": datetime.fromtimestamp(status.started_us / 1e6, UTC).isoformat().replace("+00:00", "Z"),
            "endpoints": [
                {
                    "name": "tasks",
                    "subject": task_queue(status.size).filter,
                    "queue_group": "workers",
                    "num_requests": counts.requests,
                    "num_errors": counts.errors,
                    "last_error": counts.last_error,
                    "processing_time": nanoseconds,
                    "average_processing_time": nanoseconds // max(1, counts.requests),
                    "data": {},
                }
            ],
        }


def service_name(size: str) -> str:
    """The service of a size; its workers are the instances of it."""
    return f"skerry-{size}"


def _responder(answer: Callable[[], dict[str, Any]]) -> Any:
    async def respond(_: Message) -> bytes:
        return msgspec.json.encode(answer())

    return respond
