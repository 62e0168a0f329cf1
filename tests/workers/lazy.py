"""Imported by a function of the sample, for the sandbox's tests."""

from __future__ import annotations


def used() -> bool:
    """Imports another one, and one that is not there."""
    try:
        import no_such_module  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]  # noqa: F401
    except ImportError:
        from . import lazier

        return lazier.HERE
    return False
