"""What a node knows of having been adopted: it must not drive its runs any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from skerry.bus.serverconfig import write_private
from skerry.core.structs import Frozen
from skerry.errors import Conflict, SkerryError

_FILE = "fenced.json"
_LOOK_S = 0.3
_HAND_OVER_S = 10.0


class Fence(Frozen, omit_defaults=True):
    """The node `by` goes on with this journal, in `epoch`, since `at_us`. `handed`: what this one did since is at the
    hub, apart."""

    epoch: int
    by: str
    at_us: int = 0
    handed: bool = False


def read_fence(data: Path) -> Fence | None:
    """The fence of a data folder; None when there is none."""
    try:
        return msgspec.json.decode((data / _FILE).read_bytes(), type=Fence)
    except (OSError, msgspec.MsgspecError):
        return None


def write_fence(data: Path, fence: Fence) -> None:
    """Notes it, for whoever wants to drive the runs of this folder."""
    with suppress(OSError):  # a full disk: it is said again
        write_private(data / _FILE, msgspec.json.encode(fence).decode())


def refusal(node: str, fence: Fence) -> Conflict:
    """Why a node does not go on."""
    return Conflict(
        f"node {node} was adopted: its runs go on at node {fence.by}, in epoch {fence.epoch}",
        hint="what it did since lies at the hub, apart (skerry hub apart). Start this machine as a new node: "
        "another name, another data folder",
    )


def check_fence(data: Path, node: str, epoch: int) -> None:
    """Raises `Conflict` when a journal of this epoch must not be gone on with."""
    fence = read_fence(data)
    if fence is not None and fence.epoch > epoch:
        raise refusal(node, fence)


async def fenced(data: Path, node: str, epoch: int, stop: Callable[[], None]) -> SkerryError:
    """Returns when the node was adopted, with the reason. It has been stopped at once then (`stop`), and its uplink has
    had some seconds to hand over what it has done since."""
    while (fence := read_fence(data)) is None or fence.epoch <= epoch:  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(_LOOK_S)
    stop()
    await handed_over(data)
    return refusal(node, fence)


async def handed_over(data: Path) -> None:
    """Returns when what a fenced node has done is at the hub, or after some seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_HAND_OVER_S):
            while (found := read_fence(data)) is not None and not found.handed:  # noqa: ASYNC110 - as above
                await asyncio.sleep(_LOOK_S)
