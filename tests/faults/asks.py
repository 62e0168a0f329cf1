"""Workflows that ask models."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from skerry import Done, Prompt, State, Step, Workflow


class Note(msgspec.Struct, frozen=True):
    """What a note says."""

    number: str


READ = Prompt(name="note.read", text="Read the note.")


class Reading(State):
    """Asks two sizes, and then a person."""

    text: str

    async def run(self, step: Step) -> Done[str]:
        """Ends with what was read."""
        note = await step.ask(Note, READ, about=self.text, sizes=("small", "medium"))
        return Done(note.number)


class Patient(State):
    """The same, with little patience."""

    text: str

    async def run(self, step: Step) -> Done[str]:
        """Ends with what was read."""
        note = await step.ask(Note, READ, about=self.text, sizes=("small", "medium"), timeout=timedelta(seconds=1))
        return Done(note.number)


patient = Workflow("patient", version=1, start=Patient, result=str)
reading = Workflow("reading", version=1, start=Reading, result=str)
