"""Approvals by policy on a node in memory: four eyes, deputies, reminders, orders, and the posting handed on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from skerry.core import events as ev
from skerry.testing import Lab
from skerry_workflows.invoice.ledger import Ledger, Posting
from skerry_workflows.invoice.originals import Originals
from skerry_workflows.invoice.workflow import (
    EXTRACT,
    Delegation,
    Posted,
    Rejected,
    export,
    invoice,
    read_document,
    recognise_document,
)
from tests.invoice.demo_xml import ubl
from tests.invoice.make_demo import TOOLS
from tests.invoice.test_handing_on import Receiver

POLICY = """
currency = "EUR"
[reminders]
after_days = 2
delegate_after_days = 5
give_up_after_days = 8
[deputies]
ada = "cy"
[[rule]]
name = "four eyes"
approvers = ["ada", "bo"]
approvals = 2
cost_centre = "4711"
"""


@asynccontextmanager
async def node(folder: Path, policy: str = POLICY, url: str = "") -> AsyncIterator[Lab]:
    (folder / "policy.toml").write_text(policy)
    settings = {
        "SKERRY_INVOICE_LEDGER": str(folder / "ledger.db"),
        "SKERRY_INVOICE_POLICY": str(folder / "policy.toml"),
        "SKERRY_INVOICE_WEBHOOK": url,
    }
    async with Lab(invoice, read_document, recognise_document, export, EXTRACT, settings=settings) as lab:
        yield lab


async def send(lab: Lab, data: bytes | None = None) -> str:
    (run,) = await lab.publish("invoice.received", document=await lab.put(data or ubl(TOOLS), "tools.xml"))
    return run


async def note(lab: Lab, run: str) -> str:
    row = await lab.settled(run)
    assert row.status == "review", row
    return row.note


async def later(lab: Lab, duration: timedelta) -> None:
    """Lets much time pass at once, as for a machine that slept."""
    lab.clock.set_us(lab.clock.now_us() + duration // timedelta(microseconds=1))
    await lab.skip(timedelta(minutes=1))


def postings(folder: Path) -> list[Posting]:
    with Ledger(folder / "ledger.db") as ledger:
        return list(ledger.entries())


async def test_four_eyes_are_two_people(tmp_path: Path) -> None:
    async with node(tmp_path) as lab:
        run = await send(lab)
        assert "2 people have to approve it" in await note(lab, run)
        await lab.approve(run, by="ada")
        assert "so far by ada" in await note(lab, run)
        await lab.approve(run, by="ada")
        assert "ada has approved already" in await note(lab, run)
        await lab.approve(run, by="mallory")
        assert "mallory may not decide this" in await note(lab, run)
        await lab.reject(run, by="mallory", reason="no")
        assert "mallory may not decide this" in await note(lab, run), "nor turn it down"
        assert postings(tmp_path) == []
        await lab.approve(run, by="bo")
        assert isinstance(await lab.result(run), Posted)
        (posting,) = postings(tmp_path)
        assert (posting.entry.approved_by, posting.entry.cost_centre) == ("ada, bo", "4711")
        assert (await lab.replay(run)).agrees


async def test_the_original_is_kept_and_named(tmp_path: Path) -> None:
    async with node(tmp_path, "[[rule]]\napprovals = 0") as lab:
        await lab.result(await send(lab))
        (posting,) = postings(tmp_path)
        assert Originals(tmp_path / "originals").read(posting.entry.document) == ubl(TOOLS)


async def test_one_of_those_asked_says_no(tmp_path: Path) -> None:
    async with node(tmp_path) as lab:
        run = await send(lab)
        await note(lab, run)
        await lab.approve(run, by="ada")
        await note(lab, run)
        await lab.reject(run, by="bo", reason="never ordered")
        assert await lab.result(run) == Rejected(reason="never ordered")


async def reminders(lab: Lab, run: str) -> int:
    return sum(isinstance(e, ev.StepScheduled) and e.kind == "emit" for e in await lab.events(run))


async def test_reminders_deputies_and_the_end_come_on_their_days(tmp_path: Path) -> None:
    async with node(tmp_path) as lab:
        run = await send(lab)
        assert "asked: ada, bo" in await note(lab, run)
        await later(lab, timedelta(days=2))
        await note(lab, run)
        await lab.approve(run, by="cy")
        assert "cy may not decide this" in await note(lab, run), "not yet"
        await lab.crash()
        await later(lab, timedelta(days=2))
        await note(lab, run)
        await later(lab, timedelta(days=1))
        assert "asked: ada, bo, cy" in await note(lab, run)
        await lab.approve(run, by="cy")
        assert "so far by cy" in await note(lab, run)
        await later(lab, timedelta(days=1))
        await note(lab, run)
        await later(lab, timedelta(days=2))
        assert await lab.result(run) == Rejected(reason="nobody decided within 8 days")
        assert await reminders(lab, run) == 4, "on the days 2, 4, 5 and 6"
        assert postings(tmp_path) == [] and (await lab.replay(run)).agrees


async def test_who_is_asked_lets_somebody_else_decide(tmp_path: Path) -> None:
    async with node(tmp_path) as lab:
        run = await send(lab)
        await note(lab, run)
        await lab.signal(run, Delegation(to="mallory", by="mallory"))
        assert "mallory cannot let others decide" in await note(lab, run)
        await lab.signal(run, Delegation(to="eve", by="bo"))
        assert "asked: ada, bo, eve" in await note(lab, run)
        await lab.approve(run, by="ada")
        await note(lab, run)
        await lab.approve(run, by="eve")
        assert isinstance(await lab.result(run), Posted)


ORDERED = """
orders = "orders.csv"
[[rule]]
with_order = true
approvals = 0
[[rule]]
name = "not ordered"
"""


@pytest.mark.parametrize("left", [True, False])
async def test_what_was_ordered_passes_and_what_goes_over_its_order_does_not(tmp_path: Path, left: bool) -> None:
    total = TOOLS.gross if left else TOOLS.gross - 1
    assert TOOLS.order
    (tmp_path / "orders.csv").write_text(
        f"number,vendor,total,currency,cost_centre\n{TOOLS.order},{TOOLS.seller.name},{total},EUR,300\n"
    )
    async with node(tmp_path, ORDERED) as lab:
        run = await send(lab)
        if not left:
            assert f"its order {TOOLS.order} has" in await note(lab, run)
            await lab.approve(run, by="ada")
        assert isinstance(await lab.result(run), Posted)
        (posting,) = postings(tmp_path)
        assert (posting.entry.cost_centre, posting.entry.purchase_order) == ("300", TOOLS.order)


async def test_a_policy_that_is_broken_posts_nothing(tmp_path: Path) -> None:
    async with node(tmp_path, "[[rule]]\napproval = 0") as lab:
        run = await send(lab)
        row = await lab.settled(run)
        assert row.status == "failed" and "approval" in row.note and postings(tmp_path) == []


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


async def test_a_posting_is_handed_on_once_whatever_fails(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers = [503, 500]
    async with node(tmp_path, "[[rule]]\napprovals = 0", receiver.url) as lab:
        run = await send(lab)
        for _ in range(3):
            await lab.settled(run)
            await lab.skip(timedelta(minutes=1))
        assert isinstance(await lab.result(run), Posted)
        (posting,) = postings(tmp_path)
        assert list(receiver.booked) == [posting.idempotency_key] and len(receiver.requests) == 3
        assert (await lab.replay(run)).agrees


async def test_a_webhook_that_says_no_is_a_dead_letter_and_the_posting_stays(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.answers = [422]
    async with node(tmp_path, "[[rule]]\napprovals = 0", receiver.url) as lab:
        run = await send(lab)
        row = await lab.settled(run)
        assert row.status == "failed" and "answered 422" in row.note
        assert len(postings(tmp_path)) == 1 and receiver.booked == {}
