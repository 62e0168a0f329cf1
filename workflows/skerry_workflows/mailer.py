"""How mails leave the house: over SMTP, or into a folder. The same message twice is the same mail (its Message-ID).

SMTP cannot be asked whether it has had a message: who is killed between a server's 250 and noting it sends again. So a
message's Message-ID must follow from what caused it, not from when or how often it was tried; programs that receive
show such a message once.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from skerry.errors import RetryableError, TerminalError

if TYPE_CHECKING:
    import smtplib
    from email.message import EmailMessage

TIMEOUT_S: Final = 30.0
HERE: Final = ("localhost", "127.0.0.1", "::1")
"""Hosts to which a password may go without TLS."""


class Sending(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How mails leave: over SMTP where `host` is set, else into the folder `outbox`, from where you send them.

    `tls`: "starttls" (needed with a user, unless the server is on this machine), "tls" or "no".
    """

    outbox: str = "outbox"
    host: str = ""
    port: int = 0
    user: str = ""
    password_env: str = ""
    tls: Literal["starttls", "tls", "no"] = "starttls"


def send(mail: EmailMessage, settings: Sending, folder: Path) -> None:
    """Hand a mail over.

    Raises:
        RetryableError: the server cannot be reached or says "later"; the disk is full.
        TerminalError: the server refuses it for good, or the settings cannot be used.
    """
    if settings.host:
        _over_smtp(mail, settings)
    else:
        put(mail, folder / Path(settings.outbox).expanduser())


def put(mail: EmailMessage, folder: Path) -> Path:
    """Makes a file of a mail, named after its Message-ID: written again, it is the same file.

    Raises `RetryableError` when the folder cannot be written.
    """
    from email import policy

    name = str(mail["Message-ID"]).strip("<>").partition("@")[0]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{name}.tmp"
        with temporary.open("wb") as file:
            file.write(mail.as_bytes(policy=policy.SMTP))
            file.flush()
            os.fsync(file.fileno())
        return temporary.replace(folder / f"{name}.eml")
    except OSError as error:
        raise RetryableError(f"the mail could not be put into {folder}: {error.strerror}") from error


def password(variable: str) -> str:
    """The password in an environment variable. Raises `TerminalError` when there is none."""
    found = os.environ.get(variable, "") if variable else ""
    if variable and not found:
        raise TerminalError(f"the environment has no {variable}", hint="set it where skerry up runs")
    return found


def _over_smtp(mail: EmailMessage, settings: Sending) -> None:
    import smtplib  # most offices never send: it is loaded when they do

    if settings.user and settings.tls == "no" and settings.host not in HERE:
        raise TerminalError("a password is not sent without TLS", hint='set tls = "starttls" or "tls"')
    try:
        server = _connected(settings)
        try:
            if settings.user:
                server.login(settings.user, password(settings.password_env))
            refused = server.send_message(mail)
        finally:
            # What becomes of the goodbye changes nothing: a mail that was taken must not be sent again for it.
            with contextlib.suppress(OSError, smtplib.SMTPException):
                server.quit()
    except smtplib.SMTPAuthenticationError as error:
        raise TerminalError(f"{settings.host} does not let us in", hint="check user and password") from error
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        if all(400 <= code < 500 for code in codes):
            raise RetryableError(f"{settings.host} takes no mail for {mail['To']} now", retry_after_s=60.0) from error
        raise TerminalError(f"{settings.host} refuses {mail['To']}", hint="check the address") from error
    except smtplib.SMTPResponseException as error:
        if 500 <= error.smtp_code < 600:
            raise TerminalError(f"{settings.host} refuses the mail ({error.smtp_code})", hint="see its log") from error
        raise RetryableError(f"{settings.host} says {error.smtp_code}", retry_after_s=60.0) from error
    except (OSError, smtplib.SMTPException) as error:
        raise RetryableError(f"{settings.host} cannot be reached: {error}", retry_after_s=30.0) from error
    if refused:
        raise TerminalError(f"{settings.host} refuses {', '.join(refused)}; the other receivers have the mail")


def _connected(settings: Sending) -> smtplib.SMTP:
    import smtplib
    import ssl

    context = ssl.create_default_context()
    port = settings.port or {"tls": 465, "starttls": 587, "no": 25}[settings.tls]
    if settings.tls == "tls":
        return smtplib.SMTP_SSL(settings.host, port, timeout=TIMEOUT_S, context=context)
    server = smtplib.SMTP(settings.host, port, timeout=TIMEOUT_S)
    if settings.tls == "starttls":
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server
