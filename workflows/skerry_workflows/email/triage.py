"""What the workflow knows of a message: read in a sandbox once, then judged with what the user has taught. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import re

import msgspec

from skerry_workflows.awaited import Question
from skerry_workflows.email.categories import Category, Classifier, Guess
from skerry_workflows.email.learning import spam_odds
from skerry_workflows.email.model import Address, Attachment
from skerry_workflows.email.verdicts import Sign, Verdict, verdict_of
from skerry_workflows.email.wishes import Priority

_JUDGED_MAX, _LINES_MAX = 40_000, 1_500
_NEW_MAX, _QUOTED_MAX = 20_000, 5_000
_SIGNS_MAX, _ATTACHMENTS_MAX = 12, 50
_LIKELY = 0.2
"""A category as likely as this is worth asking about, where none is likelier."""
_INVOICE_WORDS = re.compile(
    r"(?i)invoice|rechnung|faktura|factura|facture|fattura|factuur|fatura|\bbill\b|credit\s*note|gutschrift|\bavoir\b"
)


class Mail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message as it was read. `key` is its identity: of its Message-ID and content, not of the way it came.

    `new` is what its author wrote, `quoted` the history below; `probability` that it is unwanted is before anything
    that the user has taught, and `signs` say why. `methods` are those of calendars in it.
    """

    key: str
    subject: str = ""
    sender: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    date: dt.datetime | None = None
    message_id: str = ""
    references: tuple[str, ...] = ()
    new: str = ""
    signature: str = ""
    quoted: str = ""
    attachments: tuple[Attachment, ...] = ()
    methods: tuple[str, ...] = ()
    deceits: tuple[str, ...] = ()
    bulk: bool = False
    bounced: bool = False
    probability: float = 0.0
    phishing: bool = False
    signs: tuple[Sign, ...] = ()
    asks: bool = False
    by: dt.datetime | None = None
    priority: Priority = "normal"
    language: str = ""
    meeting: bool = False
    flaws: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """Subject and new text: what it is judged by."""
        return f"{self.subject}\n{self.new}"


class Judgement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a message is, as far as rules and lessons know: `verdict` on unwanted mail, and the category."""

    verdict: Verdict
    probability: float
    category: str = ""
    sure: bool = False
    others: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    """The names of all categories that there are."""
    awaited: Question | None = None
    """The question of ours that it answers."""


def read(data: bytes, received: dt.datetime, zone: str = "UTC") -> Mail:
    """Reads the bytes of a message. Never raises."""
    from skerry_workflows.email import links, quotes, route, spam
    from skerry_workflows.email.mime import parse
    from skerry_workflows.email.wishes import wish_of

    message = parse(data)
    message = msgspec.structs.replace(message, text=calm(message.text))
    parts = quotes.split(message.text)
    judged = spam.score(message)
    wish = wish_of(message, parts.new, received, zone)
    return Mail(
        key=identity(data),
        subject=message.subject[:500],
        sender=message.sender[:3],
        to=message.to[:50],
        cc=message.cc[:50],
        reply_to=message.reply_to[:3],
        date=message.date,
        message_id=message.message_id,
        references=tuple(dict.fromkeys((*message.references, *message.in_reply_to)))[-50:],
        new=parts.new[:_NEW_MAX],
        signature=parts.signature[:2000],
        quoted=parts.quoted[:_QUOTED_MAX],
        attachments=message.attachments[:_ATTACHMENTS_MAX],
        methods=tuple(method for method, _ in message.calendars),
        deceits=tuple(dict.fromkeys(each.said for each in links.deceits(message.links)))[:_SIGNS_MAX],
        bulk=route.automatic(message),
        bounced=message.bounced,
        probability=judged.probability,
        phishing=judged.phishing,
        signs=judged.signs[:_SIGNS_MAX],
        asks=wish.asks,
        by=wish.by,
        priority=wish.priority,
        language=wish.language,
        meeting=wish.meeting,
        flaws=message.flaws,
    )


def calm(text: str) -> str:
    """A text as it is judged: without its monotonous and endless parts, which say nothing and cost much."""
    shorter = re.sub(r"(.)\1{100,}", lambda run: run[0][:100], text[:_JUDGED_MAX])
    return "\n".join(shorter.split("\n")[:_LINES_MAX])


_TOLD = re.compile(rb"(?im)^(?:message-id|from|date|subject)[ \t]*:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*")


def identity(data: bytes) -> str:
    """The same for every copy of a message: of who, when, what and its body, not of the servers it came through."""
    ends = [at for at in (data.find(b"\r\n\r\n"), data.find(b"\n\n")) if at >= 0]
    head, body = (data[: min(ends)], data[min(ends) :]) if ends else (b"", data)
    told = sorted(b" ".join(each.split()) for each in _TOLD.findall(head[: 256 * 1024]))
    digest = hashlib.sha256(b"\n".join(told))
    digest.update(b"\n\n" + body.replace(b"\r\n", b"\n").strip(b"\n"))
    return digest.hexdigest()


def judge(
    mail: Mail, categories: tuple[Category, ...], spam: dict[str, list[str]], sorted_: dict[str, list[str]]
) -> Judgement:
    """The judgement with what was taught: `spam` and `sorted_` are texts by label (see `learning`)."""
    probability = min(max(mail.probability, 1e-9), 1 - 1e-9)
    odds = math.log(probability / (1 - probability)) + spam_odds(spam, mail.said)
    probability = 1 / (1 + math.exp(-odds))
    guess: Guess = Classifier(categories, sorted_).guess(mail.said)
    names = tuple(each.name for each in categories)
    # Which of two it is, a person decides; that it is none of them needs nobody: it stays where all mail is.
    # What is sent to many, or by a program, nobody answers: then it is not worth a question either.
    others = () if mail.bulk else tuple(name for name, chance in guess.others if name and chance > _LIKELY)
    category = "" if mail.bulk and not guess.sure else guess.category
    return Judgement(
        verdict=verdict_of(probability),
        probability=round(probability, 4),
        category=category,
        sure=guess.sure or (not category and not others),
        others=others,
        known=names,
    )


def invoices_in(mail: Mail, category: str, hand_over: tuple[str, ...]) -> list[Attachment]:
    """The attachments that are handed to the invoice workflow: documents of a message that is about an invoice."""
    documents = [each for each in mail.attachments if _is_document(each)]
    if category in hand_over:
        return documents
    told = bool(_INVOICE_WORDS.search(mail.subject))
    return [each for each in documents if _INVOICE_WORDS.search(each.name) or (told and len(documents) == 1)]


def _is_document(attachment: Attachment) -> bool:
    name = attachment.name.lower()
    if attachment.inline or attachment.size == 0:
        return False
    return attachment.media_type in ("application/pdf", "application/xml", "text/xml") or name.endswith(
        (".pdf", ".xml")
    )
