"""Where the development data are, for tests that are skipped without them."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "emails"
needs_data = pytest.mark.skipif(not FOLDER.is_dir(), reason="the development data are not there")
