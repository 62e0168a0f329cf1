"""The signal with which a person answers a yes-or-no review."""

from __future__ import annotations

from skerry.core.structs import Frozen


class Decision(Frozen, omit_defaults=True):
    """What `step.wait(Decision, question=...)` gets: `skerry approve` and `skerry reject` send it."""

    approved: bool
    by: str = ""
    reason: str = ""
