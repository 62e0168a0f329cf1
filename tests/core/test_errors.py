"""Errors: the hint is there wherever an error is shown."""

from __future__ import annotations

import copy
import pickle
import traceback
from collections.abc import Callable

import pytest

from skerry.errors import Busy, NondeterminismError, RetryableError, SkerryError


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def raised_again(error: SkerryError) -> SkerryError:
    for _ in range(3):
        try:
            raise error
        except SkerryError as caught:
            error = caught
    return error


def through_pickle(error: SkerryError) -> SkerryError:
    again: SkerryError = pickle.loads(pickle.dumps(error))
    return again


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, through_pickle, raised_again])
@pytest.mark.parametrize(
    "error",
    [Busy("full", hint="later"), RetryableError("full", hint="later", retry_after_s=1.0), NondeterminismError("other")],
    ids=lambda error: type(error).__name__,
)
def test_a_traceback_ends_with_the_hint_once(error: SkerryError, way: Callable[[SkerryError], SkerryError]) -> None:
    again = way(error)
    assert shown(again).rstrip().endswith(f"{error.message}\nhint: {error.hint}")
    assert shown(again).count(error.hint) == 1
    assert (str(again), again.hint) == (error.message, error.hint)


def test_another_hint_takes_its_place_and_other_notes_stay() -> None:
    error = Busy("full")
    assert shown(error) == "skerry.errors.Busy: full\n"
    error.add_note("seen at noon")
    error.hint = "later"
    error.hint = "tomorrow"
    assert shown(error) == "skerry.errors.Busy: full\nseen at noon\nhint: tomorrow\n"
    error.hint = ""
    assert shown(error) == "skerry.errors.Busy: full\nseen at noon\n"


def test_a_copy_has_its_own_hint() -> None:
    error = Busy("full", hint="later")
    copy.copy(error).hint = "tomorrow"
    assert shown(error).endswith("hint: later\n")
