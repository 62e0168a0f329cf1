"""Errors of the user's code as failures in the journal, and failures as the errors that the code gets."""

from __future__ import annotations

from skerry.core.events import Failure
from skerry.errors import Refused, StepFailed, TimedOut

ENDLESS_LOOP = "EndlessLoop"
"""The kind of that failure. The code itself has not failed: a replay of it finds no error."""
OUTCOME_UNKNOWN = "OutcomeUnknown"
"""The kind of failure of a run in which a task that must run once only was begun, and nobody knows how it ended."""
_HINTS = (
    ("'coroutine' object", "is an `await` missing?"),
    ("event loop", "await only methods of `step`; put other awaits into a @task and `step.call` it"),
)
_TOLD_MAX = 2000


def error_of(failure: Failure, attempts: int) -> StepFailed:
    """The exception that a state's code gets for a failed step."""
    cls = {"TimedOut": TimedOut, "Refused": Refused}.get(failure.kind, StepFailed)
    return cls(failure.message, step=failure.step, kind=failure.kind, attempts=attempts)


def unknown(step: str, task: str, why: str) -> Failure:
    """What a run dies of when a task that must run once only may have run: a person is asked."""
    return Failure(kind=OUTCOME_UNKNOWN, message=f"task {task} {why}", step=step)


def failure_of(error: BaseException) -> Failure:
    """What a run dies of."""
    return Failure(kind=type(error).__name__, message=_words(error), step=_failed_step(error))


def _words(error: BaseException) -> str:
    """What an error of the user's says, whatever it is, with a hint if there is one."""
    try:
        text = str(error)
    except Exception as second:
        text = f"its message cannot be had: {type(second).__name__}"
    hint = getattr(error, "hint", "") or next((hint for sign, hint in _HINTS if sign in text), "")
    return readable(text) + (f" ({hint})" if hint else "")


def readable(text: str) -> str:
    """A message that fits a journal: not too long, and without the half surrogate pairs of odd file names."""
    return text[:_TOLD_MAX].encode("utf-8", "replace").decode()


def _failed_step(error: BaseException) -> str:
    """The step whose failure came through, if it was one."""
    at: BaseException | None = error
    for _ in range(20):
        if at is None:
            return ""
        if isinstance(at, StepFailed) and at.step:
            return at.step
        at = at.__cause__ or at.__context__
    return ""
