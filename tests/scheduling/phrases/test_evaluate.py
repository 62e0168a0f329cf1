"""The scorer's rows, where the folder is there: what must not get worse, and what was wrong and sure."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from skerry.errors import DataError
from skerry_workflows.scheduling.phrases.evaluate import predict

_ROWS = (
    '{"id": "a", "text": "at 3pm on 2027-02-01", "reference": "2027-01-01T00:00:00", "lang": "en"}\n'
    '{"id": "b", "text": "nothing", "reference": "2027-01-01T00:00:00", "lang": "en"}\n'
)


def test_a_row_is_told_in_its_files_shape(tmp_path: Path) -> None:
    (tmp_path / "recognizers_en.jsonl").write_text(_ROWS)
    seen: list[tuple[int, int]] = []
    predictions, failures = predict(tmp_path, lambda done, of: seen.append((done, of)))
    assert predictions == {"a": [{"text": "at 3pm on 2027-02-01", "value": "2027-02-01 15:00:00"}], "b": []}
    assert (failures, seen) == ([], [(1, 2), (2, 2)])


def test_a_folder_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no time expressions"):
        predict(tmp_path)
    (tmp_path / "duckling_en.jsonl").write_text("not json\n")
    with pytest.raises(DataError, match="no time expression"):
        predict(tmp_path)


def test_every_row_is_predicted(data_dir: Path) -> None:
    folder = data_dir / "timex"
    predictions, failures = predict(folder)
    ids = [
        msgspec.json.decode(line)["id"] for file in folder.glob("*.jsonl") for line in file.read_bytes().splitlines()
    ]
    assert failures == []
    assert set(predictions) == set(ids)
    assert not any(value for case, value in predictions.items() if case.startswith("dkn-"))
