"""What is started here is stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cluster.kit import Cluster


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    """Three servers that have found a leader."""
    made = Cluster(tmp_path)
    try:
        yield await made.start()
    finally:
        made.stop()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Cluster]:
    """The same with one server."""
    made = Cluster(tmp_path, size=1)
    try:
        yield await made.start()
    finally:
        made.stop()
