"""How many threads to compute with, on a machine that has other things to do.

Threads that share a step wait for the slowest of them. Where a neighbour takes one core of two, a training with two
threads can be ten times slower than one with a single thread; where nobody is, it is nearly twice as fast. So both are
tried from time to time, and the faster is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_TRIED_EVERY = 25
_TRIED_FOR = 2
_KEPT = 0.7


@dataclass
class Pace:
    """Thread counts from one to `most`, and how fast steps went with each of them lately."""

    most: int
    steps: int = 0
    speeds: dict[int, float] = field(default_factory=dict[int, float])

    def threads(self) -> int:
        """The count for the next step: the fastest one, or in its turn one that is to be tried."""
        counts = sorted({1, self.most})
        turn, step = divmod(self.steps, _TRIED_EVERY)
        if step < _TRIED_FOR:
            return counts[turn % len(counts)]
        return max(counts, key=lambda count: self.speeds.get(count, 0.0))

    def ran(self, threads: int, tokens: int, seconds: float) -> None:
        """Notes how fast a step went."""
        speed = tokens / max(seconds, 1e-6)
        before = self.speeds.get(threads, speed)
        self.speeds[threads] = _KEPT * before + (1 - _KEPT) * speed
        self.steps += 1
