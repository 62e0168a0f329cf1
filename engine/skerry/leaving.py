"""The signals that tell a process to leave in order, and what a process does whose terminal is gone."""

from __future__ import annotations

import os
import signal
import stat


def leave_on() -> tuple[signal.Signals, ...]:
    """SIGTERM, Ctrl-C, and that the terminal was closed, unless somebody wants us to outlive it (nohup)."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    return tuple(number for number in numbers if number is not signal.SIGHUP or not _outlives_its_terminal())


def _outlives_its_terminal() -> bool:
    return signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def let_go_of_terminal() -> None:
    """From now on, what this process says to its terminal goes nowhere: writing to one that is gone is an error."""
    nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    try:
        for fd in (0, 1, 2):
            if _is_terminal(fd):
                os.dup2(nowhere, fd)
    finally:
        os.close(nowhere)


def _is_terminal(fd: int) -> bool:
    # Not `isatty`: it says no where the terminal is gone.
    try:
        return stat.S_ISCHR(os.fstat(fd).st_mode)
    except OSError:  # it is closed
        return False
