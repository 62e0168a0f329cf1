"""`skerry publish`."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import Any

import click
import msgspec

from skerry.cli import words
from skerry.cli.app import SENDING, App, node_command, who
from skerry.cli.door import open_door
from skerry.cli.exits import USAGE, Stop
from skerry.cli.look import short
from skerry.cli.out import Column
from skerry.client.caller import check_file
from skerry.core import api
from skerry.errors import Busy

_COLUMNS = (Column("RUN"), Column(""))
_WITH_FILES = (Column("RUN"), Column("FILE"), Column(""))


@node_command(
    "publish",
    options=SENDING,
    examples="""
    skerry publish invoice.received --file invoice.pdf
    skerry publish invoice.received --file inbox/*.pdf
    skerry publish order.placed --data '{"order": 4711}'
    """,
)
@click.argument("event")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--file", "-f", "named", multiple=True, type=click.Path(path_type=Path), help="A document of the event.")
@click.option("--data", "fields", default="", metavar="JSON", help="The event's data: JSON, @FILE, or - for stdin.")
@click.option("--id", "id_", default="", metavar="ID", help="The event's id: the same id is taken in once.")
@click.option("--new", is_flag=True, help="Take a file in once more, though it was taken in before.")
@click.option("--source", default="", help="Where the event comes from; ids are unique for it.")
@click.option("--priority", default=0, help="Higher goes first.")
def command(app: App, event: str, files: tuple[Path, ...], named: tuple[Path, ...], fields: str, **given: Any) -> None:
    """Publish an EVENT, which starts the workflows that it triggers.

    Several files are several events. A file is taken in once: publishing it again names the run that it led to.
    """
    paths = (*named, *files)
    if given["id_"] and len(paths) > 1:
        hint = "leave --id out: a file's id is its content"
        raise Stop("one id cannot be that of several files", hint=hint, code=USAGE)
    data = read_json(fields)
    for path in paths[:1]:  # a wrong path is the nearer mistake: it is said before a journal is missed
        check_file(path)
    started: list[tuple[Path | None, api.Started]] = []
    try:
        app.run(_publish(app, event, paths, data, given, started))
    finally:  # what was taken in before the one that failed is known, too
        if started:
            _tell(app, started)


def _tell(app: App, started: list[tuple[Path | None, api.Started]]) -> None:
    rows: list[tuple[str, ...]] = []
    for path, answer in started:
        if answer.waits_for:
            app.out.record({"run": None, "file": str(path) if path else None, "waits_for": answer.waits_for})
            waits = f"taken in by node {answer.waits_for}, which is down"
            rows.append(("-", path.name, waits) if path else ("-", waits))
        for run in answer.runs:
            app.out.record({"run": run, "file": str(path) if path else None, "again": answer.again})
            became = "was taken in before" if answer.again else "started"
            rows.append((short(run), path.name, became) if path else (short(run), became))
    app.out.table(_COLUMNS if started[0][0] is None else _WITH_FILES, rows)


async def _publish(
    app: App,
    event: str,
    paths: tuple[Path, ...],
    data: dict[str, Any],
    given: dict[str, Any],
    started: list[tuple[Path | None, api.Started]],
) -> None:
    """Publishes one event for each file, and puts what became of each into `started`."""
    by = who()
    async with open_door(app.config, by=by) as door:
        with app.out.progress("publishing") as advance:
            for path in paths or (None,):
                blob = await door.put(path) if path is not None else None
                known = given["id_"] or (blob.sha256 if blob is not None and not given["new"] else uuid.uuid4().hex)
                request = api.Publish(
                    type=event,
                    data=data,
                    file=blob,
                    source=given["source"],
                    id=known,
                    priority=given["priority"],
                    by=by,
                )
                try:
                    started.append((path, await door.ask("publish", request, api.Started)))
                except Busy as error:
                    done = f"{words.plural(len(started), 'event')} of {len(paths)} taken in"
                    raise Busy(f"{error.message} ({done})", hint=error.hint or "publish the same files later") from None
                advance(len(started), len(paths) or 1)
        if not door.running:
            app.out.note("no engine runs here: they begin when one starts (skerry up)")


def read_json(text: str) -> dict[str, Any]:
    """An option's JSON object: written there, in a @file, or on stdin (-). Raises `Stop`."""
    where = "what was given"
    try:
        if text == "-":
            where, text = "stdin", sys.stdin.read()
        elif text.startswith("@"):
            where = text[1:]
            text = Path(where).read_text(encoding="utf-8")
        return msgspec.json.decode(text, type=dict[str, Any]) if text.strip() else {}
    except OSError as error:
        raise Stop(f"{where}: {error.strerror}", hint="check the path", code=3) from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        hint = """write it so: '{"name": "value"}'"""
        if Path(text).is_dir():
            hint = "the data folder is --data-dir here"
        what = "is no JSON object" if isinstance(error, msgspec.ValidationError) else "is not JSON"
        raise Stop(f"{where} {what}: {error}", hint=hint, code=USAGE) from None
