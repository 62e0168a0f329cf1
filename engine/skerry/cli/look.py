"""Looking at runs: in the journal on this machine, or through an engine elsewhere; finding the run that was meant."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from skerry.cli.exits import NOT_FOUND, USAGE, Stop
from skerry.client.ended import RunEvent, seen
from skerry.core.projection import RunRow, Status
from skerry.errors import NotFound
from skerry.ports import Recorded

if TYPE_CHECKING:
    from skerry.client import Client
    from skerry.config import Config
    from skerry.journal import JournalReader

LATEST = "latest"
SHORT = 8
"""How many of a run id's last characters tables show."""
_SHORT_MIN = 6
_PAGE = 1000
_FIRST_PAGE = 20
_BEGINNING = 2
"""`run.started` and the first `state.entered`."""


class Look(Protocol):
    """Runs, read-only."""

    async def rows(
        self, *, status: Sequence[Status] = (), workflow: str = "", limit: int = 100, before: str = ""
    ) -> list[RunRow]:
        """Rows, newest first, before the run id `before`."""
        ...

    async def row(self, run: str) -> RunRow | None:
        """A run's row; None when there is no such run."""
        ...

    async def events(self, run: str, *, after_n: int = 0) -> list[RunEvent]:
        """All its events after `after_n`."""
        ...

    async def beginning(self, run: str) -> list[RunEvent]:
        """Its first events: what started it, and with what."""
        ...


class JournalLook:
    """In a data folder; an engine may be writing in it."""

    def __init__(self, reader: JournalReader) -> None:
        self.reader = reader

    async def rows(
        self, *, status: Sequence[Status] = (), workflow: str = "", limit: int = 100, before: str = ""
    ) -> list[RunRow]:
        """Rows, newest first."""
        return await self.reader.rows(status=status, workflow=workflow, limit=limit, before=before)

    async def row(self, run: str) -> RunRow | None:
        """A run's row."""
        return await self.reader.row(run)

    async def events(self, run: str, *, after_n: int = 0) -> list[RunEvent]:
        """All its events after `after_n`."""
        return _seen(await self.reader.events(run, after_n=after_n))

    async def beginning(self, run: str) -> list[RunEvent]:
        """Its first events."""
        return _seen(await self.reader.events(run, limit=_BEGINNING))


def _seen(recorded: Iterable[Recorded]) -> list[RunEvent]:
    return [RunEvent(h.n, h.seq, h.at_us, h.kind, event) for h, event in recorded]


class ClientLook:
    """Through a running engine."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def rows(
        self, *, status: Sequence[Status] = (), workflow: str = "", limit: int = 100, before: str = ""
    ) -> list[RunRow]:
        """Rows, newest first."""
        return await self._client.runs(status=tuple(status), workflow=workflow, limit=limit, before=before)

    async def row(self, run: str) -> RunRow | None:
        """A run's row."""
        try:
            return await self._client.row(run)
        except NotFound:
            return None

    async def events(self, run: str, *, after_n: int = 0) -> list[RunEvent]:
        """All its events after `after_n`."""
        found: list[RunEvent] = []
        while page := (await self._client.show(run, after_n=after_n)).events:
            found.extend(seen(each) for each in page)
            after_n = page[-1].n
        return found

    async def beginning(self, run: str) -> list[RunEvent]:
        """Its first events."""
        return [seen(each) for each in (await self._client.show(run, limit=_BEGINNING)).events]


def has_journal(config: Config) -> bool:
    """Whether the data folder is one."""
    from skerry.journal.reader import DATABASE

    return (config.data / DATABASE).exists()


@asynccontextmanager
async def open_look(config: Config) -> AsyncGenerator[Look, None]:
    """The journal in the data folder if there is one; else the engine at the NATS server that was named.

    Raises `NotFound` when there is neither.
    """
    if config.nats.url and not has_journal(config):
        from skerry.client import Client

        async with Client.connect(nats=config.nats.target(), node=config.node, group=config.group) as client:
            yield ClientLook(client)
        return
    from skerry.journal import JournalReader

    require_journal(config)
    async with await JournalReader.open(config.data) as reader:
        yield JournalLook(reader)


def require_journal(config: Config) -> None:
    """Raises `NotFound` when the data folder has no journal."""
    if not has_journal(config):
        raise NotFound(
            f"there is no journal in {config.data}",
            hint="name the data folder with --data-dir, or start here: skerry up",
        )


def short(run: str) -> str:
    """A run id as tables show it."""
    return run[-SHORT:]


async def find_run(look: Look, named: str) -> RunRow:
    """The run that was meant: its id, six or more characters of its beginning or end, or `latest`.

    Raises `Stop` when there is none, or more than one.
    """
    if named == LATEST:
        return await _latest(look)
    row = await look.row(named)
    if row is not None:
        return row
    if len(named) < _SHORT_MIN:
        raise Stop(
            f"there is no run {named}", hint=f"name at least {_SHORT_MIN} characters of its id, or `latest`", code=USAGE
        )
    matches = await _matches(look, named.lower())
    if not matches:
        raise Stop(f"there is no run {named}", hint="skerry runs lists them", code=NOT_FOUND)
    if len(matches) > 1:
        shown = ", ".join(row.run for row in matches[:5])
        raise Stop(f"{named} could be several runs: {shown}", hint="name more of the id", code=USAGE)
    return matches[0]


async def _latest(look: Look) -> RunRow:
    """The newest run that no other run has started: that is the one that somebody has in mind."""
    before, limit = "", _FIRST_PAGE
    while rows := await look.rows(limit=limit, before=before):
        for row in rows:
            if not row.parent:
                return row
        before, limit = rows[-1].run, _PAGE
    raise Stop("there are no runs yet", hint="skerry publish starts one; skerry demo shows some", code=NOT_FOUND)


async def _matches(look: Look, part: str) -> list[RunRow]:
    """Every run whose id begins or ends so. All rows are looked at: it must be the only one."""
    found: list[RunRow] = []
    before = ""
    while rows := await look.rows(limit=_PAGE, before=before):
        found.extend(row for row in rows if row.run.lower().endswith(part) or row.run.lower().startswith(part))
        before = rows[-1].run
        if len(rows) < _PAGE:
            break
    return found
