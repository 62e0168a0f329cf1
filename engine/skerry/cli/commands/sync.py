"""`skerry sync`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from skerry.cli import words
from skerry.cli.app import App, node_command
from skerry.cli.look import require_journal
from skerry.cli.out import Cell, Column

if TYPE_CHECKING:
    from skerry.hub.standing import Standing

_STYLES = {"idle": "green", "shipping": "green", "waiting": "yellow", "stuck": "bold red"}


@node_command(
    "sync",
    options=("data", "config_file", "json", "debug"),
    examples="""
    skerry sync
    skerry sync --json | jq .behind
    skerry sync --restored
    """,
)
@click.option("--restored", is_flag=True, help="Say that this folder was restored from a copy, or copied.")
def command(app: App, restored: bool) -> None:
    """Show what of the journal is at the hub, how far behind that is, and why.

    Three places: the journal here, the hub's stream (what is there is safe with the hub's server), and the hub's store.

    --restored raises the journal's epoch; no engine may run. What this node does from now on follows what it knows now;
    what the hub has beyond that is kept there, apart. Without it, such a node hands over nothing.
    """
    require_journal(app.config)
    if restored:
        app.run(_raise(app))
    from skerry.hub.standing import standing

    _say(app, standing(app.config))


async def _raise(app: App) -> None:
    """The epoch rises above that of whatever was handed over: a copy does not know which that was."""
    from skerry.clock import SystemClock
    from skerry.errors import Unavailable
    from skerry.hub.fence import Fence, refusal
    from skerry.hub.process import cursor_at_hub
    from skerry.journal import SqliteJournal

    config = app.config
    journal = await SqliteJournal.open(config.data, node=config.node, clock=SystemClock())
    asked, there = True, 0
    try:
        try:
            cursor = await cursor_at_hub(config, journal.head.node)
        except Unavailable:
            asked, cursor = False, None
        if cursor is not None and cursor.by and cursor.epoch > journal.head.epoch:
            raise refusal(journal.head.node, Fence(epoch=cursor.epoch, by=cursor.by))
        there = cursor.epoch if cursor is not None else 0
        epoch = await journal.raise_epoch()
        while epoch <= there:
            epoch = await journal.raise_epoch()
    finally:
        await journal.close()
    app.out.line(f"the journal is of epoch {epoch} now")
    if not asked:
        app.out.note("the hub could not be asked which epoch it knows; do this again if `skerry sync` says stuck")


def _say(app: App, found: Standing) -> None:
    out = app.out
    out.record(found)
    state = Cell(f"{found.state}{f': {found.why}' if found.why else ''}", _STYLES.get(found.state, ""))
    out.line(f"node {found.node}, epoch {found.epoch}, hub {found.hub or 'none'}")
    out.line(state)
    if found.hint:
        out.line(f"  {found.hint}")
    out.line()
    asked = f"as it said {words.moment(found.asked_us)}" if found.asked_us else "it has not said"
    sent = f"last sent {words.moment(found.shipped_us)}" if found.shipped_us else ""
    rows = [
        ["journal", f"{found.head:,}", "", ""],
        ["hub's stream", _count(found.seq), _behind(found.head, found.seq), sent],
        ["hub's store", _count(found.applied), _behind(found.head, found.applied), asked],
    ]
    out.table((Column("WHERE"), Column("UP TO", "right"), Column("BEHIND", "right"), Column("")), rows)


def _count(seq: int) -> str:
    return f"{seq:,}" if seq >= 0 else "?"


def _behind(head: int, seq: int) -> str:
    return f"{max(0, head - seq):,}" if seq >= 0 else "?"
