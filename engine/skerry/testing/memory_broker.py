"""What the connections of a bus in memory share: streams, consumers, and whose turn it is."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from skerry.bus import headers
from skerry.core.wire import Queue
from skerry.errors import Busy, Unavailable
from skerry.ports import Clock, DeadLetter, Listener, Message


def matches(filter: str, subject: str) -> bool:
    """Whether a subject fits a filter (`*` is one token, `>` one or more at the end)."""
    wanted, there = filter.split("."), subject.split(".")
    for index, token in enumerate(wanted):
        if token == ">":
            return len(there) > index
        if index >= len(there) or token not in ("*", there[index]):
            return False
    return len(wanted) == len(there)


class Timer:
    """Something that happens later, unless it is cancelled."""

    def __init__(self, clock: Clock | None, delay_s: float, action: Callable[[], None]) -> None:
        self._handle: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        if clock is None:
            self._handle = asyncio.get_running_loop().call_later(delay_s, action)
        else:
            self._task = asyncio.create_task(self._sleep(clock, delay_s, action))

    async def _sleep(self, clock: Clock, delay_s: float, action: Callable[[], None]) -> None:
        await clock.sleep(delay_s)
        self._task = None
        action()

    def cancel(self) -> None:
        """It does not happen."""
        if self._handle is not None:
            self._handle.cancel()
        if self._task is not None:
            self._task.cancel()


class Taker(Protocol):
    """Somebody who consumes."""

    @property
    def room(self) -> bool:
        """Whether it takes one more."""
        ...

    def take(self, stored: Stored) -> None:
        """Here is one."""
        ...


@dataclass(eq=False)
class Stored:
    """A message in a stream. `lease` is the timer of the taker that has it."""

    seq: int
    message: Message
    deliveries: int = 0
    lease: Timer | None = None
    gone: bool = False


@dataclass(eq=False)
class Consumer:
    """A durable consumer: what is ready, who takes it in turn, what died."""

    queue: Queue
    ready: deque[Stored] = field(default_factory=lambda: deque[Stored]())
    takers: deque[Taker] = field(default_factory=lambda: deque[Taker]())
    letters: list[DeadLetter] = field(default_factory=lambda: list[DeadLetter]())


@dataclass(eq=False)
class _Stream:
    subjects: list[str]
    bytes_max: int
    by_subject: dict[str, Stored] = field(default_factory=lambda: dict[str, Stored]())
    consumers: dict[str, Consumer] = field(default_factory=lambda: dict[str, Consumer]())
    bytes: int = 0


class MemoryBroker:
    """What all connections share. `stream_bytes_max` is for streams that have to be made."""

    def __init__(self, *, clock: Clock | None = None, stream_bytes_max: int = 256 * 1024**2) -> None:
        self.clock = clock
        self.stream_bytes_max = stream_bytes_max
        self._streams: dict[str, _Stream] = {}
        self._seq = 0
        self.listening: list[tuple[str, Listener]] = []
        self.responding: list[tuple[str, Callable[[Message, asyncio.Future[bytes]], None]]] = []

    def ensure(self, queue: Queue) -> Consumer:
        """Makes stream and consumer; messages that wait already are handed out by it."""
        stream = self._streams.setdefault(queue.stream, _Stream([], self.stream_bytes_max))
        stream.subjects += [subject for subject in queue.subjects if subject not in stream.subjects]
        if queue.consumer not in stream.consumers:
            consumer = stream.consumers[queue.consumer] = Consumer(queue)
            waiting = (stored for subject, stored in stream.by_subject.items() if matches(queue.filter, subject))
            consumer.ready.extend(sorted(waiting, key=lambda stored: stored.seq))
        return stream.consumers[queue.consumer]

    def publish(self, message: Message) -> None:
        """Stores a message, unless its subject holds one."""
        for stream in self._streams.values():
            if any(matches(subject, message.subject) for subject in stream.subjects):
                break
        else:
            raise Unavailable(f"no stream takes {message.subject}", hint="`ensure` its queue first")
        if message.subject in stream.by_subject:
            return
        size = _size(message)
        if stream.bytes + size > stream.bytes_max:
            raise Busy(f"the stream of {message.subject} is full", hint="workers have to catch up first")
        self._seq += 1
        stored = stream.by_subject[message.subject] = Stored(self._seq, message)
        stream.bytes += size
        for consumer in stream.consumers.values():
            if matches(consumer.queue.filter, message.subject):
                consumer.ready.append(stored)
                self.hand_out(consumer)

    def hand_out(self, consumer: Consumer) -> None:
        """Gives what is ready to whoever has room, in turn."""
        while consumer.ready and any(taker.room for taker in consumer.takers):
            stored = consumer.ready.popleft()
            if stored.gone:
                continue
            queue = consumer.queue
            if queue.deliveries_max and stored.deliveries >= queue.deliveries_max:
                self._give_up(consumer, stored, f"handed out {stored.deliveries} times, never settled")
                continue
            while not consumer.takers[0].room:
                consumer.takers.rotate(-1)
            stored.deliveries += 1
            self.lease(consumer, stored)
            consumer.takers[0].take(stored)
            consumer.takers.rotate(-1)

    def lease(self, consumer: Consumer, stored: Stored) -> None:
        """The time of whoever has it begins (again)."""
        if stored.lease is not None:
            stored.lease.cancel()
        stored.lease = Timer(self.clock, consumer.queue.lease_s, lambda: self.back(consumer, stored))

    def back(self, consumer: Consumer, stored: Stored, delay_s: float = 0.0) -> None:
        """It waits for the next taker."""
        if stored.gone:
            return
        if stored.lease is not None:
            stored.lease.cancel()
            stored.lease = None
        if delay_s > 0:
            stored.lease = Timer(self.clock, delay_s, lambda: self.back(consumer, stored))
            return
        consumer.ready.appendleft(stored)
        self.hand_out(consumer)

    def remove(self, consumer: Consumer, stored: Stored) -> None:
        """It is done with; its subject is free."""
        if stored.lease is not None:
            stored.lease.cancel()
        if not stored.gone:
            stored.gone = True
            # Settled late after all: then it is no dead letter.
            consumer.letters = [each for each in consumer.letters if each.id != str(stored.seq)]
            stream = self._streams[consumer.queue.stream]
            del stream.by_subject[stored.message.subject]
            stream.bytes -= _size(stored.message)

    def reject(self, consumer: Consumer, stored: Stored, reason: str) -> None:
        """Removed, with a note."""
        if not stored.gone:
            self.remove(consumer, stored)
            self._note(consumer, stored, reason)

    def _give_up(self, consumer: Consumer, stored: Stored, reason: str) -> None:
        """As JetStream does: it stays in the stream, and nobody gets it."""
        self._note(consumer, stored, reason)

    def _note(self, consumer: Consumer, stored: Stored, reason: str) -> None:
        subject = stored.message.subject
        consumer.letters.append(DeadLetter(consumer.queue, str(stored.seq), subject, reason, stored.deliveries))

    def dead_letters(self, queue: Queue) -> list[DeadLetter]:
        """What nobody has buried, and nobody has settled late."""
        stream = self._streams.get(queue.stream)
        if stream is None or queue.consumer not in stream.consumers:
            return []
        return list(stream.consumers[queue.consumer].letters)

    def bury(self, letter: DeadLetter) -> None:
        """Removes letter and message."""
        stream = self._streams[letter.queue.stream]
        consumer = stream.consumers[letter.queue.consumer]
        consumer.letters = [each for each in consumer.letters if each.id != letter.id]
        stored = stream.by_subject.get(letter.subject)
        if stored is not None and str(stored.seq) == letter.id:
            self.remove(consumer, stored)

    def pass_on(self, message: Message) -> None:
        """To every listener, in a later turn of the loop."""
        for filter, listener in list(self.listening):
            if matches(filter, message.subject):
                asyncio.get_running_loop().call_soon(listener, message)


def _size(message: Message) -> int:
    return len(message.subject) + len(message.data) + len(headers.encode(message.headers))
