"""Answers: made of the user's snippets, or by a model that may say only what stands in the thread or in a snippet."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterable
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from pathlib import Path

import msgspec

from skerry import Objection
from skerry.errors import DataError
from skerry_workflows.email.categories import Category, Classifier
from skerry_workflows.email.correspondence import Earlier
from skerry_workflows.email.model import Address
from skerry_workflows.email.triage import Mail

_FACT = re.compile(
    r"https?://\S+|[\w.+-]+@[\w.-]+\.\w+|[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){3,}"  # links, addresses, IBANs
    r"|\d[\d.,:/-]*\d|\d"  # and every number: dates, sums, telephones
)
_TEXT_MAX = 4_000
_ANSWER_MAX = 3_000


class Snippet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text that the user answers with. `when` says for which messages; `examples` are some."""

    text: str
    when: str = ""
    examples: tuple[str, ...] = ()
    category: str = ""
    language: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    snippet: dict[str, Snippet] = {}


class DraftAbout(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an answer is about: the message, its thread, and the snippets that may be used."""

    subject: str
    text: str
    sender: str = ""
    owner: str = ""
    language: str = ""
    earlier: tuple[Earlier, ...] = ()
    snippets: tuple[Snippet, ...] = ()


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """The text of an answer, with greeting and closing."""

    text: str


def load(path: Path) -> dict[str, Snippet]:
    """The snippets of a file; none where it is not there. Raises `DataError`."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File).snippet
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", hint="check its rights") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise DataError(f"{path}: {error}", hint="write [snippet.NAME] with text and when") from None


def fitting(mail: Mail, category: str, snippets: dict[str, Snippet]) -> tuple[Snippet, ...]:
    """The snippets that may answer a message, the best first: of its category, in its language, and alike."""
    possible = {
        name: each
        for name, each in snippets.items()
        if each.category in ("", category) and each.language in ("", mail.language)
    }
    asked = Classifier(
        [Category(name=name, description=each.when, examples=each.examples) for name, each in possible.items()]
    )
    likeness = asked.likeness(mail.said)
    ordered = sorted(possible, key=lambda name: -likeness.get(name, 0.0))
    guess = asked.guess(mail.said)
    return tuple(possible[name] for name in ordered[:3]) if guess.category and guess.sure else ()


def compose(about: DraftAbout) -> Draft:
    """The best snippet, with the name of who wrote. Empty where there is none."""
    if not about.snippets:
        return Draft(text="")
    name = about.sender.split()[0] if about.sender and "@" not in about.sender else ""
    return Draft(text=about.snippets[0].text.replace("{name}", name).replace("{owner}", about.owner).strip())


def shown(about: DraftAbout) -> str:
    """What a model sees."""
    earlier = "\n\n".join(f"{each.sender} wrote:\n{each.text[:1000]}" for each in about.earlier)
    snippets = "\n\n".join(each.text for each in about.snippets)
    return (
        f"Earlier messages:\n{earlier or 'none'}\n\nWhat may be said:\n{snippets or 'nothing beyond the messages'}\n\n"
        f"The message to answer, from {about.sender}:\nSubject: {about.subject}\n{about.text[:_TEXT_MAX]}"
    )


def grounded(draft: Draft, about: DraftAbout) -> Iterable[Objection]:
    """Every number, link and address of the answer stands in the thread or in a snippet."""
    said = (*(each.text for each in about.earlier), *(each.text for each in about.snippets))
    sources = (about.text, about.subject, *said)
    known = {_normal(fact) for source in sources for fact in _FACT.findall(source)}
    for fact in _FACT.findall(draft.text):
        if _normal(fact) not in known:
            yield Objection(rule="grounded", message=f"nobody has said {fact[:60]!r}", fields=("text",))


def sensible(draft: Draft, about: DraftAbout) -> Iterable[Objection]:
    """There is an answer, of a length that somebody reads, and it is not what was asked."""
    text = draft.text.strip()
    if not text:
        yield Objection(rule="sensible", message="there is no answer", fields=("text",))
    elif len(text) > _ANSWER_MAX:
        yield Objection(rule="sensible", message=f"an answer of {len(text)} characters", fields=("text",))
    elif text in about.text:
        yield Objection(rule="sensible", message="it only repeats the message", fields=("text",))


def _normal(fact: str) -> str:
    return re.sub(r"[\s.,;:!?)]+$|\s", "", fact).casefold()


def message_of(
    mail: Mail, text: str, owner: Address, key: str, at: dt.datetime, *, automatic: bool = False
) -> EmailMessage:
    """The answer as a message: to whom an answer goes, in the thread, with an id that is made of the step's key.

    The same key and time make the same message to the last byte, so that what is put into a mailbox or sent twice can
    be seen. `automatic`: nobody has looked at it, and it says so (RFC 3834), so that no program answers it.
    """
    made = EmailMessage()
    receivers = mail.reply_to or mail.sender
    made["From"] = _mailbox(owner)
    made["To"] = ", ".join(_mailbox(each) for each in receivers)
    subject = _one_line(mail.subject)
    made["Subject"] = subject if subject.lower().startswith("re:") else f"Re: {subject}"
    made["Date"] = format_datetime(at)
    made["Message-ID"] = message_id(key, owner)
    if automatic:
        made["Auto-Submitted"] = "auto-replied"
    if mail.message_id and re.fullmatch(r"[\x21-\x7e]+", mail.message_id):
        made["In-Reply-To"] = f"<{mail.message_id}>"
        references = [each for each in mail.references if re.fullmatch(r"[\x21-\x7e]+", each)][-20:]
        made["References"] = " ".join(f"<{each}>" for each in (*references, mail.message_id))
    made.set_content(text)
    return made


def message_id(key: str, owner: Address) -> str:
    """A Message-ID of a step's key."""
    local = re.sub(r"[^A-Za-z0-9.-]+", ".", key)
    return f"<{local}@{owner.domain or 'skerry.invalid'}>"


def _mailbox(address: Address) -> str:
    return formataddr((_one_line(address.name), _one_line(address.address)))


def _one_line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]+", " ", text).strip()[:500]
