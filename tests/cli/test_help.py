"""The first thing that people see, and how fast."""

from __future__ import annotations

import subprocess
import sys
import time

import click
import pytest

from skerry.cli import COMMANDS, skerry
from skerry.cli.exits import CODES
from skerry.cli.group import Command
from tests.cli.conftest import Call

_HEAVY = (
    "aiosqlite",
    "asyncio",
    "lxml",
    "nats",
    "opentelemetry",
    "pypdf",
    "rich",
    "skerry.bus",
    "skerry.client",
    "sqlite3",
)


def test_the_list_has_sections_exit_codes_and_an_example(call: Call) -> None:
    told = call("--help")
    assert told.code == 0
    for section in {entry.section for entry in COMMANDS.values()}:
        assert f"{section}:" in told.out
    for code, meaning in CODES.items():
        assert f"{code} " in told.out
        assert meaning.split(",")[0] in told.out
    assert "skerry demo" in told.out


def test_without_a_command_it_is_the_list(call: Call) -> None:
    told = call()
    assert (told.code, told.out) == (2, "")
    assert told.err.rstrip() == call("--help").out.rstrip()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches_with_an_example(name: str, call: Call) -> None:
    told = call(name, "--help")
    assert told.code == 0
    assert f"Usage: skerry {name}" in told.out
    examples = told.out.partition("Examples:\n")[2].splitlines()
    assert any(f"skerry {name}" in line for line in examples)
    assert "--json" in told.out
    assert "--debug" in told.out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says(name: str) -> None:
    command = skerry.get_command(click.Context(skerry), name)
    assert isinstance(command, Command)
    assert command.name == name
    assert command.help
    for option in command.params:
        assert isinstance(option, click.Argument) or getattr(option, "help", None), f"{name} {option.name} has no help"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom skerry.cli import skerry\ntry:\n    skerry.main(['--help'])\nexcept SystemExit:\n    pass\n"
    )
    code += "print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert not [name for name in _HEAVY if name in loaded]


def test_help_is_quick() -> None:
    """Against what Python itself and the two libraries that the list needs take on this machine, now."""

    def fastest(*code: str) -> float:
        times: list[float] = []
        for _ in range(5):
            began = time.perf_counter()
            subprocess.run([sys.executable, *code], stdout=subprocess.DEVNULL, check=True)
            times.append(time.perf_counter() - began)
        return min(times)

    floor = fastest("-c", "import click, msgspec")
    assert fastest("-m", "skerry.cli", "--help") < 3 * floor


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rums",), "did you mean `skerry runs`?"),
        (("xyzzy",), "`skerry --help` lists the commands"),
        (("runs", "--limt", "3"), "skerry runs --help"),
        (("show",), "skerry show --help"),
        (("runs", "--status", "odd"), "skerry runs --help"),
    ],
    ids=["near", "far", "option", "argument", "choice"],
)
def test_what_is_not_understood_is_said_with_a_way_on(arguments: tuple[str, ...], said: str, call: Call) -> None:
    told = call(*arguments)
    assert told.code == 2
    assert told.out == ""
    error, hint = told.err.splitlines()
    assert error.startswith("error: ")
    assert hint == f"hint: {said}"


def test_version(call: Call) -> None:
    assert call("--version").out.startswith("skerry 0.")
