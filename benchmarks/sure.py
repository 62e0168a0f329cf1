"""How often mail is judged without asking, and how often that is wrong: the figures of `Email` in docs/quality.md.

    python -m benchmarks.sure DATA [--write docs/quality.md]

DATA is the folder with `emails/`; `--write` puts the tables between the marks in a page. Besides the judgement as it
comes, unwanted mail is judged after lessons of others of these messages: four parts, each judged by what was taught of
the rest.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from benchmarks.scores import judge
from skerry_workflows.email import triage
from skerry_workflows.email.categories import Category, Classifier

PARTS = 4
TAUGHT = (0, 40, 80, 160)
NOWHERE = "oos"
"""The label of a short message that belongs into no category."""


class Mail(NamedTuple):
    """A message as the workflow reads it, and what it is."""

    mail: triage.Mail
    label: str


def mails(data: Path) -> list[Mail]:
    """The messages of the task `spam`."""
    folder = data / "emails"
    found: list[Mail] = []
    for case in json.loads((folder / "manifest.json").read_bytes())["cases"]:
        if case["task"] == "spam":
            mail = triage.read((folder / case["input"]).read_bytes(), dt.datetime.now(dt.UTC))
            found.append(Mail(mail, case["expected"]["label"]))
    return found


def judged(messages: Sequence[Mail], taught: int) -> Counter[str]:
    """What becomes of them after so many lessons."""
    order = list(range(len(messages)))
    Random(1).shuffle(order)
    counts: Counter[str] = Counter()
    for part in range(PARTS):
        mine = order[part::PARTS]
        others = [messages[i] for i in order if i not in set(mine)][:taught]
        lessons = {label: [each.mail.said for each in others if each.label == label] for label in ("spam", "ham")}
        counts["lessons"] = len(others)
        for mail, label in (messages[i] for i in mine):
            said = triage.judge(mail, (), lessons, {})
            counts["right, forced"] += ("spam" if said.probability > 0.5 else "ham") == label
            counts["asked"] += said.verdict == "unsure"
            counts["sure and wrong"] += said.verdict not in ("unsure", label)
            counts["wanted, and surely spam"] += (said.verdict, label) == ("spam", "ham")
    return counts


def intents(data: Path, name: str) -> Counter[str]:
    """Short messages put into categories of which only the names are known."""
    folder = data / "emails" / "intents"
    labels: list[str] = json.loads((folder / "labels.json").read_bytes())[name]
    classifier = Classifier([Category(name=label) for label in labels if label != NOWHERE])
    counts: Counter[str] = Counter()
    for line in (folder / f"{name}_test.jsonl").read_bytes().splitlines():
        row: dict[str, Any] = json.loads(line)
        guess = classifier.guess(row["text"])
        counts["messages"] += 1
        counts["sure"] += guess.sure
        counts["sure and wrong"] += guess.sure and (guess.category or NOWHERE) != row["label"]
    return counts


def tables(data: Path) -> Iterator[str]:
    """Both, as they stand in the page."""
    messages = mails(data)
    columns = ("right, forced", "asked", "sure and wrong", "wanted, and surely spam")
    yield f"| of {len(messages)}, messages taught | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for taught in TAUGHT:
        counts = judged(messages, taught)
        yield f"| {counts['lessons']} | {' | '.join(str(counts[column]) for column in columns)} |"
    yield ""
    yield "| intents, of which only names are known | messages | sure | sure and wrong |"
    yield "|---|---|---|---|"
    for name in ("banking77", "clinc150"):
        counts = intents(data, name)
        yield f"| `{name}` | {counts['messages']} | {counts['sure']} | {counts['sure and wrong']} |"


if __name__ == "__main__":
    judge(__doc__, "sure", tables)
