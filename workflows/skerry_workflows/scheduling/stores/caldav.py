"""A calendar on a CalDAV server (RFC 4791): a light client for one calendar collection.

Four requests are all that is needed: REPORT to find, GET to read, PUT and DELETE with If-Match or If-None-Match
(RFC 4791, section 5.3.4), so that the server refuses what somebody else was faster with. The python-caldav package does
much more, brings an HTTP stack of its own and does not make its writes conditional, so it is not used.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Final
from urllib.parse import urljoin, urlsplit
from xml.sax.saxutils import escape

import msgspec

from skerry_workflows.scheduling.calendar.lines import Component, written
from skerry_workflows.scheduling.calendar.read import Source, read
from skerry_workflows.scheduling.calendar.unreadable import Unreadable
from skerry_workflows.scheduling.itip.entries import entries, utc
from skerry_workflows.scheduling.stores.dav import CALDAV, DAV, DavClient, responses
from skerry_workflows.scheduling.stores.discovery import find
from skerry_workflows.scheduling.stores.store import Changed, Stored

_QUERY: Final = """<?xml version="1.0" encoding="utf-8"?>
<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
<D:prop><D:getetag/><C:calendar-data/></D:prop>
<C:filter><C:comp-filter name="VCALENDAR">
<C:comp-filter name="VEVENT">{filter}</C:comp-filter>
</C:comp-filter></C:filter>
</C:calendar-query>"""


class _Resource(msgspec.Struct, frozen=True):
    href: str
    etag: str
    data: bytes


_PLACES: Final[dict[tuple[str, str, str], str]] = {}
"""Where calendars are, by address, user and name: asked once in a process."""


class CaldavStore:
    """The calendar at `url`, or the one (of that `name`) that the server there has for this user."""

    def __init__(self, url: str, user: str = "", password: str = "", name: str = "") -> None:
        self._server = DavClient(url, user, password)
        self._key = (self._server.url, user, name)

    @property
    def _path(self) -> str:
        """Where the calendar is. Asks the server, the first time."""
        return self._found()

    def _found(self) -> str:
        if self._key not in _PLACES:
            _PLACES[self._key] = find(self._server, self._key[2])
        return _PLACES[self._key]

    def check(self) -> None:
        """The server has it, now."""
        _PLACES.pop(self._key, None)
        self._found()

    def read(self, start: dt.datetime, end: dt.datetime) -> list[Source]:
        """The events of a window. One that cannot be read is a warning."""
        span = f'<C:time-range start="{utc(start)}" end="{utc(end)}"/>'
        sources: list[Source] = []
        for found in self._query(span):
            try:
                sources.append(read(found.data))
            except Unreadable as error:
                empty = Component("VCALENDAR")
                sources.append(Source(calendar=empty, warnings=(f"an event cannot be read: {error}",)))
        return sources

    def get(self, uid: str) -> Stored | None:
        """The event with that UID."""
        found = self._find(uid)
        return Stored(uid=uid, etag=found.etag, calendar=read(found.data).calendar) if found else None

    def put(self, uid: str, calendar: Component, etag: str = "") -> str:
        """Write an event, and return its new etag. Raises `Changed`."""
        found = self._find(uid)
        if (found.etag if found else "") != etag:
            raise _changed(uid)
        where = found.href if found else urljoin(self._path, f"{_name(uid)}.ics")
        condition = {"If-Match": etag} if etag else {"If-None-Match": "*"}
        headers = {"Content-Type": "text/calendar; charset=utf-8", **condition}
        # A stored event has no METHOD (RFC 4791, section 4.1).
        answer = self._server.send("PUT", where, headers, written(calendar.without("METHOD")))
        if answer.status in (409, 412):
            raise _changed(uid)
        self._server.check(answer, "PUT")
        if answer.headers.get("etag"):
            return answer.headers["etag"]
        now_is = self._find(uid)  # a server that changes what it stores names no etag
        return now_is.etag if now_is else ""

    def delete(self, uid: str, etag: str) -> None:
        """Remove an event; one that is gone is no error. Raises `Changed`."""
        found = self._find(uid)
        if found is None:
            return
        answer = self._server.send("DELETE", found.href, {"If-Match": etag})
        if answer.status == 412:
            raise _changed(uid)
        if answer.status != 404:
            self._server.check(answer, "DELETE")

    def _find(self, uid: str) -> _Resource | None:
        match = (
            f'<C:prop-filter name="UID"><C:text-match collation="i;octet">{escape(uid)}</C:text-match></C:prop-filter>'
        )
        broken: Unreadable | None = None
        for found in self._query(match):
            # The match is of a part of the text; what cannot be read may well be the event, and is not gone.
            try:
                if any(entry.text("UID") == uid for entry in entries(read(found.data).calendar)):
                    return found
            except Unreadable as error:
                broken = error
        if broken:
            raise broken
        return None

    def _query(self, inside: str) -> list[_Resource]:
        body = _QUERY.format(filter=inside).encode()
        headers = {"Depth": "1", "Content-Type": "application/xml; charset=utf-8"}
        answer = self._server.send("REPORT", self._path, headers, body)
        self._server.check(answer, "REPORT")
        return _resources(answer.body)


def _resources(body: bytes) -> list[_Resource]:
    """The resources of an answer that have a calendar."""
    found: list[_Resource] = []
    for href, response in responses(body):
        data = response.findtext(f".//{CALDAV}calendar-data")
        etag = response.findtext(f".//{DAV}getetag")
        if data and etag:
            found.append(_Resource(urlsplit(href).path, etag.strip(), data.encode()))
    return found


def _name(uid: str) -> str:
    """A resource's name for a UID: always the same, so that two who add an event at once write to one place."""
    return hashlib.sha256(uid.encode()).hexdigest()[:40]


def _changed(uid: str) -> Changed:
    return Changed(f"{uid[:80]} has changed on the server meanwhile", retry_after_s=0.0)
