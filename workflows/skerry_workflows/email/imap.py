"""A mailbox over IMAP4rev1 (RFC 3501): what is there, then IDLE (RFC 2177) for what comes.

A message's place is UIDVALIDITY and UID. The last UID that was taken in is remembered; when UIDVALIDITY changes, the
server has numbered the mailbox anew, and all of it is read again (their identities are known: nothing comes twice).
Messages are fetched with BODY.PEEK: they stay unread. A lost connection raises; the watch then begins again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import imaplib
import os
import re
import select
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Final, Literal, TypeVar, cast

from skerry.core.structs import Frozen
from skerry.errors import TerminalError, Unavailable
from skerry.ports import Arrival, Memory
from skerry.threads import Threads
from skerry_workflows.email.outgoing import connect, quoted, said
from skerry_workflows.mailer import password

T = TypeVar("T")

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_IDLE_S: Final = 9 * 60.0
"""A server may hang up on who idles for 30 minutes, and many a router long before that."""
_BYTES_MAX: Final = 64 * 1024 * 1024
_AT_ONCE: Final = 200


class Imap(Frozen):
    """Settings of `kind = "imap"`. `password_env` names the environment variable with the password.

    `poll_s`: how often to look where the server cannot IDLE. `tls`: "tls", "starttls", or "no" (this machine only).
    `since_days`: what came before is left alone; 0: all is taken in, however old.
    """

    host: str
    user: str
    password_env: str = ""
    port: int = 0
    mailbox: str = "INBOX"
    tls: Literal["tls", "starttls", "no"] = "tls"
    poll_s: float = 30.0
    since_days: int = 30


def check_imap(settings: Imap) -> str:
    """What is wrong with the settings, as far as can be seen from here."""
    if settings.password_env and not os.environ.get(settings.password_env):
        return f"the environment has no {settings.password_env}"
    return ""


async def imap_arrivals(settings: Imap, memory: Memory) -> AsyncGenerator[Arrival, None]:
    """What is in the mailbox, and what comes. Raises `Unavailable` when the server is gone."""
    from skerry_workflows.email.sources import arrival_of

    threads = Threads(1)  # imaplib waits for the network
    mailbox: Mailbox | None = None

    async def run(function: Callable[[], T]) -> T:
        outcome, _ = threads.submit(function)
        try:
            return await outcome
        except (OSError, imaplib.IMAP4.error) as error:
            hint = "is it there, and are user and password right?"
            raise Unavailable(f"{settings.host}: {said(error)}", hint=hint) from error

    try:
        mailbox = await run(partial(Mailbox, settings))
        while True:
            for uid in await run(partial(mailbox.after, _last(memory, mailbox.validity))):
                data = await run(partial(mailbox.fetch, uid))
                if data:
                    yield arrival_of(data, f"{settings.mailbox}-{uid}.eml")
                memory.put("place", f"{mailbox.validity}/{uid}")
            await run(partial(mailbox.wait, settings.poll_s))
    finally:
        if mailbox is not None:
            mailbox.hang_up()
        threads.close()


def _last(memory: Memory, validity: str) -> int:
    known, _, uid = memory.get("place").partition("/")
    return int(uid) if known == validity and uid.isdecimal() else 0


class Mailbox:
    """A selected mailbox. Blocking; raises `OSError` or `imaplib.IMAP4.error`."""

    def __init__(self, settings: Imap) -> None:
        self._days = settings.since_days
        self._server = connect(
            settings.host, settings.port, settings.tls, settings.user, password(settings.password_env)
        )
        status, answer = self._server.select(quoted(settings.mailbox), readonly=True)
        if status != "OK":
            self.hang_up()
            raise TerminalError(f"there is no mailbox {settings.mailbox}: {answer!r:.200}", hint="see `mailbox`")
        self.validity = _text(self._server.response("UIDVALIDITY")[1])
        # What was said before the login need not hold after it.
        self._idles = "IDLE" in _text(self._server.capability()[1]).upper().split()

    def after(self, last: int) -> list[int]:
        """The UIDs of messages above `last`, some at a time, in their order."""
        self._server.noop()
        status, found = self._server.uid("SEARCH", "UID", f"{last + 1}:*", *_since(self._days))
        if status != "OK":
            raise imaplib.IMAP4.error(f"SEARCH: {found!r:.200}")
        # `n:*` has the last message in it though its UID be below n (RFC 3501, 6.4.8).
        return sorted(uid for uid in map(int, _text(found).split()) if uid > last)[:_AT_ONCE]

    def fetch(self, uid: int) -> bytes:
        """The bytes of a message; none when it is gone, or too big to be taken in."""
        status, sizes = self._server.uid("FETCH", str(uid), "(RFC822.SIZE)")
        size = re.search(r"RFC822\.SIZE (\d+)", _text(sizes))
        if status != "OK" or size is None or int(size[1]) > _BYTES_MAX:
            return b""
        status, found = self._server.uid("FETCH", str(uid), "(BODY.PEEK[])")
        parts = cast("list[tuple[bytes, bytes] | bytes | None]", found)
        bodies = [part[1] for part in parts if isinstance(part, tuple)]
        return bodies[0] if status == "OK" and bodies else b""

    def wait(self, poll_s: float) -> None:
        """Until something may have come: the server says so (IDLE), or the time is over."""
        if not self._idles:
            select.select([self._server.socket()], [], [], poll_s)
            return
        tag = self._server._new_tag()
        self._server.send(tag + b" IDLE\r\n")
        if not self._line().startswith(b"+"):
            raise imaplib.IMAP4.abort("the server does not idle though it says it can")
        self._until_news()
        self._server.send(b"DONE\r\n")
        while not self._line().startswith(tag):
            pass

    def _until_news(self) -> None:
        socket = self._server.socket()
        while True:
            # What TLS has read already is in its buffer, where select does not see it.
            waiting = getattr(socket, "pending", lambda: 0)()
            if not waiting and not select.select([socket], [], [], _IDLE_S)[0]:
                return
            line = self._line()
            if re.match(rb"\* \d+ (?:EXISTS|RECENT)", line):
                return
            if line.startswith(b"* BYE"):
                raise imaplib.IMAP4.abort("the server hangs up")

    def _line(self) -> bytes:
        line = self._server.readline()
        if not line:
            raise imaplib.IMAP4.abort("the connection is gone")
        return line

    def hang_up(self) -> None:
        """Ends the connection, whatever waits on it."""
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            self._server.shutdown()


def _since(days: int) -> tuple[str, ...]:
    """The part of a SEARCH for what a server has had no longer than this (RFC 3501, 6.4.4: by its own days)."""
    if days <= 0:
        return ()
    day = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=days)
    return "SINCE", f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"


def _text(found: object) -> str:
    """What a server has said, as text."""
    lines = cast("list[object]", found) if isinstance(found, list) else []
    return " ".join(line.decode("latin-1") for line in lines if isinstance(line, bytes))
