"""`skerry node join`."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import click

from skerry.cli.app import App, node_command
from skerry.cli.members import OPTIONS
from skerry.cli.out import Cell
from skerry.errors import DataError


@node_command("node join", options=OPTIONS, examples="skerry node join edge1.enrolment.json")
@click.argument("enrolment", type=click.Path(path_type=Path))
def command(app: App, enrolment: Path) -> None:
    """Take what a server has told: where it is, and whom to trust.

    ENROLMENT is the file that `hub enrol` (or `node enrol`) has written. The settings file gets a table with the way to
    the server, [hub] for a node and [nats] for others; if it has that table already, it is shown instead.
    """
    from skerry.security import enrolment as enrolling

    told = enrolling.read_enrolment(enrolment)
    settings = enrolling.join(app.config.data, told)
    table = "hub" if told.kind == "node" else "nats"
    path = Path(app.given("config_file") or os.environ.get("SKERRY_CONFIG") or "skerry.toml")
    lines = [f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in settings.items())]
    written = path.read_text(encoding="utf-8") if path.exists() else ""
    try:
        there = table in tomllib.loads(written)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{path}: {error}", hint="mend it, and join again") from None
    app.out.record({"name": told.name, "table": table, "settings": settings, "written": not there})
    if there:
        app.out.note(f"{path} has a table [{table}] already; this is what it needs:")
        for line in lines:
            app.out.line(line)
        return
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" * bool(written.strip()) + "\n".join(lines) + "\n")
    app.out.line(Cell(f"{told.name} knows the way to {told.server}: {told.url}", "green"))
    app.out.line(f"  written to {path}, table [{table}]")
