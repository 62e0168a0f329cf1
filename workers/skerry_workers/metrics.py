"""What a worker counts, for Prometheus. Names follow vLLM's, where it has one."""

from __future__ import annotations

from skerry.health import metrics
from skerry.health.metrics import Kind

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)

KINDS: dict[str, Kind] = {
    "slm_requests_running": Kind("gauge", "Tasks in work."),
    "slm_requests_waiting": Kind("gauge", "Questions that wait for a slot of a model, or for it to be loaded."),
    "slm_request_success_total": Kind("counter", "Questions answered, by how the answer ended."),
    "slm_request_failure_total": Kind("counter", "Questions without an answer, by the kind of failure."),
    "slm_prompt_tokens_total": Kind("counter", "Tokens read, those from a cache included."),
    "slm_generation_tokens_total": Kind("counter", "Tokens written."),
    "slm_prefix_cache_queries_total": Kind("counter", "Tokens of prompts that a cache was asked for."),
    "slm_prefix_cache_hits_total": Kind("counter", "Tokens of prompts that came from a cache."),
    "slm_cost_total": Kind("counter", "Money that answers cost, by the prices of the settings."),
    "slm_energy_joules_total": Kind("counter", "Energy that answers took of the processors, where it can be read."),
    "slm_request_queue_time_seconds": Kind("histogram", "Waiting for a slot of a model.", _SECONDS),
    "slm_time_to_first_token_seconds": Kind("histogram", "From the question to its first token.", _SECONDS),
    "slm_e2e_request_latency_seconds": Kind("histogram", "From the question to its answer.", _SECONDS),
    "slm_model_load_seconds": Kind("histogram", "Loading a model.", _SECONDS),
    "slm_models_loaded": Kind("gauge", "Models that are loaded."),
    "slm_model_memory_bytes": Kind("gauge", "Memory that a model's process holds."),
    "slm_field_confidence": Kind("histogram", "Smallest token probability of a field of an answer.", _SHARES),
    "slm_worker_state": Kind("gauge", "1 for the state that the worker is in, 0 for the others."),
    "slm_tasks_done_total": Kind("counter", "Results with a value."),
    "slm_tasks_failed_total": Kind("counter", "Results with a failure."),
    "slm_slots": Kind("gauge", "Tasks that the worker takes at a time."),
}


class Metrics(metrics.Metrics):
    """Those of one worker."""

    def __init__(self, **common: str) -> None:
        """`common` are labels that every line has."""
        super().__init__(KINDS, **common)
