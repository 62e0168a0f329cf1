"""`skerry eval --cascade`: cases through a whole node, and what became of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec import Raw

from skerry.cli.cascading import Verdict, judged
from skerry.core import events as ev
from skerry.core.answers import Objection
from skerry.core.structs import NOTHING
from tests.cli.conftest import NOON_US, Call
from tests.invoice.samples import TEXT

WRONG = Objection(rule="totals", message="they do not add up", fields=("net_total",))


def placed(*events: ev.AnyEvent) -> list[tuple[int, int, ev.AnyEvent]]:
    return [(n, NOON_US, event) for n, event in enumerate(events, start=1)]


def asks(step: str, prompt: str = "p") -> ev.StepScheduled:
    return ev.StepScheduled(step=step, kind="ask", target=prompt, size="rules")


def test_what_the_rules_said_is_accepted() -> None:
    value, verdict = judged(
        "p",
        placed(
            asks("1", "other"),
            ev.AnswerJudged(step="1", attempt=1, size="rules", choice="accept"),
            asks("2"),
            ev.AnswerJudged(step="2", attempt=1, size="rules", choice="accept"),
            ev.StepCompleted(step="2", kind="ask", target="p", value=Raw(b'{"number":"1"}')),
        ),
    )
    assert bytes(value) == b'{"number":"1"}'
    assert verdict == Verdict(accepted=True, by="rules", asked=("rules",))


@pytest.mark.parametrize(("choice", "accepted"), [("accept", True), ("review", False)])
def test_a_model_has_filled_a_field(choice: str, accepted: bool) -> None:
    last: ev.AnyEvent = ev.ReviewOpened(step="1", question="?", objections=(WRONG,), value=Raw(b"{}"))
    if accepted:
        last = ev.StepCompleted(step="1", kind="ask", target="p", value=Raw(b"{}"))
    value, verdict = judged(
        "p",
        placed(
            asks("1"),
            ev.AnswerJudged(step="1", attempt=1, size="rules", choice="escalate", next="small", objections=(WRONG,)),
            ev.AnswerJudged(step="1", attempt=2, size="small", choice=choice, asked=("net_total",)),
            last,
        ),
    )
    assert bytes(value) == b"{}"
    assert (verdict.accepted, verdict.asked) == (accepted, ("rules", "small"))
    assert (verdict.by, verdict.models) == (("small", ("net_total",)) if accepted else ("", ()))
    assert verdict.objections == (() if accepted else ("totals: they do not add up",))


def test_a_run_that_asks_nothing_has_no_answer() -> None:
    assert judged("p", placed(asks("1", "other"))) == (NOTHING, Verdict(accepted=False))


@pytest.mark.slow
def test_cases_go_through_a_node(tmp_path: Path, call: Call) -> None:
    cases = tmp_path / "invoices"
    cases.mkdir()
    (cases / "a.txt").write_text(TEXT)
    (cases / "b.txt").write_text(TEXT.replace("Total EUR  ", "Total     $"))
    (cases / "c.pdf").write_bytes(b"%PDF-1.7 nothing")
    named = [{"id": name[0], "input": name} for name in ("a.txt", "b.txt", "c.pdf")]
    (cases / "manifest.json").write_text(json.dumps({"cases": named}))
    out, verdicts = tmp_path / "p.json", tmp_path / "v.json"
    told = call("eval", "invoices", tmp_path, "--out", out, "--cascade", "--verdicts", verdicts, "--json")
    assert told.code == 0, told.err
    assert "left out: c: " in told.err
    assert told.lines[-1] == {"task": "invoices", "predictions": 2, "left_out": 1, "out": str(out)}
    predictions, judgements = json.loads(out.read_text()), json.loads(verdicts.read_text())
    assert predictions["a"]["gross_total"] == predictions["b"]["gross_total"] == "178.50"
    assert (judgements["a"]["accepted"], judgements["a"]["by"]) == (True, "rules")
    assert judgements["b"]["accepted"] is False
    assert call("eval", "duplicates", tmp_path, "--out", out, "--cascade").code == 2
