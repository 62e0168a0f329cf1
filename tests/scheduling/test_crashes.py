"""Whoever dies between two things that are to be done does each of them once, after the restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skerry.errors import RetryableError
from skerry_workflows.scheduling.bookings import Bookings
from skerry_workflows.scheduling.model import Booked
from skerry_workflows.scheduling.stores.files import IcsStore
from tests.scheduling.office import BOLD, HOUR, START, booked_with_ben, open_node, request

STAGES: dict[str, tuple[type, str]] = {
    "held": (Bookings, "hold"),
    "booked": (Bookings, "book"),
    "in the calendar": (IcsStore, "put"),
    "noted": (Bookings, "tell"),
    "about to send": (Bookings, "begin_sending"),
    "sent": (Bookings, "sent"),
}


def dying_once(real: Callable[..., Any], when: str) -> Callable[..., Any]:
    """Does it and dies, or dies before it; the next time all is well."""
    died: list[bool] = []

    def call(*args: Any, **named: Any) -> Any:
        if died:
            return real(*args, **named)
        died.append(True)
        if when == "after":
            real(*args, **named)
        raise RetryableError("the machine died")

    return call


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("stage", STAGES)
async def test_each_thing_is_done_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, when: str) -> None:
    async with open_node(tmp_path, BOLD) as node:
        owner, name = STAGES[stage]
        monkeypatch.setattr(owner, name, dying_once(getattr(owner, name), when))
        run = await node.send(request=request())
        for _ in range(5):
            if (await node.settled(run)).status != "done":
                await node.skip(HOUR / 60)
        booked = await node.result(run)
        assert isinstance(booked, Booked)
        assert node.booked(booked.uid) == (booked.start, booked.end)
        events = [part for source in node.mine.read(START, START) for part in source.entries()]
        assert len(events) == 1 and len(node.sent()) == 1
        other, _ = await booked_with_ben(node)
        assert other.start != booked.start, "and what was held by the one that died is free, or its own"
