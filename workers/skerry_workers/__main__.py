"""`python -m skerry_workers --size rules --data DIR MODULE ...`: a worker without the command line's comforts."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from skerry.core.wire import SIZES
from skerry_workers.process import DRAIN_S, SLOTS, WorkerOptions, run_worker


def main(arguments: list[str]) -> int:
    """Returns the exit code of `run_worker`."""
    parser = argparse.ArgumentParser(prog="python -m skerry_workers", description="Serves the tasks of one size.")
    parser.add_argument("modules", nargs="+", metavar="MODULE", help="where the tasks and prompts are")
    parser.add_argument("--size", required=True, choices=SIZES)
    parser.add_argument("--data", type=Path, help="data folder of an engine on this machine, whose bus is used")
    parser.add_argument("--nats", default="", metavar="URL", help="NATS servers instead, separated by commas")
    parser.add_argument("--name", default="", help="what it is called; from host and process id unless given")
    parser.add_argument("--slots", type=int, default=SLOTS, help="tasks at a time (%(default)s)")
    parser.add_argument("--drain", type=float, default=DRAIN_S, metavar="S", help="seconds to finish in (%(default)s)")
    parser.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    parser.add_argument("--log-json", action="store_true", help="one JSON object per line")
    given = parser.parse_args(arguments)
    return run_worker(
        WorkerOptions(
            size=given.size,
            modules=tuple(given.modules),
            data=given.data,
            nats=given.nats,
            name=given.name,
            slots=given.slots,
            drain_s=given.drain,
            log_level=given.log_level,
            log_json=given.log_json,
        )
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
