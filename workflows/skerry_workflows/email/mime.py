"""The way in: the bytes of an untrusted message to a `Message`. Never raises, whatever the bytes are.

Which parts are the text is decided as JMAP does (RFC 8621, 4.1.4). Call it in a process with limits on memory and
time: every bound that is known is checked here, but parsers have bugs.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from itertools import islice

from skerry_workflows.email import addresses, dates, limits, structure
from skerry_workflows.email.headers import words
from skerry_workflows.email.model import Address, Attachment, Link, Message
from skerry_workflows.email.structure import Part

_ID = re.compile(r"<([^<>\s]{1,500})>")
_URL = re.compile(r"\b(?:https?://|www\.)[^\s<>\"'`{}|\\^\x00-\x1f]{2,1900}", re.IGNORECASE)
_TNEF = ("application/ms-tnef", "application/vnd.ms-tnef")
_KNOWN = frozenset(
    ("from", "to", "subject", "date", "message-id", "received", "return-path", "mime-version", "content-type")
)
_FEW_WORDS, _FAR_MORE = 10, 10
_INLINE_MEDIA = ("image/", "audio/", "video/")


def parse(data: bytes) -> Message:
    """Reads a message. What is missing or broken stays empty, and is told in `flaws`."""
    cut = len(data) > limits.MESSAGE_BYTES_MAX
    root, flaws = structure.parse(as_mail(data[: limits.MESSAGE_BYTES_MAX]))
    if not any(name.lower() in _KNOWN for name, _ in root.fields):
        flaws.append("it has none of the headers of a mail: it may be something else")
    if cut:
        flaws.append(
            f"the message has {len(data) >> 20} MiB: only the first {limits.MESSAGE_BYTES_MAX >> 20} were read"
        )
    bodies = _Bodies(root)
    text, html, links, hidden = bodies.texts()
    attachments = tuple(_attachment(part) for part in bodies.attached)
    if any(each.media_type in _TNEF or each.name.lower() == "winmail.dat" for each in attachments):
        flaws.append("winmail.dat is Outlook's own format and is not opened: ask the sender for the files in it")
    if len(text) > limits.TEXT_CHARS_MAX:
        flaws.append(f"the text is long: only the first {limits.TEXT_CHARS_MAX:,} characters were read")
    if any(part.media_type in ("multipart/encrypted", "application/pkcs7-mime") for part in root.walk()):
        flaws.append("the message is encrypted: its text cannot be read here")
    fields = tuple((name, words(value)) for name, value in root.fields)
    return Message(
        subject=words(root.field("subject")),
        sender=addresses.parse(root.field("from")),
        to=_people(root, "to"),
        cc=_people(root, "cc"),
        reply_to=addresses.parse(root.field("reply-to")),
        date=dates.parse(root.field("date")),
        message_id=_message_id(root.field("message-id")),
        in_reply_to=ids(root.field("in-reply-to")),
        references=ids(root.field("references")),
        text=text[: limits.TEXT_CHARS_MAX],
        html=html[: limits.HTML_CHARS_MAX],
        attachments=attachments,
        calendars=_calendars(root),
        links=links,
        headers=fields,
        bounced=_bounced(root),
        hidden_chars=hidden,
        flaws=tuple(flaws),
    )


def as_mail(data: bytes) -> bytes:
    """A message that a program has saved as a text file: without its byte order mark, and in UTF-8."""
    if data.startswith(codecs.BOM_UTF8):
        return data[len(codecs.BOM_UTF8) :]
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace").encode("utf-8")
    return data


def part_bytes(data: bytes, place: str) -> bytes:
    """The bytes of the attachment at `place`; none where there is no such part."""
    root, _ = structure.parse(as_mail(data[: limits.MESSAGE_BYTES_MAX]))
    return next((part.content() for part in root.walk() if (part.place or "1") == place and not part.parts), b"")


def ids(value: str) -> tuple[str, ...]:
    """The message ids in a header's value, without brackets; of one that has none, its words with an @."""
    found = _ID.findall(value) or [word for word in re.split(r"[\s,;<>\"()]+", value) if "@" in word]
    return tuple(dict.fromkeys(found))[: limits.REFERENCES_MAX]


def urls(text: str) -> Iterator[str]:
    """The addresses of pages that stand in a text, without the punctuation behind them."""
    for found in _URL.finditer(text):
        url = found[0].rstrip(".,;:!?*_~'\"")
        while url.endswith(")") and url.count(")") > url.count("("):
            url = url[:-1].rstrip(".,;:!?")
        yield url.rstrip("]>")


# --- the envelope -----------------------------------------------------------------------------------------------------


def _message_id(value: str) -> str:
    found = ids(value)
    return found[0] if found else value.strip("<> ")[:500]


def _people(root: Part, name: str) -> tuple[Address, ...]:
    """The mailboxes of every field of a name: there should be one, and some mailers write several."""
    found = (each for key, value in root.fields if key.lower() == name for each in addresses.parse(value))
    return tuple(dict.fromkeys(found))[: limits.ADDRESSES_MAX]


# --- which parts are what ---------------------------------------------------------------------------------------------


class _Bodies:
    """The parts that are the text, and those that are attached (RFC 8621, 4.1.4)."""

    def __init__(self, root: Part) -> None:
        self._plain: list[Part] = []
        self._html: list[Part] = []
        self.attached: list[Part] = []
        self._sort([root], "mixed", False)

    def _sort(self, parts: list[Part], kind: str, in_alternative: bool) -> None:
        for index, part in enumerate(parts):
            media = part.media_type
            if part.parts:
                inner = media.partition("/")[2]
                self._sort(part.parts, inner, in_alternative or inner == "alternative")
            elif part.broken:
                # Nobody knows what it was meant to be: it is read as text, and a whole message can be had as a file.
                if not part.place:
                    self.attached.append(part)
                if not (self._plain or self._html):
                    self._plain.append(part)
            elif not self._is_text(part, index, kind):
                self.attached.append(part)
            elif media == "text/html":
                self._html.append(part)
                if not in_alternative:
                    self._plain.append(part)
            else:
                self._plain.append(part)
                if not in_alternative:
                    self._html.append(part)

    @staticmethod
    def _is_text(part: Part, index: int, kind: str) -> bool:
        if part.media_type not in ("text/plain", "text/html") or part.disposition == "attachment":
            return False
        return index == 0 or (kind != "related" and not part.name)

    def texts(self) -> tuple[str, str, tuple[Link, ...], int]:
        """(what a person reads, the HTML as it came, the links, how many characters are hidden)."""
        plain = [part for part in self._plain if part.media_type != "text/html"]
        html = [part.text() for part in self._html if part.media_type == "text/html"]
        pieces: list[str] = []
        links: list[Link] = []
        hidden = 0
        rendered = {id(part): _rendered(part) for part in self._html if part.media_type == "text/html"}
        for _, found, chars in rendered.values():
            links += found
            hidden += chars
        said = sum(len(text.split()) for text, _, _ in rendered.values())
        # "Your program cannot show this message" is no text of a message whose page says a lot more.
        poor = said > _FAR_MORE * max(_FEW_WORDS, sum(len(part.text().split()) for part in plain))
        shown = self._html or self._plain if poor or all(_blank(part) for part in plain) else self._plain
        for part in shown:
            if part.media_type == "text/html":
                pieces.append((rendered.get(id(part)) or _rendered(part))[0])
            else:
                text = _unflowed(part)
                pieces.append(text)
                links += [Link(target=url) for url in islice(urls(text), limits.LINKS_MAX)]
        distinct = tuple(dict.fromkeys(links))[: limits.LINKS_MAX]
        return "\n".join(pieces), "\n".join(html), distinct, hidden


def _blank(part: Part) -> bool:
    return not part.body.strip()


def _rendered(part: Part) -> tuple[str, list[Link], int]:
    from skerry_workflows.email.html import render  # most messages have no HTML part, and lxml takes a while

    done = render(part.text())
    return done.text, done.links, done.hidden_chars


def _unflowed(part: Part) -> str:
    """Text with the lines joined that format=flowed broke (RFC 3676)."""
    text = part.text()
    if part.params.get("format", "").lower() != "flowed":
        return text
    joint = "" if part.params.get("delsp", "").lower() == "yes" else " "
    lines: list[str] = []
    open_depth = -1
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        bare = line[depth:].removeprefix(" ")  # a stuffed blank
        if depth == open_depth and lines and bare != "-- ":
            lines[-1] += bare
        else:
            lines.append(f"{'>' * depth} {bare}" if depth else bare)
        flows = bare.endswith(" ") and bare != "-- "
        open_depth = depth if flows else -1
        if flows:
            lines[-1] = lines[-1][:-1] + joint
    return "\n".join(lines)


def _attachment(part: Part) -> Attachment:
    content = part.content()
    return Attachment(
        place=part.place or "1",
        media_type=part.media_type,
        name=part.name,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content_id=part.field("content-id").strip("<> ")[:500],
        inline=part.disposition != "attachment" and part.media_type.startswith(_INLINE_MEDIA),
    )


def _calendars(root: Part) -> tuple[tuple[str, str], ...]:
    """Each calendar once: the same one is often a part of the alternatives, and attached as well."""
    found: dict[str, str] = {}
    for part in root.walk():
        calendar = part.media_type in ("text/calendar", "application/ics", "text/x-vcalendar")
        if not part.parts and (calendar or part.name.lower().endswith((".ics", ".vcs"))):
            text = part.text()[: limits.CALENDAR_CHARS_MAX]
            found[text] = found.get(text) or part.params.get("method", "").upper()[:40]
    return tuple((method, text) for text, method in found.items())


def _bounced(root: Part) -> bool:
    """A report (RFC 3464) that says that a delivery has failed."""
    if root.media_type != "multipart/report" and not any(
        p.media_type == "message/delivery-status" for p in root.walk()
    ):
        return False
    statuses = (part.text() for part in root.walk() if part.media_type == "message/delivery-status")
    return any(re.search(r"(?im)^action\s*:\s*failed", text) for text in statuses)
