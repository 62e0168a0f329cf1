"""`skerry demo` tells what it does to the collector of the settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.telemetry.collector import Collector


def test_the_demo_tells_where_the_settings_say(tmp_path: Path, collector: Collector) -> None:
    settings = f'node = "elsewhere"\n[telemetry]\nendpoint = "http://127.0.0.1:{collector.port}"\n'
    (tmp_path / "skerry.toml").write_text(settings)
    done = subprocess.run(
        [sys.executable, "-m", "skerry.cli", "demo", "--json"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    names = {span.name for span in collector.spans}
    assert "run invoice" in names, "the engine's"
    assert any(name.startswith("work ") for name in names), "the workers'"
    assert [each.name for each in tmp_path.iterdir()] == ["skerry.toml"]
