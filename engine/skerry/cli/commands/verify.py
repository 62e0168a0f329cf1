"""`skerry verify`."""

from __future__ import annotations

import click
import msgspec

from skerry.cli import words
from skerry.cli.app import App, node_command
from skerry.cli.exits import FAILED, Stop
from skerry.cli.look import require_journal, short
from skerry.cli.out import Cell, Column

_COLUMNS = (Column("WHAT"), Column("SEQ", "right"), Column("RUN"), Column("EVENT", "right"), Column("FOUND", wrap=True))


@node_command(
    "verify",
    examples="""
    skerry verify
    skerry verify --anchor "$(cat anchor.txt)"
    skerry verify --json | jq .fault_count
    """,
)
@click.option("--anchor", "anchor_text", default="", metavar="ANCHOR", help="An end that was written down before.")
def command(app: App, anchor_text: str) -> None:
    """Check the journal: places without gaps, the hash chain, every body and blob, the rows of the runs.

    An engine may be running meanwhile. The last line is the journal's end, an anchor: kept somewhere else and given
    back later, it also finds a history that was rewritten, and a tail that was cut off. Exits with 1 when something
    is wrong.
    """
    from skerry.journal.anchor import Anchor
    from skerry.journal.verify import Progress, verify

    require_journal(app.config)
    anchor = Anchor.parse(anchor_text) if anchor_text else None
    with app.out.progress("verifying") as advance:

        def tell(progress: Progress) -> None:
            advance(progress.done, progress.total)

        report = verify(app.config.data, anchor=anchor, progress=tell)
    end = str(Anchor(node=report.node, seq=report.seq, hash=report.hash))
    app.out.record({"ok": report.ok, "anchor": end, **msgspec.structs.asdict(report)})
    read = (
        f"{words.plural(report.events, 'event')}, {words.plural(report.runs, 'run')}, "
        f"{words.plural(report.blobs, 'blob')} in {words.duration(report.seconds)}"
    )
    if report.removed:
        read += f"; {words.plural(report.removed, 'body', 'bodies')} removed on purpose"
    if not report.ok:
        rows: list[list[str | Cell]] = [
            [Cell(f.what, "bold red"), str(f.seq or ""), short(f.run), str(f.n or ""), f.message] for f in report.faults
        ]
        app.out.table(_COLUMNS, rows)
        more = report.fault_count - len(report.faults)
        if more:
            app.out.line(f"... and {more:,} more")
        raise Stop(
            f"the journal is not as it was written: {words.plural(report.fault_count, 'finding')} ({read})",
            hint="keep a copy of the folder as it is, then restore from a backup, or go on with what replays",
            code=FAILED,
        )
    app.out.line(Cell(f"all is as it was written: {read}", "green"))
    app.out.line(end)
