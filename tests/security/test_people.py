"""Roles: what the engine takes from whom, and what then lies in the journal."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from skerry import Client
from skerry.config import load
from skerry.core import api
from skerry.core import events as ev
from skerry.core.ids import person_of
from skerry.errors import DataError, Denied, Unavailable
from skerry.people import LOOKING, People, Person, Question
from skerry.runtime.verbs import Verbs
from skerry.testing import Lab
from tests.cli.wishes import Wish, wishes
from tests.security.kit import Town, environment
from tests.support import wait_until
from tests.sync.kit import Program, call

PEOPLE = {
    "ada": Person(roles=("approve",), limit=Decimal(500)),
    "ben": Person(roles=("approve",), workflows=("invoice",)),
    "cy": Person(roles=("review",)),
    "dan": Person(roles=("operate",)),
    "eve": Person(),
    "flo": Person(roles=("admin",)),
}
WORTH = {"wishes": "euros"}
VERBS = ("publish", "start", "signal", "answer", "audit", "cancel", "retry", "runs", "show", "status", "prune")


class Asked:
    """An engine that knows people, and a run that asks for so many euros."""

    def __init__(self, lab: Lab, run: str) -> None:
        self.lab = lab
        self.run = run
        self.verbs = Verbs(lab.engine, people=People(PEOPLE, WORTH))

    async def say(self, by: str, *, approved: bool = True) -> api.Taken:
        answer = api.Answer(run=self.run, approved=approved, by=by, reason="so it is")
        taken: api.Taken = await self.verbs.handle("answer", answer)
        return taken


async def asked(lab: Lab, euros: int) -> Asked:
    return Asked(lab, await lab.start(wishes, Wish(what="a boat", euros=euros)))


async def test_a_yes_goes_up_to_the_limit() -> None:
    async with Lab(wishes) as lab:
        dear = await asked(lab, 501)
        for by in ("ada", "ada@hub-1f2e3d", "ben", "cy", "dan", "eve", "mallory", ""):
            with pytest.raises(Denied):
                await dear.say(by)
        assert (await dear.verbs.handle("show", api.Show(run=dear.run))).row.status == "review"
        assert (await dear.say("ada", approved=False)).status == "done"  # a no has no limit
        within = await asked(lab, 500)
        assert (await within.say("ada@hub-1f2e3d")).status == "done"
        assert (await (await asked(lab, 10**9)).say("flo")).status == "done"


async def test_who_from_where_and_why_lie_in_the_journal() -> None:
    async with Lab(wishes) as lab:
        run = await asked(lab, 200)
        await run.say("ada@hub-1f2e3d")
        events = [each.event for each in await lab.engine.journal.events(run.run)]
        (answered,) = [event for event in events if isinstance(event, ev.ReviewAnswered)]
        assert (answered.by, answered.reason, answered.approved) == ("ada@hub-1f2e3d", "so it is", True)
        (completed,) = [event for event in events if isinstance(event, ev.RunCompleted)]
        # The code sees the person: whoever decides here and once more at a hub is one of two pairs of eyes, not both.
        assert msgspec.json.decode(completed.value)["by"] == "ada"


async def test_an_amount_that_is_not_known_is_above_every_limit() -> None:
    async with Lab(wishes) as lab:
        run = await asked(lab, 200)
        run.verbs = Verbs(lab.engine, people=People(PEOPLE, {}))
        with pytest.raises(Denied, match="not known what this is worth"):
            await run.say("ada")
        dollars = {"ada": Person(roles=("approve",), limit=Decimal(500), currency="USD")}
        run.verbs = Verbs(lab.engine, people=People(dollars, WORTH))
        with pytest.raises(Denied, match="USD"):
            await run.say("ada")


async def test_a_decision_is_no_signal_and_nobody_speaks_for_others() -> None:
    async with Lab(wishes) as lab:
        run = await asked(lab, 200)
        yes = api.Signal(run=run.run, signal="Decision", value=Raw(b'{"approved": true, "by": "flo"}'), by="dan")
        with pytest.raises(Denied, match="not sent as a signal"):
            await run.verbs.handle("signal", yes)
        with pytest.raises(Denied, match="cannot speak for 'flo'"):
            await run.verbs.handle("signal", msgspec.structs.replace(yes, signal="Delegation"))
        with pytest.raises(Denied, match="may not signal"):
            await run.verbs.handle("signal", msgspec.structs.replace(yes, by="ada"))


async def test_what_a_server_vouches_for_outweighs_what_the_request_says() -> None:
    async with Lab(wishes) as lab:
        run = await asked(lab, 200)
        answer = api.Answer(run=run.run, approved=True, by="flo")
        with pytest.raises(Denied, match="eve may not answer"):
            await run.verbs.handle("answer", answer, member="eve")
        with pytest.raises(Denied, match="mallory is not known"):
            await run.verbs.handle("runs", api.ListRuns(), member="mallory")
        await run.verbs.handle("answer", answer, member="ada")
        events = [each.event for each in await lab.engine.journal.events(run.run)]
        assert [event.by for event in events if isinstance(event, ev.ReviewAnswered)] == ["ada@bus"]


@given(
    verb=st.sampled_from(VERBS),
    person=st.builds(
        Person, roles=st.lists(st.sampled_from(("view", "review", "approve", "operate", "admin"))).map(tuple)
    ),
)
def test_what_nobody_was_given_nobody_may(verb: str, person: Person) -> None:
    """Only `admin` prunes; only who operates starts; only who reviews or approves answers; strangers do nothing."""
    by_verb = {"prune": set[str](), "answer": {"review", "approve"}, "audit": {"review", "approve"}}
    needs = by_verb.get(verb, {"operate"} if verb not in LOOKING else {"view", "review", "approve", "operate"})
    allowed = "admin" in person.roles or bool(needs & set(person.roles))
    people = People({"p": person}, {})
    for by, may in (("p", allowed), ("p@hub-1", allowed), ("q", False), ("", False), ("*", False)):
        try:
            people.check(verb, by)
            assert may, (verb, person, by)
        except Denied:
            assert not may, (verb, person, by)


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ({"fields": {"gross_total": "119.00", "currency": "EUR"}}, (Decimal("119.00"), "EUR")),
        ({"fields": {"gross_total": 119, "currency": 3}}, (Decimal(119), "")),
        ({"fields": {"gross_total": "NaN"}}, (None, "")),
        ({"fields": {"gross_total": "much"}}, (None, "")),
        ({"fields": {"gross_total": True}}, (None, "")),
        ({"fields": {"gross_total": None}}, (None, "")),
        ({"fields": [1]}, (None, "")),
        ([], (None, "")),
    ],
)
def test_where_an_amount_stands(state: Any, found: tuple[Decimal | None, str]) -> None:
    assert People({}, {"invoice": "fields.gross_total"}).worth("invoice", state) == found


def test_whatever_is_not_known_is_not_approved() -> None:
    people = People({"ada": Person(roles=("approve",), limit=Decimal(10))}, {})
    people.check_answer("ada", Question(workflow="w", decision=True, approved=True, worth=Decimal(-10)))
    for worth in (None, Decimal("10.01"), Decimal("-10.01")):
        with pytest.raises(Denied):
            people.check_answer("ada", Question(workflow="w", decision=True, approved=True, worth=worth))
    people.check_answer("ada", Question(workflow="w", decision=False, approved=True))


def test_names() -> None:
    assert person_of("ada") == "ada"
    assert person_of("ada@hub-1f2e3d") == "ada"
    assert person_of("ada@example.com") == "ada@example.com"
    assert person_of("ada@example.com@bus") == "ada@example.com"


def test_settings(tmp_path: Path) -> None:
    file = tmp_path / "skerry.toml"
    file.write_text('[people.ada]\nroles = ["approve"]\nlimit = "5000"\n[people."*"]\n[worth]\nwishes = "euros"\n')
    config = load(file, environ={})
    assert config.people == {"ada": Person(roles=("approve",), limit=Decimal(5000)), "*": Person()}
    assert config.worth["wishes"] == "euros"
    for wrong in ('roles = ["king"]', 'limit = "-1"', "limt = 3"):
        file.write_text(f"[people.ada]\n{wrong}\n")
        with pytest.raises(DataError, match=r"people\.ada"):
            load(file, environ={})


async def test_a_person_elsewhere_decides_in_their_own_name(tmp_path: Path) -> None:
    """A node whose server is open, and two people with keys of their own: the server says who they are."""
    town = Town(tmp_path, owner="n1", kind="node")
    (tmp_path / "skerry.toml").write_text(
        '[people.ada]\nroles = ["approve", "operate"]\nlimit = 300\n[people.eve]\n[worth]\nwishes = "euros"\n'
    )
    for name in ("ada", "eve"):
        town.enrol(name, "person")
    told = {"SKERRY_CONFIG": str(tmp_path / "skerry.toml"), "SKERRY_MODULES": "tests.cli.wishes"}
    engine = Program(town.data, "engine", "--data", str(town.data), "--node", "n1", env=told).start()
    try:
        await wait_until(lambda: (town.data / "nats" / "connection.json").exists(), 30.0)
        ada, eve = (msgspec.structs.replace(town.at(name), member=name) for name in ("ada", "eve"))
        async with (
            Client.connect(nats=ada, node="n1", by="flo") as as_ada,
            Client.connect(nats=eve, node="n1", by="ada") as as_eve,
        ):
            run = await as_ada.start(wishes, Wish(what="a boat", euros=250))
            await wait_until(lambda: status_of(as_eve, run.run, "review"), 20.0)
            with pytest.raises(Denied, match="eve may not answer"):
                await as_eve.ask("answer", api.Answer(run=run.run, approved=True, by="ada"), api.Taken)
            await as_ada.ask("answer", api.Answer(run=run.run, approved=True, by="flo", reason="fine"), api.Taken)
            shown = await as_eve.ask("show", api.Show(run=run.run), api.Shown)
            (said,) = [each for each in shown.events if each.kind == "review.answered"]
            assert msgspec.json.decode(said.event)["by"] == "ada@bus"
        listed = call(
            "runs", "--node", "n1", "--json", **environment("SKERRY_NATS", eve), SKERRY_DATA=str(tmp_path / "eve")
        )
        assert (json.loads(listed.stdout)["status"], listed.stderr) == ("done", "")
        assert "Violation" not in (town.data / "nats" / "server.log").read_text()
        # In no name, or in another one, nothing is let through but the question who is there.
        with pytest.raises(Unavailable):
            async with Client.connect(nats=town.at("ada"), node="n1", timeout_s=1.0) as nobody:
                await nobody.ask("runs", api.ListRuns(), api.Rows)
    finally:
        engine.stop()


async def status_of(client: Client, run: str, status: str) -> bool:
    return (await client.ask("show", api.Show(run=run), api.Shown)).row.status == status
