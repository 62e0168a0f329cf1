"""Where drafts go: a mailbox over IMAP, or a folder. Doing it twice is doing it once.

A message is known by its Message-ID, which is made of the step's key (`drafts.message_id`): a mailbox is searched for
it before anything is appended, and a file is named after it.
"""

from __future__ import annotations

import imaplib
import ssl
from email import policy
from email.message import EmailMessage
from pathlib import Path

from skerry.errors import RetryableError, TerminalError
from skerry_workflows import mailer
from skerry_workflows.email.settings import Drafts
from skerry_workflows.mailer import HERE, TIMEOUT_S, password


def put(message: EmailMessage, drafts: Drafts, folder: Path) -> str:
    """Puts a message where drafts are; says where, for people. Raises `RetryableError` or `TerminalError`."""
    if drafts.host:
        return _append(message, drafts)
    return str(mailer.put(message, folder / Path(drafts.folder).expanduser()))


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
        if tls == "no" and host not in HERE:
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


def quoted(text: str) -> str:
    """An IMAP quoted string (RFC 3501, 4.3)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
