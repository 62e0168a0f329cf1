"""The model that comes with Skerry, as files: whether it can be used here, and what its answers are worth.

Nothing is loaded for that, neither the model nor the workers, which are a package of their own.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

EXTRA = "xllama"
"""The extra of this package that runs it, and is the lightest; `onnx` does, too."""

_READERS = (("*.gguf", "xllamacpp"), ("*.gguf", "llama_cpp"), ("*/genai_config.json", "onnxruntime_genai"))


def folder() -> Path | None:
    """Where the model, its settings (`models.toml`) and its thresholds are; None where there are no workers."""
    package = find_spec("skerry_workers")
    places = package.submodule_search_locations if package is not None else None
    return Path(places[0]) / "models" / "shipped" if places else None


def there() -> bool:
    """Whether the model's files are here."""
    place = folder()
    return place is not None and any(any(place.glob(pattern)) for pattern, _ in _READERS)


def runnable() -> bool:
    """Whether a package is installed that can read one of its files."""
    place = folder()
    return place is not None and any(
        any(place.glob(pattern)) and find_spec(module) is not None for pattern, module in _READERS
    )
