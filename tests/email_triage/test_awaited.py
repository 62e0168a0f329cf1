"""Questions that runs ask by mail, and who answers them."""

from __future__ import annotations

from pathlib import Path

from skerry_workflows.awaited import Awaited, Question

QUESTION = Question(run="node-1", signal="Answer", asked="Ada@customer.example")
FOUND = QUESTION._replace(asked="ada@customer.example")


def test_the_run_that_waits_is_found_by_what_is_answered(tmp_path: Path) -> None:
    with Awaited(tmp_path) as awaited:
        awaited.expect("q1@office.example", QUESTION)
        awaited.expect("q1@office.example", QUESTION)  # twice is once
        awaited.expect("q2@office.example", QUESTION._replace(run="node-2"))
    with Awaited(tmp_path) as awaited:
        assert awaited.waiting(["a@x.example", "q1@office.example"], "ADA@customer.example") == FOUND
        later = awaited.waiting(["q1@office.example", "q2@office.example"], "ada@customer.example")
        assert later == FOUND._replace(run="node-2")
        assert awaited.waiting(["a@x.example"], "ada@customer.example") is None


def test_only_who_was_asked_answers(tmp_path: Path) -> None:
    with Awaited(tmp_path) as awaited:
        awaited.expect("q1@office.example", QUESTION)
        assert awaited.waiting(["q1@office.example"], "eve@customer.example") is None
