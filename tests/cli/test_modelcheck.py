"""What `skerry doctor` says of models, with real files and a real endpoint on loopback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from skerry import shipped
from skerry.cli.checks import Finding
from skerry.cli.modelcheck import models
from skerry.config import Config, Model, Workers
from skerry.core.wire import Size
from tests.cli.conftest import Call
from tests.models.endpoint import EndpointServer, Likeness
from tests.models.service_kit import gguf


def found(named: dict[str, Model], *sizes: Size, processes: int = 1) -> list[Finding]:
    """What is said, where there are workers of these sizes."""
    return list(models(Config(models=named, workers={size: Workers(processes=processes) for size in sizes})))


def test_a_node_of_rules_only_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "there", lambda: True)
    monkeypatch.setattr(shipped, "runnable", lambda: True)
    assert found({}, "rules") == [Finding("models", "ok", "none; rules answer, and people")]
    monkeypatch.setattr(shipped, "runnable", lambda: False)
    (idle,) = found({}, "rules")
    assert (idle.verdict, idle.mend) == ("note", "pip install 'skerry[xllama]'")


def test_files(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp", reason="xllamacpp is not installed (the extra `xllama`)")
    there = Model(path=gguf(tmp_path / "a-q8_0.gguf"), sizes=("medium",))
    (fine,) = found({"a": there}, "medium")
    assert (fine.check, fine.verdict, fine.mend) == ("model a (medium)", "ok", "")
    missing = Model(path=tmp_path / "b.gguf", sizes=("medium",))
    (gone,) = found({"b": missing}, "medium")
    assert (gone.verdict, gone.found) == ("bad", f"there is no {tmp_path / 'b.gguf'}")
    assert gone.mend
    verdicts = {each.check: each.verdict for each in found({"a": there, "b": missing}, "medium")}
    assert verdicts == {"model a (medium)": "ok", "model b (medium)": "warning"}, "another one answers in its place"
    (idle,) = found({"a": there}, "rules")
    assert (idle.verdict, idle.mend) == ("note", "in skerry.toml: [workers.medium]")


def test_a_size_without_a_model() -> None:
    (none,) = found({}, "large")
    assert (none.check, none.verdict) == ("models large", "bad")
    assert '[models.NAME] with a path or a url, and sizes = ["large"]' in none.mend
    assert [each.verdict for each in found({}, "large", processes=0)] == ["note"], "others may have one"


def test_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    def one(**more: Any) -> Finding:
        (finding,) = found({"far": Model(sizes=("cloud",), **more)}, "cloud")
        return finding

    with EndpointServer(Likeness(key="secret")) as server:
        monkeypatch.setenv("FAR_KEY", "secret")
        assert one(url=server.url, model="m1", key_variable="FAR_KEY") == Finding(
            "model far (cloud)", "ok", f"{server.url} answers"
        )
        other = one(url=server.url, model="m2", key_variable="FAR_KEY")
        assert (other.verdict, "does not name m2" in other.found, "m1" in other.mend) == ("warning", True, True)
        monkeypatch.setenv("FAR_KEY", "wrong")
        refused = one(url=server.url, model="m1", key_variable="FAR_KEY")
        assert (refused.verdict, "FAR_KEY" in refused.found + refused.mend) == ("bad", True)
        monkeypatch.delenv("FAR_KEY")
        assert one(url=server.url, key_variable="FAR_KEY").found == "the environment variable FAR_KEY is empty"
        assert server.asked == [], "nothing was asked that costs anything"
        url = server.url
    gone = one(url=url)
    assert (gone.verdict, gone.mend) == ("warning", "start it, or look at the network")


def test_the_doctor_says_it(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKERRY_WORKERS", "large=1")
    told = call("doctor", "--data", tmp_path, "--json")
    assert told.code == 1
    assert any(line["check"] == "models large" and line["verdict"] == "bad" for line in told.lines)
