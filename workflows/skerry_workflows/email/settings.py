"""The settings of email: who you are, which categories there are, where drafts go, and what may be sent.

One small file, mail.toml in the data folder; see docs/guides/email.md. Without it mail is sorted by the categories that
come with Skerry, drafts are files in the data folder, and nothing is ever sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from skerry.errors import TerminalError
from skerry_workflows.mailer import Sending

FILE: Final = "mail.toml"
_HINT: Final = "mend mail.toml, see docs/guides/email.md, and retry the run"

Send: TypeAlias = Literal["never", "ask", "auto"]
"""Whether answers are sent: never (they are drafts), when a person agrees, or by themselves."""


class Drafts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where drafts go: the mailbox `mailbox` over IMAP where `host` is set, else the folder `folder`.

    `password_env` names the environment variable with the password. `tls`: "tls", "starttls", or "no" (this machine).
    """

    folder: str = "drafts"
    host: str = ""
    port: int = 0
    user: str = ""
    password_env: str = ""
    mailbox: str = "Drafts"
    tls: Literal["tls", "starttls", "no"] = "tls"


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is done without asking. `draft`: answers are made of your snippets, by models, or never.

    `hand_over`: attachments of these categories start the invoice workflow where they look like invoices.
    """

    send: Send = "never"
    draft: Literal["snippets", "models", "never"] = "snippets"
    hand_over: tuple[str, ...] = ("invoice",)
    review_days: float = 14


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it. `owner` is your address, `zone` yours; `categories` and `snippets` are files beside this one."""

    owner: str = ""
    name: str = ""
    zone: str = "UTC"
    categories: str = "categories.toml"
    snippets: str = "snippets.toml"
    policy: Policy = Policy()
    drafts: Drafts = Drafts()
    smtp: Sending = Sending()


def load(settings: Mapping[str, str]) -> tuple[Settings, Path]:
    """The settings of the node that a task runs on, and the folder that relative paths are below.

    Raises `TerminalError` when the file is there and says something that is not understood.
    """
    data = Path(settings.get("SKERRY_DATA", "."))
    path = Path(settings.get("SKERRY_EMAIL_FILE") or data / FILE)
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Settings), path.parent
    except FileNotFoundError:
        return Settings(), data
    except OSError as error:
        raise TerminalError(f"{path} cannot be read ({error.strerror})", hint=_HINT) from None
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise TerminalError(f"{path}: {error}", hint=_HINT) from None
