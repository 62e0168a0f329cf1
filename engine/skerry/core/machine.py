"""Drives the code of one state, step by step, from outside: no event loop, only `send` and `throw`.

Theory of operation. A state's `run` is a coroutine that awaits nothing but steps. Each step hands one command out of
the coroutine; the machine gives it an id and stops there. Whoever owns the machine finds the command in `waiting`,
gets its outcome from wherever (a worker, a clock, the journal), and feeds it back; the code then runs on to its next
steps. So the code cannot tell a live run from a replay, and the same outcomes in the same order give the same commands.

A `gather` splits the code into strands: each branch is a coroutine of its own, with a path of its own. Step ids are
paths: the state's entry number, then the number of the step in its strand ("2-3"), with one more pair for each level
of branches ("2-3-0-1": in state entry 2, at step 3, in branch 0, step 1). They are safe as one token of a subject.

When a branch fails, its siblings are cancelled: their waiting steps are dropped and `Cancelled` is thrown into them,
which may run cleanup steps; when all have ended, the failure is raised where they were gathered. Cancelling a run does
the same to all its strands, and what is raised where they were gathered is `Cancelled` then. A strand is cancelled
once: nothing but the end of the whole machine disturbs its cleanup.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from msgspec import Raw

from skerry.core.commands import Command, Gather
from skerry.core.state import State
from skerry.core.step import Moment, Step
from skerry.errors import Cancelled, DataError, DefinitionError

STEPS_MAX = 1000
"""A state that makes more steps than this is asked to return to itself, so that recovery stays bounded."""
_PREFIX_MAX = 96
"""A step's id has to stay one token of a subject (128 characters), however deep its gather is nested."""


class Returned(NamedTuple):
    """The state's code returned: the next state, or `Done`."""

    value: Any


class Raised(NamedTuple):
    """The state's code raised."""

    error: BaseException


class _Strand:
    """One line of execution: the state's own code, or a branch of a gather. It waits for a step, or for `branches`."""

    __slots__ = ("begun", "branches", "cancelled", "coroutine", "count", "join", "prefix", "slot", "step")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], prefix: str, join: _Join | None, slot: int) -> None:
        self.coroutine = coroutine
        self.prefix = prefix
        self.join = join
        self.slot = slot
        self.count = 0
        self.begun = False
        self.cancelled = False
        self.step = ""
        self.branches: _Join | None = None


class _Join:
    """Where branches come together again."""

    __slots__ = ("as_list", "failure", "open", "owner", "results")

    def __init__(self, owner: _Strand, size: int, as_list: bool) -> None:
        self.owner = owner
        self.as_list = as_list
        self.results: list[Any] = [None] * size
        self.open: list[_Strand] = []
        self.failure: BaseException | None = None


class Machine:
    """The running code of one state entry.

    `waiting` holds the commands that have no outcome yet, by step id. After each call that drives the code, `opened`
    and `dropped` list the step ids that came and went; the owner empties them.
    """

    __slots__ = ("_moment", "_ready", "_root", "_steps", "_strands", "dropped", "ended", "opened", "waiting")

    def __init__(self, state: State, *, entry: int, seed: str) -> None:
        self._moment = Moment()
        self._root = _Strand(state.run(Step(f"{seed}/{entry}", self._moment)), f"{entry}-", None, 0)
        self._strands: dict[str, _Strand] = {}
        self._ready: list[tuple[_Strand, Any, BaseException | None]] = []
        self._steps = 0
        self.waiting: dict[str, Command] = {}
        self.opened: list[str] = []
        self.dropped: list[str] = []
        self.ended: Returned | Raised | None = None

    def begin(self, now_us: int) -> None:
        """Runs the code up to its first steps."""
        self._moment.now_us = now_us
        self._ready.append((self._root, None, None))
        self._run()

    def feed(self, step: str, value: Raw, result: str, now_us: int, person: bool = False) -> None:
        """Gives a step its outcome and runs the code on. Raises `DataError` when the outcome does not fit its type."""
        self.give(step, self.waiting[step].decode(value, result), now_us, person)

    def give(self, step: str, outcome: Any, now_us: int, person: bool = False) -> None:
        """The same, for an outcome that was decoded from its JSON already. `person`: whether a person gave it."""
        self._moment.now_us = now_us
        self._moment.person = person
        self._resume(self._take(step), outcome, None)
        if self._ready:
            self._run()

    def fail(self, step: str, error: BaseException, now_us: int) -> None:
        """Raises an error where the code waits for the step."""
        self._moment.now_us = now_us
        self._moment.person = False
        self._ready.append((self._take(step), None, error))
        self._run()

    def cancel(self, now_us: int) -> None:
        """Throws `Cancelled` into the code, wherever it waits."""
        self._moment.now_us = now_us
        self._cancel((self._root,))
        self._run()

    def close(self) -> None:
        """Lets the code go (eviction): `finally` blocks run, but steps in them are refused and nothing is recorded."""
        self._moment.closed = True
        _close(self._root)
        self.waiting.clear()
        self._strands.clear()
        self._ready.clear()

    def __del__(self) -> None:
        if self.ended is None:  # dropped as it is: the code must not find its steps open
            self.close()

    # --- driving ------------------------------------------------------------------------------------------------

    def _take(self, step: str) -> _Strand:
        del self.waiting[step]
        strand = self._strands.pop(step)
        strand.step = ""
        return strand

    def _run(self) -> None:
        """Runs strands, the last one made ready first, until all of them wait or the code has ended.

        A stack, not recursion: code that gathers in a loop must not run out of Python's stack.
        """
        while self._ready:
            self._resume(*self._ready.pop())

    def _resume(self, strand: _Strand, value: Any, error: BaseException | None) -> None:
        """All code runs here: in goes an outcome or an error, out comes the next command, a result or an error."""
        coroutine = strand.coroutine
        if not strand.begun:
            if strand.cancelled:  # a branch before it has failed at once
                coroutine.close()
                return self._joined(strand)
            strand.begun = True
        while True:
            try:
                command = coroutine.send(value) if error is None else coroutine.throw(error)
            except StopIteration as stop:
                return self._returned(strand, stop.value)
            except KeyboardInterrupt:  # it is meant for the process, not for the code
                raise
            except BaseException as raised:
                return self._raised(strand, raised)
            strand.count += 1
            self._steps += 1
            if self._steps > STEPS_MAX:
                return self._overrun()
            if isinstance(command, Command):
                return self._open(strand, command)
            if isinstance(command, Gather):
                if command.branches and len(strand.prefix) < _PREFIX_MAX:
                    return self._fork(strand, command)
                value, error = ([] if command.as_list else ()), None
                if command.branches:
                    command.close()
                    error = DefinitionError("gathers are nested too deep", hint="start child runs instead")
            else:
                error = DefinitionError(
                    f"a state awaited {type(command).__name__}, which is no step",
                    hint="await only methods of `step`; put other awaits into a @task and `step.call` it",
                )

    def _overrun(self) -> None:
        """Ends the code. It is not told: code that catches errors in a loop would never hear the end of it."""
        self.close()
        self.ended = Raised(
            DataError(
                f"a state made more than {STEPS_MAX} steps",
                hint="return to the same state with what is left to do; recovery reads one state entry at a time",
            )
        )

    def _open(self, strand: _Strand, command: Command) -> None:
        step = strand.step = f"{strand.prefix}{strand.count}"
        self.waiting[step] = command
        self._strands[step] = strand
        self.opened.append(step)

    def _fork(self, owner: _Strand, gather: Gather) -> None:
        join = owner.branches = _Join(owner, len(gather.branches), gather.as_list)
        prefix = f"{owner.prefix}{owner.count}-"
        join.open = [_Strand(c, f"{prefix}{slot}-", join, slot) for slot, c in enumerate(gather.branches)]
        self._ready.extend((strand, None, None) for strand in reversed(join.open))

    def _returned(self, strand: _Strand, value: Any) -> None:
        if strand.join is None:
            self.ended = Returned(value)
            return
        strand.join.results[strand.slot] = value
        self._joined(strand)

    def _raised(self, strand: _Strand, error: BaseException) -> None:
        join = strand.join
        if join is None:
            self.ended = Raised(error)
            return
        if join.failure is None:
            join.failure = error
            self._cancel(sibling for sibling in join.open if sibling is not strand)
        self._joined(strand)

    def _joined(self, strand: _Strand) -> None:
        join = strand.join
        assert join is not None
        join.open.remove(strand)
        if join.open:
            return
        join.owner.branches = None
        if join.failure is not None:
            self._ready.append((join.owner, None, join.failure))
        else:
            self._ready.append((join.owner, join.results if join.as_list else tuple(join.results), None))

    def _cancel(self, strands: Iterable[_Strand]) -> None:
        """Throws `Cancelled` into the innermost strands below these, but for those that are cleaning up already."""
        leaves: list[_Strand] = []
        for strand in strands:
            _cancelled(strand, leaves)
        for leaf in leaves:
            self.dropped.append(leaf.step)
            self._take(leaf.step)
        self._ready.extend((leaf, None, Cancelled()) for leaf in reversed(leaves))


def _cancelled(strand: _Strand, leaves: list[_Strand]) -> None:
    """Marks a strand and all below it; puts those that wait for a step into `leaves`."""
    if strand.cancelled:
        return
    strand.cancelled = True
    if strand.branches is not None:
        strand.branches.failure = Cancelled()
        for branch in strand.branches.open:
            _cancelled(branch, leaves)
    elif strand.step:
        leaves.append(strand)


def _close(strand: _Strand) -> None:
    if strand.branches is not None:
        for branch in strand.branches.open:
            _close(branch)
    with suppress(BaseException):
        strand.coroutine.close()
