"""Every error that Skerry raises on purpose, as one tree.

SkerryError                     has a `hint`: what to do next
|-- DefinitionError             the author's: a workflow, state or task that cannot work; says where
|-- DataError                   the caller's: a value that does not fit its type, or does not survive JSON
|-- NotFound                    the caller's: no such run, workflow, step or blob
|-- Denied                      the caller's: who asks may not do that
|-- Conflict                    the caller's: the run is not in a state in which that is possible
|-- Busy                        nobody's: a limit is reached; the same call may go through later
|-- Unavailable                 the surroundings': no engine, no bus, no answer in time
|-- JournalError                the surroundings': the journal cannot be read or written
|   |-- JournalLocked           another process writes in this data folder; says which
|   |-- JournalCorrupt          what is on disk is not what was written; says where
|   `-- JournalNewer            written by a newer version of Skerry
|-- NondeterminismError         the author's: the code does not do what its journal says it did
|-- StepFailed                  delivered into a state's code: a step has failed for good
|   |-- TimedOut                ... because its time was up
|   `-- Refused                 ... because a person said no
|-- RetryableError              raised by a task: try again, `retry_after_s` says when
`-- TerminalError               raised by a task: never try again

Cancelled (BaseException)       thrown into a state's code when its run is cancelled
"""

from __future__ import annotations


class SkerryError(Exception):
    """Base of all of them. `hint` says what the reader can do next; it may be empty. A traceback ends with it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self._hint = ""
        self.hint = hint

    @property
    def hint(self) -> str:
        """What the reader can do next."""
        return self._hint

    @hint.setter
    def hint(self, hint: str) -> None:
        # A note is what Python shows below a traceback. There is one at most, whatever the error goes through: a copy
        # has the notes already, and whoever knows better sets another hint.
        before = [note for note in getattr(self, "__notes__", ()) if note != f"hint: {self._hint}"]
        self._hint = hint
        self.__notes__: list[str] = [*before, f"hint: {hint}"] if hint else before


class DefinitionError(SkerryError):
    """A workflow, a state or a task is defined in a way that cannot work."""


class DataError(SkerryError):
    """A value does not fit its type, or does not survive being written down and read again."""


class NotFound(SkerryError):
    """The run, workflow, step or blob that was named does not exist."""


class Denied(SkerryError):
    """Who asks for it has no role that allows it, or not so much of it."""


class Conflict(SkerryError):
    """The request does not fit the state that the run is in."""


class Busy(SkerryError):
    """A limit is reached; nothing was taken in, and the same request may go through later."""


class Unavailable(SkerryError):
    """Something that is needed (the engine, the bus, a worker) is not there or does not answer."""


class JournalError(SkerryError):
    """The journal cannot be read or written."""


class JournalLocked(JournalError):
    """Another process is the writer of this data folder."""


class JournalCorrupt(JournalError):
    """What is on disk is not what was written."""


class JournalNewer(JournalError):
    """An event was written by a newer version; it is refused, never skipped (promise J7)."""


class NondeterminismError(SkerryError):
    """The code asks for something else than its journal says it asked for."""

    def __init__(self, message: str, *, step: str = "", expected: str = "", got: str = "") -> None:
        super().__init__(
            message,
            hint="bring back the code this run was recorded with and `skerry retry` it, or cancel it",
        )
        self.step = step
        self.expected = expected
        self.got = got


class StepFailed(SkerryError):
    """A step has failed for good. Raised inside the state's code, which may catch it.

    `step` is the step's id, `kind` the class name of what went wrong, `attempts` how often it was tried.
    """

    def __init__(self, message: str, *, step: str = "", kind: str = "", attempts: int = 0) -> None:
        super().__init__(message)
        self.step = step
        self.kind = kind
        self.attempts = attempts


class TimedOut(StepFailed):
    """The step's time was up before there was an outcome."""


class Refused(StepFailed):
    """A person looked at it and said no."""


class RetryableError(SkerryError):
    """Raised by a task whose failure may pass: it is tried again under the task's retry policy."""

    def __init__(self, message: str, *, retry_after_s: float | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class TerminalError(SkerryError):
    """Raised by a task whose failure will not pass: it is never tried again."""


class Cancelled(BaseException):
    """Thrown into a state's code when its run is cancelled, or a sibling branch has failed.

    A `BaseException`, as in asyncio: `except Exception` must not swallow it by accident.
    """
