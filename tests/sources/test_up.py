"""`skerry up` and `skerry watch` as processes, over a folder of files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from skerry_workflows.invoice.demo import documents
from tests.support import wait_until_blocking

SETTINGS = """
data = "data"
[workers.rules]
processes = 1
[watch.invoices]
kind = "folder"
path = "inbox"
event = "invoice.received"
every_s = 0.1
settle_s = 0.0
"""


def skerry(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "skerry.cli", *arguments]


def ask(folder: Path, *arguments: str) -> Any:
    done = subprocess.run(skerry(*arguments, "--json"), cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_files_in_a_folder_become_runs(tmp_path: Path) -> None:
    (tmp_path / "skerry.toml").write_text(SETTINGS)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    first, second = documents()[:2]
    (inbox / first.name).write_bytes(first.read_bytes())
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SKERRY_")}
    up = subprocess.Popen(skerry("up", "--json"), cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert up.stdout is not None and json.loads(up.stdout.readline())["up"]

        def taken() -> int:
            (status,) = ask(tmp_path, "status")
            return int(status["watches"][0].get("taken", 0))

        wait_until_blocking(lambda: taken() == 1, timeout_s=60)
        wait_until_blocking(lambda: {each["state"] for each in ask(tmp_path, "workers")} == {"ready"}, timeout_s=60)
        found = {each["check"]: each["verdict"] for each in ask(tmp_path, "doctor")}
        assert found["watch invoices"] == "ok"
        (inbox / second.name).write_bytes(second.read_bytes())
        (watch,) = ask(tmp_path, "watch", "--once")
        assert watch["state"] == "watching"
        wait_until_blocking(lambda: len(ask(tmp_path, "runs")) == 2, timeout_s=60)
    finally:
        up.terminate()
        up.communicate(timeout=60)
        assert up.returncode == 0
