"""The cascade: sizes, verifiers, escalation, a person's word."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast

import msgspec
import pytest
from msgspec import Raw

from skerry.core import events as ev
from skerry.core.answers import Objection
from skerry.core.budget import Spent
from skerry.core.cascade import climb, judge, ladder
from skerry.core.commands import Ask
from skerry.core.fleet import Fleet
from skerry.core.pending import DropTask, SendTask
from skerry.core.step import Step
from skerry.core.tasks import Prompt
from skerry.core.verdicts import fenced, open_review
from skerry.core.wire import Result, Size
from skerry.errors import Conflict, DataError, Refused, TimedOut
from tests.core.scripts import PROMPT, A, Answer, is_good
from tests.core.support import RUN, START_US, Sim, kinds, sim_of

GOOD = {"text": "good"}
BAD = {"text": "bad", "good": False}
WORSE = {"text": "worse", "good": False, "faults": 2}


def ask(
    sizes: tuple[Size, ...] = ("rules", "small"), verify: Any = (is_good,), prompt: Prompt = PROMPT, review: int = 0
) -> Ask:
    return Ask(Answer, prompt, "it", verify, sizes, 0.0, review)


def asking(sizes: tuple[Size, ...] = ("rules", "small"), available: tuple[Size, ...] = ("rules", "small")) -> Sim:
    async def body(step: Step) -> Any:
        try:
            answer = await step.ask(
                Answer, PROMPT, about={"a": 1}, verify=(is_good,), sizes=sizes, review=timedelta(days=1)
            )
        except (Refused, TimedOut) as error:
            return [type(error).__name__, str(error)]
        return answer.text

    return sim_of(body, available)


@pytest.mark.parametrize("person", [True, False])
def test_the_code_knows_whether_a_person_has_answered(person: bool) -> None:
    async def body(step: Step) -> Any:
        before = step.by_person()
        await step.ask(Answer, PROMPT, about={"a": 1}, verify=(is_good,))
        answered = step.by_person()
        await step.wait(Answer)
        return [before, answered, step.by_person()]

    sim = sim_of(body, ("rules", "small"))
    sim.result("1-1", BAD)
    sim.result("1-1", BAD if person else GOOD)
    if person:
        sim.review("1-1", True, {"good": True})
    sim.crash()
    sim.signal("Answer", GOOD, id="later")
    assert sim.outcome() == [False, person, False]
    assert sim.replay().agrees


def under_review(*answers: Any) -> Sim:
    sim = asking()
    for answer in answers:
        sim.result("1-1", answer)
    assert sim.row.status == "review"
    return sim


@pytest.mark.parametrize(
    ("sizes", "available", "rules", "rungs"),
    [
        (("rules", "small", "cloud"), ("rules", "small"), True, ["rules", "small"]),
        (("rules", "small"), ("rules", "small"), False, ["small"]),
        (("medium", "small"), ("small", "medium"), True, ["medium", "small"]),
        (("small", "small", "small"), ("small",), True, ["small"]),
        ((), ("small",), True, []),
    ],
)
def test_the_ladder_has_what_is_asked_for_and_there(
    sizes: tuple[Size, ...], available: tuple[Size, ...], rules: bool, rungs: list[Size]
) -> None:
    prompt = PROMPT if rules else Prompt(name="without", text="?")
    asked = ask(sizes, prompt=prompt)
    assert ladder(asked, available) == rungs

    def after(size: str) -> Size | None:
        return climb(asked, Fleet(available), "1-1", after=size, spent=Spent(), left_s=0.0).size

    assert [after(size) for size in rungs] == [*rungs[1:], None][: len(rungs)]
    assert after("") == after("gone") == (rungs[0] if rungs else None)


def test_a_good_answer_is_accepted() -> None:
    sim = asking()
    assert sim.last.effects == [SendTask("1-1")]
    sim.result("1-1", GOOD, model={"name": "m", "tokens": 7})
    assert kinds(sim.last.events) == ["answer.judged", "step.completed", "run.completed"]
    (judged,) = sim.events(ev.AnswerJudged)
    assert (judged.choice, judged.size, judged.model) == ("accept", "rules", {"name": "m", "tokens": 7})
    assert sim.outcome() == "good"


def test_a_bad_answer_goes_up_then_to_a_person() -> None:
    sim = asking()
    sim.result("1-1", WORSE)
    assert kinds(sim.last.events) == ["answer.judged", "step.scheduled"]
    assert sim.last.effects == [SendTask("1-1")]
    assert [e.size for e in sim.events(ev.StepScheduled)] == ["rules", "small"]
    assert sim.events(ev.AnswerJudged)[0].next == "small"
    sim.result("1-1", BAD)
    assert kinds(sim.last.events) == ["answer.judged", "review.opened"]
    (opened,) = sim.events(ev.ReviewOpened)
    assert bytes(opened.value) == b'{"text":"bad","good":false}'
    assert opened.due_us == START_US + 86_400_000_000
    assert (sim.row.status, sim.row.note) == ("review", "No answer to what that holds: fault 0")
    sim.crash()
    assert open_review(sim.run) == "1-1"


@pytest.mark.parametrize(
    ("sizes", "answers", "asked"),
    [
        (("rules", "small"), (WORSE, BAD), "Is it good? fault 0"),
        (("rules", "small"), (None, None), "Is it good?"),
        ((), (), "Is it good?"),
    ],
    ids=["a doubted answer", "no answer at all", "nobody to ask before"],
)
def test_a_person_is_asked_in_their_words(sizes: tuple[Size, ...], answers: tuple[Any, ...], asked: str) -> None:
    async def body(step: Step) -> Any:
        prompt = msgspec.structs.replace(PROMPT, question="Is it good?")
        return (await step.ask(Answer, prompt, about="it", verify=(is_good,), sizes=sizes)).text

    sim = sim_of(body, ("rules", "small"))
    for answer in answers:
        sim.result("1-1", answer) if answer else sim.broken("1-1")
    assert (sim.row.status, sim.row.note) == ("review", asked)


def test_what_holds_for_models_holds_neither_for_rules_nor_for_a_person() -> None:
    async def body(step: Step) -> Any:
        return (await step.ask(Answer, PROMPT, about="it", verify=(is_good,), verify_models=(is_known,))).text

    def is_known(answer: Answer, about: object) -> Iterable[Objection]:
        return () if answer.text == "known" else (Objection(rule="known", message=f"{answer.text} is not known"),)

    sim = sim_of(body, ("rules", "small"))
    sim.result("1-1", GOOD)
    assert sim.outcome() == "good"
    sim = sim_of(body, ("rules", "small"))
    sim.result("1-1", BAD)
    sim.result("1-1", GOOD)
    assert (sim.row.status, sim.row.note) == ("review", "No answer to what that holds: good is not known")
    sim.review("1-1", True)
    assert sim.outcome() == "good"
    sim = sim_of(body, ("rules", "small"))
    sim.result("1-1", BAD)
    sim.result("1-1", {"text": "known"})
    assert sim.outcome() == "known"


def test_the_best_answer_so_far_is_shown() -> None:
    unfit = {"text": 1}
    for answers, best, rules in (
        ((BAD, WORSE), BAD, ["good"]),
        ((WORSE, BAD), BAD, ["good"]),
        ((WORSE, unfit), WORSE, ["good", "good"]),
        ((unfit, WORSE), WORSE, ["good", "good"]),
        ((unfit, unfit), unfit, ["schema"]),
    ):
        (opened,) = under_review(*answers).events(ev.ReviewOpened)
        assert bytes(opened.value) == msgspec.json.encode(best)
        assert [o.rule for o in opened.objections] == rules


def test_a_failure_is_an_objection_and_no_answer() -> None:
    sim = asking()
    sim.broken("1-1")
    sim.broken("1-1")
    (opened,) = sim.events(ev.ReviewOpened)
    assert (opened.objections[0].rule, bytes(opened.value)) == ("ValueError", b"")
    with pytest.raises(Conflict, match="no answer yet"):
        sim.review("1-1", True)
    sim.review("1-1", True, GOOD)
    assert sim.outcome() == "good"
    sim = asking()
    sim.result("1-1", WORSE)
    sim.broken("1-1")
    (opened,) = sim.events(ev.ReviewOpened)
    assert [o.rule for o in opened.objections] == ["good", "good"]
    sim.crash()


@pytest.mark.parametrize("value", [b"{", b'"\xff"', b"[" * 10_000, b""])
def test_nonsense_is_an_objection_and_leaves_the_journal_readable(value: bytes) -> None:
    sim = asking()
    sim.result("1-1", value=Raw(value))
    assert sim.events(ev.AnswerJudged)[0].objections[0].message.startswith("the worker's answer is no JSON")
    sim.crash()


def test_without_a_size_a_person_is_asked_at_once() -> None:
    sim = asking(("large",))
    assert (sim.row.status, sim.row.note) == ("review", "No size of model here can answer what.")
    sim.crash()
    sim.review("1-1", True, GOOD)
    assert sim.outcome() == "good"
    assert asking(()).row.note == "What is it?"


# --- a person's word ------------------------------------------------------------------------------------------------


def test_an_approval_passes_the_same_verifiers() -> None:
    sim = under_review(BAD, BAD)
    with pytest.raises(Conflict, match="still meets objections: fault 0") as caught:
        sim.review("1-1", True)
    assert caught.value.hint == "correct its fields, or give a reason to overrule them"
    with pytest.raises(DataError, match="does not fit"):
        sim.review("1-1", True, {"text": 5}, reason="no reason is good enough")
    assert sim.row.status == "review"
    sim.review("1-1", True, {"good": True})
    assert kinds(sim.last.events) == ["review.answered", "step.completed", "run.completed"]
    assert sim.outcome() == "bad"
    assert sim.replay().agrees


def test_a_correction_of_a_field_that_is_not_there_is_refused() -> None:
    sim = under_review(BAD, BAD)
    with pytest.raises(DataError, match=r"(?m)^the answer has no field godo, txet$") as caught:
        sim.review("1-1", True, {"good": True, "godo": True, "txet": "x"}, reason="a typo must not be lost")
    assert caught.value.hint.startswith("its fields: ")
    assert sim.row.status == "review"


def test_an_objection_is_overruled_with_a_reason_only() -> None:
    sim = under_review(BAD, BAD)
    sim.review("1-1", True, reason="I know better")
    (answered,) = sim.events(ev.ReviewAnswered)
    assert (answered.reason, answered.by, [o.rule for o in answered.overruled]) == (
        "I know better",
        "somebody",
        ["good"],
    )
    assert sim.outcome() == "bad"


def test_changes_go_over_an_answer_of_any_shape() -> None:
    sim = under_review(BAD, [1, 2])
    sim.review("1-1", True, {"good": True})
    assert sim.outcome() == "bad"
    sim = under_review([1], [1, 2])
    sim.review("1-1", True, GOOD)
    assert sim.outcome() == "good"


@pytest.mark.parametrize(("reason", "told"), [("", "somebody said no"), ("no such thing", "no such thing")])
def test_a_rejection_is_raised(reason: str, told: str) -> None:
    sim = under_review(BAD, BAD)
    sim.review("1-1", False, reason=reason)
    assert sim.outcome() == ["Refused", told]
    assert sim.replay().agrees


def test_a_review_that_takes_too_long_times_out() -> None:
    sim = under_review(BAD, BAD)
    sim.pass_time(86_399)
    sim.crash()
    sim.pass_time(1)
    assert sim.outcome() == ["TimedOut", "nobody answered in time (what)"]
    assert DropTask not in map(type, sim.last.effects)


def test_which_review_is_open() -> None:
    async def body(step: Step) -> Any:
        await step.gather(step.wait(A, question="One?"), step.wait(A, question="Two?"))

    sim = sim_of(body)
    with pytest.raises(Conflict, match="2 open reviews") as caught:
        open_review(sim.run)
    assert caught.value.hint == "name one of the steps 1-1-0-1, 1-1-1-1"
    assert open_review(sim.run, "1-1-1-1") == "1-1-1-1"
    with pytest.raises(Conflict, match="asks nobody anything at step 7"):
        open_review(sim.run, "7")


# --- fences ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"attempt": 1}, "attempt 1 is not the current one, 2"),
        ({"attempt": 3}, "attempt 3 is not the current one, 2"),
        ({"size": "rules"}, "it comes from a worker of size rules, the task was for small"),
        ({"size": ""}, "it comes from a worker of size ?, the task was for small"),
        ({"step": "9-9"}, "the step has its outcome already, or was never asked for"),
    ],
)
def test_a_result_that_nobody_waits_for_is_fenced(wrong: dict[str, Any], told: str) -> None:
    sim = asking()
    sim.result("1-1", BAD)
    result = Result(**{"run": RUN, "step": "1-1", "attempt": 2, "size": "small", "worker": "w", **wrong})
    assert fenced(sim.run, result) == told


def test_a_result_for_a_step_that_a_person_has_is_fenced() -> None:
    sim = under_review(BAD, BAD)
    result = Result(run=RUN, step="1-1", attempt=2, size="small", worker="w")
    assert fenced(sim.run, result) == "nobody is waiting for a worker's result here"


def test_a_dead_run_fences_everything() -> None:
    sim = asking()
    sim.cancel()
    sim.result("1-1", GOOD)
    assert kinds(sim.last.events) == ["result.fenced"]
    assert sim.row.status == "cancelled"


# --- verifiers ------------------------------------------------------------------------------------------------------


def _raises(answer: Answer, about: object) -> Iterable[Objection]:
    raise KeyError("what")


def _words(answer: Answer, about: object) -> Any:
    return ["just words"]


def _nothing(answer: Answer, about: object) -> Any:
    return None


def _odd_fields(answer: Answer, about: object) -> Iterable[Objection]:
    return [Objection(rule="odd", message="odd", fields=cast("Any", "text"))]


def _half_letter(answer: Answer, about: object) -> Iterable[Objection]:
    return [Objection(rule="half", message="\ud800")]


class Strict:
    """A verifier that is an object."""

    def __call__(self, answer: Answer, about: object) -> Iterable[Objection]:
        yield Objection(rule="strict", message=f"{answer.text} about {about}", fields=("text",))


@pytest.mark.parametrize(
    ("verifier", "rule", "told"),
    [
        (_raises, "_raises", "the verifier _raises failed: KeyError: 'what'"),
        (_words, "_words", "the verifier _words failed: ValidationError"),
        (_nothing, "_nothing", "the verifier _nothing failed: TypeError"),
        (_half_letter, "_half_letter", "the verifier _half_letter failed: UnicodeEncodeError"),
        (_odd_fields, "_odd_fields", "the verifier _odd_fields failed: ValidationError"),
        (Strict(), "strict", "good about it"),
    ],
)
def test_a_verifier_that_cannot_verify_objects(verifier: Any, rule: str, told: str) -> None:
    (objection,) = judge(ask(verify=(verifier,)), Raw(b'{"text":"good"}'))
    assert objection.rule == rule
    assert objection.message.startswith(told)


def test_an_answer_that_does_not_fit_its_type_meets_no_verifier() -> None:
    (objection,) = judge(ask(verify=(_raises,)), Raw(b'{"text":1}'))
    assert objection.rule == "schema"
    assert judge(ask(), Raw(b'{"text":"good"}')) == []
