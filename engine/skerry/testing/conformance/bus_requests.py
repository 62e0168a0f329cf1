"""What every `Bus` does with messages that nobody keeps: notices, requests and answers."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from skerry.errors import Unavailable
from skerry.ports import Bus, Message
from skerry.testing.conformance.bus_kit import Connect, Serving, message, queue, soon


class RequestSuite(Serving):
    """Part of `BusSuite`."""

    async def test_a_notice_reaches_whoever_listens(self, connect: Connect) -> None:
        sender, listener = await connect(), await connect()
        heard: list[Message] = []
        going = await listener.listen("cancel.small.>", heard.append)
        await sender.notify(Message("cancel.small.n-A.1.1", b"1", {"ce-id": "x"}))
        await sender.notify(Message("cancel.large.n-A.1.1", b"2"))
        await sender.notify(Message("cancel.small.n-B.1.1", b"3"))
        await soon(lambda: len(heard) == 2)
        assert [(each.subject[-7:], each.data) for each in heard] == [("n-A.1.1", b"1"), ("n-B.1.1", b"3")]
        assert dict(heard[0].headers) == {"ce-id": "x"}
        await going.close()
        # From the same connection, so that it has passed before the next line's subscription.
        await listener.notify(Message("cancel.small.n-C.1.1", b"4"))
        await listener.listen("cancel.>", heard.append)
        await sender.notify(Message("cancel.small.n-D.1.1", b"5"))
        await soon(lambda: len(heard) == 3)
        assert heard[-1].data == b"5"

    async def test_a_request_has_an_answer(self, connect: Connect) -> None:
        asker, answerer = await connect(), await connect()

        async def responder(asked: Message) -> bytes:
            await asyncio.sleep(0.01)
            return asked.subject.encode() + b" " + asked.data + asked.headers.get("x", "").encode()

        await answerer.respond("command.n1.*", responder)
        asked = [Message(f"command.n1.v{number}", b"go", {"x": "!"}) for number in range(50)]
        before = time.monotonic()
        answers = await asyncio.gather(*(asker.request(each, timeout_s=5.0) for each in asked))
        assert answers == [f"command.n1.v{number} go!".encode() for number in range(50)]
        assert time.monotonic() - before < 0.5, "they are answered many at a time"

    async def test_nobody_answers(self, bus: Bus) -> None:
        before = time.monotonic()
        with pytest.raises(Unavailable, match="nobody"):
            await bus.request(Message("command.gone.start", b""), timeout_s=30.0)
        assert time.monotonic() - before < 5.0

    async def test_an_answer_that_does_not_come_in_time(self, bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
        async def slow(_: Message) -> bytes:
            await asyncio.sleep(30)
            return b""

        async def broken(_: Message) -> bytes:
            raise ValueError("as the test wants it")

        await bus.respond("command.n1.slow", slow)
        await bus.respond("command.n1.broken", broken)
        with caplog.at_level(logging.CRITICAL):
            for verb in ("slow", "broken"):
                with pytest.raises(Unavailable, match="no answer"):
                    await bus.request(Message(f"command.n1.{verb}", b""), timeout_s=0.1)

    async def test_a_closed_bus_is_unavailable(self, bus: Bus) -> None:
        await bus.ensure(queue())
        await bus.close()
        with pytest.raises(Unavailable):
            await bus.publish(message())
        with pytest.raises(Unavailable):
            await bus.notify(message())
        with pytest.raises(Unavailable):
            await bus.request(message(), timeout_s=1.0)
