"""What an engine has lately seen of each size: what its answers use, and whether the cloud can be reached.

Kept in memory only. It changes which size is asked; what was asked then is in the journal.

Whether the cloud can be reached is known from its workers, who say every few seconds whether they reach their
endpoints and keep trying those that they do not, and from the failures of its tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from skerry.core.budget import Spent, spent_by
from skerry.core.cascade import CLOUD, UNREACHED
from skerry.core.wire import Result, Size, WorkerStatus
from skerry.ports import Clock

_SHARE = 0.2
"""How much the newest answer counts in an average."""
_LOST = "WorkerLost"
"""The failure of a task that no worker finished: it says nothing about what is beyond the worker."""
_AWAY_S, _AWAY_MAX_S = 30.0, 900.0
"""After a failure to reach the cloud nobody tries for so long, twice as long after each further one in a row."""


_FRESH_US, _GONE_US, _FORGOTTEN_US = 10_000_000, 60_000_000, 900_000_000
"""A worker that is silent for longer than the first says nothing any more: it may just be started anew, and tasks wait.
After the second it is gone. After the third it is as if it had never been: others may be there who say nothing."""
_WORKERS_MAX = 1000
"""So many are kept in mind; anybody on the bus can make names up."""


class _Heard(NamedTuple):
    """What a worker of the cloud has said last, and when: it reaches a model (None: it does not say)."""

    at_us: int
    reaches: bool | None


class Experience:
    """Told of every result that is taken, and of workers of the cloud; asked when a size is chosen."""

    def __init__(self, clock: Clock, reachable: Callable[[Size], bool] | None = None) -> None:
        """`reachable` is what the node knows by itself of a size, if it does: whether the network is there."""
        self._clock = clock
        self._told = reachable
        self._costs: dict[str, Spent] = {}
        self._failures = 0
        self._away_until_us = 0
        self._workers: dict[str, _Heard] = {}

    def heard(self, status: WorkerStatus) -> bool:
        """A worker has said how it is. True when it reaches again what it could not reach."""
        if status.size != CLOUD:
            return False
        before = self._workers.pop(status.name, None)
        reaches = _reaches(status)
        self._workers[status.name] = _Heard(self._clock.now_us(), reaches)
        if len(self._workers) > _WORKERS_MAX:
            del self._workers[next(iter(self._workers))]
        back = reaches is True and before is not None and before.reaches is False
        if back:
            self._failures = 0
            self._away_until_us = 0
        return back

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
        return size != CLOUD or (self._clock.now_us() >= self._away_until_us and self._served())

    def _served(self) -> bool:
        """Whether a worker reaches the cloud, as far as any has said; without any, tasks wait for the first."""
        now = self._clock.now_us()
        if not any(now - each.at_us <= _FORGOTTEN_US for each in self._workers.values()):
            return True
        fresh = [each.reaches for each in self._workers.values() if now - each.at_us <= _FRESH_US]
        if fresh:
            return any(reaches is not False for reaches in fresh)
        return any(now - each.at_us <= _GONE_US for each in self._workers.values())

    def room(self, size: str) -> int | None:
        """How many tasks of a size may be on the bus; None: no bound of ours.

        None of a cloud that cannot be reached. After a failure one goes first, to try; the rest wait for it.
        """
        if size != CLOUD:
            return None
        if not self.reachable(CLOUD):
            return 0
        return 1 if self._failures else None


def _reaches(status: WorkerStatus) -> bool | None:
    """Whether a worker reaches a model. One that is broken refuses its tasks, which is an answer, too."""
    if status.state != "ready" or not status.models:
        return None
    usable = [model for model in status.models if model.state != "broken"]
    return not usable or any(not model.away for model in usable)
