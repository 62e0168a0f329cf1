"""What the model is asked and what it answers: one short instruction and one struct for each kind of document.

An answer is compact JSON with its keys in the order of the struct. Every text in it is quoted from the document, letter
by letter, but for `Mail.kind`; what the document does not say is null.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["invoice", "mail", "meeting"]
MailKind = Literal["invoice", "meeting", "order", "complaint", "question", "notice", "advertising", "other"]


class Invoice(msgspec.Struct, frozen=True):
    """What an invoice says; amounts without their currency, everything as it is written."""

    seller: str | None
    number: str | None
    date: str | None
    due: str | None
    net: str | None
    tax: str | None
    total: str | None
    currency: str | None


class Mail(msgspec.Struct, frozen=True):
    """What a mail is about, whether it asks for something, and by when."""

    kind: MailKind
    asks: bool
    by: str | None
    subject_matter: str | None


class Meeting(msgspec.Struct, frozen=True):
    """When, for how long, where and with whom to meet."""

    when: str | None
    duration: str | None
    where: str | None
    who: str | None


Answer = Invoice | Mail | Meeting

ANSWERS: dict[Kind, type[Invoice] | type[Mail] | type[Meeting]] = {"invoice": Invoice, "mail": Mail, "meeting": Meeting}

PROMPTS: dict[Kind, str] = {
    "invoice": "Read the invoice.",
    "mail": "Sort the mail.",
    "meeting": "Read the meeting request.",
}
"""The system message. Short: a small model reads it with every document, and only needs to tell the kinds apart."""

TEXT_BYTES_MAX = 2_500
"""Longer documents were never seen in training."""


def messages(kind: Kind, text: str) -> list[dict[str, str]]:
    """The conversation up to the answer, as chat templates take it.

    A document must not end its own turn and begin the model's: engines know `<|assistant|>` wherever it stands.
    """
    return [{"role": "system", "content": PROMPTS[kind]}, {"role": "user", "content": text.replace("<|", "< |")}]


def write(answer: Answer) -> str:
    """The answer as the model is to write it."""
    return msgspec.json.encode(answer).decode()


def quoted(answer: Answer) -> dict[str, str]:
    """The fields of an answer that quote the document, without those that are null."""
    fields = msgspec.structs.asdict(answer)
    return {name: value for name, value in fields.items() if isinstance(value, str) and name != "kind"}
