"""The tasks of `skerry eval` over the shared cases: what they reach is held."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from skerry.errors import DataError
from skerry_workflows.scheduling.evaluate import MAIL_TASKS, TASKS

REACHED = {
    "occurrences": 92, "window": 16, "start_times": 4, "freebusy": 4, "reminders": 5, "rrule": 29, "tz": 30,
    "itip": 10,
}  # fmt: skip


def scored(task: str, data: Path, folder: Path, tmp_path: Path) -> tuple[int, int]:
    predictions, failures = TASKS[task](folder, None)
    assert not failures
    (tmp_path / "p.json").write_text(json.dumps(predictions))
    command = [sys.executable, str(data / "score.py"), task, str(tmp_path / "p.json")]
    scores: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    if "right" in scores:
        return int(scores["right"]), int(scores.get("checks", scores["cases"]))
    pairs = [said.split("/") for said in scores.values()]
    return sum(int(right) for right, _ in pairs), sum(int(of) for _, of in pairs)


def test_mails(data_dir: Path, tmp_path: Path) -> None:
    predictions, failures = MAIL_TASKS["imip"](data_dir / "emails", None)
    (tmp_path / "p.json").write_text(json.dumps(predictions))
    command = [sys.executable, str(data_dir / "score.py"), "imip", str(tmp_path / "p.json")]
    scores: dict[str, str] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert not failures and all(len(set(said.split("/"))) == 1 for said in scores.values()), scores


@pytest.mark.parametrize("task", sorted(REACHED))
def test_shared_cases(task: str, data_dir: Path, tmp_path: Path) -> None:
    right, of = scored(task, data_dir, data_dir / "calendars", tmp_path)
    assert right >= REACHED[task], f"{right} of {of}"


def test_a_folder_without_cases(tmp_path: Path) -> None:
    for task in TASKS.values():
        with pytest.raises(DataError, match=r"manifest\.json|jsonl"):
            task(tmp_path, None)


def test_a_case_that_fails_is_left_out(tmp_path: Path) -> None:
    case = {
        "id": "a",
        "task": "reminders",
        "input": "gone.ics",
        "expected": {"start": "2026-01-01", "end": "2026-01-02"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"cases": [case]}))
    done: list[tuple[int, int]] = []
    predictions, failures = TASKS["reminders"](tmp_path, lambda *said: done.append(said))
    assert not predictions and [one.id for one in failures] == ["a"] and done == [(1, 1)]
