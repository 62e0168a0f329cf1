"""`skerry hub apart`."""

from __future__ import annotations

from pathlib import Path

import click

from skerry.cli import words
from skerry.cli.app import App, node_command
from skerry.cli.out import Column

_FOLDER = Path("skerry-hub")
_COLUMNS = (
    Column("NODE"),
    Column("EPOCH", "right"),
    Column("EVENT", "right"),
    Column("RUN"),
    Column("KIND"),
    Column("WHEN"),
    Column("WHY", wrap=True),
)


@node_command(
    "hub apart",
    options=("data", "config_file", "json", "debug"),
    examples="""
    skerry hub apart
    skerry hub apart --node edge1 --json | jq .body
    """,
)
@click.option("--node", default="", metavar="NAME", help="Only of this node.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(min=1), help="At most so many pages.")
def command(app: App, node: str, limit: int) -> None:
    """List events that nodes have handed over and that belong to no chain, and why.

    They happened on a machine that had been fenced: another node had adopted it, or its folder was an old copy. They
    are merged into nothing; who knows what to do about them is a person.
    """
    import msgspec

    from skerry.cli.look import short
    from skerry.hub.store import HubStore
    from skerry.sync import page as pages

    store = HubStore(app.given("data") or _FOLDER)
    try:
        views = store.apart(node=node, limit=limit)
    finally:
        store.close()
    lines: list[list[str]] = []
    for view in views:
        for event in pages.read(view.page).events:
            told = {"node": view.node, "epoch": event.epoch, "seq": event.seq, "run": event.run, "n": event.n}
            body = msgspec.Raw(event.body) if event.body is not None else None
            app.out.record({**told, "kind": event.kind, "at_us": event.at_us, "why": view.why, "body": body})
            place = [view.node, str(event.epoch), f"{event.seq:,}", short(event.run) if event.run else ""]
            lines.append([*place, event.kind, words.moment(event.at_us), view.why])
    if lines:
        app.out.table(_COLUMNS, lines)
    else:
        app.out.line("everything that was handed over belongs to its node's chain")
