"""From an exception to what the engine is told: a failure, and when to try again."""

from __future__ import annotations

from typing import NamedTuple

from skerry.core.events import Failure
from skerry.errors import DataError, DefinitionError, NotFound, RetryableError, SkerryError, TerminalError

MESSAGE_CHARACTERS_MAX = 2000
"""A message is for people, and for the journal for ever; what is longer is cut."""

_FOR_GOOD = (TerminalError, DataError, DefinitionError, NotFound)


class Outcome(NamedTuple):
    """What came of a call: the JSON of its value, or a failure. `model` says what answered an `ask`."""

    value: bytes = b""
    failure: Failure | None = None
    retry_after_s: float = 0.0
    model: dict[str, str | int | float] = {}


class Refusal(SkerryError):
    """The worker cannot or must not do this task, and no other worker of its kind could. `kind` names the failure."""

    def __init__(self, kind: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.retryable = retryable


def failed(error: BaseException) -> Outcome:
    """The outcome of a call that raised: the error's class and words, never its traceback.

    An error that the author of the task did not mark either way is worth another try: most are about the
    surroundings, and the step's retry policy says how often.
    """
    if isinstance(error, Refusal):
        return _outcome(error.kind, error.message, retryable=error.retryable)
    if isinstance(error, RetryableError):
        again = _outcome("RetryableError", _words(error), retryable=True)
        return again._replace(retry_after_s=max(0.0, error.retry_after_s or 0.0))
    return _outcome(type(error).__name__, _words(error), retryable=not isinstance(error, _FOR_GOOD))


def _outcome(kind: str, message: str, *, retryable: bool) -> Outcome:
    return Outcome(failure=Failure(kind=kind, message=message[:MESSAGE_CHARACTERS_MAX], retryable=retryable))


def _words(error: BaseException) -> str:
    try:
        text = str(error).strip()
    except Exception:  # an error whose own __str__ fails is still an error to report
        text = ""
    hint = error.hint if isinstance(error, SkerryError) else ""
    return f"{text or type(error).__name__} ({hint})" if hint else text or type(error).__name__
