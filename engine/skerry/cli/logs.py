"""How the log of a service looks: lines on stderr, as a worker writes them too."""

from __future__ import annotations

import logging
import sys


def configure(level: str) -> None:
    """Sends this process's log to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
