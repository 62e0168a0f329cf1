"""Address lists (RFC 5322, 3.4 and 4.4): names, comments, groups, routes, and what mailers make of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from skerry_workflows.email import limits
from skerry_workflows.email.headers import words
from skerry_workflows.email.model import Address

_BARE = re.compile(r"[^\s<>,;:\"()]+@[^\s<>,;:\"()]+")


def parse(value: str) -> tuple[Address, ...]:
    """The mailboxes of a header's value. Groups are dissolved; a bare word is a name without an address."""
    found: list[Address] = []
    for phrase, address in _mailboxes(value[: limits.HEADER_CHARS_MAX]):
        name = words(phrase).strip().strip("'\"").strip()
        if not address and (bare := _BARE.search(name)):
            address, name = bare[0], name.replace(bare[0], "").strip()
        if address or name:
            found.append(Address(name=re.sub(r"\s+", " ", name), address=address))
        if len(found) >= limits.ADDRESSES_MAX:
            break
    return tuple(found)


def _mailboxes(value: str) -> Iterator[tuple[str, str]]:
    """(phrase, address) of each, one after the other; either may be empty."""
    phrase: list[str] = []
    comments: list[str] = []
    angle = ""
    for kind, text in _tokens(value):
        if kind == "end":
            yield _mailbox(phrase, angle, comments)
            phrase, comments, angle = [], [], ""
        elif kind == "group":
            phrase, comments, angle = [], [], ""
        elif kind == "angle":
            angle = angle or text
        elif kind == "comment":
            comments.append(text)
        else:
            phrase.append(text)
    yield _mailbox(phrase, angle, comments)


def _mailbox(phrase: list[str], angle: str, comments: list[str]) -> tuple[str, str]:
    joined = "".join(phrase).strip()
    if angle:
        return joined or " ".join(comments), _address(angle)
    compact = re.sub(r"\s*([.@])\s*", r"\1", joined)
    if "@" in compact and not re.search(r"\s", compact):
        return " ".join(comments), _address(compact)
    return joined, ""


def _address(text: str) -> str:
    """Without blanks, and without a route (`@relay:` in front, RFC 5322, 4.4)."""
    compact = re.sub(r"\s+|\([^()]*\)", "", text)
    if compact.startswith("@") and ":" in compact:
        compact = compact.rpartition(":")[2]
    return compact.removeprefix("mailto:").strip("<>")[:320]


def _tokens(value: str) -> Iterator[tuple[str, str]]:
    """("angle" | "comment" | "text" | "group" | "end", text), in one pass over the value."""
    at, size = 0, len(value)
    while at < size:
        char = value[at]
        if char == '"':
            text, at = _until(value, at + 1, '"')
            yield "text", text
        elif char == "(":
            text, at = _comment(value, at + 1)
            yield "comment", text
        elif char == "<":
            text, at = _until(value, at + 1, ">")
            yield "angle", text.lstrip("<")
        elif char in ",;":
            yield "end", ""
            at += 1
        elif char == ":":
            yield "group", ""
            at += 1
        else:
            found = re.compile(r'[^"(<,;:]+').match(value, at)
            text = found[0] if found else char
            yield "text", text
            at += len(text)


def _until(value: str, at: int, mark: str) -> tuple[str, int]:
    """The text up to a mark, without backslashes before quotes; all of it where the mark is missing."""
    pieces: list[str] = []
    while at < len(value) and value[at] != mark:
        if value[at] == "\\" and at + 1 < len(value):
            at += 1
        pieces.append(value[at])
        at += 1
    return "".join(pieces), at + 1


def _comment(value: str, at: int) -> tuple[str, int]:
    """A comment's text; comments nest."""
    depth, pieces = 1, list[str]()
    while at < len(value):
        char = value[at]
        if char == "\\" and at + 1 < len(value):
            at += 1
            char = value[at]
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if not depth:
                return "".join(pieces), at + 1
        pieces.append(char)
        at += 1
    return "".join(pieces), at
