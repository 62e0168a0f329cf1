"""The workflows that a node has unless it is told otherwise: all three, and none of what only their workers need."""

from __future__ import annotations

import subprocess
import sys

from skerry.config import MODULES
from skerry.registry import load

HEAVY = (
    "PIL", "dateparser", "dateutil", "icalendar", "lxml", "pypdf", "pypdfium2", "recurring_ical_events", "smtplib",
    "skerry_workers", "skerry_workflows.email.spam_words", "skerry_workflows.scheduling.phrases",
)  # fmt: skip


def test_all_three_stand_together() -> None:
    registry = load(MODULES)
    events = {"invoice.received", "mail.received", "meeting.requested"}
    assert events <= {workflow.on for workflow in registry.workflows.values()}
    assert {"imap", "calendar"} <= set(registry.sources)


def test_an_engine_loads_no_parser_for_them() -> None:
    """Who opens untrusted files is a worker; what it needs for that costs the engine neither time nor memory."""
    code = "import sys, skerry; early = [m for m in sys.modules if m.startswith('skerry_workflows')]\n"
    code += "from skerry.config import MODULES; from skerry.registry import load; load(MODULES)\n"
    code += f"print(early, [m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] []\n"
