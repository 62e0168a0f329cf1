"""Every bound of an engine, in one place. What is beyond a bound waits in the journal, or is answered with `Busy`."""

from __future__ import annotations

from skerry.core.structs import Frozen


class EngineLimits(Frozen):
    """An engine's bounds."""

    live_runs_max: int = 20_000
    """Runs in memory that are under way; beyond it `publish` and `start` answer `Busy`. Children, and what
    events of steps start, come on top: whoever started them waits for them."""
    idle_runs_max: int = 1_000
    """Runs in memory that only wait; the one that has waited longest leaves first."""
    tasks_on_bus_max: int = 256
    """Tasks of one size on the bus without a result; the rest wait, by priority and age."""
    results_window: int = 512
    """Results taken from the bus and not yet in the journal."""
    local_threads_max: int = 4
    """Local tasks that are plain functions run in so many threads."""
    timers_at_once: int = 512
    """Due runs that are driven before the clock is looked at again."""
    resend_after_s: float = 60.0
    """A task of which no worker has said anything for so long is sent again (the bus refuses it if it is there)."""
    inbox_max: int = 1_000
    """Signals that a run keeps because no step waits for them yet; beyond it whoever sends one more gets `Busy`."""
    uploads_max: int = 32
    """Blobs that are being put at the same time."""
