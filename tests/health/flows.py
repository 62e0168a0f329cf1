"""A workflow whose cascade is counted."""

from __future__ import annotations

from collections.abc import Iterable

from skerry import Done, Objection, Prompt, State, Step, Workflow
from skerry.core.structs import Frozen


class Fields(Frozen):
    """An answer."""

    number: str


def good(answer: Fields, about: object) -> Iterable[Objection]:
    """Only one answer is."""
    if answer.number != "4711":
        yield Objection(rule="right", message=f"{answer.number} is wrong", fields=("number",))
        yield Objection(rule="right", message="quite wrong", fields=("number",))
        yield Objection(rule="kind", message="and unkind", fields=("number",))


def _by_rules(about: str) -> Fields:
    return Fields(number="12")


fields = Prompt(name="fields", text="What is its number?", rules=_by_rules)


class Ask(State):
    """Asks rules and the size small."""

    text: str

    async def run(self, step: Step) -> Done[Fields]:
        """Once."""
        return Done(await step.ask(Fields, fields, about=self.text, verify=(good,), sizes=("rules", "small")))


counted = Workflow("counted", version=1, start=Ask, result=Fields)
