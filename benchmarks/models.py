"""Models: what a step through the engine costs beside the same call to the library, and what several at a time gain.

The whole node is real: nats-server, the engine with its journal, one worker process, and the process of the model. The
model is the one that comes with Skerry (3.7 million parameters), unless `--model` names another file or folder; of
each document eight fields are asked, which can only be quoted from it. Floors:

* a step: the same call straight to llama.cpp or ONNX Runtime GenAI, in a process that does nothing else, one at a time;
* several at a time: as many documents one at a time, through the same node.

What is compared is measured close together, turn by turn. What several processes of the library gain, each by itself,
is told beside it: more, the machine does not give.

`--soak N` has a node with a tiny model answer N questions in a row, and says what its processes take before and after.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from benchmarks import model_plain, model_soak
from benchmarks.figures import Figure, Options, Turns, Until, folder, options, parser, show
from benchmarks.model_node import Subject, opened, run
from skerry.node import Node
from skerry_workers.models.catalog import SHIPPED

SECONDS = 60.0
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
    """A node and floors for each model, all up, and what was measured of them."""

    def __init__(self, node: Node, floors: dict[str, list[model_plain.Timed]], quick: bool) -> None:
        self.node = node
        self.floors = floors
        self.turns = Turns()
        self._each = 2 if quick else 5  # of one, the library would find the whole prompt in its cache
        self._number = 1000
        self._forth = True

    async def turn(self, subject: Subject) -> None:
        """A few documents in each way, close together; every other turn the other way round."""
        numbers, plain = self._next(1), self.floors[subject.name][0]
        ways: dict[str, Callable[[], Awaitable[float]]] = {
            "bare": lambda: plain(numbers, bare=True),
            "plain": lambda: plain(numbers),
            "step": lambda: self._timed(run(self.node, subject.name, numbers)),
        }
        if subject.slots > 1:
            ways["several"] = lambda: self._several(subject.slots, partial(run, self.node, subject.name))
            floors = iter(self.floors[subject.name])
            ways["plain several"] = lambda: self._several(subject.slots, lambda part: next(floors)(part))
        names = list(ways) if self._forth else list(reversed(ways))
        took = {name: await ways[name]() / self._each for name in names}
        for name, seconds in took.items():
            self.turns.add(f"{subject.backend} {name} ms", seconds * 1e3)
        self.turns.add(f"{subject.backend} more ms", (took["step"] - took["plain"]) * 1e3)
        self.turns.add(f"{subject.backend} more than bare ms", (took["step"] - took["bare"]) * 1e3)
        if subject.slots > 1:
            self.turns.add(f"{subject.backend} gain", took["step"] / took["several"])
            self.turns.add(f"{subject.backend} plain gain", took["plain"] / took["plain several"])

    async def whole(self, measured: Sequence[Subject]) -> None:
        """A turn of each model."""
        for subject in measured:
            await self.turn(subject)
        self._forth = not self._forth

    async def _several(self, at_a_time: int, read: Callable[[Sequence[int]], Awaitable[object]]) -> float:
        """The seconds that as many documents take as one after the other are asked, when so many are at a time."""
        parts = [self._next(1) for _ in range(at_a_time)]
        return await self._timed(asyncio.gather(*(read(part) for part in parts))) / at_a_time

    async def _timed(self, work: Awaitable[object]) -> float:
        before = time.perf_counter()
        await work
        return time.perf_counter() - before

    def _next(self, count: int) -> range:
        """Documents that no model has read yet."""
        self._number += count * self._each
        return range(self._number - count * self._each, self._number)

    def figures(self, measured: Sequence[Subject]) -> list[Figure]:
        """The median of what was compared within a turn: of the ratios, and of the differences.

        So a value is its floor by that ratio, or and that difference, and what slows whole turns down counts once.
        """
        median = self.turns.median
        found: list[Figure] = []
        for backend, _, slots in measured:
            if slots > 1:
                one, gain = 1e3 / median(f"{backend} step ms"), median(f"{backend} gain")
                name = f"{backend}: {slots} documents at a time"
                found.append(Figure(name, "docs/s", one * gain, one, "ratio >= 1.8"))
        for backend, _, _ in measured:
            plain, more = median(f"{backend} plain ms"), median(f"{backend} more ms")
            may = max(MORE_MS, MORE_SHARE * plain)
            name = f"{backend}: a step, one at a time"
            found.append(Figure(name, "ms", plain + more, plain, f"<= floor + {may:.2g} ms"))
        return found

    def notes(self, measured: Sequence[Subject]) -> list[str]:
        """What stands beside the figures."""
        median = self.turns.median
        found: list[str] = []
        for backend, _, slots in measured:
            more, bare = median(f"{backend} more ms"), median(f"{backend} more than bare ms")
            found.append(f"{backend}: a step takes {more:+.1f} ms; than a call without probabilities, {bare:+.1f} ms")
            names = [f"{backend} {kind} ms" for kind in ("step", "plain", "more")]
            if slots > 1:
                names += [f"{backend} gain", f"{backend} plain gain"]
                gain = median(f"{backend} plain gain")
                found.append(f"{backend}: {slots} processes of the library alone, {gain:.2f} times one")
            found.append(self.turns.spread(*names))
        return found


async def measure(asked: Options, path: Path, measured: Sequence[Subject]) -> tuple[list[Figure], list[str]]:
    """Everything, in turns."""
    until = Until(0.0 if asked.quick else SECONDS, 1 if asked.quick else 5)
    async with AsyncExitStack() as stack:
        floors = {
            each.name: [await stack.enter_async_context(model_plain.asked(each.plain())) for _ in range(each.slots)]
            for each in measured
        }
        bench = Bench(await stack.enter_async_context(opened(path, measured)), floors, asked.quick)
        for subject in measured:  # to warm up: the first waits for the worker, and tells how fast the model is
            for begin in (0, 50):
                parts = [range(begin + n, begin + n + 2) for n in range(subject.slots)]
                await asyncio.gather(*(run(bench.node, subject.name, part) for part in parts))
            await asyncio.gather(*(floor(range(100, 102)) for floor in floors[subject.name]))
        while until.more():
            await bench.whole(measured)
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
