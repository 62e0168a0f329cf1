"""Calendars in files and on a real CalDAV server: one suite for both, and what is only theirs."""

from __future__ import annotations

import datetime as dt
import http.server
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from skerry.errors import RetryableError, TerminalError
from skerry_workflows.scheduling.calendar.lines import Component, Line, escape, line, written
from skerry_workflows.scheduling.calendar.occurrences import occurrences
from skerry_workflows.scheduling.stores.caldav import CaldavStore
from skerry_workflows.scheduling.stores.dav import DavClient
from skerry_workflows.scheduling.stores.discovery import FoundCalendar, calendars, find
from skerry_workflows.scheduling.stores.files import IcsStore
from skerry_workflows.scheduling.stores.store import Changed, Store
from tests.scheduling.files import calendar, event, source
from tests.scheduling.radicale import radicale

MARCH = (dt.datetime(2026, 3, 1, tzinfo=dt.UTC), dt.datetime(2026, 4, 1, tzinfo=dt.UTC))


@pytest.fixture(params=["file", "folder", "caldav"])
def store(request: pytest.FixtureRequest, tmp_path: Path, free_port: int) -> Iterator[Store]:
    if request.param == "caldav":
        with radicale(tmp_path, free_port) as url:
            yield CaldavStore(url, "ada", "secret")
    else:
        yield IcsStore(tmp_path / ("mine.ics" if request.param == "file" else "mine"))


def one(uid: str = "a@example.org", summary: str = "Tea", *more: str) -> Component:
    lines = ["SUMMARY:" + summary, "DTSTART:20260302T100000Z", "DTEND:20260302T110000Z", *more]
    return source(*event(*lines, uid=escape(uid))).calendar


def summaries(store: Store) -> list[str]:
    return sorted(o.summary for s in store.read(*MARCH) for o in occurrences(s, *MARCH).found)


def test_write_read_change_and_delete(store: Store) -> None:
    assert store.get("a@example.org") is None and summaries(store) == []
    first = store.put("a@example.org", one())
    store.put("b/../ö;?#@example.org", one("b/../ö;?#@example.org", "Cake", "X-FOREIGN;X-P=1:stays"))
    assert summaries(store) == ["Cake", "Tea"]
    known = store.get("a@example.org")
    assert known is not None and known.etag == first
    second = store.put("a@example.org", one(summary="Coffee"), first)
    assert second != first and summaries(store) == ["Cake", "Coffee"]
    other = store.get("b/../ö;?#@example.org")
    assert other is not None and other.calendar.named("VEVENT")[0].value("X-FOREIGN") == "stays"
    store.delete("a@example.org", second)
    store.delete("a@example.org", second)
    assert summaries(store) == ["Cake"]


def test_nobodys_change_is_lost(store: Store) -> None:
    first = store.put("a@example.org", one())
    with pytest.raises(Changed):
        store.put("a@example.org", one(summary="Second"))
    second = store.put("a@example.org", one(summary="Third"), first)
    for etag in (first, "", "nonsense"):
        with pytest.raises(Changed):
            store.put("a@example.org", one(summary="Fourth"), etag)
    with pytest.raises(Changed):
        store.delete("a@example.org", first)
    known = store.get("a@example.org")
    assert known is not None and known.etag == second and summaries(store) == ["Third"]


def test_of_many_at_once_one_is_first(store: Store) -> None:
    done: list[str] = []

    def put(number: int) -> None:
        try:
            store.put("a@example.org", one(summary=str(number)))
            done.append(str(number))
        except Changed:
            pass

    threads = [threading.Thread(target=put, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1 and summaries(store) == done


def test_a_series_with_its_exceptions_is_one_event(store: Store) -> None:
    lines = [*event("SUMMARY:Daily", "DTSTART:20260302T090000Z", "RRULE:FREQ=DAILY;COUNT=2"),
             *event("SUMMARY:Moved", "RECURRENCE-ID:20260303T090000Z", "DTSTART:20260303T120000Z")]  # fmt: skip
    etag = store.put("one@example.org", source(*lines).calendar)
    assert summaries(store) == ["Daily", "Moved"]
    known = store.get("one@example.org")
    assert known is not None and len(known.calendar.named("VEVENT")) == 2
    store.delete("one@example.org", etag)
    assert summaries(store) == []


# --- files ------------------------------------------------------------------------------------------------------------


def _renamed(old: Line) -> Line:
    return line("SUMMARY", "New") if old.name == "SUMMARY" else old


def test_a_file_keeps_everything_else(tmp_path: Path) -> None:
    path = tmp_path / "mine.ics"
    data = calendar(
        "X-WR-CALNAME:Ours", "BEGIN:X-OWN", "X-A:1", "END:X-OWN", *event("SUMMARY:Old", uid="old"), *event(uid="a@x"),
        "BEGIN:VTODO", "UID:t", "END:VTODO",
    )  # fmt: skip
    path.write_bytes(data)
    path.chmod(0o640)
    store = IcsStore(path)
    known = store.get("old")
    assert known is not None
    store.put("old", known.calendar.map_lines(_renamed), known.etag)
    assert path.read_bytes() == data.replace(b"SUMMARY:Old", b"SUMMARY:New")
    assert path.stat().st_mode & 0o777 == 0o640
    now_is = store.get("old")
    assert now_is is not None
    store.delete("old", now_is.etag)
    assert path.read_bytes() == data.replace("\r\n".join(event("SUMMARY:Old", uid="old")).encode() + b"\r\n", b"")


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = IcsStore(tmp_path / "mine.ics")
    etag = store.put("a@example.org", one())
    before = (tmp_path / "mine.ics").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RetryableError, match="No space left"):
        store.put("a@example.org", one(summary="x"), etag)
    assert (tmp_path / "mine.ics").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".tmp"] == []


def test_an_unreadable_file_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "a.ics").write_bytes(written(one()))
    (tmp_path / "b.ics").write_text("<html>")
    store = IcsStore(tmp_path)
    assert summaries(store) == ["Tea"]
    assert any("b.ics cannot be read" in w for s in store.read(*MARCH) for w in s.warnings)


# --- CalDAV -----------------------------------------------------------------------------------------------------------


def test_refusals_say_what_to_do(tmp_path: Path, free_port: int) -> None:
    with radicale(tmp_path, free_port) as url:
        with pytest.raises(TerminalError, match="refuses PROPFIND"):
            CaldavStore(url, "ada", "wrong").get("x")
        with pytest.raises(TerminalError, match=rf"no calendar there \(404\); there is: 'ada/mine' at {url}"):
            CaldavStore(url.replace("mine", "play"), "ada", "secret").get("x")
    with pytest.raises(RetryableError, match="cannot be reached"):
        CaldavStore(url, "ada", "secret").get("x")
    with pytest.raises(TerminalError, match="plain http"):
        CaldavStore("http://example.org/c/", "ada", "secret")
    with pytest.raises(TerminalError, match="no address"):
        CaldavStore("file:///etc/passwd")


def make(url: str, name: str, kinds: str = "VEVENT") -> None:
    """One more calendar on the server, with a name for people."""
    server = DavClient(url, "ada", "secret")
    body = (
        '<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>'
        f"<D:displayname>{name}</D:displayname><C:supported-calendar-component-set>"
        f'<C:comp name="{kinds}"/></C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>'
    )
    server.check(server.send("MKCALENDAR", f"/ada/{name.lower()}/", {}, body.encode()), "MKCALENDAR")


def test_a_calendar_is_found_from_the_servers_address(tmp_path: Path, free_port: int) -> None:
    with radicale(tmp_path, free_port) as url:
        root, home = url.removesuffix("ada/mine/"), url.removesuffix("mine/")
        make(url, "Chores", "VTODO")
        for address in (root, home, url):
            store = CaldavStore(address, "ada", "secret")
            uid = f"{len(address)}@example.org"
            store.put(uid, one(uid))
            assert CaldavStore(url, "ada", "secret").get(uid) is not None
        make(url, "Office")
        CaldavStore(root, "ada", "secret").get("x")
        with pytest.raises(
            TerminalError, match=rf"more than one calendar; there is: 'Office' at {home}office/, 'ada/mine'"
        ):
            CaldavStore(root, "ada", "secret").check()
        CaldavStore(root, "ada", "secret", "mine").check()
        office = CaldavStore(root, "ada", "secret", "Office")
        office.check()
        office.put("o", one("o"))
        assert CaldavStore(f"{home}office/", "ada", "secret").get("o") is not None
        with pytest.raises(TerminalError, match=r"no calendar 'Home'; there is: 'Office'"):
            CaldavStore(root, "ada", "secret", "Home").get("x")


def test_a_server_that_has_its_calendars_elsewhere_is_not_followed(free_port: int) -> None:
    """A password goes to whom it was given for, and to nobody that they name."""
    with answering(free_port, {"/": principal("/me/"), "/me/": home("https://elsewhere.example/cal/")}):
        with pytest.raises(TerminalError, match=r"has the calendars at https://elsewhere\.example"):
            CaldavStore(f"http://127.0.0.1:{free_port}/", "ada", "secret").get("x")
    with answering(free_port, {"/": principal("/me/"), "/me/": b"<html>"}):
        with pytest.raises(TerminalError, match="is no XML"):
            CaldavStore(f"http://127.0.0.1:{free_port}/", "bob", "secret").get("x")


def test_the_well_known_address_leads_to_the_calendars(free_port: int) -> None:
    """A server that has nothing at its root, and its calendars below another folder (RFC 6764, section 5)."""
    answers: dict[str, bytes | str] = {
        "/.well-known/caldav": "/dav/", "/dav/": principal("me/"), "/dav/me/": home("/dav/home/"),
        "/dav/home/": multistatus("<resourcetype><collection/><C:calendar/></resourcetype>", "/dav/home/work%20a/"),
    }  # fmt: skip
    with answering(free_port, answers):
        server = DavClient(f"http://127.0.0.1:{free_port}", "ada", "secret")
        assert calendars(server) == [FoundCalendar("work a", "/dav/home/work%20a/")]
        assert find(server) == "/dav/home/work%20a/"


def principal(href: str) -> bytes:
    return multistatus(f"<current-user-principal><href>{href}</href></current-user-principal>")


def home(href: str) -> bytes:
    inside = f"<C:calendar-home-set><href>{href}</href></C:calendar-home-set>"
    return multistatus(inside)


def multistatus(inside: str, href: str = "/") -> bytes:
    head = '<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
    response = f"<response><href>{href}</href><propstat><prop>{inside}</prop></propstat></response>"
    return f"{head}{response}</multistatus>".encode()


@contextmanager
def answering(port: int, answers: Mapping[str, bytes | str]) -> Iterator[None]:
    """A server that says these, by path; where that is a text, it sends there."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PROPFIND(self) -> None:
            body = answers.get(self.path, b"")
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if isinstance(body, str):
                self.send_response(301)
                self.send_header("Location", body)
                body = b""
            else:
                self.send_response(207 if body else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
