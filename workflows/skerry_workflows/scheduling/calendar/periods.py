"""Periods of busy time: merged, and one taken out of another. Pure arithmetic on instants."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal["BUSY", "BUSY-UNAVAILABLE", "BUSY-TENTATIVE"]
"""FBTYPE of RFC 5545, section 3.2.9, without FREE."""

RANK: dict[Kind, int] = {"BUSY": 0, "BUSY-UNAVAILABLE": 1, "BUSY-TENTATIVE": 2}
"""Which one counts where several kinds overlap: the smallest."""


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """From `start` up to but not including `end`, both with a zone."""

    start: dt.datetime
    end: dt.datetime
    kind: Kind = "BUSY"


def merged(periods: Iterable[Period]) -> list[Period]:
    """The same time without overlaps, in order; periods of one kind that touch become one."""
    by_kind: dict[Kind, list[Period]] = {}
    for period in periods:
        by_kind.setdefault(period.kind, []).append(period)
    decided: list[Period] = []
    for kind in sorted(by_kind, key=RANK.__getitem__):
        decided += minus(_union(by_kind[kind]), decided)
    return sorted(decided, key=lambda one: one.start)


def minus(periods: Iterable[Period], others: Sequence[Period]) -> list[Period]:
    """What is left of `periods` without the time of `others`, in order; kinds stay."""
    holes = _union(others)
    left: list[Period] = []
    for period in sorted(periods, key=lambda one: (one.start, one.end)):
        at = period.start
        for hole in holes:
            if hole.end <= at or hole.start >= period.end:
                continue
            if hole.start > at:
                left.append(Period(start=at, end=hole.start, kind=period.kind))
            at = max(at, hole.end)
        if at < period.end:
            left.append(Period(start=at, end=period.end, kind=period.kind))
    return left


def clipped(periods: Iterable[Period], start: dt.datetime, end: dt.datetime) -> list[Period]:
    """The parts that lie in the window."""
    return [
        Period(start=max(one.start, start), end=min(one.end, end), kind=one.kind)
        for one in periods
        if one.start < end and one.end > start
    ]


def _union(periods: Iterable[Period]) -> list[Period]:
    united: list[Period] = []
    for period in sorted(periods, key=lambda one: (one.start, one.end)):
        if period.start >= period.end:
            continue
        if united and period.start <= united[-1].end:
            united[-1] = Period(start=united[-1].start, end=max(united[-1].end, period.end), kind=united[-1].kind)
        else:
            united.append(period)
    return united
