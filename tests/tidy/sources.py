"""The project's own files, read and parsed once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FOLDERS = (".ci", "benchmarks", "deploy", "docs", "engine", "tests", "training", "workers", "workflows")
_TEXT = frozenset(
    (".cfg", ".css", ".html", ".js", ".lock", ".md", ".py", ".pyi", ".sh", ".sql", ".svg", ".toml", ".yaml", ".yml")
)
_TEXT_NAMES = frozenset((".editorconfig", ".gitignore", "Dockerfile", "Makefile", "check", "run"))


@dataclass(frozen=True)
class Source:
    """One file; `path` is relative to the repository, with forward slashes."""

    path: str

    @cached_property
    def text(self) -> str:
        return (ROOT / self.path).read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=self.path)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree: walking is what costs, and most checks need it."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def functions(self) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...]:
        return tuple(node for node in self.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))

    @cached_property
    def calls(self) -> tuple[ast.Call, ...]:
        return tuple(node for node in self.nodes if isinstance(node, ast.Call))

    @cached_property
    def imported(self) -> dict[str, str]:
        """What each imported name stands for: `{"dt": "datetime", "now": "time.time"}`."""
        names: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for each in node.names:
                    top = each.name.partition(".")[0]
                    names[each.asname or top] = each.name if each.asname else top
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for each in node.names:
                    names[each.asname or each.name] = f"{node.module}.{each.name}"
        return names

    def dotted(self, node: ast.AST) -> str:
        """The full name of an imported thing (`datetime.datetime.now`), or nothing if it is not one."""
        if isinstance(node, ast.Name):
            return self.imported.get(node.id, "")
        if isinstance(node, ast.Attribute):
            owner = self.dotted(node.value)
            return f"{owner}.{node.attr}" if owner else ""
        return ""

    def within(self, *folders: str) -> bool:
        """Whether it lies in one of these folders."""
        return self.path.startswith(tuple(f"{folder}/" for folder in folders))


def _paths() -> Iterator[Path]:
    yield from (path for path in ROOT.iterdir() if path.is_file())
    for folder in _FOLDERS:
        yield from (path for path in (ROOT / folder).rglob("*") if path.is_file())


def _is_text(path: Path) -> bool:
    return "__pycache__" not in path.parts and (path.suffix in _TEXT or path.name in _TEXT_NAMES)


TEXTS = sorted((Source(p.relative_to(ROOT).as_posix()) for p in _paths() if _is_text(p)), key=lambda s: s.path)
PYTHON = [source for source in TEXTS if source.path.endswith(".py")]
