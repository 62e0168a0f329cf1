"""The whole workflow on a node in memory: every way through it, with a crash anywhere, and what the ledger has then."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from skerry.core.projection import RunRow
from skerry.errors import Conflict
from skerry.testing import Lab
from skerry_workflows.invoice.demo import documents
from skerry_workflows.invoice.ledger import Distinct, Ledger, Posting
from skerry_workflows.invoice.workflow import (
    EXTRACT,
    AlreadyPosted,
    Posted,
    Rejected,
    invoice,
    read_document,
    recognise_document,
)
from tests.invoice.demo_xml import cii, ubl
from tests.invoice.make_demo import COFFEE, ENGLISH, GERMAN, KITCHEN, TOOLS, WRONG, Invoice, item, pdf, scan

ALMOST_A_MONTH = timedelta(days=29)


class Node(Lab):
    """A lab with a ledger; at the end every run's replay has to agree."""

    def __init__(self, folder: Path, limit: str = "10000") -> None:
        self.ledger = folder / "ledger.db"
        settings = {"SKERRY_INVOICE_LEDGER": str(self.ledger), "SKERRY_INVOICE_APPROVAL_LIMIT": limit}
        self.settings = settings
        self.runs: list[str] = []
        super().__init__(invoice, read_document, recognise_document, EXTRACT, settings=settings)

    async def send(self, data: bytes, name: str = "invoice") -> str:
        (run,) = await self.publish("invoice.received", document=await self.put(data, name))
        self.runs.append(run)
        return run

    async def waits(self, run: str) -> RunRow:
        row = await self.settled(run)
        assert row.status == "review", row
        return row

    async def later(self, duration: timedelta) -> None:
        """Lets much time pass at once, as for a machine that slept: `skip` would live through every minute of it."""
        self.clock.set_us(self.clock.now_us() + duration // timedelta(microseconds=1))
        await self.skip(timedelta(minutes=1))

    def postings(self) -> list[Posting]:
        with Ledger(self.ledger) as ledger:
            return list(ledger.entries())

    def rows(self) -> list[tuple[str, Decimal]]:
        return [(p.entry.number, p.entry.gross_total) for p in self.postings()]


@asynccontextmanager
async def open_node(folder: Path, limit: str = "10000") -> AsyncIterator[Node]:
    node = Node(folder, limit)
    async with node:
        yield node
        for run in node.runs:
            replayed = await node.replay(run)
            assert replayed.agrees, replayed


def altered(f: Invoice = TOOLS, **changes: Any) -> Invoice:
    return dataclasses.replace(f, **changes)


# The number, date and seller of TOOLS, for another amount.
DEARER = altered(items=(item("Türscharnier, Edelstahl", 40, "9.75"),))


async def test_the_bundled_documents(tmp_path: Path) -> None:
    async with open_node(tmp_path) as node:
        ended: dict[str, str] = {}
        for path in documents():
            run = await node.send(path.read_bytes(), path.name)
            row = await node.settled(run)
            ended[path.stem[:2]] = type(await node.result(run)).__name__ if row.status == "done" else row.state
        assert ended.pop("09") in ("Unread", "Received"), "a person is asked, with or without OCR"
        assert ended == {
            "01": "Posted", "02": "Posted", "03": "Posted", "04": "Posted", "05": "Posted", "06": "AlreadyPosted",
            "07": "Approve", "08": "Received", "10": "Received",
        }  # fmt: skip
        assert [p.entry.source[:2] for p in node.postings()] == ["01", "02", "03", "04", "05"]


@pytest.mark.parametrize("make", [lambda: pdf(COFFEE, ENGLISH), lambda: ubl(COFFEE), lambda: cii(COFFEE)])
async def test_a_clear_invoice_is_posted(tmp_path: Path, make: Callable[[], bytes]) -> None:
    async with open_node(tmp_path) as node:
        run = await node.send(make(), "coffee")
        assert await node.result(run) == Posted(
            posting=1, number="HL-2093", seller=COFFEE.seller.name, gross_total=COFFEE.gross, currency="GBP"
        )
        (posting,) = node.postings()
        entry = posting.entry
        assert (entry.net_total, entry.tax_total, entry.issue_date) == (COFFEE.net, COFFEE.tax, COFFEE.issued)
        assert (entry.source, posting.version, posting.distinct) == ("coffee", "", None)


# --- a person -------------------------------------------------------------------------------------------------------


async def test_objections_then_a_correction(tmp_path: Path) -> None:
    """The page's total is misprinted: nowhere on it stands the right one, so the person says why it is right."""
    right = str(WRONG.gross - WRONG.misprint)
    async with open_node(tmp_path) as node:
        run = await node.send(pdf(WRONG, ENGLISH))
        assert "not" in (await node.waits(run)).note
        with pytest.raises(Conflict, match="nowhere in the document"):
            await node.approve(run, gross_total=right)
        assert node.rows() == []
        await node.approve(run, gross_total=right, reason="the seller confirmed it by mail")
        assert (await node.result(run)).gross_total == Decimal(right)
        assert node.rows() == [(WRONG.number, Decimal(right))]


async def test_a_correction_that_holds_needs_no_reason(tmp_path: Path) -> None:
    async with open_node(tmp_path) as node:
        text = pdf_text_without_seller()
        run = await node.send(text.encode(), "x.txt")
        await node.waits(run)
        await node.approve(run, seller_name=COFFEE.seller.name)
        assert (await node.result(run)).seller == COFFEE.seller.name


def pdf_text_without_seller() -> str:
    """The seller's name stands there, and nothing says that it is the seller's."""
    return (
        f"{COFFEE.seller.name}\n{COFFEE.buyer.name}\n\nInvoice number: X-17\nInvoice date: 17 May 2024\n\n"
        "Subtotal   100.00\nVAT 20 %    20.00\nTotal GBP  120.00\n"
    )


async def test_overruled_with_a_reason(tmp_path: Path) -> None:
    async with open_node(tmp_path) as node:
        run = await node.send(pdf(WRONG, ENGLISH))
        await node.waits(run)
        with pytest.raises(Conflict, match="still meets objections"):
            await node.approve(run)
        await node.approve(run, by="ada", reason="90.00 of deposit, see the contract")
        assert (await node.result(run)).gross_total == WRONG.gross
        answered = [e for e in await node.events(run) if type(e).__name__ == "ReviewAnswered"]
        assert [(e.by, e.reason, bool(e.overruled)) for e in answered] == [
            ("ada", "90.00 of deposit, see the contract", True)
        ]


async def test_what_cannot_be_posted_is_asked_for_although_it_was_overruled(tmp_path: Path) -> None:
    async with open_node(tmp_path) as node:
        run = await node.send(pdf_text_without_seller().encode(), "x.txt")
        await node.waits(run)
        await node.approve(run, reason="no matter")
        row = await node.waits(run)
        assert row.state == "Unread" and "without seller_name cannot be posted" in row.note
        await node.reject(run, reason="nobody knows who that is")
        assert await node.result(run) == Rejected(reason="nobody knows who that is")


@pytest.mark.parametrize(
    "data", [pdf(WRONG, ENGLISH), scan(empty=True), pdf(KITCHEN, GERMAN)], ids=["wrong", "scan", "large"]
)
async def test_rejected(tmp_path: Path, data: bytes) -> None:
    async with open_node(tmp_path) as node:
        run = await node.send(data)
        await node.waits(run)
        await node.reject(run, by="bo", reason="we never ordered this")
        result = await node.result(run)
        assert isinstance(result, Rejected) and result.reason == "we never ordered this"
        assert node.rows() == []


async def test_unread_then_typed_in(tmp_path: Path) -> None:
    typed = {
        "number": "4471", "issue_date": "2025-03-30", "currency": "EUR", "seller_name": "Bakery Sonnenkorn",
        "net_total": "96.00", "tax_total": "6.72", "gross_total": "102.80",
    }  # fmt: skip
    async with open_node(tmp_path) as node:
        run = await node.send(scan(empty=True), "bakery.pdf")
        row = await node.waits(run)
        assert row.state == "Unread" and ("no text can be made out" in row.note or "is not installed" in row.note)
        with pytest.raises(Conflict, match=r"102\.72, not 102\.80"):
            await node.approve(run, **typed)
        await node.approve(run, **typed | {"gross_total": "102.72"})
        assert await node.result(run) == Posted(
            posting=1, number="4471", seller="Bakery Sonnenkorn", gross_total=Decimal("102.72"), currency="EUR"
        )


# --- duplicates and conflicts ---------------------------------------------------------------------------------------


async def test_a_duplicate_in_another_syntax(tmp_path: Path) -> None:
    async with open_node(tmp_path) as node:
        last = [await node.result(await node.send(data)) for data in (pdf(TOOLS, GERMAN), ubl(TOOLS), cii(TOOLS))][2]
        assert last == AlreadyPosted(posting=1, number=TOOLS.number, seller=TOOLS.seller.name)
        assert node.rows() == [(TOOLS.number, TOOLS.gross)]


async def test_a_conflict_that_is_another_invoice(tmp_path: Path) -> None:
    async with open_node(tmp_path) as node:
        assert isinstance(await node.result(await node.send(ubl(TOOLS))), Posted)
        run = await node.send(ubl(DEARER), "dearer.xml")
        assert f"posting 1), but as invoice of {TOOLS.gross} EUR" in (await node.waits(run)).note
        await node.approve(run, by="ada", reason="they numbered two invoices alike, I called them")
        assert (await node.result(run)).posting == 2
        second = node.postings()[1]
        assert second.distinct == Distinct(by="ada", why="they numbered two invoices alike, I called them")
        assert second.version == f"invoice {DEARER.gross} EUR"
        # Each of the two is known from now on, whatever file it comes in.
        assert (await node.result(await node.send(cii(DEARER)))) == AlreadyPosted(
            posting=2, number=TOOLS.number, seller=TOOLS.seller.name
        )
        assert (await node.result(await node.send(pdf(TOOLS, GERMAN)))).posting == 1
        # A third one is a question again.
        third = await node.send(ubl(altered(items=DEARER.items * 2)))
        await node.waits(third)
        await node.reject(third, reason="enough")
        assert node.rows() == [(TOOLS.number, TOOLS.gross), (TOOLS.number, DEARER.gross)]


async def test_a_conflict_that_is_refused(tmp_path: Path) -> None:
    async with open_node(tmp_path) as node:
        await node.result(await node.send(ubl(TOOLS)))
        run = await node.send(ubl(DEARER))
        await node.waits(run)
        await node.reject(run)
        assert isinstance(await node.result(run), Rejected)
        assert node.rows() == [(TOOLS.number, TOOLS.gross)]


async def test_a_number_posted_with_another_date(tmp_path: Path) -> None:
    later = altered(issued=TOOLS.issued + dt.timedelta(days=3))
    async with open_node(tmp_path) as node:
        await node.result(await node.send(ubl(TOOLS)))
        run = await node.send(ubl(later))
        await node.waits(run)
        await node.approve(run, by="ada")
        assert isinstance(await node.result(run), Posted)
        second = node.postings()[1]
        assert second.version == "" and second.distinct is not None
        assert "was posted before (posting 1)" in second.distinct.why, "no reason given: the question stands for it"


@pytest.mark.parametrize("days", [0, 3], ids=["same date", "another date"])
async def test_one_that_comes_during_the_approval(tmp_path: Path, days: int) -> None:
    """Two invoices of one number wait for an approval of their sums; the second may not vanish, nor slip through."""
    first = KITCHEN
    other = altered(
        KITCHEN,
        items=(item("Edelstahlküche nach Maß, Haus 2", 2, "11850.00"),),
        issued=KITCHEN.issued + dt.timedelta(days),
    )
    async with open_node(tmp_path) as node:
        runs = [await node.send(ubl(first)), await node.send(ubl(other)), await node.send(pdf(first, GERMAN))]
        for run in runs:
            assert "need an approval" in (await node.waits(run)).note
        await node.approve(runs[0])
        assert isinstance(await node.result(runs[0]), Posted)
        await node.approve(runs[1])
        row = await node.waits(runs[1])
        assert row.state == "Approve" and "posting 1" in row.note, "approved the sum, not the number"
        await node.approve(runs[1], by="ada", reason="second house")
        assert (await node.result(runs[1])).gross_total == other.gross
        await node.approve(runs[2])
        assert isinstance(await node.result(runs[2]), AlreadyPosted), "this one says what the first one said"
        assert node.rows() == [(first.number, first.gross), (first.number, other.gross)]


# --- the limit ------------------------------------------------------------------------------------------------------


async def test_above_the_limit(tmp_path: Path) -> None:
    async with open_node(tmp_path, limit=str(TOOLS.gross)) as node:
        run = await node.send(ubl(TOOLS))
        assert "need an approval" in (await node.waits(run)).note
        await node.approve(run)
        assert isinstance(await node.result(run), Posted)
        (posting,) = node.postings()
        assert posting.distinct is None, "nothing was like it"
        below = altered(number="2025-0319", items=TOOLS.items[:1])
        assert isinstance(await node.result(await node.send(ubl(below))), Posted)


async def test_nobody_approves_in_time(tmp_path: Path) -> None:
    async with open_node(tmp_path) as node:
        run = await node.send(ubl(KITCHEN))
        await node.waits(run)
        await node.later(ALMOST_A_MONTH)
        await node.waits(run)
        await node.later(timedelta(days=1))
        assert await node.result(run) == Rejected(reason="nobody decided within 30 days")
        assert node.rows() == []


@pytest.mark.parametrize("data", [pdf(WRONG, ENGLISH), scan(empty=True)], ids=["objections", "unread"])
async def test_nobody_looks_in_time(tmp_path: Path, data: bytes) -> None:
    async with open_node(tmp_path) as node:
        run = await node.send(data)
        await node.waits(run)
        await node.later(timedelta(days=30))
        assert isinstance(await node.result(run), Rejected)


@pytest.mark.parametrize("limit", ["ten thousand", "10,000", "NaN", "Infinity", "-1"])
async def test_a_limit_that_is_no_amount(tmp_path: Path, limit: str) -> None:
    """Not the default in its place: what was meant may be lower."""
    async with open_node(tmp_path, limit=limit) as node:
        run = await node.send(ubl(TOOLS))
        row = await node.settled(run)
        assert row.status == "failed" and "is not an amount" in row.note, row
        assert node.rows() == []


# --- crashes --------------------------------------------------------------------------------------------------------


async def test_a_crash_after_every_state(tmp_path: Path) -> None:
    """Through all states: typed in, asked about its sum, in conflict; each once more after a crash."""
    async with open_node(tmp_path) as node:
        await node.result(await node.send(ubl(TOOLS)))
        run = await node.send(scan(empty=True))
        fields = {
            "number": TOOLS.number, "issue_date": str(TOOLS.issued), "currency": "EUR",
            "seller_name": TOOLS.seller.name, "net_total": "20000.00", "tax_total": "3800.00",
            "gross_total": "23800.00",
        }  # fmt: skip
        await node.waits(run)
        await node.crash()
        await node.approve(run, **fields)
        await node.waits(run)
        await node.crash()
        assert (await node.waits(run)).state == "Approve"
        await node.approve(run, by="ada", reason="really")
        await node.crash()
        assert (await node.result(run)).posting == 2
        await node.crash()
        assert (await node.result(run)).posting == 2
        assert node.rows() == [(TOOLS.number, TOOLS.gross), (TOOLS.number, Decimal("23800.00"))]


@pytest.mark.parametrize("turns", range(0, 40, 5))
async def test_a_crash_at_any_moment_posts_once(tmp_path: Path, turns: int) -> None:
    async with open_node(tmp_path) as node:
        runs = [await node.send(ubl(TOOLS)), await node.send(cii(TOOLS)), await node.send(pdf(COFFEE, ENGLISH))]
        for _ in range(turns):
            await asyncio.sleep(0)
        await node.crash()
        await node.skip(timedelta(minutes=5))  # what a worker died with is handed out again after a while
        results = [await node.result(run) for run in runs]
        assert sorted(type(r).__name__ for r in results) == ["AlreadyPosted", "Posted", "Posted"]
        assert sorted(node.rows()) == [(TOOLS.number, TOOLS.gross), (COFFEE.number, COFFEE.gross)]


def test_states_survive_their_json() -> None:
    """A run that waits was written by an older version: what is new in a state has a default."""
    assert msgspec.json.decode(b'{"id":1,"idempotency_key":"k","posted_at":"2025-01-01T00:00:00Z","type":"posting",'
        b'"entry":{"doc_type":"invoice","number":"1","issue_date":"2025-01-01","seller_name":"x","currency":"EUR",'
        b'"gross_total":"1"}}', type=Posting).version == ""  # fmt: skip
