"""`skerry approve`."""

from __future__ import annotations

import uuid

import click

from skerry.cli.app import SPEAKING, App, node_command
from skerry.cli.change import change
from skerry.cli.exits import USAGE, Stop
from skerry.core import api


@node_command(
    "approve",
    options=SPEAKING,
    examples="""
    skerry approve latest
    skerry approve 7K3M9QXZ --reason "checked with the seller"
    skerry approve 7K3M9QXZ --set gross_total=119.00 --set currency=EUR
    skerry approve 7K3M9QXZ --hub /var/lib/skerry-hub --valid 12h
    """,
)
@click.argument("run")
@click.option("--reason", default="", help="Why; needed to overrule objections that still stand.")
@click.option("--set", "changes", multiple=True, metavar="FIELD=VALUE", help="Correct a field of the answer.")
@click.option("--step", default="", help="Which question, where the run asks several.")
@click.option("--by", default="", metavar="NAME", help="Who says so (you, unless given).")
def command(app: App, run: str, reason: str, changes: tuple[str, ...], step: str, by: str) -> None:
    """Say yes to what a RUN asks: take its best answer, or let it go on.

    A corrected answer passes the same verifiers as every other.
    """
    fields = dict(field(each) for each in changes)
    change(
        app,
        run,
        "answer",
        lambda row, who: api.Answer(
            run=row.run, approved=True, step=step, changes=fields, reason=reason, id=uuid.uuid4().hex, by=who
        ),
        "approved",
        by=by,
    )


def field(text: str) -> tuple[str, object]:
    """`name=value`. The value is JSON where it looks like a list, an object, true, false or null; a string otherwise.

    Numbers stay strings: amounts are decimals, and their strings are exact. A field that takes numbers gets one.
    """
    import msgspec

    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise Stop(f"{text!r} sets nothing", hint="write --set field=value", code=USAGE)
    if value[:1] in ("[", "{") or value in ("true", "false", "null"):
        try:
            return name.strip(), msgspec.json.decode(value)
        except msgspec.MsgspecError as error:
            raise Stop(
                f"{text!r}: {error}", hint="""lists and objects are JSON: --set iban='["DE.."]'""", code=USAGE
            ) from None
    return name.strip(), value
