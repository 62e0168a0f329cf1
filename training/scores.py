"""How right answers are, field by field: right is what the document's own answer says, letter by letter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from training.documents import Document, Set, make
from training.task import ANSWERS, Answer, Kind


def documents(of: Set, count: int, kind: Kind | None = None, *, salt: str = "score") -> Iterator[Document]:
    """Documents for scoring; never those of the training, whose seeds are numbers behind `train`."""
    return (make(f"{salt} {i}", of, kind) for i in range(count))


def answered(kind: Kind, text: str) -> Answer | None:
    """The answer that a model wrote, or nothing if it is not one."""
    try:
        return msgspec.json.decode(text, type=ANSWERS[kind])
    except (msgspec.DecodeError, UnicodeError):
        return None


@dataclass
class Scores:
    """Counts of right answers."""

    right: Counter[str] = field(default_factory=Counter[str])
    asked: Counter[str] = field(default_factory=Counter[str])

    def add(self, document: Document, answer: Answer | None) -> dict[str, bool]:
        """Counts one answer, and says which of its fields are right."""
        expected = msgspec.structs.asdict(document.answer)
        given = {} if answer is None else msgspec.structs.asdict(answer)
        found = {name: answer is not None and given.get(name) == value for name, value in expected.items()}
        for name, right in found.items():
            for key in (f"{document.kind}.{name}", "fields", f"{document.kind}.fields"):
                self.asked[key] += 1
                self.right[key] += right
        for key in ("whole", f"{document.kind}.whole"):
            self.asked[key] += 1
            self.right[key] += all(found.values())
        return found

    def rates(self) -> dict[str, float]:
        """The share of right answers: of each field, of all fields, of whole documents."""
        return {key: round(self.right[key] / count, 3) for key, count in sorted(self.asked.items())}
