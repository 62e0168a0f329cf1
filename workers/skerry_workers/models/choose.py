"""Which of the configured models is used, in which variant, with how many threads: and why.

Pure decisions about settings, files and a machine that others have looked at; `skerry models` shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from skerry.settings import Backend, Model, Workers
from skerry_workers.models.machine import PACKAGES, Machine
from skerry_workers.models.port import BackendName, ModelSpec
from skerry_workers.models.variants import Variant, variants

_OVERHEAD, _OVERHEAD_MB = 1.1, 150
"""What a loaded model takes beyond its files: buffers, and the process around it."""
_LIKED_CPU = (8, 6, 5, 4, 16, 32, 3, 2, 0)
_LIKED_GPU = (16, 8, 6, 5, 4, 32, 3, 2, 0)
"""Bits of a weight, best first: on a processor 8 bits answer as well as more, and faster; below 4 answers suffer."""
_CARDS = {"cuda": "NVIDIA", "nvtensorrtrtx": "NVIDIA", "rocm": "AMD", "openvino": "Intel"}


class Choice(NamedTuple):
    """What becomes of one configured model here. `spec` is None when it cannot be used; `why` is for people.

    `mend` is what to do about it, `needs_mb` an estimate of the memory that it takes.
    """

    name: str
    spec: ModelSpec | None
    why: tuple[str, ...]
    mend: str = ""
    needs_mb: int = 0
    prompts: tuple[str, ...] = ()


def choices(
    models: Mapping[str, Model], size: str, limits: Workers, machine: Machine, *, prompt: str = ""
) -> list[Choice]:
    """The models of a size (for a prompt, if one is named), in the order in which they are taken.

    Those that can be used come first; of these the ones that name the prompt; then as the file has them.
    """
    fitting = [
        (name, model)
        for name, model in models.items()
        if size in model.sizes and (not prompt or not model.prompts or prompt in model.prompts)
    ]
    ranked = [(consider(name, model, limits, machine), model) for name, model in fitting]
    return [choice for choice, _ in sorted(ranked, key=lambda pair: (pair[0].spec is None, not pair[1].prompts))]


def consider(name: str, model: Model, limits: Workers, machine: Machine) -> Choice:
    """Whether a model can be used here, in which variant, and with what."""
    if model.url or model.backend == "openai":
        return _endpoint(name, model)
    if model.path is None:
        return Choice(name, None, ("it has neither a path nor a url",), mend=f"set models.{name}.path")
    there = [_as_told(each, model.backend, machine) for each in variants(model.path)]
    allowed_mb = model.memory_mb or limits.memory_mb or machine.free_mb
    judged = [(each, _against(each, machine, allowed_mb)) for each in there]
    usable = [each for each, against in judged if against is None]
    if not usable:
        objections = [(each, against) for each, against in judged if against is not None]
        why = tuple(_named(each, reason, many=len(there) > 1) for each, (reason, _) in objections)
        _, (_, mend) = min(objections, key=lambda pair: _liking(pair[0]))
        return Choice(name, None, why, mend=mend, prompts=model.prompts)
    best = min(usable, key=_liking)
    threads, of_threads = _threads(model, limits, machine)
    why = (*_why(best, there), f"{threads} thread{'s' if threads > 1 else ''}: {of_threads}")
    spec = ModelSpec(
        name=name,
        backend=best.backend,
        path=str(best.path),
        threads=threads,
        context=model.context or limits.context,
        slots=model.slots,
        memory_mb=model.memory_mb or limits.memory_mb,
        options=model.options,
    )
    return Choice(name, spec, why, needs_mb=needs_mb(best), prompts=model.prompts)


def needs_mb(variant: Variant) -> int:
    """About how much memory a variant takes."""
    return round(variant.bytes * _OVERHEAD / (1 << 20)) + _OVERHEAD_MB


def install(backend: BackendName) -> str:
    """The command that installs a backend."""
    return f"pip install 'skerry[{backend}]'"


def _endpoint(name: str, model: Model) -> Choice:
    if not model.url:
        return Choice(name, None, ("an endpoint without an address",), mend=f"set models.{name}.url")
    spec = ModelSpec(
        name=name,
        backend="openai",
        url=model.url,
        model=model.model,
        key_variable=model.key_variable,
        context=model.context,
        slots=model.slots,
        options=model.options,
    )
    return Choice(name, spec, (f"asked over HTTP at {model.url}",), prompts=model.prompts)


def _as_told(variant: Variant, backend: Backend, machine: Machine) -> Variant:
    """The variant for the backend of the settings; of the two that read GGUF the one that is installed."""
    if backend == "recorded":
        return variant._replace(backend=backend, broken="" if variant.path.exists() else variant.broken)
    if backend == "llama" and variant.backend == "xllama":
        return variant._replace(backend=backend)
    if backend and backend != variant.backend:
        return variant._replace(broken=variant.broken or f"{variant.path} is not for the backend {backend}")
    if variant.backend == "xllama" and "xllama" not in machine.backends and "llama" in machine.backends:
        return variant._replace(backend="llama")
    return variant


def _against(variant: Variant, machine: Machine, allowed_mb: int) -> tuple[str, str] | None:
    """(why it cannot be used, what to do about it); None when it can."""
    if variant.broken:
        return variant.broken, "name the file or folder of a model"
    if variant.backend not in machine.backends:
        package = PACKAGES[variant.backend][1][0]
        return f"needs {package}, which is not installed", install(variant.backend)
    card = _CARDS.get(variant.device, "" if variant.device == "cpu" else variant.device)
    if card and not any(gpu.startswith(card) for gpu in machine.gpus):
        return f"is made for {variant.device}, and no such card is here", "take a variant for the processor"
    needs = needs_mb(variant)
    if allowed_mb and needs > allowed_mb and variant.backend != "recorded":
        return f"needs about {needs} MB of memory, and may have {allowed_mb}", "raise memory_mb, or take a smaller one"
    return None


def _liking(variant: Variant) -> tuple[bool, int, int]:
    on_card = variant.device != "cpu"
    order = _LIKED_GPU if on_card else _LIKED_CPU
    return not on_card, order.index(variant.bits) if variant.bits in order else len(order), -variant.bytes


def _why(best: Variant, there: Iterable[Variant]) -> tuple[str, ...]:
    others = [each for each in there if each.path != best.path]
    bits = f", {best.bits} bits" if best.bits else ""
    said = [f"{best.backend} on {best.device}{bits}, about {needs_mb(best)} MB"]
    if others:
        said.append(f"{best.path.name} rather than {', '.join(each.path.name for each in others)}")
    return tuple(said)


def _threads(model: Model, limits: Workers, machine: Machine) -> tuple[int, str]:
    if model.threads or limits.threads:
        return model.threads or limits.threads, "as the settings say"
    spare = max(1, machine.cores - 1)
    shared = max(1, spare // max(1, limits.processes))
    if shared < spare:
        return shared, f"{machine.cores} cores, one left for others, {limits.processes} processes"
    return shared, f"{machine.cores} cores, one left for others" if machine.cores > 1 else "the only core"


def _named(variant: Variant, reason: str, *, many: bool) -> str:
    return f"{variant.path.name}: {reason}" if many else reason
