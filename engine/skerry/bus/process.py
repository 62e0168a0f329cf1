"""Starting a program that dies with us and holds our lock."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

logger = logging.getLogger("skerry.bus.server")

# Runs in the child, and then becomes the program: exec keeps process id, descriptors and the death signal. It is a
# program of its own, not a `preexec_fn`, because that would run Python between fork and exec, which may deadlock where
# there are threads (the journal has one). 1 is PR_SET_PDEATHSIG; the parent may have died before it was set.
_LAUNCHER = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


async def spawn(
    command: list[str], *, cwd: Path, env: Mapping[str, str], pass_fds: tuple[int, ...]
) -> asyncio.subprocess.Process:
    """Starts `command` in a session of its own (a ctrl-C at the terminal is for us), its output in one pipe.

    On Linux it gets SIGTERM when our main thread ends. Elsewhere it may outlive us; the store's lock then keeps a
    second one away until it is gone.
    """
    if sys.platform == "linux":
        if threading.current_thread() is threading.main_thread():
            command = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *command]
        else:
            # The death signal fires when the *thread* that started the child ends, whenever that is.
            logger.warning("nats-server is started from a thread: it will not be stopped if this process is killed")
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=cwd,
        env=dict(env),
        pass_fds=pass_fds,
        start_new_session=True,
    )


async def stop(process: asyncio.subprocess.Process, grace_s: float) -> None:
    """SIGTERM, and SIGKILL when it is still there after `grace_s`. Returns when it is gone."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), grace_s)
    except TimeoutError:
        logger.warning("nats-server did not stop within %g s: it is killed", grace_s)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
