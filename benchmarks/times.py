"""Times in words: how many are read right, and how many wrong without a doubt. The table of docs/quality.md.

    python -m benchmarks.times DATA [--write docs/quality.md]

DATA is the folder with `timex/` and `score.py`. A row counts as one, however many times are in it: right when the
scorer finds nothing wrong in it. Half of the rows was at hand while the first rules were written; `AT_HAND` has which.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.scores import judge, scorer
from skerry_workflows.scheduling.phrases.evaluate import predict, unsure

KINDS = {
    "recognizers_en": "English sentences",
    "duckling_en": "English phrases",
    "dateparser_relative_en": "relative to now, English",
    "recognizers_other": "sentences in eight other languages",
    "dateparser_absolute": "whole dates in about 30 languages",
    "duckling_negative": "no time in it",
}
"""The files that are judged row by row, and what people call them."""
AT_HAND = {
    "recognizers_en": (24, 3), "duckling_en": (12, 3), "dateparser_relative_en": (12, 3), "recognizers_other": (1, 2),
    "dateparser_absolute": (14, 26), "duckling_negative": (6, 3),
}  # fmt: skip
"""Of each file the first rows, and after them each second or third, were at hand."""
COLUMNS = ("right", "right, asked", "wrong, asked", "wrong and sure", "not read")


def kind_of(file: str, row: dict[str, Any]) -> str:
    """What people call a row: a point in time, an interval, a length or what recurs, or none."""
    if file == "recognizers_en":
        types = {each["type"] for each in row["entities"]}
        if types & {"duration", "set"}:
            return f"{KINDS[file]}: lengths, and what recurs"
        return f"{KINDS[file]}: {'intervals' if any(map(_is_range, types)) else 'points' if types else 'no time'}"
    if file == "duckling_en":
        said = row["expected"]
        special = "holidays" if "holiday" in said else "open on one side" if "open" in said else ""
        return f"{KINDS[file]}: {special or ('intervals' if 'from' in said else 'points')}"
    return KINDS[file]


def _is_range(kind: str) -> bool:
    return kind.endswith("range")


def at_hand(file: str, index: int) -> bool:
    """Whether a row was looked at while the first rules were written."""
    first, each = AT_HAND[file]
    return index < first or index % each == 0


def judged(data: Path) -> tuple[dict[str, Counter[str]], dict[str, Counter[str]]]:
    """By kind of row, and by half, what became of the rows."""
    folder = data / "timex"
    predictions, _ = predict(folder)
    _, bad = scorer(data).TASKS["timex"](predictions)
    wrong, doubted = {each[0] for each in bad}, unsure(folder)
    kinds: dict[str, Counter[str]] = {}
    halves: dict[str, Counter[str]] = {"at hand": Counter(), "not looked at": Counter()}
    for file in KINDS:
        for index, line in enumerate((folder / f"{file}.jsonl").read_bytes().splitlines()):
            row: dict[str, Any] = json.loads(line)
            name, asked = row["id"], row["id"] in doubted
            # The scorer counts what is read where nothing is, and names none of them.
            is_wrong = bool(predictions.get(name)) if file == "duckling_negative" else name in wrong
            if not is_wrong:
                became = "right, asked" if asked else "right"
            elif not predictions.get(name):
                became = "not read"
            else:
                became = "wrong, asked" if asked else "wrong and sure"
            kinds.setdefault(kind_of(file, row), Counter())[became] += 1
            halves["at hand" if at_hand(file, index) else "not looked at"][became] += 1
    return kinds, halves


def table(data: Path) -> Iterator[str]:
    """As it stands in the page."""
    kinds, halves = judged(data)
    yield f"| rows | of | {' | '.join(COLUMNS)} |"
    yield "|---" * (len(COLUMNS) + 2) + "|"
    for name, counts in sorted(kinds.items()):
        yield _row(name, counts)
    yield _row("**all**", sum(kinds.values(), Counter[str]()))
    for name, counts in halves.items():
        yield _row(f"of these {name}", counts)


def _row(name: str, counts: Counter[str]) -> str:
    return f"| {name} | {counts.total()} | {' | '.join(str(counts[column]) for column in COLUMNS)} |"


if __name__ == "__main__":
    judge(__doc__, "times", table)
