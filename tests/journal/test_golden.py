"""Every version that was ever released is read for ever (J7). The files under golden/ are never edited."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from skerry.core.events import VERSION
from skerry.journal import JournalReader, export, verify
from skerry.ports import Append
from skerry.testing.conformance.journal import step
from tests.journal.files import opened

GOLDEN = sorted((Path(__file__).parent / "golden").glob("v*"))


def test_there_is_one_for_this_version() -> None:
    assert f"v{VERSION}" in {folder.name for folder in GOLDEN}, "python -m tests.journal.make_golden"


@pytest.fixture(params=GOLDEN, ids=lambda folder: folder.name)
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, bytes]:
    """A copy of a golden journal's folder, and what its export was when it was made."""
    folder: Path = request.param
    shutil.copy(folder / "journal.db", tmp_path)
    return tmp_path, (folder / "journal.jsonl").read_bytes()


async def test_j7_a_golden_journal_is_read_as_it_was_written(golden: tuple[Path, bytes]) -> None:
    data, written = golden
    async with opened(data, node="") as journal:  # brings its tables up to date
        pass
    report = verify(data)
    assert report.ok, report
    async with await JournalReader.open(data) as reader:
        assert b"".join([line async for line in export(reader)]) == written
        for row in await reader.rows():
            assert [each.header.n for each in await reader.events(row.run)]
    lines = [msgspec.json.decode(line) for line in written.splitlines()]
    assert (journal.head.seq, journal.head.hash.hex()) == (lines[0]["seq"], lines[0]["hash"])


async def test_j7_a_golden_journal_can_be_gone_on_with(golden: tuple[Path, bytes]) -> None:
    data, _ = golden
    async with opened(data, node="") as journal:
        run, n = "golden-2", len(await journal.events("golden-2"))
        await journal.append(Append(run, n + 1, journal.head.at_us, [step(9)]))
        assert (await journal.events(run))[-1].event == step(9)
        assert [row.run async for row, _ in journal.unfinished()] == ["golden-2"]
    assert verify(data).ok
