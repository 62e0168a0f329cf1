"""What a message is, after it was read. Plain data: every value survives JSON and back."""

from __future__ import annotations

import datetime as dt

import msgspec


class Address(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A mailbox (RFC 5322, 3.4). `address` is empty where a header has nothing but a name."""

    name: str = ""
    address: str = ""

    @property
    def domain(self) -> str:
        """What stands behind the last @, in lower case."""
        return self.address.rpartition("@")[2].lower() if "@" in self.address else ""


class Attachment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part that is not the message's text.

    `place` finds it again (`mime.part_bytes`): the numbers of its part and of those around it, from 1, as IMAP counts
    them. `size` is in bytes, decoded; `sha256` is of the same bytes. `inline`: shown within the text.
    """

    place: str
    media_type: str
    name: str = ""
    size: int = 0
    sha256: str = ""
    content_id: str = ""
    inline: bool = False


class Link(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A link as it stands there: where it leads, and what the reader sees in its place. Never opened."""

    target: str
    shown: str = ""


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message. Whatever is missing or cannot be read is empty; `flaws` says what was wrong, in sentences for people.

    `sender` is the header From (several are allowed), `date` has an offset (UTC where the header says none). Ids are
    without angle brackets. `text` is what a person reads: the plain text, or that of the HTML; `html` is as it came.
    `calendars` are the texts of text/calendar parts, with their `method` parameter in front (`REQUEST`, or empty).
    `headers` are all headers of the message itself, decoded, in order. `bounced`: a delivery report of a failure.
    """

    subject: str = ""
    sender: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    date: dt.datetime | None = None
    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    text: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    calendars: tuple[tuple[str, str], ...] = ()
    links: tuple[Link, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    bounced: bool = False
    hidden_chars: int = 0
    """How much of the HTML's text its style hides from the reader."""
    flaws: tuple[str, ...] = ()

    def header(self, name: str) -> str:
        """The first header of this name, in whatever case; empty when there is none."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")

    def all_headers(self, name: str) -> list[str]:
        """Every header of this name, in order."""
        wanted = name.lower()
        return [value for key, value in self.headers if key.lower() == wanted]
