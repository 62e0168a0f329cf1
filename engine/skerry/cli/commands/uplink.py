"""`skerry uplink`."""

from __future__ import annotations

import asyncio
import contextlib
import os

from skerry.cli import logs
from skerry.cli.app import App, node_command
from skerry.cli.stopping import Stopping


@node_command(
    "uplink",
    options=("data", "config_file", "json", "debug"),
    examples="""
    skerry uplink --data /var/lib/skerry
    SKERRY_HUB_URL=tls://hub.example:4222 skerry uplink
    """,
)
def command(app: App) -> None:
    """Hand over the journal of a data folder to its hub (`[hub]` of the settings), for as long as it runs.

    `skerry engine` and `skerry up` start one by themselves where the settings name a hub. Alone it is for a folder on
    which no engine runs. It reads the journal, and changes nothing. A second one for the same folder is refused.
    """
    from skerry.hub.process import NICE

    logs.configure(app.config.log_level)
    # Only now: on a busy machine, loading all of this at that priority would take a minute.
    with contextlib.suppress(OSError):
        os.nice(NICE)
    app.run(_run(app))


async def _run(app: App) -> None:
    from skerry.hub.process import run_uplink

    stopping = Stopping()
    told = asyncio.Event()
    stopping.ready(told.set)
    await run_uplink(app.config, told)
