"""From an exception to what the engine is told: a failure, and when to try again."""

from __future__ import annotations

import math
from typing import NamedTuple

from skerry.core.answers import FieldNote
from skerry.core.events import Failure
from skerry.errors import DataError, DefinitionError, NotFound, RetryableError, SkerryError, TerminalError
from skerry_workers.models.port import ModelError, ModelUnavailable

MESSAGE_CHARACTERS_MAX = 2000
"""A message is for people, and for the journal for ever; what is longer is cut."""
RETRY_AFTER_S_MAX = 30 * 24 * 3600.0

_FOR_GOOD = (TerminalError, DataError, DefinitionError, NotFound)


class Outcome(NamedTuple):
    """What came of a call: the JSON of its value, or a failure. `model` and `fields` say what answered an `ask`."""

    value: bytes = b""
    failure: Failure | None = None
    retry_after_s: float = 0.0
    model: dict[str, str | int | float] = {}
    fields: dict[str, FieldNote] = {}


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
        return again._replace(retry_after_s=_seconds(error.retry_after_s or 0.0))
    if isinstance(error, ModelError):
        outcome = _outcome(type(error).__name__, _words(error), retryable=error.retryable)
        after_s = error.retry_after_s if isinstance(error, ModelUnavailable) else 0.0
        return outcome._replace(retry_after_s=_seconds(after_s))
    return _outcome(type(error).__name__, _words(error), retryable=not isinstance(error, _FOR_GOOD))


def _outcome(kind: str, message: str, *, retryable: bool) -> Outcome:
    message = writable(message[:MESSAGE_CHARACTERS_MAX])
    return Outcome(failure=Failure(kind=writable(kind), message=message, retryable=retryable))


def writable(text: str) -> str:
    """The text without what JSON cannot hold: half characters, as in the names of files with a wrong encoding."""
    return text.encode(errors="replace").decode()


def _seconds(given: float) -> float:
    return min(max(given, 0.0), RETRY_AFTER_S_MAX) if math.isfinite(given) else 0.0


def _words(error: BaseException) -> str:
    try:
        text = str(error).strip()
    except Exception:  # an error whose own __str__ fails is still an error to report
        text = ""
    hint = error.hint if isinstance(error, SkerryError) else ""
    if hint and hint not in text:  # some errors say it in their message
        return f"{text or type(error).__name__} ({hint})"
    return text or type(error).__name__
