"""`skerry cancel`."""

from __future__ import annotations

import uuid

import click

from skerry.cli.app import SPEAKING, App, node_command
from skerry.cli.change import change
from skerry.core import api


@node_command(
    "cancel",
    options=SPEAKING,
    examples="""
    skerry cancel latest --reason "sent twice"
    skerry cancel 7K3M9QXZ --kill
    """,
)
@click.argument("run")
@click.option("--reason", default="", help="Why; it goes into the journal.")
@click.option("--kill", is_flag=True, help="Do not let its code clean up.")
def command(app: App, run: str, reason: str, kill: bool) -> None:
    """End a RUN. Its code may clean up first; cancelling it a second time ends it at once."""
    change(
        app,
        run,
        "cancel",
        lambda row, who: api.Cancel(run=row.run, reason=reason, kill=kill, by=who, id=uuid.uuid4().hex),
        "asked to stop",
    )
