"""The suite of all backends, on a real llama.cpp server over HTTP: schemas and quotes are held by a grammar."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from skerry_workers.models import openai
from skerry_workers.models.conformance import BackendConformance
from skerry_workers.models.port import Backend, ModelSpec
from tests.models.llama_server import llama_server


class TestLlamaServer(BackendConformance):
    """One server for all of the suite."""

    url = ""

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def served(cls) -> Iterator[None]:
        with llama_server() as cls.url:
            yield

    def make(self) -> Backend:
        return openai.load(ModelSpec(name="m", backend="openai", url=self.url, model="tiny", slots=2))
