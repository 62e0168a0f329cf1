"""What of a node's journal is where: the journal itself, and what its uplink said last."""

from __future__ import annotations

from skerry.config import Config
from skerry.core.structs import Frozen
from skerry.hub.source import Source
from skerry.hub.uplink import read_told, told_file
from skerry.journal.lock import holder


class Standing(Frozen):
    """The answer of `skerry sync`.

    `head` is the journal's last event; `seq` that of what is in the hub's stream, `applied` of what is in the hub's
    store (-1: not known), as of `asked_us`. `behind` counts what the stream lacks. `state` is the uplink's, or "off".
    """

    node: str
    epoch: int
    hub: str
    state: str
    head: int
    seq: int
    applied: int
    behind: int
    why: str
    hint: str
    since_us: int
    asked_us: int
    shipped_us: int


def standing(config: Config) -> Standing:
    """How it stands now. Raises `NotFound`, `JournalError`."""
    source = Source(config.data)
    try:
        node, epoch, head = source.node, source.epoch, source.end()
    finally:
        source.close()
    told = read_told(config.data)
    file = told_file(config.data)
    running = file.parent.exists() and holder(file.parent) is not None
    state, why, hint = (told.state, told.why, told.hint) if told is not None else ("off", "", "")
    if config.hub.server() is None:
        state, why, hint = "off", "the settings name no hub", "[hub] url = ... in skerry.toml"
    elif not running:
        state, why, hint = "off", "no uplink runs", "skerry up (or engine) starts one; or: skerry uplink"
    elif told is not None and told.trouble and state == "idle":
        state, why = "stuck", f"the hub says: {told.trouble}"
    seq = told.seq if told is not None else -1
    return Standing(
        node=node,
        epoch=epoch,
        hub=told.hub if told is not None else "",
        state=state,
        head=head,
        seq=seq,
        applied=told.applied if told is not None else -1,
        behind=max(0, head - max(seq, 0)),
        why=why,
        hint=hint,
        since_us=told.since_us if told is not None else 0,
        asked_us=told.asked_us if told is not None else 0,
        shipped_us=told.shipped_us if told is not None else 0,
    )
