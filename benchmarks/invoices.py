"""What a model is asked in the benchmarks: to quote eight fields of made-up invoices. The model that comes with Skerry
was trained on questions of this kind, so it answers them as it answers its users'.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Annotated, TypeAlias

import msgspec

from skerry import Done, Objection, Prompt, State, Step, Workflow

Quote: TypeAlias = Annotated[str, msgspec.Meta(max_length=80, extra_json_schema={"x-skerry-quoted": True})]


class Quotes(msgspec.Struct, frozen=True):
    """The fields as they stand there."""

    seller: Quote | None
    number: Quote | None
    date: Quote | None
    due: Quote | None
    net: Quote | None
    tax: Quote | None
    total: Quote | None
    currency: Quote | None


class Short(msgspec.Struct, frozen=True):
    """The least that can be asked."""

    number: Annotated[str, msgspec.Meta(max_length=12, extra_json_schema={"x-skerry-quoted": True})] | None


WORDS = "Read the invoice."
TOKENS_MAX = 512
_LETTERS = "abcdefghiklmnoprstuw"


def invoice(number: int) -> str:
    """A page of some 550 characters; another one for each number, and always the same."""
    dice = random.Random(number)

    def words(count: int) -> str:
        return " ".join("".join(dice.choices(_LETTERS, k=dice.randint(3, 9))).title() for _ in range(count))

    def date() -> str:
        return f"2026-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"

    def amount(most: int) -> str:
        return f"{dice.randint(10, most)}.{dice.randint(0, 99):02}"

    lines = [f"{words(3)}   {dice.randint(1, 9)}   {amount(900)}" for _ in range(4)]
    return "\n".join(
        (
            f"{words(2)} GmbH",
            f"{words(1)} {dice.randint(1, 200)}",
            f"{dice.randint(10_000, 99_999)} {words(1)}",
            f"\nInvoice no: INV-{number}",
            f"Date: {date()}",
            f"Due date: {date()}\n",
            *lines,
            f"\nNet total: {amount(9_000)}",
            f"VAT 19 %: {amount(900)}",
            f"Total: EUR {amount(9_999)}",
        )
    )


def occurs(quotes: Quotes | Short, text: str) -> Iterator[Objection]:
    """A verifier: what is quoted stands there."""
    for name in quotes.__struct_fields__:
        quote = getattr(quotes, name)
        if quote is not None and quote not in text:
            yield Objection(rule="grounded", message=f"{quote!r} does not occur", fields=(name,))


class Read(State):
    """Reads some invoices, one after the other; `short`: no more than the number of each."""

    numbers: Sequence[int]
    model: str
    short: bool = False

    async def run(self, step: Step) -> Done[int]:
        """Asks for each."""
        prompt = Prompt(name=self.model, text=WORDS)
        for number in self.numbers:
            if self.short:
                await step.ask(Short, prompt, about=invoice(number)[:160], verify=(occurs,), sizes=("small",))
            else:
                await step.ask(Quotes, prompt, about=invoice(number), verify=(occurs,), sizes=("small",))
        return Done(len(self.numbers))


read = Workflow("bench-read", version=1, start=Read, result=int)
