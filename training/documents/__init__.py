"""Documents made up from a seed, each with the answer that is to be read out of it.

The same seed gives the same document, on every machine. Three sets: `known` has the families and the wordings of the
training set; `layouts` has families that training never sees; `labels` has wordings that training never sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal, Protocol

from training.documents import invoice, mail, meeting
from training.task import Answer, Kind

Set = Literal["known", "layouts", "labels"]


@dataclass(frozen=True)
class Document:
    """A text, what it is, and what is to be read out of it."""

    kind: Kind
    family: str
    language: str
    text: str
    answer: Answer


KINDS: tuple[Kind, ...] = ("invoice", "invoice", "invoice", "mail", "meeting")
"""Invoices come more often: they are longer and have more families."""

KNOWN: dict[Kind, tuple[str, ...]] = {
    "invoice": tuple(invoice.FAMILIES),
    "mail": mail.FAMILIES,
    "meeting": meeting.FAMILIES,
}
HELD_OUT: dict[Kind, tuple[str, ...]] = {
    "invoice": tuple(invoice.HELD_OUT),
    "mail": mail.HELD_OUT,
    "meeting": meeting.HELD_OUT,
}


class _Maker(Protocol):
    def __call__(self, r: Random, family: str, *, held_labels: bool = False) -> tuple[str, str, Answer]: ...


_MAKERS: dict[Kind, _Maker] = {"invoice": invoice.invoice, "mail": mail.mail, "meeting": meeting.meeting}


def make(seed: int | str, of: Set = "known", kind: Kind | None = None) -> Document:
    """The document of this seed; of some kind, where none is asked for."""
    r = Random(f"{of} {seed}")
    chosen: Kind = r.choice(KINDS) if kind is None else kind
    family = r.choice((HELD_OUT if of == "layouts" else KNOWN)[chosen])
    held = of == "labels"
    language, text, answer = _MAKERS[chosen](r, family, held_labels=held)
    return Document(chosen, family, language, text, answer)
