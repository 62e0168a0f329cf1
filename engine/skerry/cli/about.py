"""What a run is about, in a few words: its document, or what else it was started with."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import msgspec

from skerry.cli import words
from skerry.cli.look import Look, short
from skerry.cli.out import Cell
from skerry.core.events import StateEntered
from skerry.core.projection import RunRow
from skerry.errors import JournalError

_CHARS = 40
_AT_A_TIME = 16
"""So many runs are asked for at a time, where each answer comes over the bus."""


async def about(look: Look, rows: Sequence[RunRow]) -> list[Cell]:
    """What each run is about, from its row and its first events: two small reads a run."""
    turns = asyncio.Semaphore(_AT_A_TIME)

    async def one(row: RunRow) -> Cell:
        cause = f"child of {short(row.parent.partition('/')[0])}" if row.parent else row.source
        async with turns:
            began = await _began_with(look, row.run)
        return Cell(began, more=cause) if began else Cell(cause, "dim")

    return await asyncio.gather(*map(one, rows))


async def _began_with(look: Look, run: str) -> str:
    try:
        events = await look.beginning(run)
    except JournalError:  # a damaged run is listed all the same; `show` says what is wrong with it
        return ""
    entered = next((each.event for each in events if isinstance(each.event, StateEntered)), None)
    return "" if entered is None else said(bytes(entered.value))


def said(state: bytes) -> str:
    """The JSON of a start state in a few words: the names of its documents, else its fields."""
    try:
        fields = msgspec.json.decode(state or b"{}", type=dict[str, Any])
    except msgspec.MsgspecError:
        return ""
    fields.pop("state", None)
    return words.cut(", ".join(_documents(fields)) or words.spoken(fields), _CHARS)


def _documents(fields: dict[str, Any]) -> Iterator[str]:
    for value in fields.values():
        for each in cast("Iterable[Any]", value) if isinstance(value, list) else (value,):
            match each:
                case {"sha256": str(), "size": int(), "name": str(name)} if name:
                    yield " ".join(name.split())
                case _:
                    pass
