"""The models that a worker has loaded: at most so many, within so much memory, and none that nobody asks.

A model is loaded when it is first asked (or before, if it is to be warm). When there is no room for it the one that was
asked longest ago, and is not at work, makes some.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Literal, Protocol, TypeAlias

import msgspec

from skerry.core.wire import ModelStatus
from skerry.settings import Workers
from skerry_workers.metrics import Metrics
from skerry_workers.models.catalog import Offer
from skerry_workers.models.machine import free_mb, memory_of
from skerry_workers.models.port import (
    Answer,
    Capabilities,
    ModelBroken,
    ModelError,
    ModelSpec,
    ModelUnavailable,
    Question,
    Stopped,
)

State: TypeAlias = Literal["unloaded", "loading", "ready", "broken"]

BROKEN_S = 30.0
"""A model that could not be loaded is not tried again sooner: each try costs a process."""
_HEAL = 10
"""So many times that long, and it is tried though nobody asks."""
ROOM_S = 60.0
"""So long a model waits for others to have answered and make room."""
_TICK_S = 5.0
AWAY_S = 30.0
"""An endpoint that could not be reached is tried again after so long, or when it said, though nobody asks."""
_PROBE_S = 20.0

_log = logging.getLogger("skerry.worker")


class Host(Protocol):
    """A model in a process of its own, as `skerry_workers.models.host` has it."""

    @property
    def pid(self) -> int | None:
        """Its process, while there is one."""
        ...

    @property
    def digest(self) -> str:
        """Of the model's files, once it is loaded."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can, once it is loaded."""
        ...

    async def start(self) -> object:
        """Loads the model. Raises `ModelError`."""
        ...

    async def answer(self, question: Question) -> Answer:
        """Asks it. Cancelled, it stops the model. Raises `ModelError`."""
        ...

    async def probe(self, timeout_s: float = _PROBE_S) -> None:
        """Has it write one token. Raises `ModelError`."""
        ...

    async def close(self) -> None:
        """Ends the process."""
        ...


class Loaded:
    """One model of the worker: `asked` of it are under way, `used_at` and `passed_at` are monotonic seconds."""

    def __init__(self, offer: Offer) -> None:
        self.offer = offer
        self.name = offer.spec.name
        self.host: Host | None = None
        self.state: State = "unloaded"
        self.reason = ""
        self.asked = 0
        self.used_at = 0.0
        self.passed_at = 0.0
        self.broken_at = 0.0
        self.away = ""
        self.try_at = 0.0
        """When one that is away is tried again."""
        self.memory_mb = 0
        self.digest = ""
        self.capabilities = Capabilities()
        self.loading: asyncio.Task[float] | None = None

    @property
    def needs_mb(self) -> int:
        """What it took the last time, or is thought to take."""
        return self.memory_mb or self.offer.needs_mb

    def status(self) -> ModelStatus:
        """As the worker says it."""
        spec = self.offer.spec
        return ModelStatus(
            name=self.name,
            backend=spec.backend,
            state=self.state,
            digest=self.digest,
            slots=self.capabilities.slots if self.digest else spec.slots,
            busy=self.asked,
            memory_mb=self.memory_mb if self.host is not None else 0,
            threads=spec.threads,
            context=spec.context,
            reason=self.reason,
            away=self.away,
        )


class Models:
    """All of a worker's models. `open_host` makes the process of one; `limits` are for all of them together."""

    def __init__(
        self,
        offers: Iterable[Offer],
        limits: Workers,
        *,
        open_host: Callable[[ModelSpec], Host],
        metrics: Metrics | None = None,
        now: Callable[[], float] = time.monotonic,
        tick_s: float = _TICK_S,
        broken_s: float = BROKEN_S,
    ) -> None:
        self._models = {offer.spec.name: Loaded(offer) for offer in offers}
        self._limits = limits
        self._open = open_host
        self._metrics = metrics or Metrics()
        self._now = now
        self._tick_s = tick_s
        self._broken_s = broken_s
        self._moving = asyncio.Lock()
        self._freed = asyncio.Event()
        self._closed = False

    @property
    def all(self) -> tuple[Loaded, ...]:
        """Every model, loaded or not."""
        return tuple(self._models.values())

    @property
    def broken(self) -> str:
        """Why none of them works; empty while one may."""
        if not self._models or any(each.state != "broken" for each in self._models.values()):
            return ""
        return "; ".join(f"model {each.name}: {each.reason}" for each in self._models.values())

    def __getitem__(self, name: str) -> Loaded:
        return self._models[name]

    async def answer(self, name: str, question: Question) -> tuple[Answer, Loaded]:
        """Asks a model, and loads it before if need be; the time for that is in the answer's usage.

        Raises `ModelError`.
        """
        model = self._models[name]
        began = self._now()
        model.asked += 1
        try:
            loading_s = await self._ready(model)
            answer = await self._ask(model, question)
        except ModelUnavailable as error:
            self._miss(model, error)
            raise
        finally:
            model.asked -= 1
            model.used_at = self._now()
            self._freed.set()
        usage = answer.usage
        waiting_s = max(0.0, self._now() - began - loading_s - usage.loading_s - usage.reading_s - usage.writing_s)
        usage = msgspec.structs.replace(
            usage, loading_s=usage.loading_s + loading_s, waiting_s=max(usage.waiting_s, waiting_s)
        )
        return msgspec.structs.replace(answer, usage=usage), model

    async def load(self, name: str) -> None:
        """Has a model loaded. Raises `ModelError`."""
        try:
            await self._ready(self._models[name])
        except ModelUnavailable as error:
            self._miss(self._models[name], error)
            raise

    async def probe(self, name: str) -> None:
        """A question of one token. It is no use of the model: an idle one is unloaded all the same.

        Raises `ModelError` when it does not answer.
        """
        model = self._models[name]
        model.asked += 1
        try:
            await self._ready(model)
            if model.host is not None and model.offer.spec.backend != "recorded":  # which only knows what it was told
                await _one_token(model.host)
            self._pass(model)
        except ModelUnavailable as error:
            self._miss(model, error)
            raise
        finally:
            model.asked -= 1
            self._freed.set()

    async def keep(self) -> None:
        """Unloads what is idle, makes room when models have grown, tries broken ones again; until it is cancelled."""
        while True:
            await asyncio.sleep(self._tick_s)
            async with self._moving:
                await self._tidy()
            for model in self._models.values():
                broken_for_s = self._now() - model.broken_at
                if model.state == "broken" and model.offer.model.warm and broken_for_s >= _HEAL * self._broken_s:
                    await self._heal(model)
                elif model.away and self._now() >= model.try_at:
                    await self._look_out_for(model)

    async def _heal(self, model: Loaded) -> None:
        """Tries whether it was mended, though nobody asks: an engine may ask nobody who says that he is broken."""
        try:
            await self._ready(model)
        except ModelError:
            return  # it is in the log
        except Exception:
            _log.exception("model %s: cannot be tried again", model.name)
            model.broken_at = self._now()

    async def _look_out_for(self, model: Loaded) -> None:
        """Tries whether it is back: an engine asks nobody who cannot be reached."""
        try:
            await self.probe(model.name)
        except ModelError:
            model.try_at = max(model.try_at, self._now() + AWAY_S)
        else:
            _log.info("model %s: can be reached again", model.name)

    def _pass(self, model: Loaded) -> None:
        """It has answered."""
        model.passed_at, model.away = self._now(), ""

    def _miss(self, model: Loaded, error: ModelUnavailable) -> None:
        """It could not be asked. Of one on this machine that says nothing about the next time."""
        if model.offer.spec.backend == "openai":
            model.away, model.try_at = error.message, self._now() + max(AWAY_S, error.retry_after_s)

    async def close(self) -> None:
        """Ends all of them."""
        self._closed = True
        for model in self._models.values():
            if model.loading is not None:
                model.loading.cancel()
        await asyncio.gather(*(self._unload(model) for model in self._models.values()), return_exceptions=True)

    # --- loading ------------------------------------------------------------------------------------------------------

    async def _ready(self, model: Loaded) -> float:
        """Seconds of loading, for the one whom it kept waiting from the beginning; the others have waited."""
        if model.state == "ready":
            return 0.0
        if model.state == "broken" and self._now() - model.broken_at < self._broken_s:
            raise ModelBroken(model.reason)
        if model.loading is None:
            model.state, model.reason = "loading", ""
            model.loading = asyncio.create_task(self._load(model))
            model.loading.add_done_callback(lambda _: setattr(model, "loading", None))
        # Somebody else may wait for the same, and whoever comes next needs it too.
        return await asyncio.shield(model.loading)

    async def _load(self, model: Loaded) -> float:
        host: Host | None = None
        try:
            async with self._moving:
                await self._make_room(model)
                began = self._now()
                host = model.host = self._open(model.offer.spec)
                await host.start()
                model.digest, model.capabilities = host.digest, host.capabilities
                model.used_at = self._now()
                seconds = model.used_at - began
                await self._measure(model)
        except BaseException as error:
            model.host = None
            model.state = "unloaded"
            if isinstance(error, ModelBroken):
                self._break(model, error)
            if host is not None:
                await host.close()
            raise
        model.state = "ready"
        _log.info("model %s: loaded in %.1f s, %d MB", model.name, seconds, model.memory_mb)
        self._metrics.observe("slm_model_load_seconds", seconds, model=model.name)
        return seconds

    def _break(self, model: Loaded, error: ModelError) -> None:
        hint = f" ({error.hint})" if error.hint else ""
        model.state, model.broken_at, model.reason = "broken", self._now(), f"{error.message}{hint}"
        _log.warning("model %s: broken: %s", model.name, model.reason)

    async def _ask(self, model: Loaded, question: Question) -> Answer:
        if model.host is None:  # unloaded while we waited for our turn
            await self._ready(model)
        if model.host is None:
            raise ModelUnavailable(f"model {model.name} was unloaded", retry_after_s=1.0)
        try:
            answer = await model.host.answer(question)
        except ModelBroken as error:
            await self._unload(model)
            self._break(model, error)
            raise
        self._pass(model)
        return answer

    # --- room ---------------------------------------------------------------------------------------------------------

    async def _make_room(self, model: Loaded) -> None:
        give_up_at = self._now() + ROOM_S
        while (lacking := self._lacking(model)) and (others := self._others(model)):
            idle = [each for each in others if not each.asked]
            if idle:
                victim = min(idle, key=lambda each: each.used_at)
                _log.info("model %s: unloaded, %s is wanted and %s", victim.name, model.name, lacking)
                await self._unload(victim)
                continue
            if self._now() > give_up_at:
                raise ModelUnavailable(f"no room for model {model.name}: {lacking}", retry_after_s=5.0)
            self._freed.clear()
            try:
                async with asyncio.timeout(1.0):
                    await self._freed.wait()
            except TimeoutError:
                continue

    def _lacking(self, model: Loaded) -> str:
        """What is missing for one more model; empty when there is room."""
        others = self._others(model)
        if self._limits.models_max and len(others) >= self._limits.models_max:
            return f"at most {self._limits.models_max} are loaded at a time"
        if model.offer.spec.backend in ("openai", "recorded"):
            return ""
        used = sum(each.memory_mb for each in others)
        allowed = self._limits.memory_mb or used + free_mb()
        if used + model.needs_mb > allowed:
            return f"it needs about {model.needs_mb} MB, {used} of {allowed} MB are taken"
        return ""

    def _others(self, model: Loaded) -> list[Loaded]:
        return [each for each in self._models.values() if each.host is not None and each is not model]

    async def _measure(self, model: Loaded) -> None:
        """How much memory it has, and whether that is allowed. Raises `ModelBroken` when it never will be."""
        await self._look_at(model)
        allowed = self._limits.memory_mb
        if allowed and model.memory_mb > allowed:
            raise ModelBroken(
                f"model {model.name} takes {model.memory_mb} MB of memory, and may have {allowed}",
                hint="raise memory_mb, or take a smaller variant",
            )
        while allowed and sum(each.memory_mb for each in self._others(model)) + model.memory_mb > allowed:
            idle = [each for each in self._others(model) if not each.asked]
            if not idle:
                return  # they make room when they have answered
            await self._unload(min(idle, key=lambda each: each.used_at))

    async def _look_at(self, model: Loaded) -> None:
        pid = model.host.pid if model.host is not None else None
        model.memory_mb = await asyncio.to_thread(memory_of, pid) if pid else 0

    async def _tidy(self) -> None:
        loaded = [each for each in self._models.values() if each.host is not None and each.state == "ready"]
        for model in loaded:
            await self._look_at(model)
            idle_s = model.offer.model.idle_s
            if idle_s and not model.asked and self._now() - model.used_at >= idle_s:
                _log.info("model %s: unloaded, nobody has asked it for %g s", model.name, idle_s)
                await self._unload(model)
        allowed = self._limits.memory_mb
        resting = sorted((each for each in loaded if each.host is not None), key=lambda each: each.used_at)
        for model in resting:
            taken = sum(each.memory_mb for each in loaded if each.host is not None)
            if allowed and taken > allowed and not model.asked:
                _log.warning("model %s: unloaded, %d MB are taken of %d", model.name, taken, allowed)
                await self._unload(model)

    async def _unload(self, model: Loaded) -> None:
        host, model.host = model.host, None
        if model.state in ("ready", "loading"):
            model.state = "unloaded"
        if host is not None:
            await host.close()
        self._freed.set()


async def _one_token(host: Host) -> None:
    """Raises `ModelError` when none comes. What it says is of no interest, not even whether it fits."""
    try:
        await host.probe(_PROBE_S)
    except (ModelUnavailable, ModelBroken, Stopped):
        raise
    except ModelError as error:
        _log.debug("a pass: it answers, if not as it was asked to: %s", error)
