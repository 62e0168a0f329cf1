"""What a person finds of an accepted answer goes into the journal of its run, and changes nothing else."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from skerry import Done, Prompt, State, Step, Workflow
from skerry.core import api
from skerry.core import events as ev
from skerry.errors import Conflict, NotFound
from skerry.testing import Lab


class Bill(msgspec.Struct, frozen=True):
    number: str
    total: str = "5"


BILL = Prompt(name="bill", text="?", rules=lambda about: Bill(number=str(about)))


class Read(State):
    wait: bool = False

    async def run(self, step: Step) -> Rest:
        bill = await step.ask(Bill, BILL, about="4711")
        return Rest(bill=bill, wait=self.wait)


class Rest(State):
    """A state after the one that has asked: a resume would not read that one's events."""

    bill: Bill
    wait: bool

    async def run(self, step: Step) -> Done[Bill]:
        if self.wait:
            await step.sleep(timedelta(hours=1))
        return Done(self.bill)


reading = Workflow("reading", version=1, start=Read, result=Bill)


async def test_it_is_recorded_beside_the_answer() -> None:
    async with Lab(reading, BILL) as lab:
        run = await lab.start(reading, Read())
        before = await lab.settled(run)
        taken = await lab.verbs.audit(api.Audit(run=run, by="ada"))
        assert (taken.run, taken.status) == (run, "done")
        await lab.verbs.audit(api.Audit(run=run, changes={"total": "6", "number": "4711"}, by="bob", reason="misread"))
        found = [each for each in await lab.events(run) if isinstance(each, ev.AnswerAudited)]
        assert [(each.by, each.changed, bytes(each.value)) for each in found] == [
            ("ada", (), b""),
            ("bob", ("total",), b'{"total":"6"}'),
        ]
        assert await lab.row(run) == before
        assert await lab.result(run) == Bill(number="4711")
        assert (await lab.replay(run)).agrees
        await lab.crash()
        assert (await lab.replay(run)).agrees
        await lab.verbs.audit(api.Audit(run=run, by="carl"))


async def test_a_run_that_goes_on_is_not_audited_yet() -> None:
    async with Lab(reading, BILL) as lab:
        run = await lab.start(reading, Read(wait=True))
        assert (await lab.settled(run)).status == "waiting"
        with pytest.raises(Conflict, match="is waiting"):
            await lab.verbs.audit(api.Audit(run=run))
        await lab.skip(timedelta(hours=2))
        assert (await lab.verbs.audit(api.Audit(run=run))).status == "done"
        with pytest.raises(NotFound):
            await lab.verbs.audit(api.Audit(run="lab-00000000000000000000000000"))
