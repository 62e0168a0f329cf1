"""Sizes that are passed over: budgets, data that stays, a cloud out of reach, queues that are too long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from skerry.core import events as ev
from skerry.core.budget import Budget, Spent, spent_by
from skerry.core.fleet import Fleet
from skerry.core.ids import TaskId
from skerry.core.pending import DropTask, SendTask
from skerry.core.step import Step
from skerry.core.wire import SIZES, Size
from skerry.errors import DefinitionError
from tests.core.scripts import PROMPT, Answer, is_good
from tests.core.support import RUN, START_US, Sim, kinds, sim_of

BAD = {"text": "bad", "good": False}
GOOD = {"text": "good"}


def asking(fleet: Fleet, **how: Any) -> Sim:
    async def body(step: Step) -> Any:
        return (await step.ask(Answer, PROMPT, about="it", verify=(is_good,), **how)).text

    return sim_of(body, fleet)


def passed(sim: Sim) -> list[tuple[str, str, str, str]]:
    return [(e.size, e.why, e.choice, e.message) for e in sim.events(ev.SizePassed)]


def only(*sizes: Size, **more: Any) -> Fleet:
    return Fleet(sizes, **more)


# --- budgets ----------------------------------------------------------------------------------------------------------


def test_what_is_used_up_is_not_used_again() -> None:
    sim = asking(only("rules", "small", "medium"), budget=Budget(tokens=100))
    sim.result("1-1", BAD, model={"name": "m", "tokens_in": 70, "tokens_out": 30, "seconds": -1.0, "cost": "free"})
    assert kinds(sim.last.events) == ["answer.judged", "size.passed", "size.passed", "review.opened"]
    assert passed(sim) == [
        (size, "budget", "skip", "the budget of 100 tokens is used up") for size in ("small", "medium")
    ]
    assert sim.row.note.startswith("No answer to what that holds: fault 0 Not asked: small, the budget of 100 tokens")
    sim.crash()
    assert sim.replay().agrees


def test_a_size_that_takes_more_than_is_left_is_passed_over() -> None:
    fleet = only("small", "medium", expected=lambda size: Spent(money=0.02 if size == "small" else 0.001))
    sim = asking(fleet, budget=Budget(money=0.01, energy_j=5.0))
    assert passed(sim) == [("small", "budget", "skip", "it takes about 0.02 money, and 0.01 of 0.01 are left")]
    assert kinds(sim.last.events)[-2:] == ["size.passed", "step.scheduled"]
    assert sim.run.pending["1-1"].size == "medium"
    sim.crash()
    sim.result("1-1", GOOD)
    assert sim.outcome() == "good"


def test_what_was_spent_is_known_after_a_crash() -> None:
    sim = asking(only("small", "medium", "large"), budget=Budget(seconds=10))
    sim.result("1-1", BAD, model={"seconds": 6.0})
    sim.broken("1-1")
    sim.crash()
    assert sim.run.pending["1-1"].spent == Spent(seconds=6.0)
    sim.result("1-1", BAD, model={"seconds": 6.0, "cost": 2, "energy_j": 3})
    assert sim.events(ev.SizePassed) == []


def test_rules_cost_nothing_but_time() -> None:
    sim = asking(only("rules", "small"), budget=Budget(tokens=0))
    assert sim.run.pending["1-1"].size == "rules"
    sim = asking(only("rules", "small"), budget=Budget(seconds=0))
    assert sim.row.status == "review"
    assert sim.row.note == (
        "No size of model here can answer what. Not asked: rules, the budget of 0 seconds is used up."
        " Not asked: small, the budget of 0 seconds is used up."
    )


def test_what_is_no_budget() -> None:
    wrongs: list[dict[str, Any]] = [{"tokens": -1}, {"seconds": float("nan")}, {"money": -0.5}, {"energy_j": -1.0}]
    for wrong in wrongs:
        with pytest.raises(DefinitionError, match="a budget of"):
            Budget(**wrong)
    assert spent_by({"tokens_in": 3, "tokens_out": 4, "seconds": 1.5, "cost": 0.1, "energy_j": 2}) == Spent(
        seconds=1.5, tokens=7, money=0.1, energy_j=2
    )


# --- data that stays, and a cloud out of reach -----------------------------------------------------------------------


def test_what_is_local_never_goes_to_the_cloud() -> None:
    sim = asking(only("small", "cloud"), local_only=True)
    sim.result("1-1", BAD)
    assert passed(sim) == [("cloud", "local_only", "skip", "what this is about stays on this node")]
    assert sim.row.status == "review"
    sim = asking(only("small", "cloud"), local_only=True, sizes=("cloud", "small"))
    assert sim.run.pending["1-1"].size == "small"


@pytest.mark.parametrize(
    ("offline", "events", "size"),
    [
        ("review", ["answer.judged", "size.passed", "review.opened"], ""),
        ("skip", ["answer.judged", "size.passed", "step.scheduled"], "large"),
        ("wait", ["answer.judged", "size.passed", "step.scheduled"], "cloud"),
    ],
)
def test_a_cloud_that_cannot_be_reached(offline: Any, events: list[str], size: str) -> None:
    fleet = only("small", "large", "cloud", reachable=lambda size: size != "cloud")
    sim = asking(fleet, offline=offline, sizes=("small", "cloud", "large"))
    sim.result("1-1", BAD)
    assert kinds(sim.last.events) == events
    assert passed(sim) == [("cloud", "offline", offline, "it cannot be reached")]
    assert sim.run.pending["1-1"].size == size
    assert sim.last.effects == ([SendTask("1-1")] if size else [])
    sim.crash()
    assert sim.replay().agrees


@pytest.mark.parametrize(("offline", "choice"), [("review", "review"), ("skip", "escalate"), ("wait", "wait")])
def test_a_cloud_that_turns_out_to_be_away(offline: Any, choice: str) -> None:
    sim = asking(only("large", "cloud"), offline=offline, sizes=("cloud", "large"))
    failure = ev.Failure(kind="ModelUnavailable", message="no route", retryable=True)
    sim.result("1-1", failure=failure)
    judged = sim.events(ev.AnswerJudged)[-1]
    assert (judged.choice, judged.objections[0].rule) == (choice, "ModelUnavailable")
    sim.crash()
    if offline == "wait":
        assert (sim.run.pending["1-1"].size, sim.run.pending["1-1"].attempt) == ("cloud", 2)
        sim.result("1-1", failure=failure)
        sim.result("1-1", GOOD)
        assert sim.outcome() == "good"
    assert sim.replay().agrees


def test_another_failure_of_the_cloud_is_an_answer() -> None:
    sim = asking(only("large", "cloud"), offline="wait", sizes=("cloud", "large"))
    sim.broken("1-1")
    assert sim.events(ev.AnswerJudged)[-1].choice == "escalate"


def test_what_to_do_offline_is_one_of_three() -> None:
    sim = asking(only("small"), offline="panic")
    assert sim.failure().kind == "DefinitionError"
    assert "offline='panic'" in sim.failure().message


# --- deadlines and queues ---------------------------------------------------------------------------------------------


def test_a_queue_too_long_for_the_deadline_is_passed_over() -> None:
    waits: dict[Size, float] = {"small": 90.0, "medium": 30.0, "large": 31.0}
    fleet = only("small", "medium", "large", wait_s=lambda size: waits[size])
    sim = asking(fleet, deadline=timedelta(seconds=60))
    assert passed(sim) == [("small", "queue", "skip", "an answer would take about 90 s, and 60 s are left")]
    assert sim.events(ev.StepScheduled)[0].due_us == START_US + 60_000_000
    sim.pass_time(30)
    sim.result("1-1", BAD)
    assert passed(sim)[1:] == [("large", "queue", "skip", "an answer would take about 31 s, and 30 s are left")]
    assert sim.row.status == "review"
    sim.crash()
    assert asking(fleet).events(ev.SizePassed) == []


def test_after_the_deadline_a_person_is_asked() -> None:
    sim = asking(Fleet(SIZES), deadline=timedelta(seconds=60), review=timedelta(days=1))
    sim.pass_time(59)
    sim.crash()
    sim.pass_time(1)
    assert kinds(sim.last.events) == ["answer.judged", "review.opened"]
    assert DropTask in map(type, sim.last.effects)
    assert sim.row.note == "No answer to what that holds: no answer came before the deadline"
    sim.crash()
    sim.review("1-1", True, GOOD)
    assert sim.outcome() == "good"


def test_after_the_deadline_the_best_answer_so_far_is_shown() -> None:
    sim = asking(Fleet(SIZES), deadline=timedelta(seconds=60))
    sim.result("1-1", BAD)
    sim.pass_time(60)
    (opened,) = sim.events(ev.ReviewOpened)
    assert bytes(opened.value) == b'{"text":"bad","good":false}'
    assert opened.due_us == 0
    sim.crash()
    assert sim.replay().agrees


def test_a_deadline_without_sizes_means_nothing() -> None:
    sim = asking(Fleet(SIZES), deadline=timedelta(seconds=60), sizes=())
    sim.pass_time(100)
    assert sim.row.status == "review"


# --- a cloud that was waited for -------------------------------------------------------------------------------------


@pytest.mark.parametrize("best", [False, True])
def test_what_has_waited_for_the_cloud_goes_if_time_and_budget_still_allow_it(best: bool) -> None:
    fleet = only("small", "cloud", "large", reachable=lambda size: size != "cloud")
    sizes: Any = ("small", "cloud", "large") if best else ("cloud",)
    sim = asking(fleet, offline="wait", sizes=sizes, deadline=timedelta(hours=1), budget=Budget(money=0.1))
    if best:
        assert sim.look_again("1-1") is None  # it is not for the cloud
        sim.result("1-1", BAD)
    sim.now_us += 3_590_000_000
    assert sim.look_again("1-1") is None
    fleet.expected = lambda size: Spent(seconds=12.0)
    late = sim.look_again("1-1")
    assert late is not None
    told = "an answer would take about 12 s, and 10 s are left"
    assert passed(sim)[-1] == ("cloud", "queue", "skip", told)
    assert DropTask(TaskId(RUN, "1-1", 2 if best else 1), "cloud") in late.effects
    pending = sim.run.pending["1-1"]
    if best:
        assert (pending.size, pending.attempt) == ("large", 3)
    else:
        assert pending.review == f"Nobody has answered what. Not asked: cloud, {told}."
    sim.crash()
    assert sim.replay().agrees


def test_a_budget_is_looked_at_again_when_the_cloud_is_back() -> None:
    fleet = only("cloud", reachable=lambda size: False)
    sim = asking(fleet, offline="wait", budget=Budget(money=0.1))
    fleet.expected = lambda size: Spent(money=0.2)
    late = sim.look_again("1-1")
    assert late is not None
    assert passed(sim)[-1] == ("cloud", "budget", "skip", "it takes about 0.2 money, and 0.1 of 0.1 are left")
    assert sim.row.status == "review"
    sim.result("1-1", GOOD)  # too late
    assert sim.row.status == "review"
