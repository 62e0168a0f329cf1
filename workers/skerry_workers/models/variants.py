"""What lies at a model's `path`: one model, or several variants of it, told apart without loading them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

from skerry_workers.models.port import BackendName

GENAI = "genai_config.json"
_GGUF = b"GGUF"
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
_PRECISIONS = (
    re.compile(r"(?i)(?:^|[^a-z0-9])i?q([2-8])(?:_|[^0-9a-z]|$)"),
    re.compile(r"(?i)(?:^|[^a-z0-9])u?int(4|8)(?![0-9])"),
    re.compile(r"(?i)(?:^|[^a-z0-9])b?f(?:p|loat)?(16|32)(?![0-9])"),
)


class Variant(NamedTuple):
    """A model's files. `bits` of a weight, as the name says (0: it does not); `device` "cpu", "cuda", ...

    `broken` says why it cannot be a model.
    """

    path: Path
    backend: BackendName
    bytes: int = 0
    bits: int = 0
    device: str = "cpu"
    broken: str = ""


def variants(path: Path) -> list[Variant]:
    """The models there, by name; one with `broken` when there is none."""
    if path.is_file():
        return [_file(path)]
    if not path.is_dir():
        return [Variant(path, "onnx", broken=f"there is no {path}")]
    if (path / GENAI).is_file():
        return [_folder(path)]
    found = list(_inside(path))
    return found or [Variant(path, "onnx", broken=f"{path} has neither a {GENAI} nor a .gguf file in it")]


def backend_of(path: Path) -> BackendName:
    """The kind of backend that a path is for, as far as can be seen; `xllama` stands for both that read GGUF."""
    return variants(path)[0].backend


def precision(name: str) -> int:
    """Bits of a weight, as names of files say it: `q4_k_m`, `int8`, `f16`; 0 when they do not."""
    for pattern in _PRECISIONS:
        if found := pattern.search(name):
            return int(found.group(1))
    return 0


def _inside(path: Path) -> Iterator[Variant]:
    for each in sorted(path.iterdir()):
        part = _PART.search(each.name)
        if part is not None and int(part.group(1)) != 1:
            continue  # the first part of a model that is cut in pieces names the others
        if each.suffix == ".gguf" and each.is_file():
            yield _file(each)
        elif each.is_dir() and (each / GENAI).is_file():
            yield _folder(each)


def _file(path: Path) -> Variant:
    if path.suffix in (".json", ".jsonl", ".cassette"):
        return Variant(path, "recorded", bytes=path.stat().st_size)
    broken = ""
    with path.open("rb") as file:
        if file.read(4) != _GGUF:
            broken = f"{path} is no GGUF file"
    count = sum(part.stat().st_size for part in _parts(path))
    return Variant(path, "xllama", bytes=count, bits=precision(path.name), broken=broken)


def _parts(path: Path) -> list[Path]:
    if part := _PART.search(path.name):
        return sorted(path.parent.glob(f"{path.name[: part.start()]}-*-of-{part.group(2)}.gguf"))
    return [path]


def _folder(path: Path) -> Variant:
    count = sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    try:
        config: Any = json.loads((path / GENAI).read_text(encoding="utf-8"))
        decoder: Any = config["model"]["decoder"]
        file = path / cast(str, decoder["filename"])
        options: Any = decoder.get("session_options", {}).get("provider_options", [])
        device = next((str(name).lower() for each in options for name in each), "cpu")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return Variant(path, "onnx", bytes=count, broken=f"{path / GENAI} makes no sense: {error!r:.200}")
    if not file.is_file():
        return Variant(path, "onnx", bytes=count, broken=f"there is no {file}")
    return Variant(path, "onnx", bytes=count, bits=precision(path.name) or precision(file.name), device=device)
