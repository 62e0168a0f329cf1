"""The settings that a task can read: the worker's environment variables that begin with `SKERRY_`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

PREFIX = "SKERRY_"
_SECRET = re.compile(r"NATS|MODELS|TOKEN|PASSWORD|SECRET|SEED|KEY|CREDENTIAL|HEADERS")


def from_environment() -> dict[str, str]:
    """All of them."""
    return {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}


def without_secrets(settings: Mapping[str, str]) -> dict[str, str]:
    """Those that a process may know which opens untrusted documents: not how to reach the bus or a model, no keys."""
    return {name: value for name, value in settings.items() if not _SECRET.search(name)}
