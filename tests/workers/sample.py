"""Tasks and prompts for the worker's tests: loaded by name, in this process, in workers and in their sandbox."""

from __future__ import annotations

import asyncio
import ctypes
import math
import os
import signal
import socket
import sys
import tempfile
import threading
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from skerry.core.structs import Frozen
from skerry.core.tasks import Limits, Prompt, read_blob, task, task_context, write_blob
from skerry.core.types import Blob
from skerry.errors import RetryableError, TerminalError

SMALL = Limits(memory_mb=64, cpu_s=1.0, wall_s=5.0)


class Fields(Frozen):
    """An answer."""

    number: str
    total: int = 0


@task(size="rules")
async def add(a: int, b: int = 1) -> int:
    """Asynchronous."""
    return a + b


@task(size="rules")
def add_sync(a: int, b: int = 1) -> int:
    """In a thread."""
    return a + b


@task(size="rules")
async def who() -> tuple[str, str, int, str]:
    """The context of an asynchronous task."""
    await asyncio.sleep(0)
    context = task_context()
    return context.run, context.step, context.attempt, context.key


@task(size="rules")
def who_sync() -> tuple[str, str, int, str]:
    """The context of a task in a thread."""
    context = task_context()
    return context.run, context.step, context.attempt, context.key


@task(size="rules")
async def settings(name: str) -> str:
    """One of the node's."""
    return task_context().settings.get(name, "")


@task(size="rules", limits=SMALL)
def settings_limited(name: str) -> str:
    """The same, in the sandbox."""
    return task_context().settings.get(name, "")


@task(size="rules", limits=SMALL)
def imported() -> tuple[bool, bool]:
    """Whether what this function imports, and what that imports when it is called, was imported before the call."""
    before = tuple(f"tests.workers.{name}" in sys.modules for name in ("lazy", "lazier"))
    from tests.workers import lazy

    return before if lazy.used() else (False, False)  # type: ignore[return-value]


@task(size="rules")
async def read(document: Blob) -> int:
    """How many bytes."""
    return len(read_blob(document))


@task(size="rules")
async def split_async(document: Blob) -> tuple[Blob, Blob]:
    """Two documents of one."""
    return _halves(document)


@task(size="rules")
def split_sync(document: Blob) -> tuple[Blob, Blob]:
    """The same, in a thread."""
    return _halves(document)


@task(size="rules", limits=SMALL)
def split_limited(document: Blob) -> tuple[Blob, Blob]:
    """The same, in the sandbox."""
    return _halves(document)


def _halves(document: Blob) -> tuple[Blob, Blob]:
    data = read_blob(document)
    middle = len(data) // 2
    return write_blob(data[:middle], name="first"), write_blob(data[middle:], name="second", media_type="text/plain")


@task(size="rules")
def echo(text: str) -> str:
    """The same."""
    return text


@task(size="rules")
async def fail(how: str) -> int:
    """In different ways."""
    match how:
        case "terminal":
            raise TerminalError("never")
        case "retryable":
            raise RetryableError("later", retry_after_s=7.5)
        case "value":
            raise ValueError("odd")
        case "silent":
            raise KeyError
        case "for ever":
            raise RetryableError("later", retry_after_s=math.inf)
        case "half":
            raise ValueError("file \udc80")
        case "exit":
            raise SystemExit(3)
        case "cancelled":
            raise asyncio.CancelledError
        case _:
            return "not a number"  # type: ignore[return-value]


@task(size="rules")
def fail_sync(how: str) -> int:
    """In a thread."""
    if how == "exit":
        raise SystemExit(3)
    if how == "stop":
        raise StopIteration
    raise ValueError(how)


def _begun(file: str) -> None:
    """Leaves a mark for each time that a task has begun."""
    with Path(file + ".begun").open("a") as marks:
        marks.write("x")


@task(size="rules")
async def wait_for(file: str) -> str:
    """Until a file is there; says with another one that it has begun, and with a third that it was cancelled."""
    _begun(file)
    try:
        while not Path(file).exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
    except asyncio.CancelledError:
        Path(file + ".cancelled").touch()
        raise
    return Path(file).read_text()


@task(size="rules")
def wait_for_sync(file: str) -> str:
    """The same in a thread."""
    _begun(file)
    while not Path(file).exists():
        threading.Event().wait(0.01)
    return Path(file).read_text()


@task(size="rules")
async def stubborn(file: str) -> str:
    """Does not mind being cancelled."""
    _begun(file)
    while not Path(file).exists():
        try:
            await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            Path(file + ".cancelled").touch()
    return "late"


# --- in the sandbox --------------------------------------------------------------------------------------------------


@task(size="rules", limits=SMALL)
def count(document: Blob, times: int = 1) -> int:
    """Reads a document."""
    return len(read_blob(document)) * times


@task(size="rules", limits=SMALL)
async def count_async(document: Blob) -> int:
    """The same, asynchronous."""
    await asyncio.sleep(0)
    return len(read_blob(document))


@task(size="rules", limits=SMALL)
def pid() -> int:
    """Whose process."""
    return os.getpid()


@task(size="rules", limits=SMALL)
def bomb(document: Blob) -> int:
    """All the memory."""
    held = [bytearray(1 << 20) for _ in range(4096)]
    return len(held)


@task(size="rules", limits=Limits(memory_mb=64, cpu_s=0.3, wall_s=5.0))
def spin(document: Blob) -> int:
    """All the processor time."""
    while True:
        pass


@task(size="rules", limits=Limits(memory_mb=64, cpu_s=0.2, wall_s=5.0))
def spin_deaf() -> int:
    """The same, and will not hear of it."""
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_IGN)
    while True:
        pass


@task(size="rules", limits=Limits(memory_mb=64, cpu_s=1.0, wall_s=0.3))
def doze(document: Blob) -> int:
    """All the time."""
    threading.Event().wait(60)
    return 0


@task(size="rules", limits=SMALL)
def crash(document: Blob) -> int:
    """As C code does."""
    return int(ctypes.string_at(0)[0])


@task(size="rules", limits=SMALL)
def leave(code: int) -> int:
    """Without a word."""
    os._exit(code)


@task(size="rules", limits=SMALL)
def killed() -> int:
    """As by the kernel when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


@task(size="rules", limits=Limits(memory_mb=512, cpu_s=5.0, wall_s=10.0))
def huge(megabytes: int) -> str:
    """A long answer."""
    return "x" * (megabytes << 20)


@task(size="rules", limits=SMALL)
def forks() -> str:
    """Whether a process can be made."""
    try:
        if os.fork() == 0:
            os._exit(0)
    except OSError as error:
        return type(error).__name__
    return "it can"


@task(size="rules", limits=SMALL)
def threads() -> int:
    """Threads are allowed."""
    done: list[int] = []
    thread = threading.Thread(target=done.append, args=(1,))
    thread.start()
    thread.join()
    return len(done)


@task(size="rules", limits=SMALL)
def reach_out(target: int, file: str) -> dict[str, str]:
    """What a document that took this process over would try first."""

    def tried(act: object) -> str:
        try:
            act()  # type: ignore[operator]
        except OSError as error:
            return type(error).__name__
        return "it can"

    return {
        "socket": tried(lambda: socket.socket().close()),
        "program": tried(lambda: os.execv("/bin/true", ["true"])),
        "signal": tried(lambda: os.kill(target, 0)),
        "write": tried(lambda: Path(file).write_text("x")),
        "own folder": tried(lambda: tempfile.TemporaryFile().close()),
        "environment": ",".join(sorted(os.environ)),
        "stdin": repr(os.read(0, 1)),
    }


@task(size="rules", limits=SMALL)
def fail_limited(how: str) -> int:
    """Raises in the sandbox."""
    if how == "retryable":
        raise RetryableError("later", retry_after_s=2.0)
    if how == "terminal":
        raise TerminalError("never")
    if how == "type":
        return "no number"  # type: ignore[return-value]
    raise ValueError(how)


# --- prompts ---------------------------------------------------------------------------------------------------------


def _fields(about: Blob) -> Fields:
    return Fields(number=read_blob(about).decode()[:4], total=len(read_blob(about)))


async def _later(about: dict[str, int]) -> Fields:
    await asyncio.sleep(0)
    return Fields(number="x", total=about["n"])


fields = Prompt(name="fields", text="What are its fields?", rules=_fields)
fields_limited = Prompt(name="fields.limited", text="What are its fields?", rules=_fields, limits=SMALL)
later = Prompt(name="later", rules=_later)
models_only = Prompt(name="models.only", text="What does it mean?")


# --- prompts for models ----------------------------------------------------------------------------------------------


class Note(Frozen):
    """What a note says."""

    number: Annotated[str, Meta(description="the number, as it is written")]
    total: int = 0


class Quotes(Frozen):
    """The same in the words of the note."""

    number: str
    total: str


def _shown(about: Blob) -> str:
    return read_blob(about).decode()


def _read(quotes: Quotes, about: Blob) -> Note:
    return Note(number=quotes.number.strip("#"), total=int(quotes.total or 0) * 100)


note = Prompt(name="note", text="What does the note say?", show=_shown, quotes=Quotes, read=_read, version=3)
plain = Prompt(name="plain", text="What does it say?")
