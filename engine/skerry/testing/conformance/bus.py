"""What every `Bus` does.

class TestMine(BusSuite):
    @asynccontextmanager
    async def serving(self, folder: Path, *, stream_bytes_max: int) -> AsyncIterator[Connect]:
        async with my_broker(folder) as broker:
            yield lambda: MyBus.connect(broker)
"""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from skerry.core.wire import MESSAGE_BYTES_MAX, Queue
from skerry.errors import Busy, DataError, Unavailable
from skerry.ports import Bus, DeadLetter, Delivery, Message
from skerry.testing.conformance.bus_kit import LEASE_S, Connect, Taken, message, queue, soon, subjects
from skerry.testing.conformance.bus_requests import RequestSuite

__all__ = ["BusSuite", "Connect", "Taken", "message", "queue"]


class BusSuite(RequestSuite):
    """Subclass it with `serving`. Needs pytest and pytest-asyncio (`asyncio_mode = "auto"`)."""

    # ---- publish and consume

    async def test_a_message_arrives_as_it_was_sent(self, bus: Bus) -> None:
        taken = Taken(ack=True)
        await bus.consume(queue(), taken, window=4)
        sent = Message(
            "work.small.n-A.1.1", b'{"a": "\xc3\xa9"}', {"ce-id": "n-A/1/1", "ce-source": "näme", "empty": ""}
        )
        await bus.publish(sent)
        got = await taken.wait()
        assert (got.message.subject, got.message.data, dict(got.message.headers)) == (sent[0], sent[1], sent[2])
        assert got.deliveries == 1

    async def test_messages_wait_for_somebody_who_consumes(self, connect: Connect) -> None:
        sender, taker = await connect(), await connect()
        await sender.ensure(queue())
        for number in range(20):
            await sender.publish(message(number))
        taken = Taken(ack=True)
        await taker.consume(queue(), taken, window=3)
        await taken.wait(20)
        assert subjects(taken.all) == [message(number).subject for number in range(20)]

    async def test_a_subject_that_still_holds_a_message_is_fine(self, bus: Bus) -> None:
        await bus.ensure(queue())
        await asyncio.gather(*(bus.publish(message(1)) for _ in range(5)))
        await bus.publish(message(2))
        taken = Taken(ack=True)
        await bus.consume(queue(), taken, window=4)
        await taken.wait(2)
        await bus.publish(message(3))
        await taken.wait(3)
        assert sorted(subjects(taken.all)) == [message(n).subject for n in (1, 2, 3)]

    async def test_a_message_in_somebodys_hands_still_holds_its_subject(self, bus: Bus) -> None:
        taken = Taken()
        await bus.consume(queue(), taken, window=4)
        await bus.publish(message(1))
        first = await taken.wait()
        await bus.publish(message(1))
        await first.ack()
        await bus.publish(message(1))
        await taken.wait(2)
        await bus.publish(message(2))
        await taken.wait(3)
        assert subjects(taken.all) == [message(n).subject for n in (1, 1, 2)]

    async def test_nobody_has_made_the_queue(self, bus: Bus) -> None:
        with pytest.raises(Unavailable, match="no stream"):
            await bus.publish(message())

    async def test_a_full_stream_is_busy_until_there_is_room(self, bus: Bus) -> None:
        await bus.ensure(queue())
        sent = 0
        with pytest.raises(Busy):
            for sent in range(200):
                await bus.publish(message(sent, data=b"x" * 1024))
        assert sent > 10
        # What it has already is no news to it, full or not.
        await bus.publish(message(0, data=b"x" * 1024))
        taken = Taken(ack=True)
        await bus.consume(queue(), taken, window=8)
        await taken.wait(sent)
        await bus.publish(message(sent, data=b"x" * 1024))
        await taken.wait(sent + 1)

    async def test_a_subject_or_header_that_would_break_out_is_refused(self, bus: Bus) -> None:
        await bus.ensure(queue())
        for bad in ("", "work.small.*", "work.>", "work.a b", "work.a\r\nPUB x 0"):
            with pytest.raises(DataError):
                await bus.publish(Message(bad, b""))
        for headers in ({"a": "b\r\nc: d"}, {"a: b": "c"}, {"": "x"}, {"a\n": "x"}):
            with pytest.raises(DataError):
                await bus.publish(Message("work.small.n-A.1.1", b"", headers))

    async def test_a_message_that_is_too_long_is_refused_and_the_next_one_passes(self, bus: Bus) -> None:
        await bus.ensure(queue())
        long = message(1, data=b"x" * (MESSAGE_BYTES_MAX + 1))
        with pytest.raises(DataError, match="more than the bus takes"):
            await bus.publish(long)
        with pytest.raises(DataError, match="more than the bus takes"):
            await bus.notify(long)
        with pytest.raises(DataError, match="more than the bus takes"):
            await bus.request(long, timeout_s=1.0)
        taken = Taken(ack=True)
        await bus.consume(queue(), taken, window=1)
        await bus.notify(message(1, data=b"x" * (MESSAGE_BYTES_MAX - 4096)))
        await bus.publish(message(1))
        await taken.wait()

    async def test_ensure_may_be_called_by_many_at_once(self, connect: Connect) -> None:
        buses = [await connect() for _ in range(4)]
        await asyncio.gather(*(bus.ensure(queue()) for bus in buses for _ in range(3)))
        await buses[0].publish(message())

    async def test_consumers_of_one_stream_get_what_is_theirs(self, bus: Bus) -> None:
        def result_queue(node: str) -> Queue:
            return Queue(
                stream="SUITE_RESULT", subjects=("res.>",), consumer=node, filter=f"res.{node}.>", lease_s=30.0
            )

        of = {node: Taken(ack=True) for node in ("one", "two")}
        for node, taken in of.items():
            await bus.consume(result_queue(node), taken, window=4)
        for number in range(6):
            await bus.publish(Message(f"res.{'one' if number % 2 else 'two'}.r.{number}", b""))
        await of["one"].wait(3)
        await of["two"].wait(3)
        assert all(".one." in subject for subject in subjects(of["one"].all))

    # ---- the window

    async def test_the_window_is_never_exceeded_and_always_filled(self, bus: Bus) -> None:
        running, most, done = 0, 0, 0

        async def handler(delivery: Delivery) -> None:
            nonlocal running, most, done
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.002)
            running -= 1
            await delivery.ack()
            done += 1

        await bus.ensure(queue())
        for number in range(60):
            await bus.publish(message(number))
        await bus.consume(queue(), handler, window=5)
        await soon(lambda: done == 60)
        assert most == 5

    async def test_what_is_not_settled_fills_the_window_also_when_its_handler_has_returned(self, bus: Bus) -> None:
        taken = Taken()
        await bus.consume(queue(), taken, window=2)
        for number in range(6):
            await bus.publish(message(number))
        await taken.wait(2)
        await self._nothing_more_comes(taken, 2)
        await taken.all[0].ack()
        await taken.wait(3)
        await self._nothing_more_comes(taken, 3)

    async def test_takers_share_the_messages(self, connect: Connect) -> None:
        first, second = Taken(), Taken()
        buses = [await connect(), await connect()]
        await buses[0].consume(queue(), first, window=3)
        await buses[1].consume(queue(), second, window=3)
        for number in range(6):
            await buses[0].publish(message(number))
        await first.wait(3)
        await second.wait(3)
        assert len({*subjects(first.all), *subjects(second.all)}) == 6

    # ---- not done

    async def test_a_released_message_comes_again(self, bus: Bus) -> None:
        taken = Taken()
        await bus.consume(queue(), taken, window=4)
        await bus.publish(message())
        await (await taken.wait()).release()
        assert (await taken.wait(2)).deliveries == 2
        before = time.monotonic()
        await taken.all[1].release(0.3)
        assert (await taken.wait(3)).deliveries == 3
        assert time.monotonic() - before >= 0.25

    async def test_only_the_first_word_counts(self, bus: Bus) -> None:
        taken = Taken()
        await bus.consume(queue(), taken, window=4)
        await bus.publish(message())
        got = await taken.wait()
        await got.ack()
        await got.release()
        await got.reject("no")
        await got.working()
        await self._nothing_more_comes(taken, 1)
        assert await bus.dead_letters(queue()) == []

    async def test_a_handler_that_raises_releases_its_message(self, bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
        seen: list[int] = []

        async def handler(delivery: Delivery) -> None:
            seen.append(delivery.deliveries)
            if delivery.deliveries == 1:
                raise ValueError("as the test wants it")
            await delivery.ack()

        with caplog.at_level(logging.CRITICAL):
            await bus.consume(queue(), handler, window=4)
            await bus.publish(message())
            await soon(lambda: seen == [1, 2])

    async def test_what_nobody_settles_is_handed_out_again_after_the_lease(self, bus: Bus) -> None:
        taken = Taken()
        await bus.consume(queue(lease_s=LEASE_S), taken, window=1)
        await bus.publish(message())
        before = time.monotonic()
        again = await taken.wait(2)
        assert again.deliveries == 2
        assert time.monotonic() - before >= LEASE_S * 0.8
        await again.ack()

    async def test_who_says_that_he_works_keeps_it(self, bus: Bus) -> None:
        taken = Taken()
        await bus.consume(queue(lease_s=LEASE_S), taken, window=4)
        await bus.publish(message())
        got = await taken.wait()
        for _ in range(8):
            await asyncio.sleep(LEASE_S / 4)
            await got.working()
        assert len(taken.all) == 1
        await got.ack()

    async def test_a_late_ack_counts(self, bus: Bus) -> None:
        """As at JetStream: the fence is the attempt number in the journal, not the bus."""
        taken = Taken()
        await bus.consume(queue(lease_s=LEASE_S), taken, window=4)
        await bus.publish(message())
        await taken.wait(2)
        await taken.all[0].ack()
        await bus.publish(message())
        assert (await taken.wait(3)).deliveries == 1
        await taken.all[2].ack()

    # ---- dead letters

    async def test_a_rejected_message_is_a_dead_letter(self, bus: Bus) -> None:
        taken = Taken()
        await bus.consume(queue(), taken, window=4)
        await bus.publish(message())
        await (await taken.wait()).reject("no such\ntask: “x”")
        letter = await self._letter(bus, queue())
        assert (letter.subject, letter.reason, letter.deliveries) == (message().subject, "no such\ntask: “x”", 1)
        await bus.bury(letter)
        assert await bus.dead_letters(queue()) == []
        await bus.publish(message())
        await taken.wait(2)

    async def test_what_was_handed_out_too_often_is_a_dead_letter(self, bus: Bus) -> None:
        poor = queue(deliveries_max=2)
        taken = Taken()
        await bus.consume(poor, taken, window=4)
        await bus.publish(message())
        await (await taken.wait(1)).release()
        await (await taken.wait(2)).release()
        letter = await self._letter(bus, poor)
        assert (letter.subject, letter.deliveries) == (message().subject, 2)
        await bus.bury(letter)
        assert await bus.dead_letters(poor) == []
        await bus.publish(message())
        assert (await taken.wait(3)).deliveries == 1

    async def test_a_queue_without_a_limit_has_no_dead_letters(self, bus: Bus) -> None:
        patient = queue(deliveries_max=0)
        taken = Taken()
        await bus.consume(patient, taken, window=4)
        await bus.publish(message())
        for count in range(1, 15):
            await (await taken.wait(count)).release()
        assert (await taken.wait(15)).deliveries == 15
        assert await bus.dead_letters(patient) == []

    # ---- the end of a subscription

    async def test_a_closed_subscription_takes_nothing_and_keeps_what_it_has(self, connect: Connect) -> None:
        first, second = Taken(), Taken()
        buses = [await connect(), await connect()]
        closing = await buses[0].consume(queue(), first, window=2)
        for number in range(4):
            await buses[0].publish(message(number))
        await first.wait(2)
        await closing.close()
        await closing.close()
        await buses[1].consume(queue(), second, window=8)
        await second.wait(2)
        await self._nothing_more_comes(second, 2)
        assert not set(subjects(first.all)) & set(subjects(second.all))
        await first.all[0].ack()

    async def test_closing_the_bus_hands_back_what_handlers_hold(self, connect: Connect) -> None:
        first, second = await connect(), await connect()
        began = asyncio.Event()

        async def handler(delivery: Delivery) -> None:
            began.set()
            await asyncio.Event().wait()

        await first.consume(queue(), handler, window=1)
        await first.publish(message())
        await asyncio.wait_for(began.wait(), 10)
        await first.close()
        await first.close()
        taken = Taken()
        await second.consume(queue(), taken, window=1)
        assert (await taken.wait()).deliveries == 2

    # ---- helpers

    async def _nothing_more_comes(self, taken: Taken, count: int) -> None:
        """Something that must not happen has no event to wait for: it gets a moment in which it always would."""
        await asyncio.sleep(0.1)
        assert len(taken.all) == count

    async def _letter(self, bus: Bus, of: Queue) -> DeadLetter:
        deadline = time.monotonic() + 10
        while not (letters := await bus.dead_letters(of)):
            assert time.monotonic() < deadline, "there is no dead letter"
            await asyncio.sleep(0.01)
        assert len(letters) == 1
        return letters[0]
