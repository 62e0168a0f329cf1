"""`skerry show`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import click
import msgspec
from msgspec import Raw

from skerry.cli import words
from skerry.cli.app import App, node_command
from skerry.cli.effort import of_run
from skerry.cli.fleet import who_is_missing
from skerry.cli.look import Look, find_run, open_look, short
from skerry.cli.out import Cell, Column
from skerry.cli.story import Told, timeline
from skerry.client.ended import STANDING, RunEvent
from skerry.core.codec import encode_json
from skerry.core.events import ReviewOpened, StepScheduled
from skerry.core.projection import RunRow

COLUMNS = (Column("TIME"), Column("STATE"), Column("STEP"), Column("WHAT HAPPENED, AND WHY", wrap=True))
_POLL_S = 0.3


@node_command(
    "show",
    examples="""
    skerry show latest
    skerry show 7K3M9QXZ --full
    skerry show latest --follow
    """,
)
@click.argument("run")
@click.option("--full", is_flag=True, help="Show values as long as they are.")
@click.option("--follow", "-f", is_flag=True, help="Go on until nothing more happens by itself.")
def command(app: App, run: str, full: bool, follow: bool) -> None:
    """Show what happened to a RUN, and why.

    RUN is a run's id, six or more characters of its beginning or end, or `latest`. With --json: one document with
    the row and all events; with --follow, one event a line.
    """
    app.run(_show(app, run, full, follow))


async def _show(app: App, named: str, full: bool, follow: bool) -> None:
    async with open_look(app.config) as look:
        row = await find_run(look, named)
        events = await look.events(row.run)
        if follow:
            await _follow(app, look, row, events, full)
        elif app.out.json:
            app.out.record({"row": row, "events": [event_record(each) for each in events]})
        else:
            _head(app, row, of_run(events))
            _table(app, timeline(events, full=full))
            _next(app, row, events)
            if row.status in ("running", "waiting"):
                for sentence in await who_is_missing(app.config, events):
                    app.out.line(Cell(sentence, "bold yellow"))


async def _follow(app: App, look: Look, row: RunRow, events: list[RunEvent], full: bool) -> None:
    if not app.out.json:
        _head(app, row, of_run(events))
    state_from: list[RunEvent] = []
    while True:
        # The state that a line stands in comes from the lines before it.
        state_from += events
        for told, each in zip(timeline(state_from, full=full)[-len(events) or None :], events, strict=False):
            app.out.record(event_record(each))
            app.out.line(Cell(in_one_line(told), told.said.style))
        now = await look.row(row.run)
        if now is None or (now.status in STANDING and not events):
            return
        await asyncio.sleep(_POLL_S)
        events = await look.events(row.run, after_n=state_from[-1].n if state_from else 0)


def in_one_line(told: Told) -> str:
    """A line of the timeline without a table around it."""
    place = f"{told.state or '-':<10} {told.step or '-':<6}"
    why = f"  ({told.said.why})" if told.said.why else ""
    return f"{words.clock(told.at_us)}  {place} {told.said.what}{why}"


def _head(app: App, row: RunRow, effort: str) -> None:
    out = app.out
    out.line(Cell(f"{row.run}", "bold"))
    out.line(f"{row.workflow} v{row.version}, {row.status}" + (f" in {row.state}" if row.state else ""))
    ended = f", ended {words.moment(row.ended_us)}" if row.ended_us else ""
    took = words.duration(((row.ended_us or row.updated_us) - row.started_us) / 1e6)
    out.line(f"started {words.date(row.started_us)} {words.clock(row.started_us)}{ended}, took {took}")
    if effort:
        out.line(effort)
    if row.parent:
        out.line(f"started by {row.parent}")
    if row.note:
        out.line(Cell(row.note, words.STYLES.get(row.status, "")))
    out.line()


def _table(app: App, lines: Sequence[Told]) -> None:
    def rows() -> Iterable[list[str | Cell]]:
        state, day = "", ""
        for told in lines:
            if day and words.date(told.at_us) != day:
                yield [Cell(words.date(told.at_us), "bold"), "", "", ""]
            day = words.date(told.at_us)
            # A state is named once, where it begins: the eye finds the borders.
            shown = told.state if told.state != state else ""
            state = told.state
            said = told.said
            yield [Cell(words.clock(told.at_us), "dim"), shown, told.step, Cell(said.what, said.style, said.why)]

    app.out.table(COLUMNS, rows())


def _next(app: App, row: RunRow, events: Sequence[RunEvent]) -> None:
    """What one can do about it."""
    name = short(row.run)
    field = field_to_set(events)
    correct = f" [--set {field}=...]" if field else ""
    advice = {
        "review": f"answer it: skerry approve {name}{correct}; skerry reject {name} --reason ...",
        "failed": f"drive it again: skerry retry {name}; end it: skerry cancel {name}",
        "parked": f"with the right code in place: skerry retry {name}; end it: skerry cancel {name}",
    }.get(row.status)
    if advice:
        app.out.line()
        app.out.line(Cell(advice, "cyan"))


def field_to_set(events: Sequence[RunEvent]) -> str:
    """A field that the last question is about, as `skerry approve --set` wants it; empty when it is a yes or no."""
    asked = next((each.event for each in reversed(events) if isinstance(each.event, ReviewOpened)), None)
    if asked is None or not _is_ask(asked.step, events):
        return ""
    return next((field for objection in asked.objections for field in objection.fields), "FIELD")


def _is_ask(step: str, events: Sequence[RunEvent]) -> bool:
    scheduled = (each.event for each in events if isinstance(each.event, StepScheduled))
    return any(event.step == step and event.kind == "ask" for event in scheduled)


def event_record(each: RunEvent) -> dict[str, object]:
    """An event as JSON shows it."""
    body: object = None
    if each.event is not None:
        body = msgspec.json.decode(encode_json(each.event), type=Raw)
    return {"n": each.n, "seq": each.seq, "at_us": each.at_us, "kind": each.kind, "event": body}
