"""What the commands that speak to a run share: find it, ask, say how it stands now."""

from __future__ import annotations

from collections.abc import Callable

from skerry.cli import words
from skerry.cli.app import App, who
from skerry.cli.door import open_door
from skerry.cli.look import find_run, open_look, short
from skerry.cli.out import Cell
from skerry.core import api
from skerry.core.projection import ENDED, RunRow
from skerry.core.structs import Frozen
from skerry.errors import SkerryError, Unavailable


def change(app: App, run: str, verb: str, make: Callable[[RunRow, str], Frozen], done: str, *, by: str = "") -> None:
    """Asks for one change of one run, and says what became of it.

    Args:
        app: the command's.
        run: the run as it was named.
        verb: of `skerry.core.api`.
        make: the request, from the run's row and who is asking.
        done: what is said when it was taken ("approved").
        by: who is asking; whoever is logged in unless given.
    """
    if app.given("hub") is not None:
        from skerry.cli.hubdoor import through_hub

        through_hub(app, run, verb, make, done, by=by or who())
        return
    row, taken, running = app.run(_change(app, run, verb, make, by or who()))
    app.out.record(taken)
    what = done
    if taken.again:
        what = "had ended before" if verb == "cancel" and row.status in ENDED else "was taken before"
    app.out.line(Cell(f"{short(row.run)} ({row.workflow}): {what}; it is {taken.status} now", _style(taken)))
    if not running and not taken.again:
        app.out.note("no engine runs here: it goes on when one starts (skerry up)")


async def _change(
    app: App, named: str, verb: str, make: Callable[[RunRow, str], Frozen], by: str
) -> tuple[RunRow, api.Taken, bool]:
    # Found first and asked then: who looks must not hold the lock.
    async with open_look(app.config) as look:
        row = await find_run(look, named)
    try:
        async with open_door(app.config, by=by) as door:
            return row, await door.ask(verb, make(row, by), api.Taken), door.running
    except SkerryError as error:
        if isinstance(error, Unavailable) and "there is no workflow" in error.message and not error.hint:
            error.hint = "name the module that it is in: --module NAME, or modules in skerry.toml"
        error.hint = error.hint or f"see how it stands: skerry show {short(row.run)}"
        raise


def _style(taken: api.Taken) -> str:
    return words.STYLES.get(taken.status, "")
