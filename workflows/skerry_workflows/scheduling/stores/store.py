"""The port: what is asked of a calendar, wherever it lives."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

import msgspec

from skerry.errors import RetryableError
from skerry_workflows.scheduling.calendar.lines import Component
from skerry_workflows.scheduling.calendar.read import Source


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """An event with its exceptions as the calendar has it. `etag` changes whenever it does."""

    uid: str
    etag: str
    calendar: Component


class Changed(RetryableError):
    """Somebody else has changed the event since it was read: read it again and decide anew."""


class Store(Protocol):
    """A calendar. Every change names the revision that it is made to, so that nobody's change is lost."""

    def check(self) -> None:
        """Raises `SkerryError` where there is no calendar at all: a disk that is not mounted has lost no meeting."""
        ...

    def read(self, start: dt.datetime, end: dt.datetime) -> list[Source]:
        """Everything that may take time in a window; more may come. Raises `Unavailable` or `Unreadable`."""
        ...

    def get(self, uid: str) -> Stored | None:
        """The event with that UID."""
        ...

    def put(self, uid: str, calendar: Component, etag: str = "") -> str:
        """Write an event, and return its new etag.

        Args:
            uid: its UID.
            calendar: a VCALENDAR with this event, its exceptions and the zones they use.
            etag: of the revision that is replaced; empty for an event that is not there yet.

        Raises:
            Changed: it is there already, or no longer the one with this etag.
        """
        ...

    def delete(self, uid: str, etag: str) -> None:
        """Remove an event; one that is gone is no error. Raises `Changed`."""
        ...
