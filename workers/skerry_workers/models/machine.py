"""What this machine has: cores, memory, instructions, graphics cards, and the packages of the backends.

Found without loading any of them: by what the kernel says, and by what is installed.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from skerry.core.structs import Frozen
from skerry_workers.models.port import BackendName

FLAGS = ("avx", "avx2", "f16c", "fma", "avx512f", "avx512_vnni", "amx_int8", "neon", "asimd", "asimddp", "i8mm", "sve")
"""Instructions that make a difference to a model."""

PACKAGES: Mapping[BackendName, tuple[str, tuple[str, ...]]] = {
    "onnx": ("onnxruntime_genai", ("onnxruntime-genai", "onnxruntime-genai-cuda", "onnxruntime-genai-directml")),
    "xllama": ("xllamacpp", ("xllamacpp",)),
    "llama": ("llama_cpp", ("llama-cpp-python",)),
}
"""The module of a backend, and the distributions that it may come in. The others need nothing that Skerry has not."""

_MIB = 1 << 20
_UNLIMITED_MB = 1 << 40
_VENDORS = {"0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel"}


class Machine(Frozen):
    """`cores` are physical and ours to use; `memory_mb` is all that we may have, `free_mb` what is left of it now.

    `backends` are those that can be used, with the version of their package (empty: it needs none).
    """

    cores: int
    threads: int
    memory_mb: int
    free_mb: int
    processor: str = ""
    flags: tuple[str, ...] = ()
    gpus: tuple[str, ...] = ()
    backends: dict[BackendName, str] = {}

    @property
    def nvidia(self) -> bool:
        """Whether there is a card that CUDA runs on."""
        return any(gpu.startswith("NVIDIA") for gpu in self.gpus)


def detect(root: Path = Path("/")) -> Machine:
    """This machine. `root` is where /proc and /sys are."""
    text = _read(root / "proc/cpuinfo")
    threads = max(1, len(os.sched_getaffinity(0)))
    quota = _quota(_read(root / "sys/fs/cgroup/cpu.max"))
    cores = min(threads, _physical(text) or threads, quota or threads)
    memory = _meminfo(_read(root / "proc/meminfo"))
    limit = _cgroup_mb(_read(root / "sys/fs/cgroup/memory.max"))
    return Machine(
        cores=max(1, cores),
        threads=threads,
        memory_mb=min(memory.get("MemTotal", 0), limit),
        free_mb=free_mb(root),
        processor=_field(text, "model name") or os.uname().machine,
        flags=_flags(text),
        gpus=_gpus(root),
        backends=installed(),
    )


def installed() -> dict[BackendName, str]:
    """The backends that can be used here, with the version of their package."""
    found: dict[BackendName, str] = {}
    for backend, (module, distributions) in PACKAGES.items():
        if importlib.util.find_spec(module) is not None:
            found[backend] = _version(distributions)
    return {**found, "openai": "", "recorded": ""}


def free_mb(root: Path = Path("/")) -> int:
    """What is left of the memory that we may have, in MiB."""
    limit = _cgroup_mb(_read(root / "sys/fs/cgroup/memory.max"))
    used = _cgroup_mb(_read(root / "sys/fs/cgroup/memory.current")) if limit < _UNLIMITED_MB else 0
    return max(0, min(_meminfo(_read(root / "proc/meminfo")).get("MemAvailable", 0), limit - used))


def memory_of(pid: int) -> int:
    """What the process and its children hold in memory, in MiB; 0 when there is no such process."""
    total = 0
    for each in (pid, *_children(pid)):
        # Of pages that are shared with a file (mapped weights) only those count that are in memory.
        total += int(_field(_read(Path(f"/proc/{each}/status")), "VmRSS").partition(" ")[0] or 0)
    return total >> 10


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in _listed(Path(f"/proc/{pid}/task")):
        found += [int(child) for child in _read(task / "children").split()]
    return found


def _version(distributions: tuple[str, ...]) -> str:
    for name in distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "?"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _listed(path: Path) -> list[Path]:
    try:
        return sorted(path.iterdir())
    except OSError:
        return []


def _field(text: str, name: str) -> str:
    found = re.search(rf"^{re.escape(name)}\s*:\s*(.+)$", text, re.MULTILINE)
    return found.group(1).strip() if found else ""


def _physical(cpuinfo: str) -> int:
    """Cores, of which each may have two threads; 0 where the kernel does not say (ARM has no threads)."""
    places = {
        (_field(block, "physical id"), core) for block in cpuinfo.split("\n\n") if (core := _field(block, "core id"))
    }
    return len(places)


def _flags(cpuinfo: str) -> tuple[str, ...]:
    said = set((_field(cpuinfo, "flags") or _field(cpuinfo, "Features")).split())
    return tuple(flag for flag in FLAGS if flag in said)


def _quota(cpu_max: str) -> int:
    quota, _, period = cpu_max.strip().partition(" ")
    if not quota.isdigit() or not period.isdigit():
        return 0
    return max(1, int(quota) // int(period))


def _cgroup_mb(text: str) -> int:
    return int(text) // _MIB if text.strip().isdigit() else _UNLIMITED_MB


def _meminfo(text: str) -> dict[str, int]:
    return {name: int(kb) >> 10 for name, kb in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}


def _gpus(root: Path) -> tuple[str, ...]:
    """As the drivers list them: nothing is opened, no library is loaded."""
    cards = _listed(root / "proc/driver/nvidia/gpus")
    models = (_field(_read(card / "information"), "Model").removeprefix("NVIDIA ") for card in cards)
    found = [f"NVIDIA {model}".strip() for model in models]
    for card in _listed(root / "sys/class/drm"):
        vendor = _VENDORS.get(_read(card / "device/vendor").strip(), "")
        if re.fullmatch(r"card\d+", card.name) and vendor and not (vendor == "NVIDIA" and found):
            found.append(vendor)
    return tuple(found)
