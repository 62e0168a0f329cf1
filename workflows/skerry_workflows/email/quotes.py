"""New text told apart from quoted history and the signature, in plain text of many clients and languages.

Three marks are known: a line that says who wrote what follows, a block of header lines (`From: ... Sent: ...`), and `>`
in front of lines. HTML is made into such text first (`html.render` writes blockquotes with `>`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from skerry_workflows.email import quote_words as w

_QUOTED = re.compile(r"^\s{0,3}>")
_ORIGINAL = re.compile(
    rf"^\W*[-_=–—]{{2,}}\s*(?:{w.ORIGINAL})\s*[-_=–—]{{2,}}\s*$|^\s*>?\s*(?:{w.BEGIN})\s*:?\s*$", re.I
)
_FORWARDED = re.compile(
    rf"^\W*[-_=–—]{{2,}}\s*(?:{w.FORWARDED})\s*:?\s*[-_=–—]{{2,}}\s*$|^\s*(?:{w.BEGIN_FORWARD})\s*:?\s*$", re.I
)
_WROTE = re.compile(rf"(?:{w.WROTE})\W{{0,3}}:?\s*$|(?:{w.WROTE})\s*[^.!?\n]{{0,120}}:\s*$", re.I)
_ON = re.compile(rf"^\W{{0,3}}(?:{w.ON})(?:\s|\d)", re.I)
_DATED = re.compile(r"\d{1,2}[:.h]\d{2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d{2}-\d{2}|\b(?:19|20)\d{2}\b|\d年|\d일")
_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_LABEL = re.compile(
    rf"^\s*[*_]{{0,2}}(?:(?P<sender>{w.FROM})|(?P<other>{w.OTHER}))[*_]{{0,2}}\s*[:：][*_]{{0,2}}(?:\s|$|\S)", re.I
)
_RULE = re.compile(r"^\s*(?:_{10,}|-{10,})\s*$")
_ABOVE = re.compile(rf"^\W*(?:{w.ABOVE})\W*$", re.I)
_ATTRIBUTION_LINES_MAX = 4
_ATTRIBUTION_CHARS_MAX = 400
_SIGNATURE_LINES_MAX = 12
_CLOSING_LINES_MAX = 7


class Split(NamedTuple):
    """A message's text in three: what its author wrote now, the signature below it, and what is quoted."""

    new: str
    signature: str
    quoted: str

    @property
    def written(self) -> str:
        """The new text with its signature."""
        return f"{self.new}\n\n{self.signature}".strip() if self.signature else self.new


def split(text: str) -> Split:
    """Takes a text apart. What is forwarded counts as new: it is what the message is about."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u200b", "").split("\n")
    kept, quoted = _without_history(lines)
    body = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    new, signature = _without_signature(body)
    return Split(new, signature, "\n".join(quoted).strip())


# --- history ----------------------------------------------------------------------------------------------------------


def _without_history(lines: list[str]) -> tuple[list[str], list[str]]:
    if _is_forward(lines):
        return lines, []
    kept: list[str] = []
    quoted: list[str] = []
    trusted = False
    at = 0
    while at < len(lines):
        line = lines[at]
        if _QUOTED.match(line):
            run = _quoted_run(lines, at)
            (quoted if trusted or _many(lines[at:run]) else kept).extend(lines[at:run])
            at = run
        elif behind := _attribution(lines, at):
            following = _next_filled(lines, behind)
            quoted += lines[at:behind]
            if following < len(lines) and not _QUOTED.match(lines[following]):
                return kept, quoted + lines[behind:]  # a client that puts no marks before lines
            trusted, at = True, behind
        elif _cuts(lines, at):
            return kept, quoted + lines[at:]
        else:
            kept.append(line)
            at += 1
    return kept, quoted


def _quoted_run(lines: list[str], at: int) -> int:
    """Behind the quoted lines that begin at `at`, the empty ones between them included."""
    end = at
    while at < len(lines) and (_QUOTED.match(lines[at]) or not lines[at].strip()):
        at += 1
        if _QUOTED.match(lines[at - 1]):
            end = at
    return end


def _many(run: list[str]) -> bool:
    """Without a word about who wrote it, a line or two with > may be anything."""
    return sum(1 for line in run if _QUOTED.match(line)) >= 3


def _next_filled(lines: list[str], at: int) -> int:
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _attribution(lines: list[str], at: int) -> int:
    """Behind the lines that say who wrote what follows ("On Monday Ada wrote:"); 0 when these do not."""
    if not lines[at].strip():
        return 0
    said = ""
    for end in range(at + 1, min(at + _ATTRIBUTION_LINES_MAX, len(lines)) + 1):
        line = lines[end - 1].strip()
        if not line and end - 1 > at:
            return 0
        said = f"{said} {line}".strip()
        if len(said) > _ATTRIBUTION_CHARS_MAX:
            return 0
        if _attributes(said, lines, end):
            return end
    return 0


def _attributes(said: str, lines: list[str], end: int) -> bool:
    evidence = bool(_DATED.search(said)) + bool(_ADDRESS.search(said))
    if _WROTE.search(said) and (evidence or (_ON.match(said) and said.endswith(":"))):
        return True
    following = _next_filled(lines, end)
    quote_follows = following < len(lines) and bool(_QUOTED.match(lines[following])) and following - end <= 2
    # In whatever language: it ends with a colon, names a time or an address, and a quote follows.
    if quote_follows and said.endswith((":", "：")) and (evidence or _WROTE.search(said)):
        return True
    return evidence == 2 and bool(_ON.match(said)) and said.endswith((":", "：", ">:", ">"))


def _cuts(lines: list[str], at: int) -> bool:
    """Whether everything from here on is history."""
    line = lines[at]
    if _ORIGINAL.match(line) or _ABOVE.match(line):
        return True
    if _RULE.match(line):
        return _header_block(lines, _next_filled(lines, at + 1))
    return _header_block(lines, at)


def _header_block(lines: list[str], at: int) -> bool:
    """At least two labels of a header, the sender's among them, within a few lines that are nothing else."""
    labels, sender = 0, False
    first = at
    while at < len(lines) and at - first < 10:
        line = lines[at].strip()
        found = _LABEL.match(line) if line else None
        if found is None:
            # A long list of receivers goes on in the next line; an empty line between two labels is some client's.
            after = at + 1 < len(lines) and _LABEL.match(lines[at + 1])
            if not labels or not after:
                break
        else:
            labels += 1
            sender = sender or bool(found["sender"])
        at += 1
    return labels >= 3 if not sender else labels >= 2


def _is_forward(lines: list[str]) -> bool:
    """Whether the first mark in the text is one of a forwarded message."""
    for at, line in enumerate(lines):
        if _FORWARDED.match(line):
            return True
        if _QUOTED.match(line) or _attribution(lines, at) or _cuts(lines, at):
            return False
    return False


# --- signatures -------------------------------------------------------------------------------------------------------

_DEVICE = re.compile(rf"^\W*(?:{w.SENT_FROM})\b.{{0,60}}$", re.I)
_CLOSING = re.compile(rf"^\W*(?:{w.CLOSINGS})\b.{{0,30}}$", re.I)


def _without_signature(body: str) -> tuple[str, str]:
    """The text and its signature: behind `-- `, behind "Sent from my", or behind a closing formula."""
    lines = body.split("\n")
    for at in range(len(lines) - 1, max(-1, len(lines) - 1 - _SIGNATURE_LINES_MAX), -1):
        line = lines[at]
        if line.rstrip() in ("--", "—", "__") and (at or len(lines) > 1):
            return _cut(lines, at)
    for at in range(len(lines) - 1, max(-1, len(lines) - 1 - _CLOSING_LINES_MAX), -1):
        if at and (_CLOSING.match(lines[at]) and len(lines[at]) < 60 and _short(lines[at + 1 :])):
            return _cut(lines, at)
    for at in range(len(lines) - 1, max(0, len(lines) - 4), -1):
        if _DEVICE.match(lines[at]):
            return _cut(lines, at)
    return body, ""


def _short(lines: list[str]) -> bool:
    """What stands under a closing formula: a name, a role, numbers; no sentences."""
    return all(len(line) < 70 and not re.search(r"[a-zà-ÿ]{3,}[.!?]\s", line) for line in lines)


def _cut(lines: list[str], at: int) -> tuple[str, str]:
    return "\n".join(lines[:at]).strip(), "\n".join(lines[at:]).strip()
