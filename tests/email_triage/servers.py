"""Real servers on loopback: pymap (IMAP) as a process, aiosmtpd (SMTP) in a thread."""

from __future__ import annotations

import contextlib
import imaplib
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import wait_until_blocking

USER, PASSWORD = "bo", "secret"
PASSWORD_ENV = "TEST_MAIL_PASSWORD"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ImapServer:
    """One that forgets everything when it ends, and numbers anew when it starts again."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = Path(sys.executable).parent / "pymap"
        where = ["--host", "127.0.0.1", "--port", str(self.port), "--no-tls", "--no-service", "admin"]
        account = ["dict", "--demo-user", USER, "--demo-password", PASSWORD]
        self._process = subprocess.Popen(
            [str(program), *where, *account], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until_blocking(self._answers, timeout_s=30)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            self.connect().logout()
        except (OSError, imaplib.IMAP4.error):
            return False
        return True

    def connect(self) -> imaplib.IMAP4:
        server = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        server.login(USER, PASSWORD)
        return server

    def append(self, data: bytes, mailbox: str = "INBOX", when: str = "") -> None:
        server = self.connect()
        status, said = server.append(mailbox, "", when, data)
        assert status == "OK", said
        server.logout()

    def messages(self, mailbox: str) -> list[bytes]:
        server = self.connect()
        found: list[bytes] = []
        if server.select(mailbox, readonly=True)[0] == "OK":
            _, numbers = server.search(None, "ALL")
            for number in numbers[0].split():
                _, parts = server.fetch(number.decode(), "(BODY.PEEK[])")
                found += [part[1] for part in parts if isinstance(part, tuple)]
        server.logout()
        return found

    def seen(self) -> int:
        server = self.connect()
        server.select("INBOX", readonly=True)
        _, numbers = server.search(None, "SEEN")
        server.logout()
        return len(numbers[0].split())


@contextmanager
def imap_server() -> Iterator[ImapServer]:
    server = ImapServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Inbox:
    """What the SMTP server was handed. It refuses the first `refusals` messages for the moment."""

    def __init__(self) -> None:
        self.port = free_port()
        self.messages: list[bytes] = []
        self.refusals = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refusals:
            self.refusals -= 1
            return "451 later"
        self.messages.append(envelope.content)
        return "250 taken"


@contextmanager
def smtp_server() -> Iterator[Inbox]:
    from aiosmtpd.controller import Controller

    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=inbox.port)
    controller.start()
    try:
        yield inbox
    finally:
        with contextlib.suppress(AssertionError):
            controller.stop()
