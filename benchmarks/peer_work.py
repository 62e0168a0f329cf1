"""Ten steps on one engine, as a program of its own: `peer_work.py PEER FOLDER RUNS [RESTATE_SERVER]`.

Nothing of Skerry is imported but for Skerry itself, as the peers may live in another environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

STEPS, AT_A_TIME = 10, 64
ONES = 8

_ROOT = str(Path(__file__).resolve().parents[1])

OneRun = Callable[[int], Awaitable[Any]]


async def measure(one_run: OneRun, runs: int) -> dict[str, float]:
    """Steps per second at 64 runs at a time, and the median of a step at one."""
    await one_run(0)
    left = iter(range(1, runs + 1))

    async def runner() -> None:
        for number in left:
            await one_run(number)

    before = time.perf_counter()
    await asyncio.gather(*(runner() for _ in range(AT_A_TIME)))
    rate = runs * STEPS / (time.perf_counter() - before)
    taken: list[float] = []
    for number in range(runs + 1, runs + 1 + ONES):
        before = time.perf_counter()
        await one_run(number)
        taken.append(time.perf_counter() - before)
    return {"steps_per_s": rate, "step_ms": statistics.median(taken) / STEPS * 1000}


async def on_skerry(folder: Path, runs: int, _: str) -> dict[str, float]:
    """Ours: an engine on its journal, without a bus, like the others."""
    sys.path.insert(0, _ROOT)
    from benchmarks import workflows
    from benchmarks.steps import one_run as one_of_ours
    from skerry.clock import SystemClock
    from skerry.journal import SqliteJournal
    from skerry.node import tune_interpreter
    from skerry.registry import load
    from skerry.runtime.engine import Engine
    from skerry.runtime.verbs import Verbs

    clock = SystemClock()
    journal = await SqliteJournal.open(folder, node="bench", clock=clock)
    engine = Engine(journal, None, clock, load([workflows]))
    tune_interpreter()  # as every engine's process does
    await engine.recover()
    verbs = Verbs(engine)
    found = await measure(lambda number: one_of_ours(verbs, engine, workflows.local.name, number), runs)
    await engine.drain(1.0)
    await journal.close()
    return found


async def on_dbos(folder: Path, runs: int, _: str) -> dict[str, float]:
    """DBOS with its SQLite system database: an async workflow that awaits ten async steps."""
    engine: Any = importlib.import_module("dbos").DBOS
    database = f"sqlite:///{folder}/dbos.sqlite"
    engine(config={"name": "bench", "system_database_url": database, "log_level": "ERROR"})

    async def add(a: int, b: int) -> int:
        return a + b

    step = engine.step()(add)

    async def ten(x: int) -> int:
        for number in range(STEPS):
            x = await step(x, number)
        return x

    workflow = engine.workflow()(ten)

    engine.launch()
    found = await measure(workflow, runs)
    engine.destroy()
    return found


async def on_langgraph(folder: Path, runs: int, _: str) -> dict[str, float]:
    """LangGraph with its SQLite saver: a chain of ten nodes, a checkpoint after each before the next begins."""
    from typing import TypedDict

    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
    from langgraph.graph import END, START, StateGraph

    graph: Any = StateGraph(TypedDict("Sum", {"x": int}))  # type: ignore[operator]  # mypy knows it in assignments only

    def node(number: int) -> Callable[[dict[str, int]], Awaitable[dict[str, int]]]:
        async def add(state: dict[str, int]) -> dict[str, int]:
            return {"x": state["x"] + number}

        return add

    for number in range(STEPS):
        graph.add_node(f"add-{number}", node(number))
        graph.add_edge(START if number == 0 else f"add-{number - 1}", f"add-{number}")
    graph.add_edge(f"add-{STEPS - 1}", END)
    async with AsyncSqliteSaver.from_conn_string(str(folder / "langgraph.sqlite")) as saver:
        compiled = graph.compile(checkpointer=saver)

        async def one_run(number: int) -> Any:
            settings = {"configurable": {"thread_id": str(number)}}
            return await compiled.ainvoke({"x": number}, settings, durability="sync")

        return await measure(one_run, runs)


# ---- Restate


def restate_app() -> Any:
    """The service that Restate calls: a handler with ten `ctx.run`s."""
    restate: Any = importlib.import_module("restate")
    service = restate.Service("Bench")

    async def ten(ctx: Any, x: int) -> int:
        for number in range(STEPS):
            x = await ctx.run_typed(f"add-{number}", _add, a=x, b=number)
        return x

    service.handler()(ten)
    return restate.app([service])


def _add(a: int, b: int) -> int:
    return a + b


def _port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _post(url: str, body: object) -> bytes:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        read: bytes = answer.read()
        return read


async def _until_up(url: str) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError, urllib.error.URLError):
            await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=1).close())
            return
        await asyncio.sleep(0.05)
    raise SystemExit(f"{url} does not answer")


async def on_restate(folder: Path, runs: int, server: str) -> dict[str, float]:
    """Restate's server beside us, the handler in this process."""
    serve: Any = importlib.import_module("hypercorn.asyncio").serve
    served: Any = importlib.import_module("hypercorn.config").Config()
    app = restate_app()
    ports = {name: _port() for name in ("ingress", "admin", "node", "service")}
    settings = {
        "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{ports['ingress']}",
        "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{ports['admin']}",
        "RESTATE_BIND_ADDRESS": f"127.0.0.1:{ports['node']}",
    }
    command = [server, "--base-dir", str(folder / "restate"), "--log-filter", "error", "--no-logo"]
    # A server of its own, which lives as long as we do.
    process = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs yet
        command, env={**os.environ, **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
    )
    loop, threads = asyncio.get_running_loop(), ThreadPoolExecutor(AT_A_TIME)
    served.bind = [f"127.0.0.1:{ports['service']}"]
    serving = asyncio.create_task(serve(app, served))
    try:
        await _until_up(f"http://127.0.0.1:{ports['admin']}/health")
        deployment = {"uri": f"http://127.0.0.1:{ports['service']}"}
        await asyncio.to_thread(_post, f"http://127.0.0.1:{ports['admin']}/deployments", deployment)
        ingress = f"http://127.0.0.1:{ports['ingress']}/Bench/ten"
        return await measure(lambda number: loop.run_in_executor(threads, _post, ingress, number), runs)
    finally:
        serving.cancel()
        process.kill()
        process.wait()


async def report(peer: str, folder: str, runs: str, server: str) -> None:
    """Runs one of them, prints what was found as JSON, and leaves at once: a peer's threads may go on."""
    work = {"skerry": on_skerry, "dbos": on_dbos, "langgraph": on_langgraph, "restate": on_restate}[peer]
    found: dict[str, Any] = dict(await work(Path(folder), int(runs), server))
    found["version"] = version({"restate": "restate-sdk"}.get(peer, peer))
    print(json.dumps(found), flush=True)
    os._exit(0)


def main(peer: str, folder: str, runs: str, server: str = "") -> None:
    """The command line."""
    asyncio.run(report(peer, folder, runs, server))


if __name__ == "__main__":
    main(*sys.argv[1:])
