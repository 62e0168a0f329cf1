"""Who can answer the asks of a node, as things stand at this moment.

A `Fleet` is looked at when a size is chosen and when an answer is judged. What was chosen then is in the journal, so
that a replay needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from skerry.core.budget import Spent
from skerry.core.thresholds import Thresholds
from skerry.core.wire import SIZES, Size


class Fleet:
    """The sizes that a node has workers for, and what the engine knows of them.

    `reachable` says whether a size can be reached at all (the network is there), `wait_s` how many seconds a task
    would take from now to its result, `expected` what one answer uses (nothing, while that is not known).
    """

    __slots__ = ("adopted_us", "expected", "reachable", "sizes", "thresholds", "wait_s")

    def __init__(
        self,
        sizes: Sequence[Size] = SIZES,
        *,
        thresholds: Thresholds | None = None,
        reachable: Callable[[Size], bool] = lambda size: True,
        wait_s: Callable[[Size], float] = lambda size: 0.0,
        expected: Callable[[Size], Spent] = lambda size: Spent(),
    ) -> None:
        self.sizes = tuple(sizes)
        self.thresholds: Thresholds = thresholds or Thresholds()
        self.reachable = reachable
        self.wait_s = wait_s
        self.expected = expected
        self.adopted_us = 0
        """When this node was adopted, if it was: runs that began before may have gone further than is known."""
