"""How much energy a model's answers take, where Linux says it: RAPL, by way of powercap.

See docs.kernel.org/power/powercap/powercap.html. A counter says what a processor package took, all that runs on it
together. Of that, a model's process gets the share that it has of the processor time spent meanwhile (/proc/stat), and
of each moment every answer that it is writing gets an equal part. So the parts of all add up to the whole, idle power
included, and none is paid twice. The kernel counts processor time in ticks, mostly of 10 ms: of an answer that takes
less than some of them this is rough.

Nothing is said (0 joules) where the counters are not there or not ours to read: by default only root may.
"""

from __future__ import annotations

from pathlib import Path

from skerry_workers.models.port import ModelSpec
from skerry_workers.models.variants import variants

_POWERCAP, _PROC = Path("/sys/class/powercap"), Path("/proc")
_PACKAGES = "intel-rapl:[0-9]*"
"""Processors of AMD go by this name, too."""
_HERE = ("onnx", "llama", "xllama")
"""Backends that compute in the process of the model."""
_IDLE = (3, 4)
"""The columns of /proc/stat in which nobody works: idle, and idle while a disk is waited for."""
_COLUMNS = 8
"""Beyond these, /proc/stat counts the time of guests a second time."""


class Package:
    """The counter of one processor package, in microjoules, since we look at it."""

    def __init__(self, folder: Path) -> None:
        """Raises `OSError` or `ValueError` when it cannot be read."""
        self._file = folder / "energy_uj"
        self._range = int((folder / "max_energy_range_uj").read_bytes()) + 1
        self._last = int(self._file.read_bytes())
        self._total = 0

    def total(self) -> int:
        """What it took so far. The counter begins again at 0 after some minutes: look before it has done so twice."""
        now = int(self._file.read_bytes())
        self._total += (now - self._last) % self._range
        self._last = now
        return self._total


class Energy:
    """What one process takes, shared among the answers that it is writing. For one event loop."""

    def __init__(self, pid: int, *, powercap: Path = _POWERCAP, proc: Path = _PROC) -> None:
        self._stat, self._own = proc / "stat", proc / str(pid) / "stat"
        self._packages = _packages(powercap)
        self._writing = 0
        self._each = 0.0
        """Joules of one who has been writing all the time, so that an answer's are the difference of two readings."""
        self._seen = self._look()

    def begin(self) -> float:
        """An answer begins. To be given to `end`."""
        self._share()
        self._writing += 1
        return self._each

    def end(self, begun: float) -> float:
        """It ends: how many joules it took, 0 where nobody can say."""
        self._share()
        self._writing -= 1
        return self._each - begun if self._packages else 0.0

    def _share(self) -> None:
        """Shares out what was taken since the last time."""
        if not self._packages:
            return
        now = self._look()
        taken, all_ticks, own_ticks = (new - old for new, old in zip(now, self._seen, strict=True))
        if all_ticks <= 0 and self._writing:
            return  # not a tick since then: it goes with what comes next
        self._seen = now
        if self._writing and taken > 0 and own_ticks > 0:
            self._each += taken / 1e6 * min(1.0, own_ticks / all_ticks) / self._writing

    def _look(self) -> tuple[int, int, int]:
        """Microjoules of the packages, ticks of all processes, ticks of this one."""
        if not self._packages:
            return 0, 0, 0
        try:
            columns = [int(each) for each in self._stat.read_bytes().split(b"\n", 1)[0].split()[1 : _COLUMNS + 1]]
            # The name of the program is in brackets, and may have blanks in it; user and system time are 14th and 15th.
            own = self._own.read_bytes().rpartition(b")")[2].split()
            busy = sum(columns) - sum(columns[place] for place in _IDLE)
            return sum(each.total() for each in self._packages), busy, int(own[11]) + int(own[12])
        except (OSError, ValueError, IndexError):  # the process has ended, or we may not read any more
            self._packages = []
            return 0, 0, 0


def energy_of(spec: ModelSpec, pid: int) -> Energy | None:
    """For a model that computes on the processors in process `pid`; None for one that computes elsewhere."""
    try:
        here = spec.backend in _HERE and variants(Path(spec.path))[0].device == "cpu"
    except OSError:  # whoever loads it will say so
        return None
    return Energy(pid) if here else None


def _packages(powercap: Path) -> list[Package]:
    """All of them, or none: energy without that of a second processor would be wrong."""
    try:
        # Beside packages there are zones inside them, and one of the whole board: these would count twice.
        zones = [each for each in sorted(powercap.glob(_PACKAGES)) if each.name.count(":") == 1]
        return [Package(each) for each in zones if (each / "name").read_text().startswith("package")]
    except (OSError, ValueError):
        return []
