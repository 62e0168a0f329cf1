"""Which outcomes thresholds are made of, and what becomes of fields with too few."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
from msgspec import Raw

from skerry.core.answers import FieldNote
from skerry.core.calibration import calibrate
from skerry.core.outcomes import FieldOutcome
from skerry_workers.models.port import Answer, Capabilities, Question
from skerry_workflows.invoice.model import Reading
from skerry_workflows.invoice.quotes import shown
from skerry_workflows.invoice.rules.likely import likely
from skerry_workflows.invoice.rules.page import lay_out
from training.calibrate import FIELDS, SETS, outcomes, taken
from training.scores import documents


class Parrot:
    """Says of each document what its own answer says; or that its number is another one."""

    def __init__(self, wrong: bool = False) -> None:
        self.capabilities = Capabilities()
        self.digest = "sha256:parrot"
        self.asked = 0
        self._wrong = wrong
        self._known = {
            shown(Reading(name="", media_type="", kind="text", text=document.text)): document.answer
            for of in SETS
            for document in documents(of, 30, "invoice", salt="calibrate")
        }

    def answer(self, question: Question, stop: threading.Event) -> Answer:
        """See `Backend`."""
        self.asked += 1
        assert (question.system, stop.is_set()) == ("Read the invoice.", False)
        said: dict[str, Any] = msgspec.structs.asdict(self._known[question.text])
        if self._wrong:
            said["number"] = "0"
        notes = {name: FieldNote(confidence=0.9) for name in said}
        return Answer(value=Raw(msgspec.json.encode(said)), fields=notes)

    def close(self) -> None:
        """See `Backend`."""


def test_only_what_a_second_look_confirms_counts() -> None:
    parrot = Parrot()
    found = list(outcomes(parrot, "Read the invoice.", 60))
    numbers = [each for each in found if each.field == "number"]
    assert {(each.prompt, each.model, each.confidence) for each in found} == {("invoice.extract", parrot.digest, 0.9)}
    assert 0 < parrot.asked < 60, "documents without a second look are not asked about"
    assert 0 < len(numbers) <= parrot.asked
    assert all(each.right for each in numbers)
    assert {each.field for each in found} <= {*FIELDS} - {"currency", "due_date"}
    assert not [each for each in outcomes(Parrot(wrong=True), "Read the invoice.", 60) if each.field == "number"]
    assert any(
        likely(lay_out(document.text)).number for document in documents("layouts", 30, "invoice", salt="calibrate")
    )


def test_fields_with_too_few_outcomes_are_never_taken() -> None:
    outcome = FieldOutcome(
        prompt="invoice.extract", field="number", model="m", confidence=0.8, right=True, by="layouts"
    )
    few = taken(calibrate([outcome] * 10, risk=0.02, confidence=0.95), "m")
    assert {(each.calibrated.field, each.calibrated.threshold) for each in few} == {(name, None) for name in FIELDS}
    many = {
        each.calibrated.field: each.calibrated.threshold
        for each in taken(calibrate([outcome] * 400, risk=0.02, confidence=0.95), "m")
    }
    assert many == {**dict.fromkeys(FIELDS), "number": 0.5}
