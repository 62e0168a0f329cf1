"""By when a message wants something."""

from __future__ import annotations

import datetime as dt

from skerry_workflows.scheduling.phrases.language import Lexicon, detect, lexicon
from skerry_workflows.scheduling.phrases.lexer import Token, readable, tokenize
from skerry_workflows.scheduling.phrases.model import Deadline, Reading
from skerry_workflows.scheduling.phrases.quoted import new_text
from skerry_workflows.scheduling.phrases.reader import read

_NEAR = 6  # tokens between "deadline" and its date


def read_deadline(text: str, now: dt.datetime, zone: str, language: str | None = None) -> Deadline | None:
    """As `deadline` of this package says."""
    visible = readable(new_text(text))
    tokens = tokenize(visible)
    words = lexicon(language or detect(tokens))
    best: tuple[int, Deadline] | None = None
    for reading in read(visible, now, zone, words.language.code):
        weight = 0 if reading.negated else _weight(reading, tokens, words, now)
        due = _due(reading)
        if weight and due and due > now and (best is None or weight > best[0]):
            best = weight, Deadline(due=due, reading=reading)
    return best[1] if best else None


def _due(reading: Reading) -> dt.datetime | None:
    """The end of what was said; a time of day is itself the end."""
    span = reading.span
    if span is None:
        return None
    if reading.kind == "point" and span.grain in ("second", "minute", "hour"):
        return span.start
    return span.end


def _weight(reading: Reading, tokens: tuple[Token, ...], words: Lexicon, now: dt.datetime) -> int:
    """How clearly it is a deadline: said so (3), "by" or "before" (2), "until" or "within" (1)."""
    at = next((n for n, token in enumerate(tokens) if token.begin >= reading.begin), 0)
    for before in range(max(at - _NEAR, 0), at):
        if any(kind == "DUE" for kind, _, _ in words.senses(tokens, before)):
            return 3
    span = reading.span
    if span and span.grain in ("year", "decade", "century"):
        return 0
    first = {kind for kind, _, _ in words.senses(tokens, at)}
    if reading.kind == "open" and span and span.start is None:
        return 2 if first & {"BY", "BEFORE"} else 1
    within = (
        "WITHIN" in first
        and span is not None
        and span.start is not None
        and abs(span.start - now) < dt.timedelta(minutes=1)
    )
    return 1 if within else 0
