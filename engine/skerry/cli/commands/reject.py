"""`skerry reject`."""

from __future__ import annotations

import uuid

import click

from skerry.cli.app import SPEAKING, App, node_command
from skerry.cli.change import change
from skerry.core import api


@node_command(
    "reject",
    options=SPEAKING,
    examples="""
    skerry reject latest --reason "not ours"
    """,
)
@click.argument("run")
@click.option("--reason", default="", help="Why; it goes into the journal and to the run's code.")
@click.option("--step", default="", help="Which question, where the run asks several.")
@click.option("--by", default="", metavar="NAME", help="Who says so (you, unless given).")
def command(app: App, run: str, reason: str, step: str, by: str) -> None:
    """Say no to what a RUN asks. What follows from that, its workflow says."""
    change(
        app,
        run,
        "answer",
        lambda row, who: api.Answer(run=row.run, approved=False, step=step, reason=reason, id=uuid.uuid4().hex, by=who),
        "rejected",
        by=by,
    )
