"""The version of this software, for whoever must not import the front door."""

from __future__ import annotations

__version__ = "0.1.0"
