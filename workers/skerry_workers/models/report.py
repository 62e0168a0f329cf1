"""What `skerry models` shows: machine, backends, and the models in the order in which they are asked; and a trial."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from skerry.core.structs import Frozen
from skerry.core.wire import SIZES, Size
from skerry.errors import SkerryError
from skerry.settings import Model, Workers
from skerry_workers.models.catalog import with_shipped
from skerry_workers.models.choose import choices, install
from skerry_workers.models.machine import PACKAGES, Machine, detect
from skerry_workers.models.port import BackendName, ModelError, ModelSpec, ModelUnavailable, Question
from skerry_workers.serving import open_host

_CHECK_S = 120.0
_NAMED_MAX = 8
_QUESTION = Question(
    system="Answer with a JSON object.",
    text="Invoice 4711 of 3 May.",
    schema={
        "type": "object",
        "properties": {"number": {"type": "string", "maxLength": 12}},
        "required": ["number"],
        "additionalProperties": False,
    },
    tokens_max=48,
    timeout_s=_CHECK_S,
)


class BackendReport(Frozen):
    """A backend: the version of its package, empty when it is not installed; and the command that installs it."""

    name: BackendName
    installed: bool
    version: str = ""
    install: str = ""


class ModelReport(Frozen):
    """A model for a size. `usable` is False when it cannot be used here; `why` and `mend` say more.

    `rank` is its place among those of the size, from 1 on; 0 for one that cannot be used.
    """

    name: str
    size: Size
    rank: int
    usable: bool
    prompts: tuple[str, ...]
    why: tuple[str, ...]
    mend: str = ""
    backend: str = ""
    path: str = ""
    url: str = ""
    threads: int = 0
    context: int = 0
    slots: int = 0
    needs_mb: int = 0
    shipped: bool = False


class Report(Frozen):
    """All of it."""

    machine: Machine
    backends: tuple[BackendReport, ...]
    models: tuple[ModelReport, ...]


class Sight(Frozen):
    """What is seen of a model without asking it. `away`: only its endpoint is missing, and may be back soon."""

    name: str
    size: Size
    ok: bool
    found: str
    mend: str = ""
    away: bool = False


class Trial(Frozen):
    """How a model did when it was loaded and asked once. `error` is empty when it answered."""

    name: str
    digest: str = ""
    loading_s: float = 0.0
    seconds: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    answer: str = ""
    error: str = ""
    mend: str = ""


def report(models: Mapping[str, Model], workers: Mapping[Size, Workers], machine: Machine | None = None) -> Report:
    """What would be chosen on this machine, and why."""
    here = machine or detect()
    return Report(machine=here, backends=tuple(_backends(here)), models=tuple(_models(models, workers, here)))


def look(models: Mapping[str, Model], workers: Mapping[Size, Workers], within_s: float) -> Iterator[Sight]:
    """Whether files, backends and endpoints are there. An endpoint gets so many seconds, and nothing costs anything."""
    machine = detect()
    every = with_shipped(models)
    for size in SIZES:
        for choice in choices(every, size, workers.get(size, Workers()), machine):
            if choice.spec is None:
                yield Sight(name=choice.name, size=size, ok=False, found="; ".join(choice.why), mend=choice.mend)
            elif choice.spec.backend == "openai":
                yield _reached(choice.spec, size, within_s)
            else:
                yield Sight(name=choice.name, size=size, ok=True, found=choice.why[0])


def _reached(spec: ModelSpec, size: Size, within_s: float) -> Sight:
    from skerry_workers.models.openai import reach

    try:
        there = reach(spec, within_s)
    except ModelError as error:
        away = isinstance(error, ModelUnavailable)
        mend = error.hint or ("start it, or look at the network" if away else "")
        return Sight(name=spec.name, size=size, ok=False, found=error.message, mend=mend, away=away)
    if there and spec.model and spec.model not in there:
        found = f"{spec.url} answers, and does not name {spec.model} among its models"
        mend = f"skerry models {spec.name} --check asks it; it has {', '.join(there[:_NAMED_MAX])}"
        return Sight(name=spec.name, size=size, ok=False, found=found, mend=mend, away=True)
    return Sight(name=spec.name, size=size, ok=True, found=f"{spec.url} answers")


async def try_out(models: Mapping[str, Model], workers: Mapping[Size, Workers], name: str) -> Trial:
    """Loads a model in a process of its own, and asks it one question."""
    spec = _spec(models, workers, name)
    if isinstance(spec, Trial):
        return spec
    host, began = open_host(spec), time.perf_counter()
    try:
        await host.start()
        loading_s, began = time.perf_counter() - began, time.perf_counter()
        if spec.backend == "recorded":  # which answers what it was asked when it was recorded
            return Trial(name=name, digest=host.digest, loading_s=loading_s)
        answer = await host.answer(_QUESTION)
        return Trial(
            name=name,
            digest=host.digest,
            loading_s=loading_s,
            seconds=time.perf_counter() - began,
            tokens_in=answer.usage.tokens_in,
            tokens_out=answer.usage.tokens_out,
            answer=bytes(answer.value).decode(errors="replace"),
        )
    except SkerryError as error:
        return Trial(name=name, error=error.message, mend=error.hint)
    finally:
        await host.close()


def _backends(machine: Machine) -> Iterator[BackendReport]:
    for name in PACKAGES:
        there = name in machine.backends
        version = machine.backends.get(name, "")
        yield BackendReport(name=name, installed=there, version=version, install="" if there else install(name))
    yield BackendReport(name="openai", installed=True)
    yield BackendReport(name="recorded", installed=True)


def _models(models: Mapping[str, Model], workers: Mapping[Size, Workers], machine: Machine) -> Iterator[ModelReport]:
    every = with_shipped(models)
    for size in SIZES:
        for rank, choice in enumerate(choices(every, size, workers.get(size, Workers()), machine), start=1):
            spec, model = choice.spec, every[choice.name]
            yield ModelReport(
                name=choice.name,
                size=size,
                rank=rank if spec is not None else 0,
                usable=spec is not None,
                prompts=model.prompts,
                why=choice.why,
                mend=choice.mend,
                backend=spec.backend if spec is not None else model.backend,
                path=spec.path if spec is not None else str(model.path or ""),
                url=model.url,
                threads=spec.threads if spec is not None else model.threads,
                context=spec.context if spec is not None else model.context,
                slots=model.slots,
                needs_mb=choice.needs_mb,
                shipped=choice.name not in models,
            )


def _spec(models: Mapping[str, Model], workers: Mapping[Size, Workers], name: str) -> ModelSpec | Trial:
    machine = detect()
    every = with_shipped(models)
    size = every[name].sizes[0]
    limits = workers.get(size, Workers())
    choice = next(each for each in choices(every, size, limits, machine) if each.name == name)
    return choice.spec or Trial(name=name, error="; ".join(choice.why), mend=choice.mend)
