"""The same ten-step work on other durable engines, side by side: DBOS and LangGraph on SQLite, and Restate.

    pip install -e '.[peers]'           # what is not installed is left out, with a line that says so
    python -m benchmarks.peers --python OTHER/bin/python --restate PATH/restate-server

Each runs in a process of its own, on its own defaults, with every step durable before the next (LangGraph is told so
with `durability="sync"`). Steps do next to nothing, so this compares what the engines add, not what they are good for.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Options, folder, options, parser, show

PEERS = {
    "skerry": "its journal: WAL, synchronous=FULL",
    "dbos": "its SQLite system database: rollback journal, synchronous=FULL",
    "langgraph": "AsyncSqliteSaver: WAL, synchronous=FULL; a checkpoint per step",
    "restate": "restate-server with its own store; handler in Python through the SDK",
}
_MODULES = {
    "skerry": "skerry",
    "dbos": "dbos",
    "langgraph": "langgraph.graph, langgraph.checkpoint.sqlite.aio",
    "restate": "restate, hypercorn",
}
RUNS = {"skerry": 2000, "dbos": 40, "langgraph": 100, "restate": 200}
_TIMEOUT_S = 20.0


def found(peer: str, python: str, restate: str) -> str:
    """Why a peer is left out; empty when it can run."""
    asked = subprocess.run([python, "-c", f"import {_MODULES[peer]}"], stderr=subprocess.DEVNULL, check=False)
    if asked.returncode:
        return "it is not installed: pip install -e '.[peers]'"
    if peer == "restate" and not shutil.which(restate):
        return "there is no restate-server: `npm install @restatedev/restate-server`, or see docs.restate.dev"
    return ""


def run(peer: str, python: str, restate: str, asked: Options) -> dict[str, Any] | str:
    """What a peer's process found, or why it did not."""
    runs = 4 if asked.quick else RUNS[peer]
    with tempfile.TemporaryDirectory(prefix="skerry-peer-", dir=asked.folder, ignore_cleanup_errors=True) as path:
        command = [python, str(Path(__file__).with_name("peer_work.py")), peer, path, str(runs), restate]
        # In a process group of its own, so that nothing it started stays behind (npm's restate-server is a script).
        work = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=path, start_new_session=True
        )
        try:
            out, error = work.communicate(timeout=_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return f"it was not done after {_TIMEOUT_S:.0f} s"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(work.pid, signal.SIGKILL)
            work.wait()
    if work.returncode:
        return f"it failed: {(error.strip().splitlines() or ['without a word'])[-1]}"
    figures: dict[str, Any] = json.loads(out.splitlines()[-1])
    return figures


def measure(asked: Options, python: str, restate: str) -> tuple[list[Figure], list[str]]:
    """One after the other: each needs the machine for itself. Ours is the floor of the others."""
    many: list[Figure] = []
    one: list[Figure] = []
    notes: list[str] = []
    ours: dict[str, Any] = {}
    for peer, what in PEERS.items():
        interpreter = sys.executable if peer == "skerry" else python
        why = found(peer, interpreter, restate)
        result = why or run(peer, interpreter, restate, asked)
        if isinstance(result, str):
            notes.append(f"{peer}: skipped, {result}")
            continue
        notes.append(f"{peer} {result['version']}: {what}")
        ours = ours or result
        many.append(Figure(f"{peer}, 64 runs at a time", "steps/s", result["steps_per_s"], ours["steps_per_s"]))
        one.append(Figure(f"{peer}, a step, one run at a time", "ms", result["step_ms"], ours["step_ms"]))
    return [*many, *one], notes


def main() -> None:
    """The command line."""
    known = parser(__doc__)
    known.add_argument("--python", default=sys.executable, help="interpreter that has the peers (default: this one)")
    known.add_argument("--restate", default="restate-server", help="Restate's server (default: the one in the PATH)")
    given: argparse.Namespace = known.parse_args()
    asked = options(given)
    with folder(asked) as path:
        figures, notes = measure(asked._replace(folder=Path(path)), given.python, given.restate)
    show("the same work on others (floor: skerry)", figures, asked, notes)


if __name__ == "__main__":
    main()
