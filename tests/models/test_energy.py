"""Energy of the processors: read from files as the kernel has them, shared among the answers that are being written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from skerry_workers.models.energy import Energy, energy_of
from skerry_workers.models.port import ModelSpec
from tests.models.service_kit import gguf

RANGE_UJ = 1_000_000_000


class Kernel:
    """A folder with counters as in /sys and /proc, which the test moves on."""

    def __init__(self, root: Path, packages: int = 1) -> None:
        self.powercap, self.proc = root / "powercap", root / "proc"
        self.uj = [RANGE_UJ - 5_000_000] * packages
        self.idle, self.busy, self.own = 10_000, 500, 100
        for zone, name in (
            *((f"intel-rapl:{number}", f"package-{number}") for number in range(packages)),
            ("intel-rapl:0:0", "core"),
            ("intel-rapl:9", "psys"),
        ):
            self.zone(zone, name)
        (self.proc / "77").mkdir(parents=True)
        self.pass_by()

    def zone(self, folder: str, name: str) -> None:
        """One counter."""
        at = self.powercap / folder
        at.mkdir(parents=True)
        (at / "name").write_text(f"{name}\n")
        (at / "max_energy_range_uj").write_text(f"{RANGE_UJ - 1}\n")
        (at / "energy_uj").write_text("1\n")

    def pass_by(self, joules: float = 0.0, ticks: int = 0, own: int = 0) -> None:
        """A while, in which each package took so much, and all processes (and ours) had so many ticks."""
        self.busy, self.own, self.idle = self.busy + ticks - own, self.own + own, self.idle + 50
        for number in range(len(self.uj)):
            self.uj[number] = (self.uj[number] + int(joules * 1e6)) % RANGE_UJ
            (self.powercap / f"intel-rapl:{number}" / "energy_uj").write_text(f"{self.uj[number]}\n")
        mine, others = self.own // 2, self.busy
        (self.proc / "stat").write_text(
            f"cpu  {others} 7 {self.own} {self.idle} 900 1 2 3 4000 0\ncpu0 1 2 3\nintr 5\n", encoding="ascii"
        )
        (self.proc / "77" / "stat").write_text(
            f"77 (a (b) c) S 1 77 77 0 -1 0 1 2 3 4 {mine} {self.own - mine} 0 0 20 0"
        )

    def energy(self) -> Energy:
        """Of our process."""
        return Energy(77, powercap=self.powercap, proc=self.proc)


def test_a_process_gets_its_share_of_the_processors_time(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path)
    energy = kernel.energy()
    kernel.pass_by(joules=100, ticks=100, own=100)  # before anything was asked
    begun = energy.begin()
    kernel.pass_by(joules=20, ticks=40, own=10)
    assert energy.end(begun) == pytest.approx(5.0)


def test_answers_that_are_written_at_the_same_time_share_it(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, packages=2)
    energy = kernel.energy()
    first = energy.begin()
    kernel.pass_by(joules=2, ticks=10, own=10)
    second = energy.begin()
    kernel.pass_by(joules=3, ticks=10, own=10)
    assert energy.end(first) == pytest.approx(4 + 3)  # of two packages
    kernel.pass_by(joules=1, ticks=10, own=10)
    assert energy.end(second) == pytest.approx(3 + 2)


def test_the_counter_begins_again(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path)
    energy = kernel.energy()
    begun = energy.begin()
    kernel.pass_by(joules=12, ticks=10, own=10)
    assert kernel.uj[0] < 12e6
    assert energy.end(begun) == pytest.approx(12)


def test_less_than_a_tick_goes_with_what_comes_next(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path)
    energy = kernel.energy()
    first = energy.begin()
    kernel.pass_by(joules=1)
    second = energy.begin()
    kernel.pass_by(joules=1, ticks=10, own=10)
    assert energy.end(first) + energy.end(second) == pytest.approx(2)


def test_what_cannot_be_read_is_not_said(tmp_path: Path) -> None:
    nowhere = Energy(77, powercap=tmp_path / "no", proc=tmp_path / "no")
    assert nowhere.end(nowhere.begin()) == 0
    kernel = Kernel(tmp_path)
    (kernel.powercap / "intel-rapl:0" / "energy_uj").write_text("?")
    unreadable = kernel.energy()
    assert unreadable.end(unreadable.begin()) == 0


def test_a_process_that_ends_meanwhile_has_taken_what_it_has(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path)
    energy = kernel.energy()
    begun = energy.begin()
    (kernel.proc / "77" / "stat").unlink()
    assert energy.end(begun) == 0
    again = energy.begin()
    assert energy.end(again) == 0


def test_only_what_the_processors_compute_counts(tmp_path: Path) -> None:
    here = ModelSpec(name="a", backend="xllama", path=str(gguf(tmp_path / "a.gguf")))
    assert energy_of(here, 1) is not None
    assert energy_of(ModelSpec(name="b", backend="openai", url="http://localhost:1"), 1) is None
    card = tmp_path / "b" / "genai_config.json"
    card.parent.mkdir()
    (card.parent / "model.onnx").touch()
    options: dict[str, object] = {"provider_options": [{"cuda": {}}]}
    card.write_text(json.dumps({"model": {"decoder": {"filename": "model.onnx", "session_options": options}}}))
    assert energy_of(ModelSpec(name="c", backend="onnx", path=str(card.parent)), 1) is None
