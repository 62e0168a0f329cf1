"""`skerry hub`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from skerry.cli import logs, words
from skerry.cli.app import App, node_command
from skerry.cli.out import Cell, Column
from skerry.cli.stopping import Stopping
from skerry.core.projection import Status
from skerry.errors import SkerryError

if TYPE_CHECKING:
    from skerry.hub.service import HubOptions
    from skerry.hub.store import NodeView, RunView

_FOLDER = Path("skerry-hub")
_NODES = (
    Column("NODE"),
    Column("EPOCH", "right"),
    Column("EVENTS", "right"),
    Column("BEHIND", "right"),
    Column("HEARD"),
    Column("RUNS", wrap=True),
    Column("TROUBLE", wrap=True),
)
_RUNS = (
    Column("NODE"),
    Column("RUN"),
    Column("WORKFLOW"),
    Column("STATUS"),
    Column("STATE"),
    Column("STARTED"),
    Column("NOTE", wrap=True),
)


@node_command(
    "hub",
    options=("data", "nats", "config_file", "json", "debug"),
    examples="""
    skerry hub --data /var/lib/skerry-hub --nats tls://nats.example:4222
    skerry hub --port 4250
    skerry hub nodes
    skerry hub runs --status review --node edge1
    """,
)
@click.argument("what", default="serve", type=click.Choice(("serve", "nodes", "runs", "commands")))
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Of its own server, on this machine; 0: any.")
@click.option("--take-over", is_flag=True, help="Take a stream that belongs to another hub, which is gone for good.")
@click.option("--cloud", is_flag=True, help="Nodes may leave tasks of the size cloud here, for workers at the hub.")
@click.option("--node", default="", metavar="NAME", help="Only of this node.")
@click.option("--status", type=click.Choice(get_args(Status)), help="Only such runs.")
@click.option("--workflow", default="", metavar="NAME", help="Only runs of this workflow.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1), help="At most so many.")
def command(
    app: App,
    what: str,
    port: int,
    take_over: bool,
    cloud: bool,
    node: str,
    status: str | None,
    workflow: str,
    limit: int,
) -> None:
    """Take in the journals of many nodes (`serve`), and look at what is there (`nodes`, `runs`, `commands`).

    It makes a stream on its NATS server (--nats, or one that it starts on this machine), into which nodes put their
    journals, checks every hash, and keeps all of it in its folder (--data, ./skerry-hub). The others
    read that folder, whether or not a hub runs there. `commands` are what was sent down: by `approve`, `reject` and
    `signal` with --hub.
    """
    folder = app.given("data") or _FOLDER
    if what == "serve":
        from skerry.hub.service import HubOptions

        logs.configure(app.config.log_level)
        nats = app.config.nats
        target = nats.target()
        options = HubOptions(
            data=folder, nats=target, port=port, take_over=take_over, replicas=nats.replicas, cloud=cloud
        )
        app.run(_serve(app, options))
        return
    if what == "commands":
        from skerry.cli.hubdoor import say_commands

        say_commands(app, folder, node, limit)
        return
    from skerry.hub.store import HubStore

    store = HubStore(folder)
    try:
        if what == "nodes":
            _say_nodes(app, store.nodes())
        else:
            _say_runs(app, store.runs(node=node, status=status or "", workflow=workflow, limit=limit))
    finally:
        store.close()


async def _serve(app: App, options: HubOptions) -> None:
    from skerry.hub.service import open_hub

    stopping = Stopping(lambda number: app.out.note(f"{number.name}: stopping"))
    async with open_hub(options) as hub:
        data = str(options.data.absolute())
        connection = str(hub.server.connection_file) if hub.server is not None else ""
        app.out.record({"up": True, "hub": hub.store.hub, "data": data, "pid": os.getpid(), "connection": connection})
        app.out.line(Cell(f"{hub.store.hub} is up", "bold green"))
        app.out.line(f"  data      {data}")
        app.out.line(f"  server    {connection or words.servers(app.config.nats.url)}")
        app.out.line("  Ctrl-C stops it. In another terminal: skerry hub nodes; skerry hub runs")
        broken = await _until(stopping.told, asyncio.create_task(hub.run()))
    if broken is not None:
        raise broken


async def _until(told: asyncio.Event, running: asyncio.Task[SkerryError]) -> SkerryError | None:
    waiting = asyncio.create_task(told.wait())
    try:
        await asyncio.wait((waiting, running), return_when=asyncio.FIRST_COMPLETED)
        return running.result() if running.done() else None
    finally:
        for task in (waiting, running):
            task.cancel()
        await asyncio.gather(waiting, running, return_exceptions=True)


def _say_nodes(app: App, nodes: list[NodeView]) -> None:
    for view in nodes:
        app.out.record({**_fields(view), "behind": view.behind})
    if not nodes:
        app.out.line("no node has handed over anything yet")
        return
    app.out.table(_NODES, [_node(view) for view in nodes])


def _node(view: NodeView) -> list[str | Cell]:
    runs = ", ".join(f"{count:,} {status}" for status, count in sorted(view.runs.items()))
    adopted = f"adopted by {view.adopted_by}" if view.adopted_by else ""
    trouble = view.trouble or adopted or (f"{words.plural(view.apart, 'page')} kept apart" if view.apart else "")
    heard = words.ago(view.sent_us) if view.sent_us else "never"
    behind = Cell(f"{view.behind:,}", "yellow" if view.behind else "")
    return [view.node, str(view.epoch), f"{view.seq:,}", behind, heard, runs, Cell(trouble, "red")]


def _say_runs(app: App, runs: list[RunView]) -> None:
    for view in runs:
        app.out.record({"node": view.node, **_fields(view.row), "apart": view.apart})
    if not runs:
        app.out.line("no such runs here")
        return
    app.out.table(_RUNS, [_run(view) for view in runs])


def _run(view: RunView) -> list[str | Cell]:
    from skerry.cli.look import short

    row = view.row
    status = Cell("apart", "red") if view.apart else Cell(row.status, words.STYLES.get(row.status, ""))
    return [view.node, short(row.run), row.workflow, status, row.state, words.moment(row.started_us), row.note]


def _fields(view: NodeView | object) -> dict[str, object]:
    import msgspec

    found: dict[str, object] = msgspec.to_builtins(view)
    return found
