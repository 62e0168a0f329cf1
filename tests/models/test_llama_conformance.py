"""llama-cpp-python under the suite of all backends."""

from __future__ import annotations

from typing import Any

import pytest

from skerry_workers.models.conformance import BackendConformance
from skerry_workers.models.port import Backend, ModelSpec
from tests.models.gguf_kit import TINY

pytest.importorskip("llama_cpp", reason="the extra `llama` is not installed")

from skerry_workers.models import llama


class TestLlama(BackendConformance):
    def make(self, **words: Any) -> Backend:
        return llama.load(ModelSpec(name="tiny", backend="llama", path=str(TINY), threads=1, **words))
