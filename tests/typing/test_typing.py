"""The types are part of the promise: right code passes mypy and pyright, wrong code does not.

Needs the dev extra; `make check` runs it, a bare `pytest` does not (see `norecursedirs` in pyproject.toml).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.typing.checkers import CHECKERS, ROOT, Checker, objections

checkers = pytest.mark.parametrize("checker", CHECKERS, ids=lambda checker: checker.__name__)

RIGHT = """\
from __future__ import annotations

from typing import assert_type

from skerry.errors import NotFound

assert_type(NotFound("x").hint, str)
"""


@checkers
@pytest.mark.parametrize("sample", ["ok.py", "bad.py"])
def test_sample(checker: Checker, sample: str, tmp_path: Path) -> None:
    file = ROOT / "tests" / "typing" / sample
    if not file.exists():
        pytest.skip(f"tests/typing/{sample} is not written yet")
    found = objections(checker, file, tmp_path)
    assert not found, "\n".join(found)


def test_the_bad_sample_is_bad() -> None:
    file = ROOT / "tests" / "typing" / "bad.py"
    if not file.exists():
        pytest.skip("tests/typing/bad.py is not written yet")
    assert "# error" in file.read_text(encoding="utf-8")


@checkers
def test_right_code_passes(checker: Checker, tmp_path: Path) -> None:
    file = tmp_path / "sample.py"
    file.write_text(RIGHT, encoding="utf-8")
    assert objections(checker, file, tmp_path) == []


@checkers
def test_an_error_without_a_mark_is_found(checker: Checker, tmp_path: Path) -> None:
    file = tmp_path / "sample.py"
    file.write_text(RIGHT.replace(", str)", ", bytes)"), encoding="utf-8")
    assert [each.partition(":")[0] for each in objections(checker, file, tmp_path)] == ["line 7"]


@checkers
def test_a_mark_without_an_error_is_found(checker: Checker, tmp_path: Path) -> None:
    file = tmp_path / "sample.py"
    file.write_text(RIGHT + "length: int = 1  # error\nname: str = 1  # error\n", encoding="utf-8")
    assert [each.partition(":")[0] for each in objections(checker, file, tmp_path)] == ["line 8"]


@checkers
def test_a_mark_may_be_for_one_checker(checker: Checker, tmp_path: Path) -> None:
    file = tmp_path / "sample.py"
    file.write_text(f"name: str = 1  # error: {checker.__name__}\n", encoding="utf-8")
    assert objections(checker, file, tmp_path) == []
    other = "pyright" if checker.__name__ == "mypy" else "mypy"
    file.write_text(f"name: str = 1  # error: {other}\n", encoding="utf-8")
    assert len(objections(checker, file, tmp_path)) == 1
