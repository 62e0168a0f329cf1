"""`skerry retry`."""

from __future__ import annotations

import uuid

import click

from skerry.cli.app import SPEAKING, App, node_command
from skerry.cli.change import change
from skerry.core import api


@node_command(
    "retry",
    options=SPEAKING,
    examples="""
    skerry retry latest
    skerry retry 7K3M9QXZ --reason "the ledger's disk has room again"
    """,
)
@click.argument("run")
@click.option("--reason", default="", help="Why; it goes into the journal.")
def command(app: App, run: str, reason: str) -> None:
    """Drive a failed or parked RUN again, from the step at which it stopped. What was done before stays done."""
    change(
        app,
        run,
        "retry",
        lambda row, who: api.RetryRun(run=row.run, reason=reason, by=who, id=uuid.uuid4().hex),
        "driven again",
    )
