"""An endpoint as a worker uses it: through a process of its own."""

from __future__ import annotations

import asyncio

import pytest

from skerry_workers.models.host import ModelHost
from skerry_workers.models.port import ModelBroken, ModelSpec, ModelUnavailable, Question
from tests.models.endpoint import EndpointServer, Likeness
from tests.support import wait_until

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
QUESTION = Question(system="s", text="t", schema=SCHEMA, timeout_s=30.0)
KEY = "sk-tests-77aa"


async def test_asked_refused_taken_back_and_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_ENDPOINT_KEY", KEY)
    with EndpointServer(Likeness(key=KEY, answer={"a": 1})) as server:
        spec = ModelSpec(
            name="m", backend="openai", url=server.url, model="m1", key_variable="TEST_ENDPOINT_KEY", slots=2
        )
        host = ModelHost(spec)
        try:
            ready = await host.start()
            assert ready.capabilities.schema and ready.capabilities.confidence
            assert (host.capabilities.slots, host.digest) == (2, "endpoint:m1")
            assert bytes((await host.answer(QUESTION)).value) == b'{"a": 1}'

            server.fault = lambda exchange: exchange.error(429, "slow down", Retry_After="7")
            with pytest.raises(ModelUnavailable, match="slow down") as busy:
                await host.answer(QUESTION)
            assert busy.value.retry_after_s == 7

            server.fault = lambda exchange: exchange.until_gone()
            asking = asyncio.create_task(host.answer(QUESTION))
            await wait_until(server.generating.is_set)
            asking.cancel()
            await wait_until(server.gone.is_set)

            server.fault = None
            server.likeness.key = "another"
            with pytest.raises(ModelBroken, match="401") as refused:
                await host.answer(QUESTION)
            assert "TEST_ENDPOINT_KEY" in refused.value.hint and KEY not in refused.value.message
        finally:
            await host.close()
