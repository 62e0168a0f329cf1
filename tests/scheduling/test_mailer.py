"""Mails over a real SMTP server on loopback, and into the folder."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.controller import Controller

from skerry.errors import RetryableError, TerminalError
from skerry_workflows.mailer import Sending, send


class Kept:
    """Keeps what comes; says what it was told to say."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.say = "250 kept"
        self.goodbye = "221 bye"

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:
        """Called by aiosmtpd at the end."""
        del server, session, envelope
        return self.goodbye

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """Called by aiosmtpd for each receiver."""
        del server, session, options
        if address.startswith("nobody"):
            return "550 who?"
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Called by aiosmtpd for each mail."""
        del server, session
        if self.say.startswith("250"):
            self.mails.append(envelope.original_content)
        return self.say


@pytest.fixture
def server(free_port: int) -> Iterator[tuple[Kept, Sending]]:
    kept = Kept()
    controller = Controller(kept, hostname="127.0.0.1", port=free_port)
    controller.start()
    try:
        yield kept, Sending(host="127.0.0.1", port=free_port, tls="no")
    finally:
        controller.stop()


def mail(text: str = "Grüße") -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Ü", "ada@example.org", "ben@example.org"
    message["Message-ID"] = "<k1@example.org>"
    message.set_content(text)
    return message


def test_over_smtp(server: tuple[Kept, Sending], tmp_path: Path) -> None:
    kept, settings = server
    send(mail(), settings, tmp_path)
    assert len(kept.mails) == 1 and b"Message-ID: <k1@example.org>" in kept.mails[0]
    assert not list(tmp_path.iterdir())


def test_a_goodbye_that_fails_sends_nothing_again(server: tuple[Kept, Sending], tmp_path: Path) -> None:
    kept, settings = server
    kept.goodbye = "421 overloaded"
    send(mail(), settings, tmp_path)
    assert len(kept.mails) == 1


def test_a_receiver_that_is_refused_among_others_is_named(server: tuple[Kept, Sending], tmp_path: Path) -> None:
    kept, settings = server
    both = mail()
    both["Cc"] = "nobody@example.org"
    with pytest.raises(TerminalError, match=r"nobody@example\.org; the other"):
        send(both, settings, tmp_path)
    assert len(kept.mails) == 1


@pytest.mark.parametrize(
    ("said", "raised"), [("451 later", RetryableError), ("552 too big", TerminalError), ("550 no", TerminalError)]
)
def test_what_a_server_refuses(
    server: tuple[Kept, Sending], tmp_path: Path, said: str, raised: type[Exception]
) -> None:
    kept, settings = server
    kept.say = said
    with pytest.raises(raised):
        send(mail(), settings, tmp_path)


def test_nobody_there_and_no_tls(tmp_path: Path, free_port: int) -> None:
    with pytest.raises(RetryableError, match="cannot be reached"):
        send(mail(), Sending(host="127.0.0.1", port=free_port, tls="no"), tmp_path)
    with pytest.raises(TerminalError, match="without TLS"):
        send(mail(), Sending(host="mail.example.org", user="ada", tls="no"), tmp_path)


def test_a_password_that_is_not_there_is_named(server: tuple[Kept, Sending], tmp_path: Path) -> None:
    settings = msgspec.structs.replace(server[1], user="ada", password_env="NO_SUCH_PASSWORD")
    with pytest.raises(TerminalError, match="NO_SUCH_PASSWORD"):
        send(mail(), settings, tmp_path)


def test_into_a_folder_twice_is_once(tmp_path: Path) -> None:
    for _ in range(2):
        send(mail(), Sending(outbox="out"), tmp_path)
    (one,) = (tmp_path / "out").iterdir()
    assert one.name == "k1.eml" and b"Subject: =?utf-8?" in one.read_bytes()
    (tmp_path / "file").write_text("")
    with pytest.raises(RetryableError, match="could not be put"):
        send(mail(), Sending(outbox="file"), tmp_path)
