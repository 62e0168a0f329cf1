"""A calendar in an .ics file, or in a folder of them.

A file is replaced in one piece (written beside it, flushed to the disk, renamed), and of what stands in it only the
event in question changes: foreign properties and components stay, also those that nobody here understands.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

from skerry.errors import RetryableError, Unavailable
from skerry_workflows.scheduling.calendar.lines import Component, line, written
from skerry_workflows.scheduling.calendar.read import Source, read
from skerry_workflows.scheduling.calendar.unreadable import Unreadable
from skerry_workflows.scheduling.itip.entries import KINDS, PRODUCT, defined
from skerry_workflows.scheduling.stores.store import Changed, Stored

_BETWEEN = b"\r\n \t\\"


class _Found(NamedTuple):
    path: Path
    calendar: Component
    stored: Stored


class IcsStore:
    """The calendar at `path`: a file whose name ends in .ics (made when something is put), or else a folder.

    Several processes may use it at once: writers take a lock file beside it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._single = path.suffix.lower() == ".ics"

    def check(self) -> None:
        """It is there."""
        if not self.path.exists():
            raise Unavailable(f"there is no calendar {self.path}", hint="check the path, and whether its disk is there")

    def read(self, start: dt.datetime, end: dt.datetime) -> list[Source]:
        """Every file. One that cannot be read is a warning, not the end of all others."""
        del start, end
        sources: list[Source] = []
        for path in self._paths():
            try:
                sources.append(read(path.read_bytes()))
            except FileNotFoundError:
                continue
            except (Unreadable, OSError) as error:
                empty = Component("VCALENDAR")
                sources.append(Source(calendar=empty, warnings=(f"{path.name} cannot be read: {error}",)))
        return sources

    def get(self, uid: str) -> Stored | None:
        """The event with that UID. Raises `Unreadable` where its file is broken."""
        found = self._find(uid)
        return found.stored if found else None

    def put(self, uid: str, calendar: Component, etag: str = "") -> str:
        """Write an event, and return its new etag. Raises `Changed`, or `RetryableError` when the disk is full."""
        with self._locked():
            found = self._find(uid)
            self._expect(uid, found, etag)
            if found is not None:
                whole, path = found.calendar, found.path
            else:
                path = self.path if self._single else self.path / f"{_slug(uid)}.ics"
                whole = read(path.read_bytes()).calendar if self._single and path.exists() else _empty()
            _replace(path, written(_with_event(whole, uid, calendar)))
            now_is = self._find(uid)
            assert now_is is not None, "what was written is there"
            return now_is.stored.etag

    def delete(self, uid: str, etag: str) -> None:
        """Remove an event; one that is gone is no error. Raises `Changed`."""
        with self._locked():
            found = self._find(uid)
            if found is None:
                return
            self._expect(uid, found, etag)
            left = found.calendar.with_parts(tuple(p for p in found.calendar.parts if not _is(p, uid)))
            if self._single or any(part.name != "VTIMEZONE" for part in left.parts):
                _replace(found.path, written(left))
            else:
                found.path.unlink(missing_ok=True)

    def _expect(self, uid: str, found: _Found | None, etag: str) -> None:
        if (found.stored.etag if found else "") != etag:
            raise Changed(f"{uid[:80]} has changed in {self.path.name} meanwhile", retry_after_s=0.0)

    def _paths(self) -> list[Path]:
        if self._single:
            return [self.path] if self.path.exists() else []
        try:
            return sorted(p for p in self.path.iterdir() if p.suffix.lower() == ".ics" and not p.name.startswith("."))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Unavailable(
                f"the calendar {self.path} cannot be read: {error.strerror}", hint="check the path and its rights"
            ) from None

    def _find(self, uid: str) -> _Found | None:
        # An event lies in the file of its name, nearly always; else in any.
        own = self.path / f"{_slug(uid)}.ics"
        paths = self._paths()
        for path in sorted(paths, key=lambda one: one != own):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue
            if _needle(uid) not in data.translate(None, _BETWEEN):
                continue
            calendar = read(data).calendar  # a file that cannot be read has not lost the event that stands in it
            entries = tuple(part for part in calendar.parts if _is(part, uid))
            if entries:
                return _Found(path, calendar, _stored(uid, calendar, entries))
        return None

    @contextlib.contextmanager
    def _locked(self) -> Generator[None]:
        folder = self.path.parent if self._single else self.path
        try:
            folder.mkdir(parents=True, exist_ok=True)
            name = f".{self.path.name}.lock" if self._single else ".lock"
            handle = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(
                f"the calendar {self.path} cannot be written: {error.strerror}", hint="check the path and its rights"
            ) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _needle(uid: str) -> bytes:
    """What the file of an event has in it, folded or escaped as it may be: what may stand between is left out."""
    return uid.encode().translate(None, _BETWEEN)


def _is(part: Component, uid: str) -> bool:
    return part.name in KINDS and part.text("UID") == uid


def _stored(uid: str, calendar: Component, entries: tuple[Component, ...]) -> Stored:
    etag = hashlib.sha256("".join(map(str, entries)).encode()).hexdigest()[:32]
    return Stored(
        uid=uid, etag=etag, calendar=Component("VCALENDAR", calendar.lines, (*defined(calendar, entries), *entries))
    )


def _with_event(whole: Component, uid: str, event: Component) -> Component:
    """The calendar with this event in the place of the old one, and the zones that it brings and were not there."""
    known = {part.text("TZID") for part in whole.named("VTIMEZONE")}
    zones = [part for part in event.named("VTIMEZONE") if part.text("TZID") not in known]
    entries = [part for part in event.parts if _is(part, uid)]
    parts: list[Component] = list(zones)
    placed = False
    for part in whole.parts:
        if not _is(part, uid):
            parts.append(part)
        elif not placed:
            placed = True
            parts.extend(entries)
    return whole.with_parts((*parts, *(() if placed else entries)))


def _empty() -> Component:
    return Component("VCALENDAR", (line("VERSION", "2.0"), line("PRODID", PRODUCT), line("CALSCALE", "GREGORIAN")))


def _slug(uid: str) -> str:
    """A file name for a UID, which may hold anything: readable where that is possible, and unique."""
    plain = re.sub(r"[^A-Za-z0-9._@-]", "_", uid)[:60].lstrip(".") or "event"
    return plain if plain == uid else f"{plain}-{hashlib.sha256(uid.encode()).hexdigest()[:12]}"


def _replace(path: Path, data: bytes) -> None:
    """The file with other content: all of it or the old one, whatever happens."""
    handle, temporary = -1, ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
        if path.exists():
            os.fchmod(handle, path.stat().st_mode & 0o777)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise RetryableError(f"the calendar {path.name} could not be written: {error.strerror}") from error
