"""An `ask` of a model size: the question from the task, the models that may answer it, the outcome from the answer."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol, TypeAlias, TypeVar

from skerry.core.tasks import Prompt
from skerry.core.wire import Task
from skerry.errors import SkerryError
from skerry.settings import Price
from skerry_workers.failures import Outcome, Refusal, failed
from skerry_workers.metrics import Metrics
from skerry_workers.models.catalog import Catalog, Offer
from skerry_workers.models.loaded import Loaded, Models
from skerry_workers.models.port import Answer, ModelBroken, ModelSpec, Usage
from skerry_workers.models.questions import notes_of, question_of, shown, value_of

T = TypeVar("T")
Facts: TypeAlias = dict[str, str | int | float]


class Aside(Protocol):
    """Runs a function of the prompt's author where it holds nobody up."""

    def __call__(self, function: Callable[[], T], /) -> Awaitable[T]:
        """Returns what it returns, and raises what it raises."""
        ...


class Asker:
    """Asks the models of a worker."""

    def __init__(self, catalog: Catalog, models: Models, metrics: Metrics) -> None:
        self.catalog = catalog
        self.models = models
        self.metrics = metrics

    async def outcome(self, task: Task, prompt: Prompt, about: Any, aside: Aside, seconds: float | None) -> Outcome:
        """What came of a task; `seconds` are left for it. A model that is broken is passed over for the next one.

        Raises `Refusal` when there is no model that could be asked.
        """
        began = time.perf_counter()
        facts: Facts = {"size": task.size, "prompt_version": prompt.version}
        outcome = Outcome()
        offers = self.catalog.find(task.target)
        if task.local_only:
            offers = tuple(offer for offer in offers if _stays_here(offer.spec))
            if not offers:
                raise Refusal("NoAnswer", "what this is about stays on this machine, and the models here are elsewhere")
        try:
            text = shown(prompt, about) if prompt.show is None else await aside(lambda: shown(prompt, about))
        except Exception as error:
            return failed(error)
        for offer in offers:
            facts |= {"model": offer.spec.name, "backend": offer.spec.backend}
            try:
                question = question_of(task, prompt, offer, text, seconds)
                answer, loaded = await self.models.answer(offer.spec.name, question)
                facts |= _facts(answer, loaded) | _cost(answer.usage, offer.model.price)
                self._count(answer, offer, time.perf_counter() - began)
                read = partial(value_of, task, prompt, about, answer)
                value = read() if prompt.read is None else await aside(read)
                outcome = Outcome(value=value, fields=notes_of(task, prompt, answer))
                break
            except SkerryError as error:
                self.metrics.count("slm_request_failure_total", model=offer.spec.name, kind=type(error).__name__)
                outcome = _of_model(offer, failed(error))
                if not isinstance(error, ModelBroken):
                    break
        return outcome._replace(model={**facts, "seconds": round(time.perf_counter() - began, 6)})

    def _count(self, answer: Answer, offer: Offer, seconds: float) -> None:
        metrics, usage, model = self.metrics, answer.usage, offer.spec.name
        metrics.count("slm_request_success_total", model=model, finish_reason=answer.finish)
        metrics.count("slm_prompt_tokens_total", usage.tokens_in, model=model)
        metrics.count("slm_generation_tokens_total", usage.tokens_out, model=model)
        metrics.count("slm_prefix_cache_queries_total", usage.tokens_in, model=model)
        metrics.count("slm_prefix_cache_hits_total", usage.tokens_cached, model=model)
        metrics.observe("slm_request_queue_time_seconds", usage.waiting_s, model=model)
        first = usage.waiting_s + usage.loading_s + usage.reading_s
        metrics.observe("slm_time_to_first_token_seconds", first, model=model)
        metrics.observe("slm_e2e_request_latency_seconds", seconds, model=model)
        if offer.model.price.known:
            cost = offer.model.price.of(usage.tokens_in, usage.tokens_cached, usage.tokens_out)
            metrics.count("slm_cost_total", cost, model=model, currency=offer.model.price.currency)
        if usage.energy_j:
            metrics.count("slm_energy_joules_total", usage.energy_j, model=model)
        for note in answer.fields.values():
            if note.confidence >= 0:
                metrics.observe("slm_field_confidence", note.confidence, model=model)


def _stays_here(spec: ModelSpec) -> bool:
    if spec.backend != "openai":
        return True
    from skerry_workers.models.openai import is_local

    return is_local(spec)


def _facts(answer: Answer, loaded: Loaded) -> Facts:
    usage = answer.usage
    return {
        "digest": loaded.digest,
        "finish": answer.finish,
        "tokens_in": usage.tokens_in,
        "tokens_out": usage.tokens_out,
        "tokens_cached": usage.tokens_cached,
        "waiting_s": round(usage.waiting_s, 6),
        "loading_s": round(usage.loading_s, 6),
        "reading_s": round(usage.reading_s, 6),
        "writing_s": round(usage.writing_s, 6),
    }


def _cost(usage: Usage, price: Price) -> Facts:
    """What an answer cost, in money and energy, as far as that is known."""
    facts: Facts = {}
    if price.known:
        facts["cost"] = round(price.of(usage.tokens_in, usage.tokens_cached, usage.tokens_out), 9)
        facts["currency"] = price.currency
    if usage.energy_j:
        facts["energy_j"] = round(usage.energy_j, 3)
    return facts


def _of_model(offer: Offer, outcome: Outcome) -> Outcome:
    """The same failure, with the name of the model in its message."""
    failure = outcome.failure
    if failure is None or offer.spec.name in failure.message:
        return outcome
    named = type(failure)(
        kind=failure.kind, message=f"model {offer.spec.name}: {failure.message}", retryable=failure.retryable
    )
    return outcome._replace(failure=named)
