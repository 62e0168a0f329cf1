"""Whatever `import skerry` offers has types that every checker sees the same, down to the members (`--verifytypes`)."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import skerry
from tests.typing.checkers import ROOT

NAMES: list[str] = list(getattr(skerry, "__all__", []))


def incomplete(report: dict[str, Any], offered: set[str]) -> list[str]:
    """What pyright objects to in these names and in their public members."""
    found = []
    for symbol in report["typeCompleteness"]["symbols"]:
        name: str = symbol["name"]
        ours = any(name == each or name.startswith(f"{each}.") for each in offered)
        private = any(part.startswith("_") and not part.endswith("__") for part in name.split("."))
        if ours and not private and not symbol["isTypeKnown"]:
            found += [f"{name}: {each['message']}" for each in symbol["diagnostics"]]
    return found


@pytest.mark.skipif(not importlib.util.find_spec("pyright"), reason="needs the dev extra")
def test_the_front_door_is_typed() -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))  # verifytypes takes no --pythonpath
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--ignoreexternal", "--verifytypes", "skerry"],
        env={**os.environ, "PATH": path},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    report: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
    assert report["typeCompleteness"]["symbols"], "pyright did not find the package"
    offered = {
        f"{getattr(skerry, name).__module__}.{name}" for name in NAMES if hasattr(getattr(skerry, name), "__module__")
    }
    assert incomplete(report, offered) == []


def test_an_unknown_type_is_found() -> None:
    symbols = [
        {"name": "skerry.core.Run.x", "isTypeKnown": False, "diagnostics": [{"message": "unknown"}]},
        {"name": "skerry.core.Run._x", "isTypeKnown": False, "diagnostics": [{"message": "private"}]},
        {"name": "skerry.core.Runner", "isTypeKnown": False, "diagnostics": [{"message": "not offered"}]},
        {"name": "skerry.core.Run.y", "isTypeKnown": True, "diagnostics": []},
    ]
    found = incomplete({"typeCompleteness": {"symbols": symbols}}, {"skerry.core.Run"})
    assert found == ["skerry.core.Run.x: unknown"]
