"""A pool that cannot start its workers says so."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from skerry import pool
from skerry.config import Config


async def test_a_worker_that_cannot_be_spawned_is_given_up_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tried: list[Any] = []

    async def spawn(*args: Any, **_: Any) -> Any:
        tried.append(args)
        raise OSError("no process is left")

    monkeypatch.setattr(pool, "spawn", spawn)
    monkeypatch.setattr(pool, "_BACKOFF_S", (0.0,))
    workers = pool.WorkerPool(Config(data=tmp_path))
    await workers.start()
    error = await asyncio.wait_for(workers.gave_up(), 5.0)
    assert "no process is left" in error.message
    assert len(tried) >= 4  # it was tried again before
    await workers.stop()
