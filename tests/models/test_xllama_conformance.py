"""xllamacpp under the suite of all backends."""

from __future__ import annotations

from typing import Any

import pytest

from skerry_workers.models.conformance import BackendConformance
from skerry_workers.models.port import Backend, ModelSpec
from tests.models.gguf_kit import TINY

pytest.importorskip("xllamacpp", reason="the extra `xllama` is not installed")

from skerry_workers.models import xllama


class TestXllama(BackendConformance):
    def make(self, **words: Any) -> Backend:
        return xllama.load(ModelSpec(name="tiny", backend="xllama", path=str(TINY), threads=1, slots=2, **words))
