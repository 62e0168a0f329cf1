"""`skerry up`."""

from __future__ import annotations

import click

from skerry.cli.app import SERVING, App, node_command
from skerry.cli.serve import serve


@node_command(
    "up",
    options=SERVING,
    examples="""
    skerry up
    skerry up --data /var/lib/skerry --module shop.workflows
    SKERRY_WORKERS=rules=2x4 skerry up
    """,
)
@click.option("--drain", "drain_s", default=10.0, show_default=True, help="Seconds that local calls get at the end.")
def command(app: App, drain_s: float) -> None:
    """Run everything on this machine: the engine, its NATS server, and the workers of the settings.

    Unfinished runs are taken up again. SIGTERM, Ctrl-C or the end of its terminal stops it in order: it takes nothing
    new, finishes or hands back what is under way, and exits with 0. With --json: one line on stdout when it is up.
    """
    serve(app, workers=True, drain_s=drain_s)
