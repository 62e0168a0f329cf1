"""`skerry signal`."""

from __future__ import annotations

import uuid

import click
from msgspec import Raw

from skerry.cli.app import SPEAKING, App, node_command
from skerry.cli.change import change
from skerry.cli.commands.publish import read_json
from skerry.core import api
from skerry.core.wire import encode


@node_command(
    "signal",
    options=SPEAKING,
    examples="""
    skerry signal latest Decision '{"approved": true, "reason": "fine"}'
    skerry signal 7K3M9QXZ Delivered @delivery.json --key parcel-7
    """,
)
@click.argument("run")
@click.argument("type_", metavar="TYPE")
@click.argument("value", default="{}")
@click.option("--key", default="", help="For a step that waits for this key.")
@click.option("--id", "id_", default="", metavar="ID", help="The signal's id: the same id is taken once.")
@click.option("--by", default="", metavar="NAME", help="Who sends it (you, unless given).")
def command(app: App, run: str, type_: str, value: str, key: str, id_: str, by: str) -> None:
    """Send a RUN a signal of a TYPE: the name of the struct that it waits for.

    VALUE is its JSON, @FILE, or - for stdin. A signal that comes early is kept.
    """
    raw = Raw(encode(read_json(value)))
    change(
        app,
        run,
        "signal",
        lambda row, who: api.Signal(run=row.run, signal=type_, value=raw, key=key, id=id_ or uuid.uuid4().hex, by=who),
        f"{type_} taken",
        by=by,
    )
