"""Questions to people that are waits; parked runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from skerry.core import events as ev
from skerry.core.pending import RunCall
from skerry.core.retry import Retry
from skerry.core.review import Decision
from skerry.core.step import Step
from skerry.core.tasks import task
from skerry.errors import Conflict, StepFailed
from tests.core.scripts import A, local
from tests.core.support import START_US, kinds, sim_of


def test_a_parked_run_waits_for_a_person() -> None:
    async def body(step: Step) -> Any:
        return (await step.wait(A, question="?")).text

    sim = sim_of(body)
    sim.row = sim.run.row
    sim._take(sim.run.park(ev.RunParked(reason="the code is wrong"), sim.now_us))
    assert (sim.row.status, sim.row.note, sim.row.wake_us) == ("parked", "the code is wrong", 0)
    sim.signal("A", {"text": "meanwhile"}, id="1")
    assert sim.run.inbox[0].id == "1"
    sim.retry()
    assert sim.outcome() == "meanwhile"
    assert sim.replay().agrees


def test_a_second_answer_is_noted_and_changes_nothing() -> None:
    async def body(step: Step) -> Any:
        first = await step.wait(Decision, question="Pay it?")
        second = await step.wait(Decision, question="And that?")
        return [first.approved, second.approved]

    sim = sim_of(body)
    sim.review("1-1", True)
    sim._take(sim.run.note(ev.AnswerRefused(step="1-1", approved=False, by="bob"), sim.now_us))
    assert (sim.last.effects, sim.row.status, sim.row.note) == ([], "review", "And that?")
    sim.crash()
    sim.review("1-2", True, id="2")
    assert sim.outcome() == [True, True]
    assert sim.replay().agrees


def test_a_question_stands_under_review() -> None:
    async def body(step: Step) -> Any:
        return (await step.wait(Decision, A, question="Pay it?", timeout=timedelta(days=1))).approved  # type: ignore[union-attr]

    sim = sim_of(body)
    assert (sim.row.status, sim.row.note) == ("review", "Pay it?")
    assert sim.events(ev.ReviewOpened)[0].due_us == START_US + 86_400_000_000
    with pytest.raises(Conflict, match="no fields can be changed"):
        sim.review("1-1", True, {"total": 1})
    sim.review("1-1", True, reason="fine")
    assert kinds(sim.last.events) == ["signal.received", "review.answered", "step.completed", "run.completed"]
    assert sim.events(ev.ReviewAnswered)[0].reason == "fine"
    assert sim.outcome() is True


def test_a_signal_answers_a_question_too_whatever_it_says() -> None:
    class Note(msgspec.Struct, array_like=True):
        text: str

    async def body(step: Step) -> Any:
        return (await step.wait(Note, question="What?")).text

    sim = sim_of(body)
    sim.signal("Note", ["x"], id="1")
    assert sim.events(ev.ReviewAnswered)[0].approved
    assert sim.outcome() == "x"


def test_a_yes_goes_to_the_question_that_was_meant() -> None:
    async def body(step: Step) -> Any:
        one, two = await step.gather(
            step.wait(Decision, question="This one?"), step.wait(Decision, question="Or that one?")
        )
        return [one.approved, two.approved]

    sim = sim_of(body)
    sim.review("1-1-1-1", False, id="1")
    assert list(sim.run.pending) == ["1-1-0-1"]
    sim.review("1-1-0-1", True, id="2")
    assert sim.outcome() == [True, False]
    assert sim.replay().agrees


def test_a_question_that_is_no_yes_or_no_takes_none() -> None:
    async def body(step: Step) -> Any:
        await step.wait(A, question="What?")

    with pytest.raises(Conflict, match="not for a yes or no"):
        sim_of(body).review("1-1", True)


def test_retry_policies_of_local_calls_count_on_after_a_crash() -> None:
    @task(retry=Retry(attempts=3, first_s=1.0, jitter=0))
    def flaky(text: str) -> str:
        return text

    async def body(step: Step) -> Any:
        await step.call(flaky, "x")

    sim = sim_of(body)
    for seconds in (1, 2):
        sim.fail("1-1", retryable=True)
        assert sim.run.pending["1-1"].retry_us == sim.now_us + seconds * 1_000_000
        sim.crash()
        sim.pass_time(seconds)
        assert sim.last.effects == [RunCall("1-1")]
        sim.crash()
    sim.fail("1-1", retryable=True)
    assert sim.row.status == "failed"
    assert sim.events(ev.StepErred)[0].attempt == 3


def test_words_that_no_json_can_say_are_made_readable() -> None:
    async def body(step: Step) -> Any:
        try:
            await step.call(local, "x")
        except StepFailed as error:
            await step.wait(A, question=f"{error} \udcff?")

    sim = sim_of(body)
    failure = ev.Failure(kind="OSError", message="no file \udcff" + "x" * 5_000)
    sim._take(sim.run.fail("1-1", failure, sim.now_us))
    assert sim.row.note.startswith("no file ?xxx")
    assert len(sim.row.note) == 2_000
    sim.crash()
