"""The side of a worker that has models: which, how they are loaded and warmed, and what is said of them over HTTP."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias, get_args

from skerry.core.wire import ModelStatus, WorkerState, WorkerStatus
from skerry.errors import SkerryError
from skerry.health.http import Health, Page
from skerry.health.metrics import CONTENT_TYPE
from skerry.settings import Model, Workers
from skerry_workers.asking import Asker
from skerry_workers.metrics import Metrics
from skerry_workers.models.catalog import Catalog
from skerry_workers.models.loaded import Host, Loaded, Models
from skerry_workers.models.port import ModelError, ModelSpec

OpenHost: TypeAlias = Callable[[ModelSpec], Host]

PASS_S, PASS_CLOUD_S = 30.0, 600.0
"""An answer that is no older proves that a model is ready; each proof costs a pass, and in the cloud money."""
_PROBE_S = 20.0
_STATES: tuple[WorkerState, ...] = get_args(WorkerState)

_log = logging.getLogger("skerry.worker")


def open_host(spec: ModelSpec) -> Host:
    """A model in a process of its own."""
    from skerry_workers.models.host import ModelHost

    return ModelHost(spec)


class Serving:
    """The models of one worker, its numbers, and its pages. A worker of the size `rules` has the last two only."""

    def __init__(
        self, size: str, name: str, models: Mapping[str, Model], limits: Workers, opens: OpenHost = open_host
    ) -> None:
        self.size = size
        self.metrics = Metrics(worker=name, size=size)
        self._catalog = None if size == "rules" else Catalog(models, size, limits)
        offers = self._catalog.offers if self._catalog is not None else ()
        self.models = Models(offers, limits, open_host=opens, metrics=self.metrics)
        self.asker = None if self._catalog is None else Asker(self._catalog, self.models, self.metrics)
        at_once = limits.models_max or len(offers)
        self._model_slots = sum(sorted((offer.spec.slots for offer in offers), reverse=True)[:at_once])
        warm = [offer.spec.name for offer in offers if offer.model.warm]
        self.to_warm = tuple(warm[:at_once])
        self._health: Health | None = None
        self._pass: asyncio.Task[None] | None = None

    def slots(self, wanted: int) -> int:
        """How many tasks to take at a time: what the models answer at a time, and one that is being made ready."""
        return min(wanted, self._model_slots + 1) if self._model_slots else wanted

    def serves(self, prompt: str) -> bool:
        """Whether there is a model for a prompt."""
        return self._catalog is not None and self._catalog.serves(prompt)

    @property
    def broken(self) -> str:
        """Why no model works; empty while one may, and where there is none."""
        unusable = self._catalog.unusable if self._catalog is not None else ()
        if unusable and not self.models.all:
            return "; ".join(f"model {each.name}: {each.why[0]}" for each in unusable)
        return self.models.broken

    def statuses(self) -> tuple[ModelStatus, ...]:
        """What is said of each model, and of those that cannot be used here."""
        unusable = self._catalog.unusable if self._catalog is not None else ()
        missing = (ModelStatus(name=each.name, backend="", state="broken", reason=each.why[0]) for each in unusable)
        return (*(model.status() for model in self.models.all), *missing)

    # --- from start to end -------------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Loads the models that are to be warm. One that cannot be loaded is logged, and refuses its questions."""
        for name in self.to_warm:
            await self._try(name, self.models.load(name))

    async def warm(self) -> None:
        """Has each loaded model answer something."""
        for name in self.to_warm:
            if self.models[name].host is not None:
                await self._try(name, self.models.probe(name))

    async def _try(self, name: str, action: Awaitable[None]) -> None:
        try:
            await action
        except ModelError as error:
            _log.warning("model %s: %s%s", name, error.message, f" ({error.hint})" if error.hint else "")

    async def keep(self) -> None:
        """Unloads models that are idle; goes on until it is cancelled."""
        await self.models.keep()

    async def listen(self, port: int, status: Callable[[], WorkerStatus], takes: Callable[[], bool]) -> None:
        """Answers over HTTP from now on; not when the port is 0. Raises `Unavailable` when somebody else has it."""
        if not port:
            return

        async def startup() -> Page:
            begun = status().state not in ("starting", "loading", "warming")
            return Page(200 if begun else 503, f"{status().state}\n")

        async def ready() -> Page:
            return await self._ready(status(), takes())

        async def live() -> Page:
            return Page(200, f"{status().state}\n")

        async def metrics() -> Page:
            self._gauge(status())
            return Page(200, self.metrics.text(), CONTENT_TYPE)

        pages = {"/livez": live, "/readyz": ready, "/startupz": startup, "/metrics": metrics}
        self._health = Health(pages)
        await self._health.start(port)

    async def close(self) -> None:
        """Ends the models."""
        if self._pass is not None:
            self._pass.cancel()
        await self.models.close()
        if self._health is not None:
            await self._health.close()

    # --- pages -------------------------------------------------------------------------------------------------------

    async def _ready(self, status: WorkerStatus, takes: bool) -> Page:
        """Ready is who takes tasks, and has a model that answered a moment ago; an old proof is renewed."""
        models = self.models.all
        # One whose models are broken is asked all the same: that is how it is seen that they were mended.
        if not takes or (status.state != "ready" and not (models and self.broken)):
            return Page(503, f"{status.state}: {status.reason or 'takes no tasks'}\n")
        if not models:
            return Page(200, "ready\n")
        stale = [each for each in models if not self._proven(each)]
        if len(stale) == len(models):
            try:
                async with asyncio.timeout(_PROBE_S):
                    await self._renew(stale[0])
            except (TimeoutError, SkerryError) as error:
                return Page(503, f"model {stale[0].name} does not answer: {error or 'no answer in time'}\n")
        lines = [f"model {each.name}: {self._proof(each)}" for each in models]
        return Page(200, "\n".join(["ready", *lines]) + "\n")

    def _proven(self, model: Loaded) -> bool:
        """Whether it has answered lately; one that was unloaded because nobody asked it has answered at its last."""
        if not model.passed_at or model.state == "broken":
            return False
        recently_s = PASS_CLOUD_S if self.size == "cloud" else PASS_S
        return model.state == "unloaded" or time.monotonic() - model.passed_at < recently_s

    def _proof(self, model: Loaded) -> str:
        if not model.passed_at:
            return model.reason or "not asked yet"
        return f"{model.state}, answered {time.monotonic() - model.passed_at:.0f} s ago"

    async def _renew(self, model: Loaded) -> None:
        """One pass, however many ask for it at the same time."""
        if self._pass is None or self._pass.done():
            self._pass = asyncio.create_task(self.models.probe(model.name))
            self._pass.add_done_callback(lambda each: each.cancelled() or each.exception())
        await asyncio.shield(self._pass)

    def _gauge(self, status: WorkerStatus) -> None:
        """The numbers that are looked at, not counted."""
        metrics, models = self.metrics, self.models.all
        for state in _STATES:
            metrics.set("slm_worker_state", state == status.state, state=state)
        metrics.set("slm_requests_running", status.busy)
        metrics.set("slm_slots", status.slots)
        metrics.set("slm_tasks_done_total", status.done)
        metrics.set("slm_tasks_failed_total", status.failed)
        metrics.set("slm_requests_waiting", sum(max(0, model.asked - model.capabilities.slots) for model in models))
        metrics.set("slm_models_loaded", sum(model.state == "ready" for model in models))
        for model in models:
            metrics.set("slm_model_memory_bytes", model.status().memory_mb << 20, model=model.name)
