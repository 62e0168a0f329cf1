"""Outcomes of answers, and the thresholds that follow from them."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from skerry.core.answers import FieldNote
from skerry.core.calibration import CANDIDATES, Calibrated, Calibration, at_most, calibrate, upper_limit
from skerry.core.fleet import Fleet
from skerry.core.outcomes import FieldOutcome, outcomes, same
from skerry.core.step import Step
from skerry.core.tasks import Prompt
from skerry.core.thresholds import NEVER, Thresholds
from tests.core.support import Sim, sim_of


class Bill(msgspec.Struct, frozen=True):
    number: str
    total: str = ""


BILL = Prompt(name="bill", text="?")


def asking(answer: Any = Bill, **thresholds: float) -> Sim:
    async def body(step: Step) -> Any:
        await step.ask(answer, BILL, about="it")

    fleet = Fleet(("small", "medium", "large"), thresholds=Thresholds(default=thresholds.get("default", 0.5)))
    return sim_of(body, fleet)


def notes(**sure: float) -> dict[str, FieldNote]:
    return {name: FieldNote(confidence=each) for name, each in sure.items()}


def said(sim: Sim) -> list[tuple[str, str, float, bool, str]]:
    return [(o.field, o.model, o.confidence, o.right, o.by) for o in outcomes(sim.journal.read())]


SMALL, MEDIUM = {"digest": "s"}, {"digest": "m"}

# --- outcomes ---------------------------------------------------------------------------------------------------------


def test_a_bigger_size_settles_the_fields_that_it_answered() -> None:
    sim = asking()
    sim.result("1-1", {"number": "1", "total": "5"}, model=SMALL, fields=notes(number=0.9, total=0.3))
    assert said(sim) == []
    sim.result("1-1", {"total": "6"}, model=MEDIUM, fields=notes(number=0.2, total=0.8))
    assert said(sim) == [("total", "s", 0.3, False, "size")]


def test_a_person_settles_all_fields() -> None:
    sim = asking()
    sim.result("1-1", {"number": "1", "total": "5.0"}, model=SMALL, fields=notes(number=0.9, total=0.3))
    sim.result("1-1", {"total": "6"}, model=MEDIUM, fields=notes(number=0.1, total=0.4))
    sim.broken("1-1")
    sim.review("1-1", True, {"total": "5"})
    assert said(sim) == [
        ("number", "s", 0.9, True, "person"),
        ("total", "s", 0.3, True, "person"),
        ("total", "m", 0.4, False, "person"),
    ]


def test_nobody_settles_what_was_accepted_or_rejected_or_not_answered() -> None:
    sim = asking()
    sim.result("1-1", {"number": "1"}, model=SMALL, fields=notes(number=0.9))
    assert said(sim) == []
    sim = asking()
    sim.result("1-1", {"number": "1"}, model=SMALL, fields=notes(number=0.1))
    sim.broken("1-1")
    sim.broken("1-1")
    sim.review("1-1", False)
    assert said(sim) == []
    sim = asking()
    sim.result("1-1", {"number": "1"}, fields=notes(number=0.1))  # which model?
    sim.result("1-1", {"number": "1"}, model=MEDIUM, fields=notes(number=0.9))
    assert said(sim) == []


def test_a_smaller_size_settles_nothing() -> None:
    async def body(step: Step) -> Any:
        await step.ask(Bill, BILL, about="it", sizes=("medium", "small"))

    sim = sim_of(body)
    sim.result("1-1", {"number": "1"}, model=MEDIUM, fields=notes(number=0.4))
    sim.result("1-1", {"number": "2"}, model=SMALL, fields=notes(number=0.9))
    assert said(sim) == []


def test_answers_without_fields_have_outcomes_too() -> None:
    sim = asking(str)
    sim.result("1-1", "one", model=SMALL, fields={"": FieldNote(confidence=0.2)})
    sim.result("1-1", 5, model=MEDIUM, fields={"": FieldNote(confidence=0.2)})
    sim.result("1-1", "two", model={"digest": "l"}, fields={"": FieldNote(confidence=0.9), "x": FieldNote(start=1)})
    assert said(sim) == [("", "s", 0.2, False, "size"), ("", "m", 0.2, False, "size")]
    sim = asking()
    sim.result("1-1", [1], model=SMALL, fields=notes(number=0.2))
    sim.result("1-1", {"number": "1"}, model=MEDIUM)
    assert said(sim) == [("number", "s", 0.2, False, "size")]


def test_other_steps_have_none() -> None:
    async def body(step: Step) -> Any:
        await step.wait(Bill, question="Well?")

    sim = sim_of(body)
    sim.signal("Bill", {"number": "1"}, id="1")
    assert said(sim) == []


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("1.50", "1.5", True),
        (2, "2.0", True),
        (None, None, True),
        ("a", "a", True),
        ("a", "b", False),
        (True, 1.0, True),
        (True, "1", False),
        ("1", None, False),
        (["1.0"], ["1"], False),
    ],
)
def test_what_says_the_same(one: Any, other: Any, equal: bool) -> None:
    assert same(one, other) is equal


# --- the bound --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("k", "n", "level", "limit"),
    [(0, 10, 0.05, 0.2588656), (1, 10, 0.05, 0.3941633), (5, 100, 0.025, 0.1128349), (0, 299, 0.05, 0.0099694)],
)
def test_the_limits_are_those_of_the_tables(k: int, n: int, level: float, limit: float) -> None:
    assert upper_limit(k, n, level) == pytest.approx(limit, abs=1e-6)


def test_ends_of_the_limits() -> None:
    assert upper_limit(3, 3, 0.05) == upper_limit(0, 0, 0.05) == 1.0
    assert at_most(3, 3, 0.1) == 1.0
    assert at_most(1, 2, 0.5) == pytest.approx(0.75)


def group(field: str, right: int, wrong: int, *, sure: float, unsure: float) -> list[FieldOutcome]:
    """Right ones with the confidence `sure`, wrong ones with `unsure`."""
    return [
        FieldOutcome(prompt="p", field=field, model="m", confidence=c, right=ok, by="person")
        for ok, c, count in ((True, sure, right), (False, unsure, wrong))
        for _ in range(count)
    ]


def test_the_smallest_threshold_that_keeps_the_risk() -> None:
    every = [
        *group("few", 50, 0, sure=0.99, unsure=0.0),
        *group("clear", 600, 100, sure=0.85, unsure=0.65),
        *group("hopeless", 600, 100, sure=0.99, unsure=1.0),
        *group("perfect", 1000, 0, sure=0.1, unsure=0.0),
    ]
    clear, few, hopeless, perfect = calibrate(every, risk=0.01, confidence=0.95)
    level = 0.05 / len(CANDIDATES)
    assert few.needs == math.ceil(math.log(level) / math.log(0.99)) == 528
    assert (few.enough, few.calibrated.threshold) == (False, None)
    assert (clear.enough, clear.calibrated.threshold, clear.calibrated.accepted) == (True, 0.7, 600)
    assert (clear.calibrated.n, clear.calibrated.errors, clear.calibrated.passed_errors) == (700, 100, 0)
    assert clear.calibrated.bound == pytest.approx(1 - level ** (1 / 600))
    assert (hopeless.enough, hopeless.calibrated.threshold, hopeless.calibrated.bound) == (True, None, 1.0)
    assert perfect.calibrated.threshold == 0.0


def test_what_was_found_goes_over_what_there_was() -> None:
    old = Calibrated(prompt="p", field="few", model="m", threshold=0.9, n=9, errors=0)
    before = Calibration(
        default=0.4, fields=(old, Calibrated(prompt="o", field="f", model="m", threshold=0.8, n=1, errors=0))
    )
    every = [*group("few", 5, 0, sure=1.0, unsure=0.0), *group("bad", 0, 600, sure=1.0, unsure=1.0)]
    after = before.with_found(calibrate(every, risk=0.01, confidence=0.95), 0.01, 0.95)
    assert [(each.prompt, each.field, each.threshold) for each in after.fields] == [
        ("o", "f", 0.8),
        ("p", "bad", None),
        ("p", "few", 0.9),
    ]
    thresholds = after.thresholds()
    assert [thresholds.of("p", field, "m") for field in ("bad", "few", "other")] == [NEVER, 0.9, 0.4]
    assert (after.risk, after.confidence) == (0.01, 0.95)
