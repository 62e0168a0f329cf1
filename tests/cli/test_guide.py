"""docs/guides/cli.md says what the commands say."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import pytest

from skerry.cli import COMMANDS, skerry
from skerry.cli.group import Command
from skerry.cli.guide import page

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "cli.md"


def test_the_guide_is_what_the_commands_say() -> None:
    assert GUIDE.read_text(encoding="utf-8") == page().rstrip() + "\n", f"run: python -m skerry.cli.guide {GUIDE}"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_is_understood(name: str) -> None:
    """Its words are parsed as the command would parse them; nothing is run."""
    command = skerry.get_command(click.Context(skerry), name)
    assert isinstance(command, Command)
    for example in command.examples:
        words = shlex.split(example.partition(" | ")[0])
        while "=" in words[0]:
            words.pop(0)
        named = ["skerry", *name.split()]
        assert words[: len(named)] == named, example
        command.make_context(f"skerry {name}", words[len(named) :], resilient_parsing=False)
