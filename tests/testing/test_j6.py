"""J6: the same events and the same code give the same states on any machine, and nothing is asked again in a replay."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from skerry import Decision, Done, Objection, Prompt, State, Step, Workflow, task
from skerry.core.codec import encode_json
from skerry.testing import Lab

asked: list[str] = []


@task
async def price(article: str) -> int:
    asked.append(f"price {article}")
    return len(article)


@task(size="rules")
def stock(article: str) -> dict[str, int]:
    asked.append(f"stock {article}")
    return {f"{article}{number}": number for number in range(20)}


def by_rules(article: str) -> str:
    asked.append(f"rules {article}")
    return article.upper()


def judged(answer: str, about: str) -> list[Objection]:
    asked.append(f"verifier {answer}")
    return []


NAME = Prompt(name="name", rules=by_rules)


class Order(State):
    article: str

    async def run(self, step: Step) -> Ordered:
        cost, left = await step.gather(step.call(price, self.article), step.call(stock, self.article))
        name = await step.ask(str, NAME, about=self.article, verify=[judged])
        await step.sleep(timedelta(hours=step.random()))
        return Ordered(told=f"{name} {cost} {left} {step.uuid()} {step.now()}")


class Ordered(State):
    told: str

    async def run(self, step: Step) -> Done[str]:
        decision = await step.wait(Decision, question="ship it?")
        return Done(f"{self.told} {decision.by} {step.uuid()}")


order = Workflow("order", version=1, start=Order, result=str)


async def story() -> str:
    """A run's events, as JSON; and that its replay agrees without asking anybody."""
    async with Lab(order, stock, NAME) as lab:
        run = await lab.start(order, Order(article="rope"))
        await lab.settled(run)
        await lab.skip(timedelta(hours=2))
        await lab.approve(run, by="ada")
        await lab.result(run)
        asked_before = list(asked)
        replayed = await lab.replay(run)
        assert replayed.agrees, replayed
        assert asked == asked_before, "the replay asked again"
        return "\n".join(encode_json(event).decode() for event in await lab.events(run))


async def test_j6_a_replay_agrees_and_asks_nothing_again() -> None:
    asked.clear()
    await story()
    assert sorted(each.partition(" ")[0] for each in asked) == ["price", "rules", "stock", "verifier"]


def test_j6_the_same_states_whatever_the_machines_hashes_are() -> None:
    code = "import asyncio; from tests.testing import test_j6; print(asyncio.run(test_j6.story()))"
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    ]
    assert told[0] == told[1] != ""
