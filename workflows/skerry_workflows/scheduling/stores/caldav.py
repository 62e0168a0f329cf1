"""A calendar on a CalDAV server (RFC 4791): a light client for one calendar collection.

Four requests are all that is needed: REPORT to find, GET to read, PUT and DELETE with If-Match or If-None-Match
(RFC 4791, section 5.3.4), so that the server refuses what somebody else was faster with. The python-caldav package does
much more, brings an HTTP stack of its own and does not make its writes conditional, so it is not used.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import http.client
import ssl
import time
from typing import Final
from urllib.parse import quote, unquote, urljoin, urlsplit
from xml.sax.saxutils import escape

import msgspec

from skerry.errors import RetryableError, TerminalError, Unavailable
from skerry_workflows.scheduling.calendar.lines import Component, written
from skerry_workflows.scheduling.calendar.read import Source, read
from skerry_workflows.scheduling.calendar.unreadable import Unreadable
from skerry_workflows.scheduling.itip.entries import entries, utc
from skerry_workflows.scheduling.stores.store import Changed, Stored

TIMEOUT_S: Final = 20.0
ANSWER_S_MAX: Final = 120.0
ANSWER_BYTES_MAX: Final = 50 * 1024 * 1024
_REDIRECTS_MAX: Final = 3
_DAV: Final = "{DAV:}"
_CALDAV: Final = "{urn:ietf:params:xml:ns:caldav}"

_QUERY: Final = """<?xml version="1.0" encoding="utf-8"?>
<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
<D:prop><D:getetag/><C:calendar-data/></D:prop>
<C:filter><C:comp-filter name="VCALENDAR">
<C:comp-filter name="VEVENT">{filter}</C:comp-filter>
</C:comp-filter></C:filter>
</C:calendar-query>"""


class _Answer(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: bytes


class _Resource(msgspec.Struct, frozen=True):
    href: str
    etag: str
    data: bytes


class CaldavStore:
    """The calendar collection at `url`. A user and password are sent as HTTP Basic, over plain HTTP only to this
    machine."""

    def __init__(self, url: str, user: str = "", password: str = "") -> None:
        self.url = url if url.endswith("/") else url + "/"
        self._user, self._password = user, password
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise TerminalError(f"{url[:80]!r} is no address of a calendar", hint="write it as https://host/path/")
        if parts.scheme == "http" and user and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise TerminalError("a password is not sent over plain http", hint="write https://")

    def check(self) -> None:
        """The server has it."""
        answer = self._send("PROPFIND", urlsplit(self.url).path, {"Depth": "0"})
        self._check(answer, "PROPFIND")

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
        where = found.href if found else urljoin(urlsplit(self.url).path, f"{_name(uid)}.ics")
        condition = {"If-Match": etag} if etag else {"If-None-Match": "*"}
        headers = {"Content-Type": "text/calendar; charset=utf-8", **condition}
        # A stored event has no METHOD (RFC 4791, section 4.1).
        answer = self._send("PUT", where, headers, written(calendar.without("METHOD")))
        if answer.status in (409, 412):
            raise _changed(uid)
        self._check(answer, "PUT")
        if answer.headers.get("etag"):
            return answer.headers["etag"]
        now_is = self._find(uid)  # a server that changes what it stores names no etag
        return now_is.etag if now_is else ""

    def delete(self, uid: str, etag: str) -> None:
        """Remove an event; one that is gone is no error. Raises `Changed`."""
        found = self._find(uid)
        if found is None:
            return
        answer = self._send("DELETE", found.href, {"If-Match": etag})
        if answer.status == 412:
            raise _changed(uid)
        if answer.status != 404:
            self._check(answer, "DELETE")

    def _find(self, uid: str) -> _Resource | None:
        match = (
            f'<C:prop-filter name="UID"><C:text-match collation="i;octet">{escape(uid)}</C:text-match></C:prop-filter>'
        )
        for found in self._query(match):
            # The match is of a part of the text; an unreadable one is none that we could change.
            try:
                if any(entry.text("UID") == uid for entry in entries(read(found.data).calendar)):
                    return found
            except Unreadable:
                continue
        return None

    def _query(self, inside: str) -> list[_Resource]:
        body = _QUERY.format(filter=inside).encode()
        headers = {"Depth": "1", "Content-Type": "application/xml; charset=utf-8"}
        answer = self._send("REPORT", urlsplit(self.url).path, headers, body)
        self._check(answer, "REPORT")
        return _resources(answer.body)

    def _check(self, answer: _Answer, what: str) -> None:
        if 200 <= answer.status < 300:
            return
        host = urlsplit(self.url).hostname
        if answer.status in (401, 403):
            raise TerminalError(
                f"{host} refuses {what} ({answer.status})", hint="check user, password and rights of the calendar"
            )
        if answer.status == 404:
            raise TerminalError(f"{host} has no calendar there (404)", hint="check the address of the calendar")
        if answer.status == 429 or answer.status >= 500:
            wait = answer.headers.get("retry-after", "")
            after_s = float(wait) if wait.isascii() and wait.isdigit() else 5.0
            raise RetryableError(f"{host} answers {answer.status} to {what}", retry_after_s=after_s)
        raise TerminalError(f"{host} answers {answer.status} to {what}", hint="is it a CalDAV calendar?")

    def _send(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> _Answer:
        parts = urlsplit(self.url)
        if self._user:
            said = base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
            headers = {**headers, "Authorization": f"Basic {said}"}
        for _ in range(_REDIRECTS_MAX):
            answer = self._once(method, quote(unquote(path), safe="/@:+~!$&'()*,;="), headers, body)
            if answer.status not in (301, 302, 307, 308):
                return answer
            to = urlsplit(urljoin(self.url, answer.headers.get("location", "")))
            if (to.scheme, to.netloc) != (parts.scheme, parts.netloc):
                raise TerminalError(
                    f"{parts.hostname} sends us to {to.scheme}://{to.netloc}",
                    hint="if that is right, name it as the address of the calendar",
                )
            path = to.path
        raise TerminalError(f"{parts.hostname} sends us in circles", hint="check the address of the calendar")

    def _once(self, method: str, path: str, headers: dict[str, str], body: bytes) -> _Answer:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, parts.port, timeout=TIMEOUT_S, context=context
            )
        else:
            connection = http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body=body or None, headers=headers)
            response = connection.getresponse()
            data = _body(response, host)
        except (OSError, http.client.HTTPException) as error:
            raise RetryableError(f"{host} cannot be reached: {error}", retry_after_s=5.0) from error
        finally:
            connection.close()
        if len(data) > ANSWER_BYTES_MAX:
            raise Unavailable(f"{host} answers more than {ANSWER_BYTES_MAX >> 20} MB", hint="ask for a shorter time")
        return _Answer(response.status, {key.lower(): value for key, value in response.getheaders()}, data)


def _body(response: http.client.HTTPResponse, host: str) -> bytes:
    """The answer's body: not longer than a calendar is, and not for ever."""
    until = time.monotonic() + ANSWER_S_MAX
    pieces: list[bytes] = []
    while piece := response.read1(1 << 20):
        pieces.append(piece)
        if sum(map(len, pieces)) > ANSWER_BYTES_MAX:
            break
        if time.monotonic() > until:
            raise RetryableError(f"{host} takes more than {ANSWER_S_MAX:.0f} s to answer", retry_after_s=60.0)
    return b"".join(pieces)


def _resources(body: bytes) -> list[_Resource]:
    """The resources of a multistatus answer (RFC 4918, section 13) that have a calendar."""
    from lxml import etree

    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))
    except etree.XMLSyntaxError as error:
        raise TerminalError(f"the server's answer is no XML: {error}", hint="is it a CalDAV calendar?") from None
    found: list[_Resource] = []
    for response in root.iter(f"{_DAV}response"):
        href = response.findtext(f"{_DAV}href") or ""
        data = response.findtext(f".//{_CALDAV}calendar-data")
        etag = response.findtext(f".//{_DAV}getetag")
        if href and data and etag:
            found.append(_Resource(urlsplit(href.strip()).path, etag.strip(), data.encode()))
    return found


def _name(uid: str) -> str:
    """A resource's name for a UID: always the same, so that two who add an event at once write to one place."""
    return hashlib.sha256(uid.encode()).hexdigest()[:40]


def _changed(uid: str) -> Changed:
    return Changed(f"{uid[:80]} has changed on the server meanwhile", retry_after_s=0.0)
