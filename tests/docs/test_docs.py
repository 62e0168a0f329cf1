"""What the pages show is run, so that they cannot lie. tests/docs/page.py says which blocks, and how."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.markdown import blocks, command

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def run_page(page: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "tests" / "docs" / "page.py"), str(page)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_runs(page: Path, tmp_path: Path) -> None:
    done = run_page(page, tmp_path)
    assert done.returncode == 0, f"{page.relative_to(ROOT)}\n{done.stdout}{done.stderr}"


def test_blocks_of_a_page_share_a_namespace_and_a_folder(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```python\nfrom __future__ import annotations\nimport typing\nx = 1\n```\n"
        "```sh run\npython -c 'import msgspec' && echo 2 > two\n```\n"
        "```python\nclass A:\n    y: Later\nLater = int\nassert typing.get_type_hints(A) == {'y': int}\n```\n"
        "~~~python skip\nraise SystemExit(1)\n~~~\n"
        "```sh\nexit 3\n```\n"
        "```python\nfrom pathlib import Path\nPath('one').write_text(f'{x} {Path(\"two\").read_text()}')\n```\n"
    )
    done = run_page(page, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "one").read_text() == "1 2\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# x\n\n```python\nx = 1\nassert x == 2\n```\n", "line 5"),
        ("```python skip\nx = = 1\n```\n", "SyntaxError"),
        ("```sh run\ntrue\nfalse\ntrue\n```\n", "line 2: the shell block ended with 1"),
        ("```python\nx = 1\n", "line 1: this fence is never closed"),
    ],
    ids=["python", "skipped", "shell", "open"],
)
def test_a_page_that_lies_fails(text: str, message: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    done = run_page(page, tmp_path)
    assert done.returncode != 0
    assert message in done.stderr


def test_the_two_commands_can_be_found() -> None:
    """`.ci/run` runs them from the page."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert command(readme, "Two commands", 1).rstrip().endswith("skerry demo")
    assert command(readme, "Two commands", 2).rstrip().endswith("-m pytest")
    with pytest.raises(ValueError, match="has 2 sh blocks"):
        command(readme, "Two commands", 3)


def test_blocks_know_their_place() -> None:
    markdown = "# A\n\n## B #\n  ```sh run\n  x\n   y\n  ```\n````\n```\n````\n"
    first, second = blocks(markdown)
    assert (first.words, first.section, first.text, first.line) == (("sh", "run"), "B", "x\n y\n", 5)
    assert (second.words, second.language, second.text, second.line) == ((), "", "```\n", 9)
