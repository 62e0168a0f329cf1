"""Grounded decoding: a grammar for one document, in which every text of an answer must stand in that document.

The grammar is in the Lark dialect of llguidance. A model under it cannot misspell what it copies; what remains is to
copy the right thing. A text may begin and end at any word (`words`), but for names that cuts "Cloud Nine Ltd" short
too easily, so a seller's name has to go on to the end of its cell (`tails`): of a line, of a column, or to a comma.
"""

from __future__ import annotations

import json
import re
from typing import get_args

import msgspec

from training.documents.values import CURRENCIES
from training.task import ANSWERS, Kind, MailKind

_CELL = re.compile(r"\n|\t| {2,}")
_JOINT = re.compile(r"(, | - | = | \| | · | • | \(|: ?|; )")


def lark(kind: Kind, text: str, *, tails: bool = True) -> str:
    """The grammar of the answer to one document."""
    rules: list[str] = []
    names: list[str] = []
    for field in msgspec.structs.fields(ANSWERS[kind]):
        name = f"f_{field.name}"
        names.append(f'"{_quoted(field.encode_name)}:" {name}')
        rules.append(f"{name}: {_value(kind, field.name, text, tails=tails)}")
    # A quotation mark or a backslash would have to be escaped in the answer: no word with one is quoted.
    plain = re.sub(r'["\\]', "\n", text)
    rules.append(
        f'TEXT: WORDS & /[^\\n\\t]+/\nWORDS: %regex {{"substring_words": {json.dumps(plain, ensure_ascii=False)}}}'
    )
    if any("TAIL" in rule for rule in rules):
        rules.append(f"TAIL: /{_tails(plain)}/")
    start = 'start: "{" ' + ' "," '.join(names) + ' "}"'
    return "\n".join([start, *rules]) + "\n"


def _quoted(text: str) -> str:
    """A JSON string inside a Lark string."""
    return json.dumps(json.dumps(text))[1:-1]


def _value(kind: Kind, field: str, text: str, *, tails: bool) -> str:
    if field == "asks":
        return '"true" | "false"'
    if field == "kind":
        return " | ".join(f'"{_quoted(each)}"' for each in get_args(MailKind))
    if field == "currency":
        there = sorted({each for each in CURRENCIES if each in text})
        return " | ".join(['"null"', *(f'"{_quoted(each)}"' for each in there)])
    quote = '"\\""'
    return f'"null" | {quote} {"TAIL" if tails and field == "seller" and _tails(text) else "TEXT"} {quote}'


def _tails(text: str) -> str:
    """A pattern of everything that begins at a word and goes on to the end of its cell, or to a comma or the like."""
    found: dict[str, None] = {}
    for cell in _CELL.split(re.sub(r'["\\]', "\n", text)):
        parts = _JOINT.split(cell.strip())
        pieces, joints = parts[::2], parts[1::2]
        for i, piece in enumerate(pieces):
            if words := piece.split():
                more = ""
                for joint, later in zip(reversed(joints[i:]), reversed(pieces[i + 1 :]), strict=True):
                    more = f"({_escaped(joint + later)}{more})?"
                found[_tail(words) + more] = None
    return "|".join(f"({each})" for each in found)


def _tail(words: list[str]) -> str:
    """The words, of which any number may be missing in front, and of the last one a full stop."""
    pattern = ""
    for word in words[:-1]:
        pattern = f"({pattern}{_escaped(word)} )?"
    last = words[-1]
    end = f"{_escaped(last[:-1])}\\.?" if len(last) > 1 and last.endswith(".") else _escaped(last)
    return pattern + end


def _escaped(text: str) -> str:
    # Not re.escape: llguidance knows only these with a backslash, and a slash would end the pattern.
    return re.sub(r"[\\.+*?()|\[\]{}^$/]", r"\\\g<0>", text)
