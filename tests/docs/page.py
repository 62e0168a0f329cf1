"""Runs the code of one Markdown page as a reader would: from top to bottom, in a fresh interpreter and an empty folder.

    python tests/docs/page.py docs/page.md

* `python` blocks run in order in one module, called `__main__`, so that a later one knows what an earlier one defined
* `python skip` blocks are only compiled
* `sh run` blocks run with the interpreter's own folder first on PATH; other `sh` blocks are for reading
"""

from __future__ import annotations
import __future__

import os
import subprocess
import sys
import types
from pathlib import Path

if __name__ == "__main__":  # as a script: the repository is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.markdown import Block, blocks


def run(file: Path) -> int:
    """Run the page's blocks and say how many ran; the first that fails ends it, with the page's own line numbers."""
    module = types.ModuleType("__main__")
    module.__file__ = str(file)
    sys.modules["__main__"] = module  # where the type hints of the page's classes are looked up
    flags = ran = 0
    for block in blocks(file.read_text(encoding="utf-8")):
        if block.language == "python":
            code = compile(_padded(block), str(file), "exec", flags=flags, dont_inherit=True)
            flags |= code.co_flags & __future__.annotations.compiler_flag
            if "skip" not in block.words:
                exec(code, module.__dict__)
                ran += 1
        elif block.language == "sh" and "run" in block.words:
            _shell(block)
            ran += 1
    return ran


def _padded(block: Block) -> str:
    """With as many empty lines before it as it has in the page: a traceback then names the page's line."""
    return "\n" * (block.line - 1) + block.text


def _shell(block: Block) -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text],
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"line {block.line}: the shell block ended with {done.returncode}")


if __name__ == "__main__":
    run(Path(sys.argv[1]).resolve())
