"""Only the fields that failed are asked again, and what comes back goes over the best answer."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pytest
from msgspec import Raw

from skerry.core import events as ev
from skerry.core.answers import FieldNote, Objection
from skerry.core.asking import asked_again, fields_of, in_quotes, merged, noted, quote_names, schema_of
from skerry.core.commands import Ask
from skerry.core.fleet import Fleet
from skerry.core.step import Step
from skerry.core.tasks import Prompt
from skerry.core.thresholds import NEVER, Thresholds
from tests.core.support import Sim, sim_of


class Place(msgspec.Struct, frozen=True):
    name: str
    inside: Place | None = None


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    number: str
    total: Decimal
    due: str | None = None
    places: tuple[Place, ...] = ()


class Quotes(msgspec.Struct, frozen=True):
    number: str
    total: str


class Renamed(msgspec.Struct, frozen=True, rename={"total": "sum"}):
    number: str
    total: str
    places: tuple[str, ...] = ()


BILL = Prompt(name="bill", text="?", rules=lambda about: None)
QUOTED = Prompt(name="bill", text="?", rules=lambda about: None, quotes=Quotes)


def ask(answer: Any = Bill, prompt: Prompt = BILL) -> Ask:
    return Ask(answer, prompt, "it", (), ("small",), 0.0, 0.0)


def objection(*fields: str) -> Objection:
    return Objection(rule="r", message=f"against {fields}", fields=fields)


def raw(value: object) -> Raw:
    return Raw(msgspec.json.encode(value))


# --- which fields -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("objections", "names"),
    [
        ([objection("total")], ("total",)),
        ([objection("due", "number"), objection("due")], ("number", "due")),
        ([objection("places.0.name", "places[1].name")], ("places",)),
        ([objection("total"), objection()], ()),
        ([objection("total", "sum")], ()),
        ([], ()),
    ],
)
def test_the_fields_that_all_objections_name_are_asked_again(
    objections: list[Objection], names: tuple[str, ...]
) -> None:
    assert asked_again(ask(), raw({}), objections) == names
    assert asked_again(ask(), None, objections) == ()


@pytest.mark.parametrize("answer", [str, list[str], Literal["a", "b"], dict[str, int]])
def test_what_has_no_fields_is_asked_again_whole(answer: Any) -> None:
    assert fields_of(answer) == {}
    assert asked_again(ask(answer), raw(1), [objection("total")]) == ()


def test_a_type_that_cannot_be_hashed_has_fields_too() -> None:
    class Odd(msgspec.Struct, frozen=True):
        x: Any = msgspec.field(default_factory=list)

    odd = Annotated[Odd, ["words"]]
    assert list(fields_of(odd)) == ["x"]


# --- what they are asked with -----------------------------------------------------------------------------------------


def schema(size: str, *names: str, prompt: Prompt = BILL) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(schema_of(ask(prompt=prompt), size, names))
    return found


def test_the_schema_has_only_what_is_asked_for() -> None:
    assert schema("small")["$ref"] == "#/$defs/Bill"
    asked = schema("small", "number", "due")
    assert asked["required"] == ["number", "due"]
    assert list(asked["properties"]) == ["number", "due"]
    assert asked["title"] == "Bill"
    assert "$defs" not in asked
    assert list(schema("small", "places")["$defs"]) == ["Place"]


def test_models_answer_in_quotes_where_these_have_the_fields() -> None:
    assert schema("small", prompt=QUOTED)["$ref"] == "#/$defs/Quotes"
    assert schema("rules", prompt=QUOTED)["$ref"] == "#/$defs/Bill"
    assert schema("small", "total", prompt=QUOTED)["properties"] == {"total": {"type": "string"}}
    assert schema("small", "total", "due", prompt=QUOTED)["title"] == "Bill"
    assert in_quotes(QUOTED)
    assert in_quotes(QUOTED, ["number"])
    assert not in_quotes(QUOTED, ["due"])
    assert not in_quotes(BILL)


def test_a_model_may_be_told_other_names() -> None:
    prompt = Prompt(name="bill", text="?", quotes=Renamed)
    assert schema("small", "total", prompt=prompt)["required"] == ["sum"]
    assert not in_quotes(prompt, ["sum"])
    notes = {"sum": FieldNote(start=1), "places.0": FieldNote(start=2), "odd": FieldNote(start=3)}
    asked = ask(prompt=prompt)
    assert noted(asked, "rules", (), notes) == noted(asked, "small", ("due",), notes) == notes
    assert {path: note.start for path, note in noted(asked, "small", (), notes).items()} == {
        "total": 1,
        "places.0": 2,
        "odd": 3,
    }


def test_quotes_need_not_be_a_struct() -> None:
    class Typed(TypedDict):
        number: str

    prompt = Prompt(name="bill", text="?", quotes=Typed)
    assert quote_names(prompt) == {"number": "number"}
    assert schema("small", "number", prompt=prompt)["required"] == ["number"]


@pytest.mark.parametrize(
    ("answer", "whole"),
    [
        (b'{"total":12345678901234567890.10}', b'{"number":"1","total":12345678901234567890.10}'),
        (b'{"total":2,"number":"9","x":1}', b'{"number":"1","total":2}'),
        (b"{}", b'{"number":"1"}'),
        (b"[1]", b"[1]"),
        (b"", b""),
    ],
)
def test_what_comes_back_goes_over_the_best_answer(answer: bytes, whole: bytes) -> None:
    best = Raw(b'{"total":1,"number":"1"}')
    assert bytes(merged(best, Raw(answer), ["total"])) == whole
    assert bytes(merged(best, Raw(answer), [])) == answer
    assert bytes(merged(None, Raw(answer), ["total"])) == answer


# --- in a run ---------------------------------------------------------------------------------------------------------


def checks(bill: Bill, about: object) -> Iterable[Objection]:
    if bill.total < 0:
        yield Objection(rule="sign", message="the total is negative", fields=("total",))
    if bill.number == bill.due:
        yield Objection(rule="same", message="number and due are the same", fields=("number", "due"))
    if bill.number == "?":
        yield Objection(rule="all", message="all of it is odd")


def asking(fleet: Fleet | None = None) -> Sim:
    async def body(step: Step) -> Any:
        bill = await step.ask(Bill, BILL, about="it", verify=(checks,))
        return [bill.number, str(bill.total), bill.due]

    return sim_of(body, fleet or Fleet(("rules", "small", "medium", "large")))


def judged(sim: Sim) -> ev.AnswerJudged:
    found: ev.AnswerJudged = sim.events(ev.AnswerJudged)[-1]
    return found


def test_only_what_failed_is_asked_of_the_next_size() -> None:
    sim = asking()
    sim.result("1-1", {"number": "1", "total": "-5", "due": "x"})
    assert judged(sim).asked == ()
    sim.crash()
    sim.result("1-1", {"total": "5", "number": "ignored"})
    assert judged(sim).asked == ("total",)
    assert sim.outcome() == ["1", "5", "x"]
    assert sim.replay().agrees


def test_the_whole_is_verified_again() -> None:
    sim = asking()
    sim.result("1-1", {"number": "1", "total": "-5"})
    sim.result("1-1", {"total": "-6"})
    assert (judged(sim).asked, judged(sim).choice) == (("total",), "escalate")
    assert bytes(judged(sim).value) == b'{"number":"1","total":"-6"}'
    sim.broken("1-1")
    assert judged(sim).asked == ("total",)
    sim.crash()
    sim.result("1-1", {})
    assert [o.rule for o in judged(sim).objections] == ["schema"]
    (opened,) = sim.events(ev.ReviewOpened)
    assert bytes(opened.value) == b'{"number":"1","total":"-6"}'
    sim.crash()


def test_an_objection_without_fields_asks_for_everything() -> None:
    sim = asking()
    sim.result("1-1", {"number": "?", "total": "-5"})
    sim.result("1-1", {"number": "2", "total": "7"})
    assert judged(sim).asked == ()
    assert sim.outcome() == ["2", "7", None]


def test_an_answer_that_does_not_decode_asks_for_everything() -> None:
    sim = asking()
    sim.result("1-1", {"number": 1})
    sim.result("1-1", {"number": "2", "total": "7"})
    assert judged(sim).asked == ()
    assert sim.outcome() == ["2", "7", None]


# --- confidence -------------------------------------------------------------------------------------------------------

GOOD = {"number": "1", "total": "5"}


def notes_of(**sure: float) -> dict[str, FieldNote]:
    return {path.replace("__", "."): FieldNote(confidence=each, start=0, end=1) for path, each in sure.items()}


def test_a_field_that_the_model_is_not_sure_of_is_asked_again() -> None:
    sim = asking()
    sim.result("1-1", GOOD, fields=notes_of(number=0.9, total=0.4), model={"digest": "sha256:a"})
    found = judged(sim)
    assert [(o.rule, o.message, o.fields) for o in found.objections] == [
        ("confidence", "total: the model's confidence is 0.40, below 0.50", ("total",))
    ]
    assert found.fields["total"] == FieldNote(confidence=0.4, start=0, end=1)
    sim.result("1-1", {"total": "5"}, fields=notes_of(number=0.1, total=0.8))
    assert sim.outcome() == ["1", "5", None]
    assert set(judged(sim).fields) == {"number", "total"}


def test_the_least_sure_part_of_a_field_counts() -> None:
    sim = asking()
    sim.result("1-1", GOOD, fields=notes_of(places__0__name=0.9, places__1__name=0.2, nonsense=0.1))
    assert [o.fields for o in judged(sim).objections] == [("places",)]


def test_rules_and_endpoints_without_confidence_are_not_doubted() -> None:
    sim = asking()
    sim.result("1-1", GOOD, fields={"total": FieldNote(start=3, end=4)})
    assert sim.outcome() == ["1", "5", None]


def test_thresholds_are_those_of_prompt_field_and_model() -> None:
    values = {("bill", "total", "d1"): 0.95, ("bill", "number", "d1"): NEVER, ("other", "total", "d2"): 0.99}
    fleet = Fleet(("small", "medium"), thresholds=Thresholds(values=values, default=0.3))
    sim = asking(fleet)
    sim.result("1-1", GOOD, fields=notes_of(number=99.0, total=0.94), model={"digest": "d1"})
    assert [o.message for o in judged(sim).objections] == [
        "number: the model's confidence is 1.00, and no confidence is enough for this field",
        "total: the model's confidence is 0.94, below 0.95",
    ]
    sim = asking(fleet)
    sim.result("1-1", GOOD, fields=notes_of(number=0.3, total=0.31), model={"digest": "d2"})
    assert sim.outcome() == ["1", "5", None]


def test_an_answer_without_fields_has_one_confidence() -> None:
    async def body(step: Step) -> Any:
        return await step.ask(str, BILL, about="it")

    sim = sim_of(body, ("small",))
    sim.result("1-1", "text", fields={"": FieldNote(confidence=0.1)})
    assert [o.message for o in judged(sim).objections] == ["the answer: the model's confidence is 0.10, below 0.50"]
    sim.review("1-1", True)
    assert sim.outcome() == "text"
