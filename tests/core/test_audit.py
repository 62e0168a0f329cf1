"""Accepted answers that are looked at again: which ones, what is said of them, and what it says of the others."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from skerry.core import events as ev
from skerry.core.audit import Accepted, accepted, audited, risks, sampled
from skerry.core.calibration import upper_limit
from skerry.core.outcomes import outcomes
from skerry.core.recall import Placed
from skerry.errors import Conflict, DataError
from tests.core.test_calibration import MEDIUM, SMALL, asking, notes, said

RUN = "n-1"


def placed(*events: ev.AnyEvent) -> list[Placed]:
    return [(n, n, event) for n, event in enumerate(events, start=1)]


def taken(step: str, value: bytes = b'{"number":"1","total":"5"}', **judged: Any) -> tuple[ev.AnyEvent, ...]:
    """An answer that is taken at once."""
    given = {"size": "small", "choice": "accept", "model": {"digest": "s"}, "fields": notes(number=0.9), **judged}
    return (
        ev.StepScheduled(step=step, kind="ask", target="bill", size=given["size"]),
        ev.AnswerJudged(step=step, attempt=1, **given),
        ev.StepCompleted(step=step, kind="ask", target="bill", value=Raw(value)),
    )


# --- the sample -------------------------------------------------------------------------------------------------------


@given(st.text(max_size=8), st.text(max_size=8), st.floats(0, 1), st.floats(0, 1))
def test_a_bigger_share_has_the_smaller_one_in_it(run: str, step: str, one: float, other: float) -> None:
    if sampled(run, step, min(one, other)):
        assert sampled(run, step, max(one, other))
    assert sampled(run, step, 1.0)
    assert not sampled(run, step, 0.0)


def test_it_is_about_as_big_as_it_should_be() -> None:
    count = sum(sampled(f"office-{number}", "1-1", 0.1) for number in range(20_000))
    assert 1_850 < count < 2_150


# --- what is in it ----------------------------------------------------------------------------------------------------


def test_what_was_taken_without_a_person() -> None:
    events = placed(
        ev.RunStarted(workflow="w", version=1),
        *taken("1-1"),
        *taken("1-2", choice="review")[:2],
        ev.ReviewAnswered(step="1-2", approved=True),
        ev.StepCompleted(step="1-2", kind="ask", target="bill", value=Raw(b"{}")),
        ev.StepCompleted(step="1-3", kind="call", target="bill", value=Raw(b"{}")),
        *taken("1-4", size="rules", model={}),
        ev.AnswerJudged(step="1-5", attempt=1, size="small", choice="accept"),  # how it began was removed
        ev.StepCompleted(step="1-5", kind="ask", target="bill", value=Raw(b"{}")),
        ev.AnswerAudited(step="1-4", by="ada"),
        ev.AnswerAudited(step="1-9", by="ada"),
    )
    first, second = accepted(RUN, events)
    assert (first.run, first.step, first.prompt, first.size, first.model) == (RUN, "1-1", "bill", "small", "s")
    assert (first.value, first.audit) == (Raw(b'{"number":"1","total":"5"}'), None)
    assert (second.step, second.size, second.model) == ("1-4", "rules", "")
    assert second.audit is not None and second.audit.by == "ada"


# --- what is said of it -----------------------------------------------------------------------------------------------


def test_what_a_person_finds() -> None:
    answers = accepted(RUN, placed(*taken("1-1")))
    assert audited(answers, "", {}, "ada", "") == ev.AnswerAudited(step="1-1", by="ada")
    found = audited(answers, "1-1", {"total": "5.00", "number": "2"}, "ada", "misread")
    assert (found.changed, found.value, found.reason) == (("number",), Raw(b'{"number":"2"}'), "misread")


def test_what_cannot_be_said() -> None:
    answers = accepted(RUN, placed(*taken("1-1"), *taken("1-2", b"7")))
    with pytest.raises(Conflict, match="2 answers there were taken without a person") as several:
        audited(answers, "", {}, "", "")
    assert several.value.hint == "name one of the steps 1-1, 1-2"
    with pytest.raises(Conflict, match="without a person at step 1-3"):
        audited(answers, "1-3", {}, "", "")
    with pytest.raises(DataError, match="no field vendor") as unknown:
        audited(answers, "1-1", {"vendor": "x"}, "", "")
    assert unknown.value.hint == "its fields: number, total"
    with pytest.raises(DataError) as none:
        audited(answers, "1-2", {"number": "x"}, "", "")
    assert none.value.hint == "its fields: none"
    with pytest.raises(Conflict, match=r"person$"):
        audited([], "", {}, "", "")


# --- what follows -----------------------------------------------------------------------------------------------------


def test_it_settles_the_fields_of_all_models_that_had_a_part_in_it() -> None:
    sim = asking()
    sim.result("1-1", {"number": "1", "total": "5"}, model=SMALL, fields=notes(number=0.9, total=0.3))
    sim.result("1-1", {"total": "6"}, model=MEDIUM, fields=notes(total=0.8))
    assert said(sim) == [("total", "s", 0.3, False, "size")]
    history = sim.journal.read()

    def with_audit(*audits: ev.AnswerAudited) -> list[tuple[str, str, bool, str]]:
        after = [(len(history) + n, 1, each) for n, each in enumerate(audits, start=1)]
        return [(o.field, o.model, o.right, o.by) for o in outcomes([*history, *after])]

    right = ev.AnswerAudited(step="1-1")
    assert with_audit(right) == [
        ("number", "s", True, "audit"),
        ("total", "s", False, "audit"),
        ("total", "m", True, "audit"),
    ]
    wrong = ev.AnswerAudited(step="1-1", changed=("total",), value=Raw(b'{"total":"5"}'))
    assert with_audit(right, wrong) == [
        ("number", "s", True, "audit"),
        ("total", "s", True, "audit"),
        ("total", "m", False, "audit"),
    ]
    assert sim.replay().agrees


def test_how_often_accepted_answers_are_wrong_at_most() -> None:
    def answer(number: int, audit: ev.AnswerAudited | None, **more: str) -> Accepted:
        whose = {"run": f"n-{number}", "step": "1-1", "prompt": "bill", "size": "small", "model": "s", **more}
        return Accepted(**whose, value=Raw(b"{}"), audit=audit)

    right, wrong = ev.AnswerAudited(step="1-1"), ev.AnswerAudited(step="1-1", changed=("total",))
    answers = [answer(number, wrong if number == 7 else right) for number in range(100)]
    (all_of_them,) = risks(answers, 1.0, 0.95)
    assert msgspec.structs.astuple(all_of_them)[:6] == ("bill", "small", 100, 100, 100, 1)
    assert all_of_them.bound == upper_limit(1, 100, 0.05) == pytest.approx(0.0466, abs=1e-3)
    (some,) = risks(answers, 0.3, 0.95)
    assert some.accepted == 100 and some.sampled == some.audited < 50
    other, nothing = risks([answer(1, None, prompt="a"), answer(2, right)], 1.0, 0.95)
    assert (other.prompt, other.audited, other.bound, nothing.prompt) == ("a", 0, 1.0, "bill")
