"""Runs mypy and pyright over one file and compares what they report with what the file says they must.

A line that ends in `# error` must be reported by both, `# error: mypy` or `# error: pyright` by that one only; no other
line may be. So a wrong transition that suddenly passes is found, and so is a right one that no longer does.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

Reported = dict[int, list[str]]
"""What a checker said, by line."""

_MARK = re.compile(r"# error(?:: (?P<checker>mypy|pyright))?$")


def mypy(file: Path, scratch: Path) -> Reported:
    """With the project's own settings."""
    settings = ("--config-file", str(ROOT / "pyproject.toml"), "--output", "json", "--no-error-summary")
    output = _run("mypy", *settings, str(file))
    reported: Reported = {}
    for line in output.splitlines():
        if not line.startswith("{"):
            raise RuntimeError(f"mypy did not get far: {output}")
        found: dict[str, Any] = json.loads(line)
        if found["severity"] == "error":
            where = found["line"] if Path(found["file"]).name == file.name else 0
            reported.setdefault(where, []).append(f"{found['message']} [{found['code']}]")
    return reported


def pyright(file: Path, scratch: Path) -> Reported:
    """In strict mode. It takes no settings together with a file, so the file gets a project of its own."""
    project = {
        "include": [os.path.relpath(file, scratch)],  # an absolute one is ignored
        "exclude": [],
        "extraPaths": [str(ROOT / each) for each in ("engine", "workers", "workflows", ".")],
        "pythonVersion": "3.11",
        "typeCheckingMode": "strict",
        "reportMissingTypeStubs": False,
    }
    settings = scratch / "pyrightconfig.json"
    settings.write_text(json.dumps(project), encoding="utf-8")
    output = _run("pyright", "--pythonpath", sys.executable, "--outputjson", "-p", str(settings))
    answer: dict[str, Any] = json.loads(output[output.index("{") :])
    if answer["summary"]["filesAnalyzed"] != 1:
        raise RuntimeError(f"pyright looked at {answer['summary']['filesAnalyzed']} files: {output}")
    reported: Reported = {}
    for found in answer["generalDiagnostics"]:
        if found["severity"] == "error":
            line: int = found["range"]["start"]["line"] + 1
            reported.setdefault(line, []).append(f"{found['message']} [{found.get('rule', '')}]")
    return reported


Checker = Callable[[Path, Path], Reported]

CHECKERS: list[Checker] = [each for each in (mypy, pyright) if importlib.util.find_spec(each.__name__)]


def objections(checker: Checker, file: Path, scratch: Path) -> list[str]:
    """Lines that are reported and should not be, and the other way round; none means that all is as the file says."""
    lines = file.read_text(encoding="utf-8").splitlines()
    marks = {number: mark for number, line in enumerate(lines, start=1) if (mark := _MARK.search(line))}
    expected = {number for number, mark in marks.items() if mark["checker"] in (None, checker.__name__)}
    reported = checker(file, scratch)
    unexpected = [f"line {n}: {'; '.join(reported[n])}" for n in sorted(reported.keys() - expected)]
    missed = [
        f"line {n}: accepted, but it must not be: {lines[n - 1].strip()}" for n in sorted(expected - reported.keys())
    ]
    return unexpected + missed


def _run(checker: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", checker, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=110
    )
    if done.returncode not in (0, 1):  # 1: it found something
        raise RuntimeError(f"{checker} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout
