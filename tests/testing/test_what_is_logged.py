"""An exception in a state's code is told with its place: in the log, for the journal has its words only."""

from __future__ import annotations

import pytest

from skerry import Done, SkerryError, State, Step, Workflow
from skerry.testing import Lab


class Typo(State):
    expected: bool = False

    async def run(self, step: Step) -> Done[str]:
        if self.expected:
            raise SkerryError("said so")
        return Done(dict[str, str]()["no such key"])


typo = Workflow("typo", version=1, start=Typo, result=str)


async def test_a_mistake_is_logged_with_its_place_and_an_expected_error_in_a_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Lab(typo) as lab:
        run = await lab.start(typo, Typo())
        assert (await lab.settled(run)).status == "failed"
        assert "no such key" in caplog.text
        assert "test_what_is_logged.py" in caplog.text
        caplog.clear()
        run = await lab.start(typo, Typo(expected=True))
        assert (await lab.settled(run)).status == "failed"
        assert "said so" in caplog.text
        assert "Traceback" not in caplog.text
