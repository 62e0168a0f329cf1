"""The machine drives one state's code from outside: ids, branches, cancellation, eviction, errors with hints."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, cast

import pytest
from msgspec import Raw

from skerry.core.ids import check_token
from skerry.core.machine import STEPS_MAX, Machine, Raised, Returned
from skerry.core.state import State
from skerry.core.step import Step
from skerry.core.tasks import task
from skerry.errors import Cancelled, DataError, DefinitionError, StepFailed

Body = Callable[[Step], Awaitable[Any]]


@task
def echo(value: str) -> str:
    return value


def machine_of(body: Body, *, begin: bool = True) -> Machine:
    class Here(State):
        async def run(self, step: Step) -> Any:
            return await body(step)

    machine = Machine(Here(), entry=1, seed="run")
    if begin:
        machine.begin(1_000)
    return machine


def feed(machine: Machine, step: str, value: bytes = b'"x"', now_us: int = 2_000) -> None:
    machine.feed(step, Raw(value), "", now_us)


def returned(machine: Machine) -> Any:
    assert isinstance(machine.ended, Returned), machine.ended
    return machine.ended.value


def raised(machine: Machine) -> BaseException:
    assert isinstance(machine.ended, Raised), machine.ended
    return machine.ended.error


def test_steps_are_numbered_by_their_path() -> None:
    async def branch(step: Step) -> str:
        await step.call(echo, "first")
        return await step.call(echo, "second")

    async def body(step: Step) -> Any:
        await step.call(echo, "a")
        both = await step.gather(branch(step), step.gather(branch(step), branch(step)))
        return await step.call(echo, "b"), both

    machine = machine_of(body)
    seen: list[str] = []
    while machine.ended is None:
        seen += machine.opened
        machine.opened.clear()
        feed(machine, next(iter(machine.waiting)), f'"{len(seen)}"'.encode())
    assert seen == [
        "1-1",
        "1-2-0-1",
        "1-2-1-1-0-1",
        "1-2-1-1-1-1",
        "1-2-0-2",
        "1-2-1-1-0-2",
        "1-2-1-1-1-2",
        "1-3",
    ]
    assert all(check_token("step", step) == step for step in seen)
    assert returned(machine) == ("8", ("7", ("7", "7")))


def test_each_gives_a_list_and_gather_a_tuple() -> None:
    async def body(step: Step) -> Any:
        return await step.each(step.call(echo, "x") for _ in range(2)), await step.each(()), await step.gather()  # type: ignore[call-overload]

    machine = machine_of(body)
    feed(machine, "1-1-1-1", b'"b"')
    feed(machine, "1-1-0-1", b'"a"')
    assert returned(machine) == (["a", "b"], [], ())


def test_an_outcome_of_the_wrong_type_changes_nothing() -> None:
    async def body(step: Step) -> Any:
        return await step.call(echo, "x")

    machine = machine_of(body)
    with pytest.raises(DataError, match="return value of task echo"):
        feed(machine, "1-1", b"17")
    feed(machine, "1-1", b'"fine"')
    assert returned(machine) == "fine"


def test_now_is_the_time_of_the_fact() -> None:
    async def body(step: Step) -> Any:
        first = step.now()
        await step.call(echo, "x")
        return step.now() - first

    machine = machine_of(body)
    feed(machine, "1-1", now_us=61_000_000 + 1_000)
    assert returned(machine) == timedelta(seconds=61)


def test_uuid_and_random_are_the_same_each_time_and_differ_from_each_other() -> None:
    async def body(step: Step) -> Any:
        return [step.uuid(), step.uuid(), step.random(), step.random()]

    first, second = returned(machine_of(body)), returned(machine_of(body))
    assert first == second
    assert len(set(first)) == 4
    assert all(0.0 <= number < 1.0 for number in first[2:])


# --- failure and cancellation -----------------------------------------------------------------------------------------


def test_the_first_failure_cancels_the_siblings_and_is_raised_when_they_have_ended() -> None:
    order: list[str] = []

    async def fails(step: Step) -> None:
        await step.call(echo, "fails")

    async def cleans(step: Step) -> None:
        try:
            await step.call(echo, "long")
        except Cancelled:
            await step.call(echo, "cleanup")
            order.append("clean")
            raise

    async def body(step: Step) -> Any:
        try:
            await step.gather(fails(step), cleans(step))
        except StepFailed as error:
            order.append(str(error))
        return order

    machine = machine_of(body)
    machine.fail("1-1-0-1", StepFailed("no"), 2_000)
    assert machine.dropped == ["1-1-1-1"]
    assert list(machine.waiting) == ["1-1-1-2"]
    feed(machine, "1-1-1-2")
    assert returned(machine) == ["clean", "no"]


def test_cancelling_disturbs_no_cleanup_that_a_sibling_has_begun() -> None:
    """A branch that ends at once must not cut short what the other one still has to do."""

    async def cleans(step: Step) -> None:
        try:
            await step.call(echo, "long")
        finally:
            await step.call(echo, "cleanup")

    async def body(step: Step) -> Any:
        await step.gather(cleans(step), step.call(echo, "quick"), cleans(step))

    machine = machine_of(body)
    machine.cancel(2_000)
    assert list(machine.waiting) == ["1-1-0-2", "1-1-2-2"]
    feed(machine, "1-1-0-2")
    assert list(machine.waiting) == ["1-1-2-2"]
    feed(machine, "1-1-2-2")
    assert isinstance(raised(machine), Cancelled)


def test_a_run_that_is_cancelled_while_a_branch_cleans_up_gets_cancelled_and_not_the_branch_s_failure() -> None:
    async def cleans(step: Step) -> None:
        try:
            await step.call(echo, "long")
        finally:
            await step.call(echo, "cleanup")

    async def body(step: Step) -> Any:
        try:
            await step.gather(step.call(echo, "fails"), cleans(step))
        except StepFailed:
            await step.call(echo, "goes on as if nothing had happened")

    machine = machine_of(body)
    machine.fail("1-1-0-1", StepFailed("no"), 2_000)
    machine.cancel(3_000)
    assert list(machine.waiting) == ["1-1-1-2"]
    feed(machine, "1-1-1-2")
    assert isinstance(raised(machine), Cancelled)


def test_branches_that_swallow_a_cancel_do_not_hide_it_from_the_code_around() -> None:
    async def swallows(step: Step) -> str:
        try:
            return await step.call(echo, "x")
        except Cancelled:
            return "never mind"

    async def body(step: Step) -> Any:
        return await step.gather(swallows(step), step.gather(swallows(step), swallows(step)))

    machine = machine_of(body)
    machine.cancel(2_000)
    assert isinstance(raised(machine), Cancelled)
    assert machine.dropped == ["1-1-0-1", "1-1-1-1-0-1", "1-1-1-1-1-1"]


def test_a_failure_cancels_the_branches_of_a_branch() -> None:
    async def body(step: Step) -> Any:
        await step.gather(
            step.gather(step.call(echo, "a"), step.call(echo, "b")),
            step.call(echo, "c"),
            step.each(step.call(echo, "d") for _ in range(2)),
        )

    machine = machine_of(body)
    machine.fail("1-1-1-1", StepFailed("no"), 2_000)
    assert machine.dropped == ["1-1-0-1-0-1", "1-1-0-1-1-1", "1-1-2-1-0-1", "1-1-2-1-1-1"]
    assert isinstance(raised(machine), StepFailed)


def test_a_branch_after_one_that_fails_at_once_never_begins() -> None:
    begun: list[str] = []

    async def fails(step: Step) -> None:
        begun.append("fails")
        raise ValueError("at once")

    async def never(step: Step) -> None:
        begun.append("never")

    async def body(step: Step) -> Any:
        await step.gather(step.call(echo, "x"), fails(step), never(step))

    machine = machine_of(body)
    assert begun == ["fails"]
    assert str(raised(machine)) == "at once"
    assert machine.dropped == ["1-1-0-1"]
    assert not machine.waiting


def test_cleanup_may_gather() -> None:
    async def body(step: Step) -> Any:
        try:
            await step.call(echo, "x")
        finally:
            await step.gather(step.call(echo, "a"), step.call(echo, "b"))

    machine = machine_of(body)
    machine.cancel(2_000)
    feed(machine, "1-2-0-1")
    feed(machine, "1-2-1-1")
    assert isinstance(raised(machine), Cancelled)


# --- eviction ---------------------------------------------------------------------------------------------------------


def test_closing_runs_finally_blocks_and_refuses_their_steps() -> None:
    order: list[str] = []

    async def branch(step: Step) -> None:
        try:
            await step.call(echo, "x")
        finally:
            order.append("branch")
            await step.gather(step.call(echo, "refused"), step.call(echo, "refused"))
            order.append("never reached")

    async def body(step: Step) -> Any:
        try:
            await step.gather(branch(step), branch(step))
        finally:
            order.append("owner")
            await step.call(echo, "refused")
            order.append("never reached")

    machine = machine_of(body)
    machine.opened.clear()
    machine.close()
    assert order == ["branch", "branch", "owner"]
    assert (machine.opened, machine.dropped, machine.waiting, machine.ended) == ([], [], {}, None)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_closing_ends_even_when_the_code_catches_everything_in_a_loop() -> None:
    async def body(step: Step) -> Any:
        while True:
            try:
                await step.call(echo, "x")
            except BaseException:
                continue

    machine = machine_of(body)
    machine.close()
    assert machine.waiting == {}


# --- code that is wrong -----------------------------------------------------------------------------------------------


async def _nothing() -> None:
    """A coroutine that awaits nothing."""


@pytest.mark.parametrize("delay", [0, 1])
async def test_awaiting_what_is_no_step_gives_a_hint(delay: int) -> None:
    async def body(step: Step) -> Any:
        await asyncio.sleep(delay)

    error = raised(machine_of(body))
    assert isinstance(error, DefinitionError)
    assert "which is no step" in error.message
    assert "await only methods of `step`" in error.hint


def test_a_branch_must_be_a_new_coroutine() -> None:
    async def no_coroutine(step: Step) -> Any:
        await step.each(cast("Any", [step.call(echo, "x"), "x"]))

    async def twice(step: Step) -> Any:
        one = step.call(echo, "x")
        await step.gather(one, one)

    async def used(step: Step) -> Any:
        one = _nothing()
        await one
        await step.gather(one, step.call(echo, "x"))

    for body, told in ((no_coroutine, "a branch is str"), (twice, "twice"), (used, "a branch is coroutine")):
        error = raised(machine_of(body))
        assert isinstance(error, DefinitionError)
        assert told in error.message
        assert "without `await`" in error.hint


def test_step_less_gathers_in_a_loop_need_no_stack() -> None:
    async def body(step: Step) -> Any:
        for _ in range(STEPS_MAX // 2):
            await step.gather(_nothing(), _nothing())
        return "done"

    assert returned(machine_of(body)) == "done"


def test_gathers_can_be_nested_but_not_for_ever() -> None:
    async def nest(step: Step, depth: int) -> Any:
        if depth == 0:
            return await step.call(echo, "x")
        return await step.gather(nest(step, depth - 1), _nothing())

    machine = machine_of(lambda step: nest(step, 20))
    assert all(check_token("step", step) for step in machine.waiting)
    error = raised(machine_of(lambda step: nest(step, 60)))
    assert isinstance(error, DefinitionError)
    assert "nested too deep" in error.message


@pytest.mark.parametrize("swallows", [False, True])
def test_a_state_has_a_step_limit_that_code_cannot_swallow(swallows: bool) -> None:
    async def body(step: Step) -> Any:
        while True:
            try:
                await step.call(echo, "x")
            except Exception:
                if not swallows:
                    raise

    machine = machine_of(body)
    for number in range(1, STEPS_MAX + 1):
        feed(machine, f"1-{number}")
    error = raised(machine)
    assert isinstance(error, DataError)
    assert "return to the same state" in error.hint
    assert not machine.waiting


def test_an_endless_loop_of_nothing_ends_too() -> None:
    async def body(step: Step) -> Any:
        while True:
            try:
                await step.each(())
                await cast("Any", asyncio.sleep(0))
            except DefinitionError:
                continue

    assert "more than 1000 steps" in str(raised(machine_of(body)))


def test_the_limit_ends_other_branches_as_well() -> None:
    async def endless(step: Step) -> None:
        while True:
            await step.each(())

    async def body(step: Step) -> Any:
        await step.gather(step.call(echo, "x"), endless(step), _nothing())

    machine = machine_of(body)
    assert isinstance(raised(machine), DataError)
    assert not machine.waiting


def test_exiting_is_an_error_of_the_code_and_an_interrupt_is_none() -> None:
    async def exits(step: Step) -> Any:
        raise SystemExit(3)

    async def interrupted(step: Step) -> Any:
        raise KeyboardInterrupt

    assert isinstance(raised(machine_of(exits)), SystemExit)
    with pytest.raises(KeyboardInterrupt):
        machine_of(interrupted)
