"""`python -m skerry.cli`: the console script without its wrapper."""

from __future__ import annotations

from skerry.cli import main

main()
