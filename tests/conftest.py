"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import hypothesis
import pytest

_ROOT = Path(__file__).resolve().parent.parent

# CI tries the same examples every time, so that a red run is about the change; a developer's machine tries new ones.
# No deadline for a single example: how long it takes says more about the machine than about the code.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The shared development data (real documents with expected answers); the test is skipped where there is none."""
    folder = Path(os.environ.get("SKERRY_TEST_DATA") or _ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no development data: {folder} is not a folder (set SKERRY_TEST_DATA)")
    return folder


@pytest.fixture
def free_port() -> int:
    """A TCP port on loopback that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
