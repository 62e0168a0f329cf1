"""`skerry engine`."""

from __future__ import annotations

import click

from skerry.cli.app import SERVING, App, node_command
from skerry.cli.serve import serve


@node_command(
    "engine",
    options=SERVING,
    examples="""
    skerry engine
    skerry engine --nats nats://bus.example:4222 --node office
    """,
)
@click.option("--drain", "drain_s", default=10.0, show_default=True, help="Seconds that local calls get at the end.")
def command(app: App, drain_s: float) -> None:
    """Run the engine, and its NATS server unless --nats names one, without workers: start those with skerry worker.

    SIGTERM, Ctrl-C or the end of its terminal stops it in order. With --json: one line on stdout when it is up.
    """
    serve(app, workers=False, drain_s=drain_s)
