"""Models: what a step through the engine costs beside the same call to the library, and what several at a time gain.

The whole node is real: nats-server, the engine with its journal, one worker process, and the process of the model. The
model is the one that comes with Skerry (3.7 million parameters), unless `--model` names another file or folder; of
each document eight fields are asked, which can only be quoted from it. Floors:

* a step: the same prompt under the same grammar straight through llama.cpp or ONNX Runtime GenAI, in a process that
  does nothing else, one at a time;
* several at a time: the same documents one at a time, through the same node.

`--soak N` has a node with a tiny model answer N questions in a row, and says what its processes take before and after.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from importlib.util import find_spec
from pathlib import Path

from benchmarks import model_plain, model_soak
from benchmarks.figures import Figure, Options, Turns, Until, folder, options, parser, show
from benchmarks.model_node import Subject, opened, run
from skerry.node import Node
from skerry_workers.models.catalog import SHIPPED

SECONDS = 32.0
"""How long the turns go on."""
AT_A_TIME = 2
"""A small model has a server for each thread; more in one batch gain nothing."""
TINY_GGUF = Path(__file__).resolve().parents[1] / "tests" / "models" / "tiny.gguf"
TINY_ONNX = TINY_GGUF.parent / "data" / "tiny"
MORE_MS, MORE_SHARE = 5.0, 0.03
"""What a step may cost more than its call: the larger of the two."""


def subjects(gguf: Path | None, onnx: Path | None) -> list[Subject]:
    """Those of these models that can be measured here."""
    both = (Subject("xllama", gguf or Path("-"), AT_A_TIME), Subject("onnx", onnx or Path("-"), 1))
    modules = {"xllama": "xllamacpp", "onnx": "onnxruntime_genai"}
    return [each for each in both if each.path.exists() and find_spec(modules[each.backend]) is not None]


def chosen(model: Path | None, soak: bool) -> list[Subject]:
    """What is measured: a model that was named, or those of Skerry; in a soak, those of the tests."""
    if model is not None:
        return subjects(*((model.absolute(), None) if model.is_file() else (None, model.absolute())))
    if soak:
        return subjects(TINY_GGUF, TINY_ONNX)
    return subjects(next(SHIPPED.glob("*.gguf"), None), SHIPPED / "onnx")


class Bench:
    """A node and a floor for each model, all up, and what was measured of them."""

    def __init__(self, node: Node, floors: dict[str, model_plain.Timed], quick: bool) -> None:
        self.node = node
        self.floors = floors
        self.turns = Turns()
        self._each = 2 if quick else 5
        self._number = 1000

    async def turn(self, subject: Subject) -> None:
        """A few documents in each way."""
        numbers = self._next(self._each)
        plain_s = await self.floors[subject.name](numbers) / self._each
        step_s = await self._one_by_one(subject, numbers)
        self.turns.add(f"{subject.backend} plain ms", plain_s * 1e3)
        self.turns.add(f"{subject.backend} step ms", step_s * 1e3)
        self.turns.add(f"{subject.backend} more ms", (step_s - plain_s) * 1e3)
        if subject.slots > 1:
            several = await self._several(subject)
            self.turns.add(f"{subject.backend} one/s", 1 / step_s)
            self.turns.add(f"{subject.backend} several/s", several)
            self.turns.add(f"{subject.backend} gain", several * step_s)

    async def _one_by_one(self, subject: Subject, numbers: Sequence[int]) -> float:
        """The seconds of a document."""
        before = time.perf_counter()
        await run(self.node, subject.name, numbers)
        return (time.perf_counter() - before) / len(numbers)

    async def _several(self, subject: Subject) -> float:
        """Documents per second, as many at a time as there are slots."""
        parts = [self._next(self._each) for _ in range(subject.slots)]
        before = time.perf_counter()
        await asyncio.gather(*(run(self.node, subject.name, part) for part in parts))
        return sum(map(len, parts)) / (time.perf_counter() - before)

    def _next(self, count: int) -> range:
        """Documents that no model has read yet."""
        self._number += count
        return range(self._number - count, self._number)

    def names(self, subject: Subject) -> list[str]:
        """What was measured of a model."""
        kinds = ("several/s", "one/s", "gain") if subject.slots > 1 else ()
        return [f"{subject.backend} {kind}" for kind in (*kinds, "step ms", "plain ms", "more ms")]

    def figures(self, measured: Sequence[Subject]) -> list[Figure]:
        """The medians."""
        median = self.turns.median
        found: list[Figure] = []
        for backend, _, slots in measured:
            if slots > 1:
                one, several = median(f"{backend} one/s"), median(f"{backend} several/s")
                found.append(Figure(f"{backend}: {slots} documents at a time", "docs/s", several, one, "ratio >= 1.8"))
        for backend, _, _ in measured:
            step, plain = median(f"{backend} step ms"), median(f"{backend} plain ms")
            may = max(MORE_MS, MORE_SHARE * plain)
            found.append(Figure(f"{backend}: a step, one at a time", "ms", step, plain, f"<= floor + {may:.2g} ms"))
        return found

    def notes(self, measured: Sequence[Subject]) -> list[str]:
        """The median of the differences, which is another one than the difference of the medians, and the spreads."""
        more = [f"{each.backend}: {self.turns.median(f'{each.backend} more ms'):+.1f} ms" for each in measured]
        spreads = [self.turns.spread(*self.names(each)) for each in measured]
        return [f"a step beside its call, turn by turn: {', '.join(more)}", *spreads]


async def measure(asked: Options, path: Path, measured: Sequence[Subject]) -> tuple[list[Figure], list[str]]:
    """Everything, in turns."""
    until = Until(0.0 if asked.quick else SECONDS, 1 if asked.quick else 5)
    async with AsyncExitStack() as stack:
        floors = {each.name: await stack.enter_async_context(model_plain.asked(each.plain())) for each in measured}
        bench = Bench(await stack.enter_async_context(opened(path, measured)), floors, asked.quick)
        for subject in measured:  # once, to warm up: the first waits for the worker
            await asyncio.gather(*(run(bench.node, subject.name, range(n, n + 2)) for n in range(subject.slots)))
            await floors[subject.name](range(2))
        while until.more():
            for subject in measured:
                await bench.turn(subject)
    return bench.figures(measured), bench.notes(measured)


def main() -> None:
    """The command line."""
    known = parser(__doc__)
    known.add_argument("--model", type=Path, help="a .gguf file, or a folder of ONNX Runtime GenAI")
    known.add_argument("--soak", type=int, metavar="N", help="answer N questions in a row, and look at the memory")
    given = known.parse_args()
    asked = options(given)
    measured = chosen(given.model, bool(given.soak))
    if not measured:
        raise SystemExit("there is no model that can be measured here: pip install 'skerry[xllama]' or 'skerry[onnx]'")
    with folder(asked) as path:
        if given.soak:
            figures, notes = asyncio.run(model_soak.measure(given.soak, Path(path), measured))
        else:
            figures, notes = asyncio.run(measure(asked, Path(path), measured))
    show("models", figures, asked, notes)


if __name__ == "__main__":
    main()
