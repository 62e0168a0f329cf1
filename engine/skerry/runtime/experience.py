"""What an engine has lately seen of each size: what its answers use, and whether the cloud can be reached.

Kept in memory only. It changes which size is asked; what was asked then is in the journal.
"""

from __future__ import annotations

from collections.abc import Callable

from skerry.core.budget import Spent, spent_by
from skerry.core.cascade import CLOUD, UNREACHED
from skerry.core.wire import Result, Size
from skerry.ports import Clock

_SHARE = 0.2
"""How much the newest answer counts in an average."""
_LOST = "WorkerLost"
"""The failure of a task that no worker finished: it says nothing about what is beyond the worker."""
_AWAY_S, _AWAY_MAX_S = 30.0, 900.0
"""After a failure to reach the cloud nobody tries for so long, twice as long after each further one in a row."""


class Experience:
    """Told of every result that is taken; asked when a size is chosen."""

    def __init__(self, clock: Clock, reachable: Callable[[Size], bool] | None = None) -> None:
        """`reachable` is what the node knows by itself of a size, if it does: whether the network is there."""
        self._clock = clock
        self._told = reachable
        self._costs: dict[str, Spent] = {}
        self._failures = 0
        self._away_until_us = 0

    def took(self, result: Result) -> None:
        """A result was taken."""
        failure = result.failure
        if failure is None:
            self._learn(result.size, spent_by(result.model))
        if result.size != CLOUD or (failure is not None and failure.kind == _LOST):
            return
        if failure is not None and failure.kind in UNREACHED:
            away_s = min(_AWAY_S * 2 ** min(self._failures, 10), _AWAY_MAX_S)
            self._failures += 1
            self._away_until_us = self._clock.now_us() + int(max(away_s, result.retry_after_s) * 1e6)
        else:
            self._failures = 0
            self._away_until_us = 0

    def _learn(self, size: str, spent: Spent) -> None:
        before = self._costs.get(size, spent)
        self._costs[size] = Spent(
            seconds=before.seconds + _SHARE * (spent.seconds - before.seconds),
            tokens=before.tokens + _SHARE * (spent.tokens - before.tokens),
            money=before.money + _SHARE * (spent.money - before.money),
            energy_j=before.energy_j + _SHARE * (spent.energy_j - before.energy_j),
        )

    def expected(self, size: Size) -> Spent:
        """What one answer of a size uses, on average; nothing while that is not known."""
        return self._costs.get(size, Spent())

    def reachable(self, size: Size) -> bool:
        """Whether a size can be reached, as far as anybody knows."""
        if self._told is not None and not self._told(size):
            return False
        return size != CLOUD or self._clock.now_us() >= self._away_until_us

    def room(self, size: str) -> int | None:
        """How many tasks of a size may be on the bus; None: no bound of ours.

        None of a cloud that cannot be reached. After a failure one goes first, to try; the rest wait for it.
        """
        if size != CLOUD:
            return None
        if not self.reachable(CLOUD):
            return 0
        return 1 if self._failures else None
