"""Documents to try the invoice workflow on. All companies are invented; tests/invoice/make_demo.py draws them."""

from __future__ import annotations

from pathlib import Path


def documents() -> tuple[Path, ...]:
    """The bundled files in the order of their names, in which to publish them: a copy follows its original."""
    folder = Path(__file__).parent
    return tuple(sorted(path for path in folder.iterdir() if path.suffix in (".pdf", ".txt", ".xml")))
