"""The one error that reading a file raises on purpose."""

from __future__ import annotations

from skerry.errors import TerminalError


class Unreadable(TerminalError):
    """A file that cannot be read as an invoice, ever; a person has to look at it.

    The message is for a bookkeeper: what the file is and why that does not work; `hint` says what to do next.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(f"{message}; {hint}", hint=hint)
