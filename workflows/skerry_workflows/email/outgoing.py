"""Where answers go: a Drafts mailbox over IMAP or a folder; out over SMTP. Doing it twice is doing it once.

A message is known by its Message-ID, which is made of the step's key (`drafts.message_id`): a mailbox is searched for
it before anything is appended, and a file is named after it. SMTP cannot be asked whether it has had a message: what
was handed over is marked beside the lessons, and a crash in just that moment sends the same id again, which mail
servers and programs take for the same message.
"""

from __future__ import annotations

import imaplib
import os
import ssl
from email import policy
from email.message import EmailMessage
from pathlib import Path

from skerry.errors import RetryableError, TerminalError
from skerry_workflows.email.settings import Drafts
from skerry_workflows.scheduling.settings import Mail as Outgoing

TIMEOUT_S = 30.0


def put(message: EmailMessage, drafts: Drafts, folder: Path) -> str:
    """Puts a message where drafts are; says where, for people. Raises `RetryableError` or `TerminalError`."""
    if drafts.host:
        return _append(message, drafts)
    return _file(message, folder / Path(drafts.folder).expanduser())


def _file(message: EmailMessage, folder: Path) -> str:
    name = str(message["Message-ID"]).strip("<>").partition("@")[0]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{name}.tmp"
        with temporary.open("wb") as file:
            file.write(message.as_bytes(policy=policy.SMTP))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / f"{name}.eml")
    except OSError as error:
        raise RetryableError(f"the draft could not be put into {folder}: {error.strerror}") from error
    return str(folder / f"{name}.eml")


def _append(message: EmailMessage, drafts: Drafts) -> str:
    try:
        with connect(drafts.host, drafts.port, drafts.tls, drafts.user, password(drafts.password_env)) as server:
            mailbox = quoted(drafts.mailbox)
            if server.select(mailbox)[0] != "OK":
                server.create(mailbox)
                if server.select(mailbox)[0] != "OK":
                    raise TerminalError(f"there is no mailbox {drafts.mailbox}", hint="see drafts.mailbox in mail.toml")
            status, found = server.uid("SEARCH", "HEADER", "Message-ID", quoted(str(message["Message-ID"])))
            if status == "OK" and found and found[0]:
                return f"{drafts.mailbox} (it was there)"
            status, answer = server.append(mailbox, r"(\Draft \Seen)", "", message.as_bytes(policy=policy.SMTP))
            if status != "OK":
                raise RetryableError(f"{drafts.host} does not take the draft: {answer[0]!r:.200}")
    except (OSError, imaplib.IMAP4.abort) as error:
        raise RetryableError(f"{drafts.host} cannot be reached: {said(error)}", retry_after_s=30.0) from error
    except imaplib.IMAP4.error as error:
        raise TerminalError(f"{drafts.host} refuses: {said(error)}", hint="check user, password and mailbox") from error
    return drafts.mailbox


def connect(host: str, port: int, tls: str, user: str, secret: str) -> imaplib.IMAP4:
    """A logged-in connection; a password only goes over TLS, or stays here. Raises `OSError`, `imaplib.IMAP4.error`."""
    context = ssl.create_default_context()
    if tls == "tls":
        server: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, port or 993, ssl_context=context, timeout=TIMEOUT_S)
    else:
        if tls == "no" and host not in ("localhost", "127.0.0.1", "::1"):
            raise TerminalError("a password is not sent without TLS", hint='set tls = "tls" or "starttls"')
        server = imaplib.IMAP4(host, port or 143, timeout=TIMEOUT_S)
    try:
        if tls == "starttls":
            server.starttls(ssl_context=context)
        server.login(user, secret)
    except BaseException:
        server.shutdown()
        raise
    return server


def said(error: Exception) -> str:
    """The words of an error; imaplib's hold what the server said, as bytes."""
    first = error.args[0] if error.args else ""
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(error)


def password(variable: str) -> str:
    """The password in an environment variable. Raises `TerminalError` when there is none."""
    found = os.environ.get(variable, "") if variable else ""
    if variable and not found:
        raise TerminalError(f"the environment has no {variable}", hint="set it where skerry up runs")
    return found


def quoted(text: str) -> str:
    """An IMAP quoted string (RFC 3501, 4.3)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def send(message: EmailMessage, smtp: Outgoing, folder: Path) -> None:
    """Hands a message over to be sent. Raises `RetryableError` or `TerminalError`."""
    from skerry_workflows.scheduling.mailer import send as hand_over

    hand_over(message, smtp, folder)
