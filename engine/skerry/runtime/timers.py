"""Wakes runs when something is due: what is due next is asked of the journal, so waiting costs no memory."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from skerry.errors import NotFound, SkerryError

if TYPE_CHECKING:
    from skerry.runtime.engine import Engine

log = logging.getLogger("skerry.timers")

_LOOK_AGAIN_S = 30.0
"""The journal is looked at this often even when nothing seems due: a clock may have been set."""
_STUCK_S = 5.0
"""A run that could not be woken (its code is missing) is tried again after so long."""


class Timers:
    """One task that sleeps until the next time that is due."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._earlier = asyncio.Event()
        self._planned_us = 0
        self._held: dict[str, int] = {}
        """Runs that could not be woken, and when they are tried again."""
        engine.timer_set = self.set

    def set(self, wake_us: int) -> None:
        """Something new is due then."""
        if not self._planned_us or wake_us < self._planned_us:
            self._planned_us = wake_us
            self._earlier.set()

    async def run(self) -> None:
        """Wakes runs, for ever."""
        engine = self._engine
        if (behind_us := engine.journal.head.at_us - engine.clock.now_us()) > 1_000_000:
            log.warning("the clock is %.0f s behind the journal; timers are held until it is past", behind_us / 1e6)
        while True:
            try:
                await self._round()
            except Exception:
                log.exception("what is due could not be looked up; it is tried again")
                await engine.clock.sleep(_STUCK_S)

    async def _round(self) -> None:
        engine = self._engine
        now = engine.clock.now_us()
        horizon = now + int(_LOOK_AGAIN_S * 1e6)
        self._earlier.clear()
        self._planned_us = horizon
        due = await engine.journal.due(horizon, engine.limits.timers_at_once + len(self._held))
        if engine.stopping:
            due = []  # the engine that starts next wakes them
        ready = [run for wake, run in due if wake <= now and self._held.get(run, 0) <= now]
        if ready:
            await asyncio.gather(*(self._wake(run) for run in ready))
            return
        later = [max(wake, self._held.get(run, 0)) for wake, run in due]
        self._planned_us = min([*later, self._planned_us])
        await self._sleep(self._planned_us - engine.clock.now_us())

    async def _sleep(self, microseconds: int) -> None:
        engine = self._engine
        sleep = asyncio.ensure_future(engine.clock.sleep(max(0.0, microseconds / 1e6)))
        earlier = asyncio.ensure_future(self._earlier.wait())
        try:
            await asyncio.wait((sleep, earlier), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            earlier.cancel()

    async def _wake(self, name: str) -> None:
        engine = self._engine
        try:
            run = await engine.get(name)
            if run is not None:
                transition = engine.drive(run.tick, engine.now_us())
                await engine.advance(run, transition)
                if transition.events or transition.row is not None or run.row.wake_us > engine.now_us():
                    self._held.pop(name, None)
                    return
        except NotFound:
            pass
        except SkerryError as error:
            log.warning("run %s could not be woken: %s", name, error)
        except Exception:
            log.exception("run %s could not be woken", name)
        self._held[name] = engine.clock.now_us() + int(_STUCK_S * 1e6)
