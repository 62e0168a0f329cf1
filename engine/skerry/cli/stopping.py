"""SIGTERM, Ctrl-C and SIGHUP, for commands that run a node: stop in order, and never half-way through starting."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

from skerry.leaving import leave_on, let_go_of_terminal


class Stopping:
    """Listens to the signals from the moment it is made, inside the event loop.

    Starting is not interrupted (a journal that is being opened would be left half open); what was asked meanwhile is
    done when `ready` is called. The second signal ends the process at once: the journal is made for that. But SIGHUP
    never does: when a terminal is closed, the system and the shell both send one.
    """

    def __init__(self, heard: Callable[[signal.Signals], object] = lambda number: None) -> None:
        """`heard` is called with the first signal."""
        self.told = asyncio.Event()
        self._heard = heard
        self._act: Callable[[], object] | None = None
        for number in leave_on():
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal, number)

    def ready(self, act: Callable[[], object]) -> None:
        """From now on `act` is called when a signal comes; at once if one has come."""
        self._act = act
        if self.told.is_set():
            act()

    def _on_signal(self, number: signal.Signals) -> None:
        if number is signal.SIGHUP:
            let_go_of_terminal()
        if self.told.is_set():
            if number is not signal.SIGHUP:
                os._exit(128 + number)
            return
        self.told.set()
        self._heard(number)
        if self._act is not None:
            self._act()
