"""A small workflow without workers: what is cheap is granted, what is dear needs a yes, what is silly fails."""

from __future__ import annotations

import msgspec

from skerry import Blob, Decision, Done, State, Step, Workflow


class Granted(msgspec.Struct, frozen=True):
    """It will be bought."""

    what: str
    by: str = ""


class Refused(msgspec.Struct, frozen=True):
    """It will not."""

    reason: str


class Wish(State):
    """Somebody wishes for something."""

    what: str
    euros: int = 0

    async def run(self, step: Step) -> Ask | Done[Granted]:
        """Small wishes are granted at once."""
        if self.what == "the moon":
            raise ValueError("the moon is not for sale")
        if self.euros > 100:
            return Ask(what=self.what, euros=self.euros)
        return Done(Granted(what=self.what))


class Ask(State):
    """A person decides about the dear ones."""

    what: str
    euros: int

    async def run(self, step: Step) -> Done[Granted] | Done[Refused]:
        """Waits for a yes or a no."""
        decision = await step.wait(Decision, question=f"{self.what} for {self.euros} euros?")
        if decision.approved:
            return Done(Granted(what=self.what, by=decision.by))
        return Done(Refused(reason=decision.reason))


wishes = Workflow("wishes", version=1, start=Wish, on="wish.made", result=Granted | Refused)


class Read(State):
    """A letter with wishes has come."""

    letter: Blob

    async def run(self, step: Step) -> Done[Granted]:
        """Grants what is in it, unseen."""
        return Done(Granted(what=self.letter.name))


letters = Workflow("letters", version=1, start=Read, on="letter.written", result=Granted)
