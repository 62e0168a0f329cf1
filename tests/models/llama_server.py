"""A real llama.cpp server over HTTP, for tests: xllamacpp's, with a tiny model that knows nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TINY = Path(__file__).with_name("tiny.gguf")


@contextmanager
def llama_server(slots: int = 2) -> Iterator[str]:
    """The URL of its endpoint, whose model is called "tiny". Skips the test where it cannot be."""
    library: Any = pytest.importorskip("xllamacpp", reason="the extra xllama is not installed")
    if not TINY.exists():
        pytest.skip("there is no tiny model")
    parameters = library.CommonParams()
    parameters.model.path = str(TINY)
    parameters.model_alias = {"tiny"}
    parameters.n_ctx, parameters.n_parallel = 2048 * slots, slots
    for processor in (parameters.cpuparams, parameters.cpuparams_batch):
        processor.n_threads = 1
    parameters.warmup = False
    parameters.verbosity = -1
    parameters.hostnames, parameters.port = ["127.0.0.1"], 0
    server = library.Server(parameters)
    yield f"{server.listening_address}/v1"
    del server  # which ends it
