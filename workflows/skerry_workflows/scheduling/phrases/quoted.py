"""The new text of a message, without the history it quotes and without a signature.

Only what can be told from the lines themselves; for mail with its headers the email workflow knows better.
"""

from __future__ import annotations

import re

# "On 3 May 2026, Ana wrote:" in the usual languages, over one or two lines; "-----Original Message-----"; headers.
_ATTRIBUTION = re.compile(
    r"^(?:on|am|le|el|il|em|op|den)\b.{4,200}\b"
    r"(?:wrote|schrieb\b.*|a écrit|escribió|ha scritto|escreveu|schreef\b.*)\s*:\s*$",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"^[\s*_-]*(?:original message|forwarded message|ursprüngliche nachricht|weitergeleitete nachricht|"
    r"message d'origine|mensaje original|messaggio originale|mensagem original|"
    r"oorspronkelijk bericht)[\s*_-]*$|^_{10,}$",
    re.IGNORECASE,
)
_HEADER = re.compile(r"^\s*\*?(?:from|von|de|da|van)\s*:\*?\s.*(?:@|<)", re.IGNORECASE)
_SIGNATURE = re.compile(r"^-- ?$")


def new_text(text: str) -> str:
    """What the writer wrote now: lines before the quoted history, without quoted lines and what follows `-- `."""
    lines = text.splitlines()
    kept: list[str] = []
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if _SIGNATURE.match(line) or _FORWARDED.match(line.strip()) or _HEADER.match(line):
            break
        if _ATTRIBUTION.match(line.strip()) or _ATTRIBUTION.match(f"{line.strip()} {following.strip()}"):
            break
        # A quoted line leaves the end of a paragraph, so that nothing is read across it.
        kept.append("" if line.lstrip().startswith(">") else line)
    return "\n".join(kept)
