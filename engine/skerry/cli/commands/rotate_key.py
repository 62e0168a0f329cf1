"""`skerry rotate-key`."""

from __future__ import annotations

import click

from skerry.cli import words
from skerry.cli.app import App, node_command
from skerry.cli.out import Cell


@node_command(
    "rotate-key",
    options=("data", "config_file", "json", "debug"),
    examples="""
    skerry rotate-key
    skerry rotate-key --off
    """,
)
@click.option("--off", is_flag=True, help="Unseal everything, and remove the keys.")
def command(app: App, off: bool) -> None:
    """Seal the journal with a new key; the first time, begin to.

    Bodies, blobs and notes are then ciphertext on disk. The key lies in the data folder, in security/journal.keys
    (0600), or where that is a link to. No engine may run meanwhile. Interrupted, it is simply called again.
    """
    from skerry.journal.rotate import rotate
    from skerry.journal.sealed import keys_file

    with app.out.progress("sealing") as advance:
        done = rotate(app.config.data, off=off, progress=advance)
    app.out.record(done._asdict())
    what = f"{words.plural(done.events, 'event')}, {words.plural(done.blobs, 'blob')}"
    if off:
        app.out.line(Cell(f"{what}: plain text again", "yellow"))
        return
    app.out.line(Cell(f"{what}: sealed with key {done.key}", "green"))
    app.out.line(f"  it lies in {keys_file(app.config.data)}: without it, nothing of this can be read any more")
    app.out.note("back it up apart from the data folder; what was backed up before needs the keys from then")
