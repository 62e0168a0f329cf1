"""Imported by a function of a module that is imported by a function."""

from __future__ import annotations

HERE = True
