"""The count of threads: the faster one is kept, and the other tried again and again."""

from __future__ import annotations

from collections import Counter

import pytest

from training.pace import Pace


@pytest.mark.parametrize("fast", [1, 2])
def test_the_faster_count_is_used_most_of_the_time(fast: int) -> None:
    pace = Pace(2)
    used: Counter[int] = Counter()
    for _ in range(500):
        threads = pace.threads()
        used[threads] += 1
        pace.ran(threads, 1_000, 1.0 if threads == fast else 3.0)
    assert used[fast] > 450
    assert used[3 - fast] >= 10


def test_it_follows_when_a_neighbour_comes() -> None:
    pace = Pace(2)
    for step in range(1_000):
        threads = pace.threads()
        slow = threads == (1 if step < 500 else 2)
        pace.ran(threads, 1_000, 3.0 if slow else 1.0)
    assert pace.threads() == 1


def test_one_thread_is_one_thread() -> None:
    assert Pace(1).threads() == 1
