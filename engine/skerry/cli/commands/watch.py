"""`skerry watch`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from skerry.cli import logs
from skerry.cli.app import WITH_MODULES, App, node_command, who
from skerry.cli.exits import USAGE, Stop
from skerry.cli.stopping import Stopping
from skerry.cli.watches import COLUMNS, row
from skerry.core import api

if TYPE_CHECKING:
    from skerry.client import Client
    from skerry.ports import Arrival
    from skerry.sources import Planned, Watching

_LOOK_S = 0.1
_QUIET_S = 5.0


@node_command(
    "watch",
    options=WITH_MODULES,
    examples="""
    skerry watch
    skerry watch inbox --nats nats://engine.example:4222 --node office
    skerry watch invoices --once
    """,
)
@click.argument("names", nargs=-1)
@click.option("--once", is_flag=True, help="Stop when nothing more has come for a few seconds.")
def command(app: App, names: tuple[str, ...], once: bool) -> None:
    """Watch what the settings name, and publish what comes, to an engine that runs already.

    `skerry up` watches by itself; this is for a folder or mailbox that another machine reaches, or that is watched at
    certain times only. NAMES choose among the `[watch.NAME]` of the settings; all of them unless given. What was taken
    in once is known, whoever watches.
    """
    from skerry.registry import load
    from skerry.sources import plan

    chosen = {name: table for name, table in app.config.watch.items() if name in names or not names}
    if missing := [name for name in names if name not in chosen]:
        known = ", ".join(app.config.watch) or "none"
        raise Stop(f"no [watch.{missing[0]}] in the settings", hint=f"there are: {known}", code=USAGE)
    if not chosen:
        raise Stop("the settings name nothing to watch", hint="add [watch.NAME] to skerry.toml", code=USAGE)
    logs.configure(app.config.log_level)
    planned = plan(chosen, load(app.config.modules))
    for each in planned:
        if wrong := each.wrong():
            app.out.note(f"watch {each.name}: {wrong}")
    statuses = app.run(_watch(app, planned, once=once))
    for status in statuses:
        app.out.record(status)
    app.out.table(COLUMNS, (row(status) for status in statuses))


class ClientTaker:
    """Takes arrivals in over the bus."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def take(self, event: str, arrival: Arrival, by: str) -> api.Started:
        """Puts the file, then publishes; asked again with the same id while there is no answer."""
        from skerry.runtime.watch import publish_of

        request = publish_of(event, arrival, by)
        if arrival.file is not None:
            await self._client.put(arrival.file, name=arrival.name, media_type=arrival.media_type)
        return await self._client.ask_again("publish", request, api.Started)


async def _watch(app: App, planned: list[Planned], *, once: bool) -> tuple[api.WatchStatus, ...]:
    from skerry.cli.engines import connect
    from skerry.clock import SystemClock
    from skerry.sources import watching

    stopping = Stopping(lambda number: app.out.note(f"{number.name}: stopping; once more ends it at once"))
    async with (
        connect(app.config, by=who()) as client,
        watching(planned, app.config.data, ClientTaker(client), SystemClock()) as watches,
    ):
        app.out.note(f"watching {', '.join(each.name for each in planned)} for node {client.node}")
        await (_quiet(watches, stopping.told) if once else stopping.told.wait())
        return watches.status()


async def _quiet(watches: Watching, told: asyncio.Event) -> None:
    """Returns when the counts have stood still for a while, or we are told to stop."""
    loop = asyncio.get_running_loop()
    before, since = watches.status(), loop.time()
    while not told.is_set() and loop.time() - since < _QUIET_S:
        await asyncio.sleep(_LOOK_S)
        if watches.status() != before:
            before, since = watches.status(), loop.time()
