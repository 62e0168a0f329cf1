"""Reaching the engine that must be running for a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.cli.look import has_journal
from skerry.errors import Unavailable

if TYPE_CHECKING:
    from skerry.client import Client
    from skerry.config import Config


def connect(config: Config, *, by: str = "") -> Client:
    """A client of it. Raises `Unavailable` at once when it is plain that none runs here."""
    from skerry.client import Client
    from skerry.journal.lock import holder

    target = config.nats.target()
    here = has_journal(config)
    if target is None or here:
        if not config.data.exists() or holder(config.data) is None:
            raise Unavailable(f"no engine runs in {config.data}", hint="start it: skerry up")
        return Client.connect(data=config.data, nats=target, node=config.node, group=config.group, by=by)
    return Client.connect(nats=target, node=config.node, group=config.group, by=by)
