"""The way in through a hub, for commands that speak to a run: it waits there until its node can be reached."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from skerry.cli import words
from skerry.cli.app import App
from skerry.cli.exits import NOT_FOUND, REFUSED, USAGE, Stop
from skerry.cli.look import short
from skerry.cli.out import Cell
from skerry.core import api
from skerry.core.projection import RunRow
from skerry.core.structs import Frozen

if TYPE_CHECKING:
    from skerry.bus import LocalServer, RemoteServer
    from skerry.hub.store import CommandView
    from skerry.sync.wire import Command

_WAIT_S, _LOOK_S = 5.0, 0.1
_ANSWER_S = 10.0
A = TypeVar("A", bound=Frozen)
_STYLES = {"applied": "green", "open": "yellow", "refused": "red", "expired": "red"}


def through_hub(app: App, run: str, verb: str, make: Callable[[RunRow, str], Frozen], done: str, *, by: str) -> None:
    """Gives a command to the hub with the folder `--hub`, and says what has become of it within some seconds.

    The arguments are those of `skerry.cli.change.change`.
    """
    folder: Path = app.given("hub")
    command = _command(app, folder, run, verb, make, by)
    view = app.run(_give(app, folder, command))
    app.out.record(view if view is not None else {"state": "open", "command": command})
    state = view.state if view is not None else "open"
    what = {
        "applied": done,
        "open": f"waits at the hub for node {command.node}; `skerry hub commands` says what becomes of it",
        "expired": "came too late",
        "refused": "refused",
    }[state]
    outcome = view.outcome if view is not None else None
    more = f"; it is {outcome.status} now" if outcome is not None and outcome.status else ""
    if outcome is not None and state == "refused":
        raise Stop(f"{short(command.run)}: {outcome.message}", hint="both words are on record", code=REFUSED)
    app.out.line(Cell(f"{short(command.run)}: {what}{more}", _STYLES[state]))


def say_commands(app: App, folder: Path, node: str, limit: int) -> None:
    """Lists what was sent down from a hub."""
    from skerry.cli.out import Column
    from skerry.hub.store import HubStore

    store = HubStore(folder)
    views = store.commands(node=node, limit=limit)
    store.close()
    for view in views:
        app.out.record(view)
    columns = ("NODE", "RUN", "WHAT", "BY", "SENT", "STATE")
    wide = (*(Column(title) for title in columns), Column("", wrap=True))
    if views:
        app.out.table(wide, [_line(view) for view in views])
    else:
        app.out.line("nothing was sent down yet")


def _line(view: CommandView) -> list[str | Cell]:
    command, outcome = view.command, view.outcome
    state = Cell(view.state, _STYLES.get(view.state, ""))
    more = outcome.message if outcome is not None else ""
    if view.state == "open" and command.valid_until_us:
        more = f"until {words.moment(command.valid_until_us)}"
    return [
        command.node,
        short(command.run) if command.run else "",
        _what(command),
        command.by,
        words.moment(command.at_us),
        state,
        more,
    ]


def _what(command: Command) -> str:
    import msgspec

    from skerry.sync.wire import Adopt

    if command.verb == "adopt":
        return "adopt " + msgspec.json.decode(command.request, type=Adopt).node
    if command.verb in ("cancel", "retry"):
        return command.verb
    if command.verb == "answer":
        return "approve" if msgspec.json.decode(command.request, type=api.Answer).approved else "reject"
    return msgspec.json.decode(command.request, type=api.Signal).signal


def _command(app: App, folder: Path, named: str, verb: str, make: Callable[[RunRow, str], Frozen], by: str) -> Command:
    import msgspec
    from msgspec import Raw

    from skerry.cli.commands.prune import age_us
    from skerry.hub.store import HubStore
    from skerry.sync.wire import Command, Verb, encode

    store = HubStore(folder)
    try:
        found = store.find(named)
        asked = store.asked(found[0].row.run) if len(found) == 1 else ""
    finally:
        store.close()
    if not found:
        raise Stop(f"the hub knows no run {named}", hint="skerry hub runs lists them", code=NOT_FOUND)
    if len(found) > 1:
        shown = ", ".join(view.row.run for view in found[:5])
        raise Stop(f"{named} could be several runs: {shown}", hint="name more of the id", code=USAGE)
    row = found[0].row
    request = make(row, by)
    assert isinstance(request, api.Signal | api.Answer | api.Cancel | api.RetryRun), "these carry an id"
    if isinstance(request, api.Answer) and not request.step:  # what they have seen, and not what is asked when it comes
        request = msgspec.structs.replace(request, step=asked)
    return Command(
        id=request.id,
        node=found[0].node,
        run=row.run,
        verb=msgspec.convert(verb, Verb),
        request=Raw(encode(request)),
        by=by,
        valid_until_us=words.now_us() + age_us(app.given("valid") or "7d"),
    )


async def ask_hub(app: App, folder: Path, subject: str, data: bytes, answer: type[A]) -> A:
    """What the hub with this folder answers. Raises the error that it answers with, or `Unavailable`."""
    import msgspec

    from skerry.bus import NatsBus
    from skerry.client.caller import error_of
    from skerry.core.wire import Reply
    from skerry.ports import Message

    async with await NatsBus.connect(_server(app, folder), name="skerry client") as bus:
        reply = msgspec.json.decode(await bus.request(Message(subject, data), timeout_s=_ANSWER_S), type=Reply)
    if not reply.ok:
        raise error_of(reply.error, reply.message, reply.hint)
    return msgspec.json.decode(reply.value, type=answer)


async def _give(app: App, folder: Path, command: Command) -> CommandView | None:
    """Until it is decided, or has waited for some seconds."""
    import asyncio

    from skerry.hub.dispatch import Kept
    from skerry.hub.store import HubStore
    from skerry.sync.wire import GIVE, encode

    await ask_hub(app, folder, GIVE, encode(command), Kept)
    store, until = HubStore(folder), time.monotonic() + _WAIT_S
    try:
        while (view := store.command(command.id)) is None or view.state == "open":
            if time.monotonic() > until:
                break
            await asyncio.sleep(_LOOK_S)
        return view
    finally:
        store.close()


def _server(app: App, folder: Path) -> LocalServer | RemoteServer:
    """The hub's server: its own, unless the settings (or --nats) name one."""
    from skerry.bus import LocalServer

    target = app.config.nats.target()
    return target if target is not None else LocalServer(file=folder / "nats" / "connection.json")
