"""The fenced blocks of a Markdown file.

    python tests/support/markdown.py README.md "Two commands" 1

writes the first `sh` block under that heading: so `.ci/run` runs what the README says, and has no copy of it.
Standard library only, as it runs before anything is installed.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^(?P<indent> {0,3})(?P<fence>`{3,}|~{3,}) *(?P<info>[^`]*)$")
_HEADING = re.compile(r"^#{1,6} +(?P<title>.*?) *#*$")


@dataclass(frozen=True)
class Block:
    """One fenced block: the words after the fence, the heading above it, its text and the line its text begins on."""

    words: tuple[str, ...]
    section: str
    text: str
    line: int

    @property
    def language(self) -> str:
        """The first word of the info string; empty where there is none."""
        return self.words[0] if self.words else ""


def blocks(markdown: str) -> list[Block]:
    """All fenced blocks, in order. A fence that is never closed is an error: half the page would be code."""
    found: list[Block] = []
    section = ""
    opening: re.Match[str] | None = None
    opened_at = 0
    body: list[str] = []
    for number, line in enumerate(markdown.splitlines(), start=1):
        if opening is None:
            if heading := _HEADING.match(line):
                section = heading["title"]
            elif opening := _FENCE.match(line):
                opened_at, body = number, []
        elif re.match(rf"^ {{0,3}}{re.escape(opening['fence'])}{opening['fence'][0]}* *$", line):
            text = "".join(f"{each}\n" for each in body)
            found.append(Block(tuple(opening["info"].split()), section, text, opened_at + 1))
            opening = None
        else:
            body.append(line.removeprefix(opening["indent"]))
    if opening is not None:
        raise ValueError(f"line {opened_at}: this fence is never closed")
    return found


def command(markdown: str, section: str, number: int) -> str:
    """The text of the `number`th `sh` block (from 1) of a section."""
    found = [block for block in blocks(markdown) if block.section == section and block.language == "sh"]
    if not 1 <= number <= len(found):
        raise ValueError(f"section {section!r} has {len(found)} sh blocks, number {number} was asked for")
    return found[number - 1].text


if __name__ == "__main__":
    file, heading, which = sys.argv[1:]
    sys.stdout.write(command(Path(file).read_text(encoding="utf-8"), heading, int(which)))
