"""Mail: what kind it is, what it is about, whether it asks for something, and by when."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import get_args

from training.documents import mail_words as words
from training.documents import names, values
from training.documents.words import LANGUAGES
from training.task import Mail, MailKind

FAMILIES = ("plain", "subject", "headers", "thread", "short", "long", "business", "bare")
HELD_OUT = ("x-forwarded", "x-subject-only")

_KINDS: tuple[MailKind, ...] = get_args(MailKind)
_ASKING = ("meeting", "order", "question")
"""Kinds that ask by what they are; the others do when a request stands in them."""


@dataclass
class Writer:
    """The dice, the language and the habits of one mail."""

    r: Random
    language: str
    held: bool
    date_style: str

    def pick(self, table: dict[str, str]) -> str:
        """One of a list's sentences; the held-out one where that is asked for."""
        return self.choose(words.options(table[self.language]))

    def choose(self, options: list[str]) -> str:
        """The same for a list at hand."""
        return options[-1] if self.held else self.r.choice(options[:-1])

    def any_of(self, table: dict[str, str]) -> str:
        """One of a list in which nothing is held out."""
        return self.r.choice(words.options(table[self.language]))

    def date(self) -> str:
        """Some date."""
        return values.write_date(values.day(self.r), self.date_style, self.language)

    def filler(self) -> str:
        """A sentence that says nothing."""
        return self.any_of(words.FILLERS).format(d=self.date(), p=names.person(self.r))

    def hello(self) -> str:
        """How it begins."""
        return self.any_of(words.HELLO).format(
            p=names.person(self.r) if self.r.random() < 0.5 else names.syllabic(self.r)
        )

    def bye(self, *, company: bool = False) -> list[str]:
        """How it ends."""
        more = [names.company(self.r, self.language), values.phone(self.r)] if company else []
        return [self.any_of(words.BYE), names.person(self.r), *more]

    def headers(self, subject: str) -> list[str]:
        """From, To, Date and Subject."""
        sender, to, date = words.HEADS[self.language]
        a, b = names.person(self.r), names.company(self.r, self.language)
        lines = [
            f"{sender}: {a} <{names.mailbox(self.r, a)}>",
            f"{to}: {names.mailbox(self.r, b)}",
            f"{date}: {self.date()}",
        ]
        return [*lines, f"{words.SUBJECT[self.language]}: {subject}"]


def writer(r: Random, held: bool) -> Writer:
    """A writer in some language."""
    language = r.choice(LANGUAGES)
    return Writer(r, language, held, values.date_style(r, language))


def topic(w: Writer) -> str:
    """What a mail can be about."""
    thing = w.any_of(words.TOPICS)
    made_up = names.syllabic(w.r)
    return w.r.choice(
        (
            thing,
            thing,
            f"{thing} {made_up}",
            f"{made_up} {w.r.randint(2, 900)}",
            made_up,
            values.number(w.r, 2024),
            f"{made_up} {names.word(w.r)}",
        )
    )


def deadline(w: Writer) -> str:
    """A day by which, as people write it."""
    if w.r.random() < 0.55:
        return w.date()
    return w.any_of(words.SOON).format(w=values.weekday(w.r, w.language))


def mail(r: Random, family: str, *, held_labels: bool = False) -> tuple[str, str, Mail]:
    """A mail of this family: its language, its text, and what is to be read out of it."""
    w = writer(r, held_labels)
    kind = r.choice(_KINDS)
    about = None if kind == "other" else topic(w)
    by = deadline(w) if r.random() < 0.35 else None
    core = [w.choose(words.options(words.SENTENCES[w.language][kind])).format(t=about)]
    if by is not None:
        core.append(w.pick(words.DEADLINES).format(u=by))
    requested = r.random() < 0.3
    if requested:
        core.append(w.pick(words.REQUESTS))
    asks = kind in _ASKING or by is not None or requested
    text = "\n".join(_page(w, family, core)).strip("\n")
    return w.language, text, Mail(kind=kind, asks=asks, by=by, subject_matter=about)


def _body(w: Writer, core: list[str], fillers: int) -> list[str]:
    """The sentences that matter among others, as one paragraph or as several."""
    texts = list(core)
    for _ in range(fillers):
        texts.insert(w.r.randint(0, len(texts)), w.filler())
    texts = [each[0].upper() + each[1:] if i else each for i, each in enumerate(texts)]
    return texts if w.r.random() < 0.35 else [" ".join(texts)]


def _page(w: Writer, family: str, core: list[str]) -> list[str]:
    r = w.r
    subject = w.any_of(words.TOPICS).capitalize() if r.random() < 0.5 else names.word(r)
    if family == "plain":
        return [w.hello(), "", *_body(w, core, r.randint(0, 2)), "", *w.bye()]
    if family == "subject":
        return [f"{words.SUBJECT[w.language]}: {subject}", "", w.hello(), *_body(w, core, r.randint(0, 2)), *w.bye()]
    if family == "headers":
        return [*w.headers(subject), "", w.hello(), "", *_body(w, core, r.randint(0, 3)), "", *w.bye(company=True)]
    if family == "thread":
        wrote = words.WROTE[w.language].format(d=w.date(), p=names.person(r))
        old = [f"> {w.filler()}" for _ in range(r.randint(1, 3))]
        return [w.hello(), "", *_body(w, core, r.randint(0, 1)), "", *w.bye(), "", wrote, *old]
    if family == "short":
        return _body(w, core, 0)
    if family == "long":
        return [w.hello(), "", *_body(w, core, r.randint(3, 6)), "", *w.bye(company=True)]
    if family == "business":
        head = [names.company(r, w.language), names.street(r, w.language), names.town(r, w.language), "", w.date(), ""]
        return [*head, w.hello(), *_body(w, core, r.randint(1, 3)), "", *w.bye()]
    if family == "bare":
        return [*_body(w, core, r.randint(0, 2)), names.person(r)]
    if family == "x-forwarded":
        return [w.filler(), "", "-----", *w.headers(subject), "", *_body(w, core, 1), "-----", *w.bye()]
    # The subject line says everything, the body nothing.
    return [f"{words.SUBJECT[w.language]}: {' '.join(core)}", "", w.hello(), w.filler(), *w.bye()]
