"""The one error that reading a calendar raises on purpose."""

from __future__ import annotations

from skerry.errors import TerminalError


class Unreadable(TerminalError):
    """Something that cannot be read as a calendar, ever; a person has to look at it.

    The message is for the owner of the calendar: what it is and why that does not work; `hint` says what to do next.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(f"{message}; {hint}", hint=hint)
