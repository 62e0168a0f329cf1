"""Trades: each is noted in a book, somebody says yes, and it is paid: once. What was done stands in files."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from skerry import Decision, Done, State, Step, Workflow, task, task_context


class Paid(msgspec.Struct, frozen=True):
    """The trade is done."""

    what: str


@task
def note(what: str) -> bool:
    """Into the book, once for each key."""
    book, key = Path(os.environ["TRADES"]) / "book", task_context().key
    if book.exists() and key in book.read_text().split():
        return False
    with book.open("a") as file:
        file.write(f"{key}\n")
    return True


@task(once=True)
def pay(what: str) -> str:
    """Nobody can tell afterwards whether this was done."""
    with (Path(os.environ["TRADES"]) / "payments").open("a") as file:
        file.write(f"{what}\n")
    return what


class Offer(State):
    """Something is to be bought."""

    what: str

    async def run(self, step: Step) -> Buy | Done[Paid]:
        """Notes it, and asks."""
        await step.call(note, self.what)
        decision = await step.wait(Decision, question=f"buy {self.what}?")
        return Buy(what=self.what) if decision.approved else Done(Paid(what=""))


class Buy(State):
    """It was allowed."""

    what: str

    async def run(self, step: Step) -> Done[Paid]:
        """Pays, and notes that as well."""
        await step.call(note, self.what)
        return Done(Paid(what=await step.call(pay, self.what)))


trades = Workflow("trades", version=1, start=Offer, on="trade.offered", result=Paid)
