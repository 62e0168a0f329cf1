"""Skerry: durable, event-driven agent workflows on a message bus.

from skerry import Done, State, Step, Workflow, task
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.core.answers import Objection, Verifier
from skerry.core.budget import Budget
from skerry.core.retry import Retry
from skerry.core.review import Decision
from skerry.core.state import Done, State
from skerry.core.step import Step
from skerry.core.tasks import Limits, Prompt, read_blob, task, task_context, write_blob
from skerry.core.types import Blob
from skerry.core.workflow import Workflow
from skerry.errors import RetryableError, SkerryError, StepFailed, TerminalError
from skerry.version import __version__ as __version__

if TYPE_CHECKING:
    from skerry.client import Client


__all__ = [
    "Blob",
    "Budget",
    "Client",
    "Decision",
    "Done",
    "Limits",
    "Objection",
    "Prompt",
    "Retry",
    "RetryableError",
    "SkerryError",
    "State",
    "Step",
    "StepFailed",
    "TerminalError",
    "Verifier",
    "Workflow",
    "read_blob",
    "task",
    "task_context",
    "write_blob",
]


def __getattr__(name: str) -> object:
    # The client needs the bus, and the bus takes a while to import: only who asks for it pays.
    if name == "Client":
        from skerry.client import Client

        return Client
    raise AttributeError(f"module 'skerry' has no attribute {name!r}")
