"""`skerry hub adopt`."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from skerry.cli.app import App, node_command, who
from skerry.cli.exits import REFUSED, Stop
from skerry.cli.hubdoor import ask_hub
from skerry.cli.out import Cell

if TYPE_CHECKING:
    from skerry.hub.adoption import Adopted
    from skerry.hub.store import CommandView
    from skerry.sync.wire import Adoption

_FOLDER = Path("skerry-hub")
_LOOK_S = 0.1


@node_command(
    "hub adopt",
    options=("data", "nats", "config_file", "json", "debug"),
    examples="""
    skerry hub adopt edge1 --by edge2 --reason "its disk is dead"
    skerry hub adopt edge1 --by edge2 --data /var/lib/skerry-hub --nats tls://nats.example:4222
    """,
)
@click.argument("node")
@click.option("--by", "adopter", required=True, metavar="NODE", help="The node that goes on with its runs.")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is kept in the journal.")
@click.option("--person", default="", metavar="NAME", help="Who says so (you, unless given).")
@click.option("--sure", is_flag=True, help="Also if NODE seems to be connected.")
@click.option("--wait", "wait_s", default=30.0, show_default=True, help="Seconds to wait for the adopting node.")
def command(app: App, node: str, adopter: str, reason: str, person: str, sure: bool, wait_s: float) -> None:
    """Let another node go on with the unfinished runs of NODE, which is lost for good.

    From what the hub has of it. A node that is connected is refused: stop it first. Should NODE ever come back, it is
    told so, and stops; what it did that the hub had not heard of is kept apart (`skerry hub apart`). Tasks that run
    once only, of which nobody knows whether it had done them, go to a person: `skerry runs --status failed` on the
    adopting node, `skerry retry`.
    """
    from skerry.security.enrolment import entrust
    from skerry.sync.wire import Adoption

    folder = app.given("data") or _FOLDER
    entrust(folder, node, adopter)
    adoption = Adoption(node=node, by=adopter, person=person or who(), reason=reason, sure=sure)
    adopted, view = app.run(_adopt(app, folder, adoption, wait_s))
    state = view.state if view is not None else "open"
    app.out.record({"state": state, "adopted": adopted})
    if view is not None and view.outcome is not None and state != "applied":
        raise Stop(f"{adopter} has not adopted {node}: {view.outcome.message}", hint="adopt it again", code=REFUSED)
    app.out.line(Cell(f"node {node} is fenced: epoch {adopted.epoch} begins after its event {adopted.seq:,}", "green"))
    if state == "applied":
        app.out.line(f"{adopter} has its journal, and goes on with its runs as soon as its engine runs")
    else:
        app.out.line(f"{adopter} has not answered yet; `skerry hub commands` says what becomes of it")


async def _adopt(app: App, folder: Path, adoption: Adoption, wait_s: float) -> tuple[Adopted, CommandView | None]:
    from skerry.hub.adoption import Adopted
    from skerry.hub.store import HubStore
    from skerry.sync.wire import ADOPT, encode

    adopted = await ask_hub(app, folder, ADOPT, encode(adoption), Adopted)
    store, until = HubStore(folder), time.monotonic() + wait_s
    try:
        while (view := store.command(adopted.id)) is None or view.state == "open":
            if time.monotonic() > until:
                return adopted, None
            await asyncio.sleep(_LOOK_S)
        return adopted, view
    finally:
        store.close()
