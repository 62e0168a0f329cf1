"""Where a user's calendars are on a server: RFC 6764 (section 6), RFC 5397 and RFC 4791 (section 6.2.1).

A user gives the address of a server, or of anything on it, a name and a password; from there the way goes over the
principal (who the server takes us for) and its home (where its calendars are) to the calendars.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

import msgspec

from skerry.errors import TerminalError
from skerry_workflows.scheduling.stores.dav import CALDAV, DAV, Answer, DavClient, Element, responses

WELL_KNOWN: Final = "/.well-known/caldav"
SHOWN_MAX: Final = 20
_NOTHING_THERE: Final = (404, 405, 410, 501)
_ASKED: Final = b"""<?xml version="1.0" encoding="utf-8"?>
<D:propfind xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:resourcetype/><D:displayname/>
<D:current-user-principal/><C:calendar-home-set/><C:supported-calendar-component-set/></D:prop></D:propfind>"""


class FoundCalendar(msgspec.Struct, frozen=True):
    """A calendar for events: its name, and its path on the server."""

    name: str
    path: str


def find(server: DavClient, name: str = "") -> str:
    """The path of the calendar that is meant: the one at the address, or the only one (of that name) that there is.

    Raises:
        TerminalError: there is none, or there are several; which, it says.
        RetryableError: the server does not answer.
    """
    path = urlsplit(server.url).path
    answer = _ask(server, path, "0")
    missing = answer.status in _NOTHING_THERE
    if not missing:
        server.check(answer, "PROPFIND")
        here = _calendars(answer)
        if here and not name:
            return here[0].path
    found = calendars(server, None if missing else answer)
    meant = [one for one in found if name in ("", one.name, _last(one.path))]
    # What is at a wrong address is not what was meant, even where it is the only one.
    if len(meant) == 1 and (not missing or path == "/"):
        return meant[0].path
    host = urlsplit(server.url).hostname
    shown = ", ".join(f"{one.name!r} at {urljoin(server.url, one.path)}" for one in found[:SHOWN_MAX]) or "none"
    what = f"no calendar {name!r}" if name and not meant else "more than one calendar" if meant else "no calendar"
    if missing and path != "/":
        what = f"no calendar there ({answer.status})"
    raise TerminalError(f"{host} has {what}; there is: {shown}", hint="give the name or the address of one of them")


def calendars(server: DavClient, answer: Answer | None = None) -> list[FoundCalendar]:
    """All calendars for events of the user, by name. `answer` is what is known of the server's address."""
    homes = _hrefs(answer, f"{CALDAV}calendar-home-set") if answer else []
    principals = _hrefs(answer, f"{DAV}current-user-principal") if answer else []
    for start in (WELL_KNOWN, "/"):
        if homes or principals:
            break
        begun = _ask(server, start, "0")
        if begun.status not in _NOTHING_THERE:
            server.check(begun, "PROPFIND")
            principals = _hrefs(begun, f"{DAV}current-user-principal")
    for principal in principals if not homes else []:
        said = _ask(server, _path(server, principal), "0")
        server.check(said, "PROPFIND")
        homes += _hrefs(said, f"{CALDAV}calendar-home-set")
    found: dict[str, FoundCalendar] = {}
    for home in dict.fromkeys(homes):
        listed = _ask(server, _path(server, home), "1")
        server.check(listed, "PROPFIND")
        found.update({one.path: one for one in _calendars(listed)})
    return sorted(found.values(), key=lambda one: (one.name, one.path))


def _ask(server: DavClient, path: str, depth: str) -> Answer:
    return server.send("PROPFIND", path, {"Depth": depth, "Content-Type": "application/xml; charset=utf-8"}, _ASKED)


def _calendars(answer: Answer) -> list[FoundCalendar]:
    """Those of an answer that are calendars and take events."""
    found: list[FoundCalendar] = []
    for href, response in responses(answer.body):
        if response.find(f".//{DAV}resourcetype/{CALDAV}calendar") is None or not _takes_events(response):
            continue
        path = urlsplit(href).path
        path = path if path.endswith("/") else path + "/"
        name = (response.findtext(f".//{DAV}displayname") or "").strip()
        found.append(FoundCalendar(name or _last(path), path))
    return found


def _last(path: str) -> str:
    """The last part of a path: what people know a calendar by that has no name."""
    return unquote(path.rstrip("/").rpartition("/")[2])


def _takes_events(response: Element) -> bool:
    """Where nothing is said of kinds, all are taken (RFC 4791, section 5.2.3)."""
    kinds = [one.get("name") for one in response.iter(f"{CALDAV}comp")]
    return not kinds or "VEVENT" in kinds


def _hrefs(answer: Answer, name: str) -> list[str]:
    return [
        urljoin(answer.path, text.strip())
        for _, response in responses(answer.body)
        for found in response.iter(name)
        if (text := found.findtext(f"{DAV}href"))
    ]


def _path(server: DavClient, href: str) -> str:
    """The path of an address on the same server. Raises `TerminalError` for one elsewhere."""
    there, here = urlsplit(urljoin(server.url, href)), urlsplit(server.url)
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        raise TerminalError(
            f"{here.hostname} has the calendars at {there.scheme}://{there.netloc}",
            hint="if that is right, name it as the address",
        )
    return there.path
