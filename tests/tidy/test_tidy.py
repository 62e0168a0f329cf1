"""House rules that no linter knows, checked file by file.

A rule is a function from a source to objections. To break one knowingly, add `(rule, path): reason` to EXCEPTIONS; the
list may only shrink: an exception that is no longer needed fails as well.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.tidy.sources import PYTHON, ROOT, TEXTS, Source

EXCEPTIONS: dict[tuple[str, str], str] = {}

_FILE_LINES_MAX = 600
_FUNCTION_LINES_MAX = 70

_CLOCKS_AND_DICE = re.compile(
    r"time\.\w+|datetime\.datetime\.(now|utcnow|today)|datetime\.date\.today|random\..+|secrets\..+|uuid\.uuid[14]"
    r"|os\.(urandom|getrandom)"
)
# Written so that they do not find themselves.
_UNFINISHED = re.compile(r"\b(FIX[M]E|TO[D]O)\b")
_MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|opt/wheels|opt/pypi)(?:/|\b)")
_REGISTRY_HOST = re.compile(
    r"\b(?:pypi\.(?:org|python)|pythonhosted\.[o]rg|registry\.npm|npmjs\.(?:com|[o]rg)|deb\.debian|(?:static\.)?crates\.io"
    r"|proxy\.golang|registry\.yarn)",
    re.IGNORECASE,
)


def lines(source: Source) -> Iterator[str]:
    """A file is read in one go."""
    count = source.text.count("\n")
    if count > _FILE_LINES_MAX:
        yield f"{count} lines, at most {_FILE_LINES_MAX}: it holds more than one idea"


def functions(source: Source) -> Iterator[str]:
    """A function fits on a screen."""
    for function in source.functions:
        count = (function.end_lineno or function.lineno) - function.lineno + 1
        if count > _FUNCTION_LINES_MAX:
            yield f"line {function.lineno}: {function.name} has {count} lines, at most {_FUNCTION_LINES_MAX}"


def module_docstring(source: Source) -> Iterator[str]:
    """Every module says what it is for."""
    if source.tree.body and not ast.get_docstring(source.tree):
        yield "has no module docstring"


def public_docstrings(source: Source) -> Iterator[str]:
    """Every public function and class of the engine says what it does; a module `_x` and overloads need not."""
    if not source.within("engine") or any(part.startswith("_") and part[1] != "_" for part in source.path.split("/")):
        return
    for node in source.tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        overload = any(source.dotted(each) == "typing.overload" for each in node.decorator_list)
        if not overload and not ast.get_docstring(node):
            yield f"line {node.lineno}: {node.name} has no docstring"


def no_print(source: Source) -> Iterator[str]:
    """Only the command line (and a benchmark) talks to people."""
    if source.within("engine/skerry/cli", "benchmarks"):
        return
    for call in source.calls:
        if isinstance(call.func, ast.Name) and call.func.id == "print":
            yield f"line {call.lineno}: print"


def no_bare_except(source: Source) -> Iterator[str]:
    """What is caught has a name."""
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield f"line {node.lineno}: `except:` without a type"


def no_clock_no_dice(source: Source) -> Iterator[str]:
    """In core and runtime time comes through the Clock port and chance from the journal, or a replay would differ."""
    if not source.within("engine/skerry/core", "engine/skerry/runtime"):
        return
    for node in source.nodes:
        name = source.dotted(node) if isinstance(node, ast.Attribute | ast.Name) else ""
        if _CLOCKS_AND_DICE.fullmatch(name):
            yield f"line {getattr(node, 'lineno', 0)}: {name}: only adapters may ask the clock or roll dice"


def core_imports(source: Source) -> Iterator[str]:
    """Core needs msgspec and nothing else that must be installed; import-linter forbids the impure rest by name."""
    if not source.within("engine/skerry/core"):
        return
    for name in source.imported.values():
        top = name.partition(".")[0]
        if top not in {"skerry", "msgspec"} and top not in sys.stdlib_module_names:
            yield f"imports {name}"


def no_sleep(source: Source) -> Iterator[str]:
    """A test waits for a condition, not for a while."""
    if source.within("tests"):
        for call in source.calls:
            if source.dotted(call.func) == "time.sleep":
                yield f"line {call.lineno}: time.sleep; use wait_until of tests.support"


def helpers_used(source: Source) -> Iterator[str]:
    """A test that is called `check_x` by mistake would never run."""
    if not source.within("tests") or not source.path.rpartition("/")[2].startswith("test_"):
        return
    used = {node.id for node in source.nodes if isinstance(node, ast.Name)}
    for node in source.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            idle = not node.name.startswith(("test_", "pytest_")) and not node.decorator_list
            if idle and node.name not in used:
                yield f"line {node.lineno}: {node.name} is neither a test nor used"


def _matches(pattern: re.Pattern[str], source: Source, why: str) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        if found := pattern.search(line):
            yield f"line {number}: {found.group()}: {why}"


def finished(source: Source) -> Iterator[str]:
    """What is left to do is an issue, not a comment."""
    return _matches(_UNFINISHED, source, "do it, or file an issue")


def no_machine_paths(source: Source) -> Iterator[str]:
    """The project works wherever it lies."""
    return _matches(_MACHINE_PATH, source, "a path of one machine")


def no_registry_hosts(source: Source) -> Iterator[str]:
    """Where packages come from is the installing machine's business."""
    return _matches(_REGISTRY_HOST, source, "a package registry's address")


def ends_well(source: Source) -> Iterator[str]:
    """A text file ends with one line end, and has no carriage returns and no blanks at the end of a line."""
    text = source.text
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        yield "does not end with exactly one line end"
    if "\r" in text:
        yield "has carriage returns"
    for number, line in enumerate(text.splitlines(), start=1):
        if line != line.rstrip():
            yield f"line {number}: blanks at its end"


Rule = Callable[[Source], Iterator[str]]

FOR_PYTHON: list[Rule] = [
    functions,
    module_docstring,
    public_docstrings,
    no_print,
    no_bare_except,
    no_clock_no_dice,
    core_imports,
    no_sleep,
    helpers_used,
]
FOR_TEXT: list[Rule] = [finished, no_machine_paths, no_registry_hosts, ends_well]

CASES = [
    *((lines, source) for source in PYTHON),
    *((rule, source) for rule in FOR_PYTHON for source in PYTHON),
    *((rule, source) for rule in FOR_TEXT for source in TEXTS),
]


@pytest.mark.parametrize(
    ("rule", "source"), [pytest.param(*case, id=f"{case[0].__name__}-{case[1].path}") for case in CASES]
)
def test_house_rule(rule: Rule, source: Source) -> None:
    objections = list(rule(source))
    if (rule.__name__, source.path) in EXCEPTIONS:
        assert objections, "this exception is no longer needed: remove it from EXCEPTIONS"
    else:
        assert not objections, "\n".join([f"{source.path}: {rule.__doc__}", *objections])


def test_every_exception_is_about_something() -> None:
    known = {(rule.__name__, source.path) for rule, source in CASES}
    assert set(EXCEPTIONS) <= known, "no such rule or file: remove it from EXCEPTIONS"


WRONG: dict[Rule, str] = {
    functions: "def f():\n" + "    pass\n" * 70,
    lines: "\n" * 601,
    module_docstring: "x = 1\n",
    public_docstrings: "class Run:\n    pass\n",
    no_print: "print(1)\n",
    no_bare_except: "try:\n    pass\nexcept:\n    pass\n",
    no_clock_no_dice: "import datetime as d\nd.datetime.now()\n",
    core_imports: "import rich\n",
    no_sleep: "from time import sleep\nsleep(1)\n",
    helpers_used: "def check_it():\n    pass\n",
    finished: "# TO" + "DO\n",
    no_machine_paths: 'x = "/' + 'work/x"\n',
    no_registry_hosts: "py" + "pi.org\n",
    ends_well: "x = 1 \n",
}


@pytest.mark.parametrize("rule", [lines, *FOR_PYTHON, *FOR_TEXT], ids=lambda rule: rule.__name__)
def test_a_rule_can_object(rule: Rule) -> None:
    path = "tests/test_x.py" if rule in (no_sleep, helpers_used) else "engine/skerry/core/x.py"
    wrong = Source(path)
    wrong.__dict__["text"] = WRONG[rule]
    assert list(rule(wrong)), f"{rule.__name__} accepts what it is there to refuse"


def test_the_project_was_found() -> None:
    assert (ROOT / "pyproject.toml").is_file()
    assert {"engine/skerry/__init__.py", "tests/tidy/test_tidy.py"} <= {source.path for source in PYTHON}
