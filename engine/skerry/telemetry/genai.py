"""What a model did, in the words of OpenTelemetry's conventions for generative AI.

github.com/open-telemetry/semantic-conventions-genai, in development as of 2026: names may still change there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from skerry.telemetry.otlp import Value

Model: TypeAlias = Mapping[str, str | int | float]
"""What a worker says of the model that answered: the `model` of a result, and of `answer.judged`."""

OPERATION = "chat"
TOLD = "span"
"""In a `Model`: the id of the span that the worker has told of it itself."""
_PROVIDERS = {"openai": "openai", "onnx": "onnxruntime", "llama": "llama.cpp", "xllama": "llama.cpp"}
"""Of our backends. Only the first is one of the conventions' names; they have none for a model in one's own process."""


def provider(model: Model) -> str:
    """Who ran the model."""
    backend = str(model.get("provider") or model.get("backend") or "")
    return _PROVIDERS.get(backend, backend) or "skerry"


def name_of(model: Model) -> str:
    """Which model it was."""
    return str(model.get("model") or model.get("name") or "unknown")


def seconds_of(model: Model) -> float:
    """How long it took, in seconds."""
    whole = model.get("seconds")
    if isinstance(whole, int | float):
        return max(0.0, float(whole))
    parts = (model.get(part) for part in ("waiting_s", "loading_s", "reading_s", "writing_s"))
    return max(0.0, sum(float(part) for part in parts if isinstance(part, int | float)))


def is_model(size: str, model: Model) -> bool:
    """Whether a model answered, and not a function."""
    return bool(model) and size != "rules"


def span_name(model: Model) -> str:
    """`chat NAME`."""
    return f"{OPERATION} {name_of(model)}"


def attributes(model: Model, size: str, prompt: str) -> dict[str, Value]:
    """Of the span of an answer. `gen_ai.usage.input_tokens` counts cached ones as well, as the conventions want it."""
    named: dict[str, Value] = {
        "gen_ai.operation.name": OPERATION,
        "gen_ai.provider.name": provider(model),
        "gen_ai.request.model": str(model.get("asked_model") or name_of(model)),
        "gen_ai.response.model": name_of(model),
        "gen_ai.output.type": "json",
        "gen_ai.prompt.name": prompt,
        "skerry.size": size,
        "skerry.model.digest": str(model.get("digest", "")),
    }
    for key, name in (
        ("tokens_in", "gen_ai.usage.input_tokens"),
        ("tokens_out", "gen_ai.usage.output_tokens"),
        ("tokens_cached", "gen_ai.usage.cache_read.input_tokens"),
        ("waiting_s", "skerry.model.waiting"),
        ("loading_s", "skerry.model.loading"),
        ("reading_s", "skerry.model.reading"),
        ("writing_s", "skerry.model.writing"),
        ("cost", "skerry.model.cost"),
        ("energy_j", "skerry.model.energy"),
    ):
        value = model.get(key)
        if isinstance(value, int | float):
            named[name] = value
    if model.get("currency"):
        named["skerry.model.currency"] = str(model["currency"])
    if model.get("finish"):
        named["gen_ai.response.finish_reasons"] = [str(model["finish"])]
    return named


def labels(model: Model) -> dict[str, str]:
    """Of the metrics of an answer."""
    return {
        "gen_ai.operation.name": OPERATION,
        "gen_ai.provider.name": provider(model),
        "gen_ai.request.model": str(model.get("asked_model") or name_of(model)),
        "gen_ai.response.model": name_of(model),
    }


def tokens(model: Model) -> Iterator[tuple[str, int]]:
    """(type, how many) of the tokens that were read and written."""
    for kind, key in (("input", "tokens_in"), ("output", "tokens_out")):
        value = model.get(key)
        if isinstance(value, int):
            yield kind, value
