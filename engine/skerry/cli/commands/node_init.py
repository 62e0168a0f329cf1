"""`skerry node init`."""

from __future__ import annotations

import click

from skerry.cli.app import App, node_command
from skerry.cli.members import OPTIONS, own_name
from skerry.cli.out import Cell


@node_command(
    "node init",
    options=OPTIONS,
    examples="""
    skerry node init --node edge1
    skerry node init --new-key
    """,
)
@click.option("--new-key", is_flag=True, help="Make another key; the old one is of no use once this one is enrolled.")
def command(app: App, new_key: bool) -> None:
    """Make this machine's key, and say its public half.

    The secret half lies in the data folder, readable by you only, and never leaves it. A worker on a machine of its
    own, and a person, make their keys the same way. Called again, it says the key that is there.
    """
    from skerry.security.members import own_key

    data = app.config.data
    key, name = own_key(data, anew=new_key), own_name(app, data)
    app.out.record({"node": name, "key": key.public})
    app.out.line(Cell(key.public, "bold"))
    app.out.line(f"  have it enrolled where it is to connect to: skerry hub enrol {name} --key {key.public}")
