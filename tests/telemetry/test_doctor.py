"""What `skerry doctor` says of telemetry."""

from __future__ import annotations

from pathlib import Path

from skerry.cli.checks import Finding, telemetry
from skerry.config import Config
from skerry.telemetry import otlp
from skerry.telemetry.settings import folder_of
from skerry.telemetry.spool import Spool, batches
from tests.telemetry.conftest import config_of
from tests.telemetry.journals import engine_in, follow


def found(config: Config) -> Finding:
    """Its one line."""
    (line,) = telemetry(config)
    return line


async def test_off_on_behind_stuck_and_lossy(tmp_path: Path) -> None:
    assert found(Config(data=tmp_path)) == Finding("telemetry", "ok", "off")
    kept = config_of(tmp_path, keep=True)
    assert found(kept).verdict == "ok" and str(folder_of(tmp_path)) in found(kept).found
    assert found(config_of(tmp_path, "nowhere")).verdict == "bad"
    config = config_of(tmp_path, "http://127.0.0.1:9")
    async with engine_in(tmp_path) as here:
        follow(tmp_path)
        assert found(config).verdict == "ok"
        await here.run("tell-local", count=2)
    assert "events behind" in found(config).found
    spool = Spool(folder_of(tmp_path), "engine", 1)
    spool.stuck("ConnectionRefusedError: nobody is there")
    assert found(config).verdict == "warning" and "nobody is there" in found(config).found
    assert found(kept).verdict == "ok", "nothing is to be handed over"
    for batch in batches(spool.folder):
        spool.done(batch)
    span = otlp.span(otlp.ids("r"), "x", 1, 2)
    for _ in range(2):
        spool.put("traces", otlp.traces([span], {}), 1)
    assert (found(config).verdict, "1 dropped" in found(config).found) == ("warning", True)
