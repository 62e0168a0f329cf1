"""`skerry graph`."""

from __future__ import annotations

from pathlib import Path

import click

from skerry.cli import words
from skerry.cli.app import MODULES, App, node_command


@node_command(
    "graph",
    options=MODULES,
    examples="""
    skerry graph invoice
    skerry graph invoice --svg invoice.svg
    skerry graph orders --module shop.workflows
    """,
)
@click.argument("workflow")
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), help="Write an SVG picture; - for stdout.")
@click.option("--version", "version", type=int, help="An older version of it.")
def command(app: App, workflow: str, svg: Path | None, version: int | None) -> None:
    """Draw a WORKFLOW: its states, and the ways between them, as its code declares them.

    Writes Mermaid, which GitHub and many editors draw by themselves. With --json: states and edges.
    """
    from skerry import graph
    from skerry.registry import load

    drawn = load(app.config.modules).workflow(workflow, version)
    out = app.out
    out.record(
        {
            "workflow": drawn.name,
            "version": drawn.version,
            "on": drawn.on,
            "states": list(drawn.states),
            "edges": [edge._asdict() for edge in drawn.edges],
        }
    )
    if svg is not None:
        picture = graph.svg(drawn)
        if str(svg) == "-":
            out.raw(picture.rstrip())
            return
        svg.write_text(picture, encoding="utf-8")
        out.note(f"{svg}: {words.plural(len(drawn.states), 'state')}, {words.plural(len(drawn.edges), 'way')}")
    elif not out.json:
        out.raw(graph.mermaid(drawn).rstrip())
