"""`runs` and `show`: what people read, line for line, and what programs read."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from skerry.cli import words
from skerry.cli.about import said
from skerry.cli.commands.show import field_to_set
from skerry.cli.effort import of_run
from skerry.cli.exits import Stop
from skerry.cli.look import JournalLook, find_run, short
from skerry.cli.story import say
from skerry.client.ended import RunEvent
from skerry.core import events as ev
from skerry.core.answers import FieldNote, Objection
from skerry.core.projection import RunRow, Status
from tests.cli.conftest import CHILD, DONE, FAILED, NOON_US, REVIEW, Call

RUNS = """\
RUN       ABOUT              WORKFLOW    STATUS   STATE     STARTED             TOOK  NOTE
00AAAA04  child of 00AAAA01  audit v2    running            2026-05-28 20:26  0.00 s
00AAAA03  a.pdf (post)       invoice v1  failed             2026-05-28 20:26   3.0 s  ValueError: no such currency
00AAAA02  post               invoice v1  review             2026-05-28 20:26   2.0 s  Is this right?
00AAAA01                     invoice v1  done     Received  2026-05-28 20:26  0.50 s
"""

SHOW = """\
office-01KA0000000000000000AAAA02
invoice v1, review
started 2026-05-28 20:26:40.000, took 2.0 s
Is this right?

TIME          STATE     STEP  WHAT HAPPENED, AND WHY
20:26:40.500                  started by invoice.received (by ada; id 46908e2c04)
20:26:40.500  Received        enters Received
20:26:40.500            1-1   calls invoice.read (size rules)
20:26:41.000            1-1   attempt 1 failed: WorkerLost (no answer)
20:26:42.000            1-2   answer of size rules doubted, so a person is asked\
 (net 492.00 and tax 98.40 make 590.40, not 680.40)
20:26:42.000            1-2   asks a person: Is this right?\
 (net 492.00 and tax 98.40 make 590.40, not 680.40; until 2026-05-29 20:26; best answer: gross total 680.40)
2026-05-29
20:26:40.000            1-2   ada said yes\
 (a typo; overruled: net 492.00 and tax 98.40 make 590.40, not 680.40)

answer it: skerry approve 00AAAA02; skerry reject 00AAAA02 --reason ...
"""


def test_runs_for_people(office: Path, call: Call) -> None:
    told = call("runs", "--data", office)
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines() == RUNS.splitlines()


def test_runs_for_programs(office: Path, call: Call) -> None:
    told = call("runs", "--data", office, "--json")
    assert [row["run"] for row in told.lines] == [CHILD, FAILED, REVIEW, DONE]
    assert told.lines[1]["note"] == "ValueError: no such currency"


def test_runs_of_a_kind(office: Path, call: Call) -> None:
    asked = ("runs", "--data", office, "--json")
    assert [row["run"] for row in call(*asked, "--status", "review", "--status", "failed").lines] == [FAILED, REVIEW]
    assert [row["run"] for row in call(*asked, "--workflow", "audit").lines] == [CHILD]
    assert [row["run"] for row in call(*asked, "--limit", "1").lines] == [CHILD]
    assert call("runs", "--data", office, "--status", "parked").out == "no runs of that kind\n"
    assert call("runs", "--data", office, "--status", "parked", "--json").out == ""


def test_show_for_people(office: Path, call: Call) -> None:
    told = call("show", short(REVIEW), "--data", office)
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines() == SHOW.splitlines()


def test_show_for_programs(office: Path, call: Call) -> None:
    told = call("show", REVIEW, "--data", office, "--json").json
    assert told["row"]["status"] == "review"
    assert [event["n"] for event in told["events"]] == list(range(1, 8))
    assert told["events"][0] == {
        "n": 1,
        "seq": 6,
        "at_us": NOON_US + 500_000,
        "kind": "run.started",
        "event": {
            "type": "run.started",
            "workflow": "invoice",
            "version": 1,
            "event": "invoice.received",
            "event_id": "46908e2c04",
            "by": "ada",
        },
    }


def test_show_follows_to_the_end(office: Path, call: Call) -> None:
    told = call("show", DONE, "--data", office, "--follow")
    assert told.code == 0
    assert told.out.splitlines()[-1] == "20:26:40.500  Received   -      done: Posted  (posting 1, number A-1)"
    assert [event["kind"] for event in call("show", DONE, "--data", office, "-f", "--json").lines][
        -1
    ] == "run.completed"


def test_show_says_what_one_can_do(office: Path, call: Call) -> None:
    assert "skerry retry 00AAAA03" in call("show", FAILED, "--data", office).out.splitlines()[-1]


def test_show_names_a_field_that_was_doubted() -> None:
    wrong = Objection(rule="sums", message="they do not add up", fields=("gross_total",))
    asked = ev.StepScheduled(step="1-2", kind="ask", target="read")
    yes_or_no = ev.StepScheduled(step="1-2", kind="wait", target="Decision")
    cases: tuple[tuple[ev.StepScheduled, tuple[Objection, ...], str], ...] = (
        (asked, (wrong,), "gross_total"),
        (asked, (), "FIELD"),
        (yes_or_no, (), ""),
    )
    for scheduled, objections, field in cases:
        opened = ev.ReviewOpened(step="1-2", question="?", objections=objections)
        events = [RunEvent(1, 1, 1, "", scheduled), RunEvent(2, 2, 2, "", opened)]
        assert field_to_set(events) == field


def told_of(event: ev.AnyEvent, chars: int = 0) -> tuple[str, str]:
    said = say(RunEvent(1, 1, 1, "", event), chars=chars)
    return said.what, said.why


def test_show_says_how_sure_a_model_was_and_where_it_found_what_it_says() -> None:
    notes = {
        "total": FieldNote(confidence=0.913, start=120, end=126),
        "number": FieldNote(confidence=0.42),
        "": FieldNote(start=3, end=4),
        "due": FieldNote(),
    }
    judged = ev.AnswerJudged(
        step="1-2", attempt=2, size="small", choice="accept", asked=("total", "number"), fields=notes
    )
    assert told_of(judged) == (
        "answer of size small accepted",
        "asked for total, number only; fields: answer at 3-4, due, number 0.42, total 0.91 at 120-126",
    )
    assert told_of(judged, chars=20)[1].endswith("fields: answer at 3-4, due, number 0.42, and 1 more")
    again = ev.AnswerJudged(step="1-2", attempt=1, size="small", choice="accept", model={"deliveries": 2})
    assert told_of(again)[1] == "handed out 2 times, as a worker that had it was lost or left"
    waits = ev.AnswerJudged(step="1-2", attempt=2, size="cloud", choice="wait", next="cloud")
    assert told_of(waits) == ("answer of size cloud did not come, so it waits until cloud can be reached", "")


def test_show_says_what_an_answer_took_and_all_of_a_run() -> None:
    used: dict[str, str | int | float] = {"model": "phi", "tokens_in": 1_000, "tokens_out": 34, "seconds": 0.8}
    used |= {"cost": 0.00012, "currency": "EUR"}
    told = told_of(ev.AnswerJudged(step="1-2", attempt=2, size="small", choice="accept", model=used))
    assert told[1] == "phi, 1,034 tokens, 0.80 s, 0.00012 EUR"
    judged: list[ev.AnyEvent] = [
        ev.AnswerJudged(step="1-2", attempt=1, size="rules", choice="escalate", model={"model": "f", "seconds": 9.0}),
        ev.AnswerJudged(step="1-2", attempt=2, size="small", choice="escalate", model=used),
        ev.AnswerJudged(
            step="1-2", attempt=3, size="cloud", choice="accept", model={**used, "cost": 1.5, "energy_j": 2345.0}
        ),
    ]
    assert of_run([RunEvent(1, 1, 1, "", each) for each in judged]) == (
        "2 answers of models, 2,068 tokens, 1.6 s, 1.50 EUR, 2.3 kJ"
    )
    assert of_run([RunEvent(1, 1, 1, "", judged[0])]) == ""


@pytest.mark.parametrize(
    ("choice", "what", "why"),
    [
        ("skip", "size cloud passed over", "it cannot be reached"),
        ("review", "size cloud passed over", "it cannot be reached, so a person is asked"),
        ("wait", "size cloud is awaited", "it cannot be reached: its task waits until it can"),
    ],
)
def test_show_says_which_size_was_passed_over(choice: str, what: str, why: str) -> None:
    passed = ev.SizePassed(step="1-2", size="cloud", why="offline", choice=choice, message="it cannot be reached")
    assert told_of(passed) == (what, why)


def test_a_document_is_said_by_its_name() -> None:
    document = {"sha256": "0123456789abcdef", "size": 2048, "name": "a.pdf", "media_type": "application/pdf"}
    assert words.spoken({"document": document}) == "document a.pdf (2.0 KiB, 0123456789ab)"
    assert words.spoken({"total": {"sha256": "x", "size": 1, "net": "2"}}) == "total {sha256 x, size 1, net 2}"


def test_servers_are_said_without_their_passwords() -> None:
    assert words.servers("nats://me:p@ss@a:4222, tls://token@b") == "nats://a:4222, tls://b"
    assert words.servers("a:4222,b") == "a:4222,b"


@pytest.mark.parametrize(
    "name", [REVIEW, REVIEW[-8:], REVIEW[-6:].lower(), REVIEW[:33]], ids=["whole", "end", "short", "all"]
)
def test_a_run_is_found_by_part_of_its_id(name: str, office: Path, call: Call) -> None:
    assert call("show", name, "--data", office, "--json").json["row"]["run"] == REVIEW


def test_latest_is_the_newest_run_that_no_run_has_started(office: Path, call: Call) -> None:
    assert call("show", "latest", "--data", office, "--json").json["row"]["run"] == FAILED


async def test_latest_looks_past_many_children() -> None:
    def row(number: int, parent: str = "") -> RunRow:
        return RunRow(run=f"n-{number:06}", workflow="w", version=1, parent=parent)

    rows = [*(row(number, "n-000001/1-1") for number in range(2000, 1, -1)), row(1)]
    assert (await find_run(Rows(rows), "latest")).run == "n-000001"
    with pytest.raises(Stop, match="no runs yet"):
        await find_run(Rows([]), "latest")


class Rows(JournalLook):
    """A journal of which only the rows are known."""

    def __init__(self, known: list[RunRow]) -> None:
        self._known = known

    async def rows(
        self, *, status: Sequence[Status] = (), workflow: str = "", limit: int = 100, before: str = ""
    ) -> list[RunRow]:
        return [row for row in self._known if not before or row.run < before][:limit]


@pytest.mark.parametrize(
    ("state", "words_of_it"),
    [
        (b'{"state":"Received","document":{"sha256":"ab","size":3,"name":"a  b.pdf"}}', "a b.pdf"),
        (b'{"pages":[{"sha256":"a","size":1,"name":"1.png"},{"sha256":"b","size":1,"name":"2.png"}]}', "1.png, 2.png"),
        (b'{"state":"Wish","what":"a boat","euros":500,"why":null}', "what a boat, euros 500"),
        (b'{"document":{"sha256":"0123456789abcdef","size":3}}', "document blob (3 B, 0123456789ab)"),
        (b'{"what":"' + b"boats and " * 9 + b'"}', "what boats and boats and boats and boat\u2026"),
        (b"[1]", ""),
        (b"{", ""),
        (b"", ""),
    ],
)
def test_what_a_run_is_about(state: bytes, words_of_it: str) -> None:
    assert said(state) == words_of_it


def test_a_damaged_run_is_listed_all_the_same(office: Path, call: Call) -> None:
    with closing(sqlite3.connect(office / "journal.db")) as database, database:
        database.execute("DROP TRIGGER IF EXISTS events_stay")
        database.execute("UPDATE events SET body = x'00' WHERE n = 2")
    assert "00AAAA03  post" in call("runs", "--data", office).out


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("AAA02", 2, "name at least 6 characters of its id, or `latest`"),
        ("office-01KA", 2, "name more of the id"),
        ("ZZZZZZZZ", 3, "skerry runs lists them"),
    ],
)
def test_a_run_that_is_not_found(name: str, code: int, said: str, office: Path, call: Call) -> None:
    told = call("show", name, "--data", office)
    assert (told.code, told.out) == (code, "")
    assert told.err.splitlines()[1] == f"hint: {said}"


def test_no_journal(tmp_path: Path, call: Call) -> None:
    for command in (
        ("runs",),
        ("show", "latest"),
        ("verify",),
        ("replay", "--all"),
        ("approve", "latest"),
        ("export",),
    ):
        told = call(*command, "--data", tmp_path / "nowhere")
        assert (told.code, told.out) == (3, ""), command
        assert "no journal in" in told.err
        assert "--data" in told.err
    assert not (tmp_path / "nowhere").exists()


def test_a_broken_pipe_is_no_error(office: Path) -> None:
    import subprocess
    import sys

    shell = f"{sys.executable} -m skerry.cli runs --data {office} --json | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", shell], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
