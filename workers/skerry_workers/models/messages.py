"""A question as the conversation that chat templates and endpoints take."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from skerry_workers.models.port import Question

MARKERS = ("<|", "<start_of_turn>", "<end_of_turn>", "[INST]", "[/INST]", "<s>", "</s>", "<<SYS>>", "<</SYS>>")
"""What some model takes for the end of a turn, wherever it stands."""


def messages(
    question: Question, *, markers: Sequence[str] = MARKERS, show_schema: bool = False
) -> list[dict[str, str]]:
    """A system message, the same for all questions of a kind, and the text with the objections below it.

    A text must not end its own turn and begin the model's: what could, gets a space inside. `show_schema` puts the
    schema below the system's words, for models that were trained to follow one.
    """
    system = question.system
    if show_schema:
        schema = json.dumps(question.schema, ensure_ascii=False, separators=(",", ":"))
        system = f"{system}\nAnswer in JSON that fits this schema:\n{schema}".lstrip()
    text = harmless(question.text, markers)
    if question.objections:
        listed = "\n".join(f"- {harmless(each, markers)}" for each in question.objections)
        text = f"{text}\n\nEarlier answers were wrong:\n{listed}"
    user = {"role": "user", "content": text}
    return [{"role": "system", "content": system}, user] if system else [user]


def without_system(turns: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The same in the user's turn alone: some models know no system, and its words stand above the text then."""
    return [{"role": "user", "content": "\n\n".join(turn["content"] for turn in turns)}]


def harmless(text: str, markers: Sequence[str] = MARKERS) -> str:
    """The text with a space after the first character of each marker in it, and for each zero character.

    At that some tokenizers take the text for ended, and all that should have followed as never said.
    """
    text = text.replace("\0", " ")
    if not markers:
        return text
    found = re.compile("|".join(re.escape(each) for each in sorted(markers, key=len, reverse=True)))
    return found.sub(lambda marker: f"{marker[0][0]} {marker[0][1:]}", text)
