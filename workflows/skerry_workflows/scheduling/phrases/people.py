"""Who is named in a message, and where to meet."""

from __future__ import annotations

import re
from collections.abc import Sequence

from skerry_workflows.scheduling.phrases.language import Lexicon
from skerry_workflows.scheduling.phrases.lexer import Token, tokenize
from skerry_workflows.scheduling.phrases.model import Reading

_PEOPLE_MAX = 20
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_TITLES = frozenset(
    ["mr", "mrs", "ms", "dr", "prof", "herr", "frau", "hr", "fr", "mme", "mlle", "sr", "sra", "srta", "sig"]
)
_POLITE = frozenset(["ihnen", "sie", "ihrem", "ihrer", "ihren", "lei", "voi", "usted", "ustedes", "vous", "u"])
"""Whoever is written to, where politeness writes that as a name is written."""
_ONLINE = re.compile(
    r"\b(?:microsoft teams|google meet|zoom|teams|skype|webex|jitsi|facetime|whatsapp|slack|phone|telephone|telefon|"
    r"téléphone|teléfono|telefono|telefone|online|en ligne|videoconference|visio)\b",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?://[\w.-]*(?:zoom\.us|meet\.google\.com|teams\.microsoft\.com|webex\.com|meet\.jit\.si)/\S+")


def people_in(text: str, words: Lexicon, readings: Sequence[Reading]) -> tuple[str, ...]:
    """Names and addresses after "with" and its like, as written, each once."""
    tokens = tokenize(text)
    taken = _taken(tokens, readings)
    found: list[str] = []
    for at in range(len(tokens)):
        for kind, _, count in words.senses(tokens, at):
            if kind == "WITH":
                found += _names(text, tokens, at + count, words, taken)
                break
    return tuple(dict.fromkeys(found))[:_PEOPLE_MAX]


def _taken(tokens: tuple[Token, ...], readings: Sequence[Reading]) -> frozenset[int]:
    """The tokens that belong to a time."""
    return frozenset(at for at, token in enumerate(tokens) if any(r.begin <= token.begin < r.stop for r in readings))


def _names(text: str, tokens: tuple[Token, ...], at: int, words: Lexicon, taken: frozenset[int]) -> list[str]:
    """Names with commas and "and" between them, from a token on."""
    names: list[str] = []
    while at < len(tokens):
        address = _ADDRESS.match(text, tokens[at].begin)
        if address:
            names.append(address[0])
            while at < len(tokens) and tokens[at].begin < address.end():
                at += 1
        else:
            end = _name(tokens, at, words, taken)
            if end == at:
                break
            names.append(text[tokens[at].begin : tokens[end - 1].stop])
            at = end
        joint = _joint(tokens, at, words)
        if joint == at:
            break
        at = joint
    return names


def _joint(tokens: tuple[Token, ...], at: int, words: Lexicon) -> int:
    while at < len(tokens) and (
        tokens[at].text in ",;&" or any(kind in ("AND", "OR", "WITH") for kind, _, _ in words.senses(tokens, at))
    ):
        at += 1
    return at


def _name(tokens: tuple[Token, ...], at: int, words: Lexicon, taken: frozenset[int]) -> int:
    """Where a name that begins here ends: capitalised words, a title before them."""
    began = at
    while at < len(tokens) and at - began < 5:
        token = tokens[at]
        if at in taken or (at > began and token.gap == "break"):
            break
        if token.folded in _TITLES:
            at += 2 if at + 1 < len(tokens) and tokens[at + 1].text == "." else 1
        elif (_capital(token) and not _common(token, tokens, at, words)) or (
            at > began and token.text in "-'’" and at + 1 < len(tokens) and tokens[at + 1].gap == "none"
        ):
            at += 1
        else:
            break
    return at if at > began and tokens[at - 1].text[0].isupper() else began


def _capital(token: Token) -> bool:
    """Whether it is written as a name is; what shouts is none."""
    return token.text[0].isupper() and token.text[-1].isalpha() and not (len(token.text) > 3 and token.text.isupper())


def _common(token: Token, tokens: tuple[Token, ...], at: int, words: Lexicon) -> bool:
    """Whether it is an everyday word that only stands in capitals, or a word of meetings (German nouns)."""
    return (
        token.folded in words.marks
        or token.folded in _POLITE
        or any(kind in ("MEET", "ROOM", "UNIT", "PART") for kind, _, _ in words.senses(tokens, at))
    )


def place_in(text: str, words: Lexicon, readings: Sequence[Reading]) -> str | None:
    """Where to meet: a link or a service, a room, or a name after "at" or "in"; None where none is said."""
    link = _LINK.search(text)
    if link:
        return link[0].rstrip(".,;)>")
    tokens = tokenize(text)
    taken = _taken(tokens, readings)
    for at in range(len(tokens) - 1):
        # "Room 4" says so without "in".
        numbered = tokens[at + 1].text.isdecimal() and at + 1 not in taken
        if numbered and any(kind == "ROOM" and count == 1 for kind, _, count in words.senses(tokens, at)):
            return text[tokens[at].begin : tokens[at + 1].stop]
    for at in range(len(tokens)):
        kinds = {kind: count for kind, _, count in reversed(words.senses(tokens, at))}
        if at in taken or not kinds.keys() & {"IN", "AT"} or kinds.keys() & {"FOR", "WITH"}:
            continue
        place = _place(text, tokens, at + (kinds.get("IN") or kinds.get("AT") or 1), words, taken)
        if place:
            return place
    online = _ONLINE.search(text)
    return online[0] if online else None


def _place(text: str, tokens: tuple[Token, ...], at: int, words: Lexicon, taken: frozenset[int]) -> str | None:
    began = at
    while at < len(tokens) and any(kind in ("THE", "A") for kind, _, _ in words.senses(tokens, at)):
        at += 1
    if at >= len(tokens) or at in taken:
        return None
    room = next((count for kind, _, count in words.senses(tokens, at) if kind == "ROOM"), 0)
    if room:
        end = at + room
        # "Room 4", "building B".
        while end < len(tokens) and end not in taken and tokens[end].gap == "space" and _label(tokens[end]):
            end += 1
        return text[tokens[began].begin : tokens[end - 1].stop]
    end = _name(tokens, at, words, taken) if words.language.code != "de" else at
    if end > at:
        end += next((count for kind, _, count in words.senses(tokens, end) if kind == "ROOM"), 0)
    return text[tokens[began].begin : tokens[end - 1].stop] if end > at else None


def _label(token: Token) -> bool:
    return token.text.isdecimal() or (token.text[0].isupper() and len(token.text) <= 12)
