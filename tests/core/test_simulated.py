"""Generated workflows in a world of random order, failures, nonsense and crashes."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from skerry.core import events as ev
from skerry.core.answers import FieldNote
from skerry.core.commands import Ask, Call, Emit, Sleep, Start, Wait
from skerry.core.pending import Pending
from skerry.core.projection import ENDED
from skerry.errors import Conflict, DataError
from tests.core.scripts import Play, Scene, child, scripts, theatre
from tests.core.support import RUN, Sim, snapshot

seeds = st.integers(0, 2**32)


class World:
    """Chooses what happens next to one run; a second one, of the same script, hears the same and never crashes."""

    def __init__(self, script: tuple[Scene, ...], seed: int, *, crashes: bool) -> None:
        self.random = random.Random(seed)
        self.sim = Sim(theatre, Play(scenes=script))
        self.calm = Sim(theatre, Play(scenes=script)) if crashes else None
        self.signals = 0
        self.told: object = None
        self.check()

    def both(self, move: Callable[[Sim], Any]) -> None:
        """The same happens to both; the one that crashes now and then comes to the same events."""
        if self.calm is not None:
            while self.random.random() < 0.4 and self.sim.live and not self.sim.once_in_flight:
                self.sim.crash()
        outcomes = []
        for sim in (self.sim, self.calm):
            if sim is not None:
                try:
                    outcomes.append(move(sim).events)
                except (DataError, Conflict) as error:
                    outcomes.append(str(error))
        assert len(outcomes) == 1 or outcomes[0] == outcomes[1]
        self.told = outcomes[0]
        self.check()

    def check(self) -> None:
        self.sim.pass_time(0)
        if self.calm is not None:
            self.calm.pass_time(0)
            assert snapshot(self.sim.run) == snapshot(self.calm.run)
            assert self.sim.journal.rows == self.calm.journal.rows

    def tick(self) -> None:
        seconds = self.random.choice((0.0, 0.001, 1.0, 10.0, 100.0))
        self.both(lambda sim: sim.pass_time(seconds))

    def move(self) -> None:
        """One thing happens."""
        kind = self.random.randrange(12)
        steps = list(self.sim.run.pending)
        if kind == 0:
            self.tick()
        elif kind == 1:
            self.send_signal()
        elif kind == 2:
            self.nonsense()
        elif steps:
            step = self.random.choice(steps)
            self.settle(step, self.sim.run.pending[step])
        else:
            self.tick()

    def send_signal(self) -> None:
        self.signals += 1
        id, key = f"s{self.signals}", self.random.choice(("", "k"))
        name, value = self.random.choice(
            (
                ("A", {"text": "hello"}),
                ("A", {"text": 7}),
                ("b-signal", {"type": "b-signal", "number": 3}),
                ("Decision", {"approved": True}),
                ("Unheard", None),
            )
        )
        self.both(lambda sim: sim.signal(name, value, id=id, key=key))

    def nonsense(self) -> None:
        """A late, doubled or misdirected result is recorded and changes nothing else."""
        step = self.random.choice([*self.sim.run.pending, "9-9", "1-1"])
        pending = self.sim.run.pending.get(step)
        attempt = pending.attempt if pending is not None else 1
        wrong: dict[str, Any] = self.random.choice(
            ({"attempt": attempt - 1}, {"attempt": attempt + 1}, {"size": "large"})
        )
        before = snapshot(self.sim.run)
        self.both(lambda sim: sim.result(step, {"text": "late"}, **wrong))
        after = snapshot(self.sim.run)
        assert isinstance(self.told, list)
        assert [type(event) for event in self.told] == [ev.ResultFenced]
        assert {**before, "n": 0} == {**after, "n": 0}

    def settle(self, step: str, pending: Pending) -> None:
        command, luck = pending.command, self.random.random()
        match command:
            case Call() if not pending.in_flight:
                self.tick()
            case Call() if pending.size and luck < 0.3:
                self.both(lambda sim: sim.broken(step, retryable=luck < 0.2, after_s=luck * 100))
            case Call() if pending.size and luck < 0.4:
                value = Raw(self.random.choice((b"17", b'"\xff"', b"", b"{", b"[" * 5000)))
                self.both(lambda sim: sim.result(step, value=value))
            case Call() if pending.size:
                self.both(lambda sim: sim.result(step, f"{step} done"))
            case Call() if luck < 0.3:
                self.both(lambda sim: sim.fail(step, retryable=luck < 0.2))
            case Call():
                self.both(lambda sim: sim.complete(step, f"{step} done"))
            case Ask() if pending.review:
                self.answer(step)
            case Ask() if luck < 0.2:
                self.both(lambda sim: sim.broken(step))
            case Ask() if luck < 0.25:
                away = ev.Failure(kind="ModelUnavailable", message="no route", retryable=True)
                self.both(lambda sim: sim.result(step, failure=away))
            case Ask() if luck < 0.3:
                value = Raw(self.random.choice((b'{"text": 1}', b'{"text":"\xff"}', b"nonsense")))
                self.both(lambda sim: sim.result(step, value=value))
            case Ask():
                answer = {"text": "it", "good": luck > 0.7, "faults": self.random.randrange(1, 4)}
                notes = {"text": FieldNote(confidence=self.random.choice((-1.0, 0.4, 0.9)))}
                used = {"digest": "d", "tokens_in": self.random.choice((0, 7))}
                self.both(lambda sim: sim.result(step, answer, fields=notes, model=used))
            case Wait() if pending.review and "Decision" in command.types and luck < 0.5:
                self.signals += 1
                id = f"s{self.signals}"
                self.both(lambda sim: sim.review(step, luck < 0.3, id=id))
            case Wait():
                self.send_signal()
            case Sleep():
                self.tick()
            case Emit():
                self.both(lambda sim: sim.complete(step, None))
            case Start() if command.detached:
                self.both(lambda sim: sim.complete(step, f"{RUN}-child"))
            case Start() if luck < 0.2:
                self.both(lambda sim: sim.fail(step, "ChildCancelled"))
            case Start() if luck < 0.4:
                self.both(lambda sim: sim.complete(step, None, "NoneType"))
                self.both(lambda sim: sim.complete(step, None, "None") if step in sim.run.pending else sim.pass_time(0))
            case _:
                self.both(lambda sim: sim.complete(step, {"notes": ["x"]}, "Ended"))

    def answer(self, step: str) -> None:
        approved, changes, reason = self.random.choice(
            (
                (True, {}, ""),
                (True, {}, "it is fine as it is"),
                (True, {"text": "mended", "good": True}, ""),
                (True, {"text": "worse", "good": False}, ""),
                (True, {"text": 5}, "wrong type"),
                (False, {}, ""),
                (False, {}, "no idea"),
            )
        )
        self.both(lambda sim: sim.review(step, approved, changes, reason=reason))

    def play(self, moves: int) -> None:
        for _ in range(moves):
            if self.sim.live:
                self.move()
            elif self.sim.row.status == "failed" and self.random.random() < 0.5:
                if self.random.random() < 0.5:
                    self.send_signal()
                self.both(lambda sim: sim.retry())
            else:
                break

    def end(self) -> None:
        """Cancelling always ends, killing at once."""
        if self.sim.live:
            self.both(lambda sim: sim.cancel())
            self.play(20)
        if self.sim.live:
            self.both(lambda sim: sim.cancel())
        if self.sim.row.status not in ENDED:
            assert self.sim.row.status == "failed"
            self.both(lambda sim: sim.cancel())
        assert self.sim.row.status in ENDED
        assert self.sim.run.pending == {}


def invariants(sim: Sim) -> None:
    """What holds for every journal."""
    scheduled = [(e.step, e.attempt) for e in sim.events(ev.StepScheduled)]
    assert len(scheduled) == len(set(scheduled)), "an attempt was used twice"
    replayed = sim.replay()
    assert replayed.agrees, replayed.problem
    assert replayed.drifts == ()
    assert sim.life().disagreement(sim.row) == ""
    assert sim.row.status not in ENDED or sim.row.ended_us


@given(scripts, seeds)
@settings(max_examples=300)
def test_a_run_that_crashes_comes_to_the_same_as_one_that_does_not(script: tuple[Scene, ...], seed: int) -> None:
    world = World(script, seed, crashes=True)
    world.play(40)
    invariants(world.sim)
    world.end()
    invariants(world.sim)
    assert world.calm is not None
    assert world.sim.row == msgspec.structs.replace(world.calm.row, updated_us=world.sim.row.updated_us)


@given(scripts, seeds)
@settings(max_examples=100)
def test_once_tasks_of_unknown_outcome_run_again_only_when_somebody_says_so(
    script: tuple[Scene, ...], seed: int
) -> None:
    world = World(script, seed, crashes=False)
    sim = world.sim
    for _ in range(30):
        if sim.live and world.random.random() < 0.3:
            sim.crash()
        world.play(1)
    if sim.live:
        sim.crash()
    invariants(sim)
    if sim.row.status == "failed":
        sim.retry()
    world.end()
    invariants(sim)


def test_the_child_workflow_is_what_scripts_take_it_for() -> None:
    assert child.edges[0].ends
