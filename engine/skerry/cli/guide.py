"""Writes the page about the command line from the commands themselves: `python -m skerry.cli.guide FILE`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from skerry.cli import COMMANDS, skerry
from skerry.cli.exits import CODES
from skerry.cli.group import Command

_INTRO = """\
# The command line

<!-- Written by `python -m skerry.cli.guide docs/guides/cli.md`. Change the commands, not this page. -->

`skerry COMMAND --help` says the same as this page. People get tables, and colours where the terminal has them
(`NO_COLOR=1` turns them off); what is piped is plain text, one row a line. With `--json` a command writes JSON and
nothing else to stdout: one document for one thing, one line for each of several. Progress, notes and errors go to
stderr. An error is a line `error: ...`, and where something can be done about it, a line `hint: ...`.

Where a RUN is asked for: its id, six or more characters of its beginning or end (tables show the last eight), or
`latest`, which is the newest run that no other run has started.

Commands that look (`runs`, `show`, `verify`, `replay`, `export`, `ledger`) read the data folder, whether or not an
engine runs there. Commands that change something ask the running engine; where none runs, they open the journal
themselves, under its lock, and what follows goes on when an engine starts.
"""


def page() -> str:
    """The page, in Markdown."""
    return "\n".join([_INTRO, *_codes(), *_common(), *_sections()])


def _codes() -> Iterator[str]:
    yield "## Exit codes\n"
    yield from _table(("code", "meaning"), [(str(code), meaning) for code, meaning in CODES.items()])


def _common() -> Iterator[str]:
    yield "## Common options\n"
    yield "Most commands take these; `--help` says which.\n"
    names: dict[str, tuple[str, str]] = {}
    for command in _commands():
        for option in command.params:
            if isinstance(option, click.Option) and option.name in command.common:
                names.setdefault(option.name, _option(command, option))
    yield from _table(("option", ""), list(names.values()))


def _sections() -> Iterator[str]:
    section = ""
    for command in _commands():
        entry = COMMANDS[str(command.name)]
        if entry.section != section:
            section = entry.section
            yield f"## {section}\n"
        context = click.Context(command, info_name=f"skerry {command.name}")
        yield f"### {command.name}\n"
        yield f"`{' '.join([context.command_path, *command.collect_usage_pieces(context)])}`\n"
        for paragraph in (command.help or "").split("\n\n"):
            yield " ".join(paragraph.split()) + "\n"
        options = [
            _option(command, option)
            for option in command.params
            if isinstance(option, click.Option) and option.name not in command.common
        ]
        if options:
            yield from _table(("option", ""), options)
        yield "```sh\n" + "\n".join(command.examples) + "\n```\n"


def _option(command: Command, option: click.Option) -> tuple[str, str]:
    record = option.get_help_record(click.Context(command))
    assert record is not None, "every option has a help text"
    return f"`{record[0]}`", record[1]


def _table(head: tuple[str, str], rows: list[tuple[str, str]]) -> Iterator[str]:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    # A bar would end the cell, in code too.
    lines += [f"| {left.replace('|', chr(92) + '|')} | {right.replace('|', chr(92) + '|')} |" for left, right in rows]
    yield "\n".join(lines) + "\n"


def _commands() -> Iterator[Command]:
    context = click.Context(skerry)
    for name in COMMANDS:
        command = skerry.get_command(context, name)
        assert isinstance(command, Command), f"{name} is made with node_command"
        yield command


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page().rstrip() + "\n", encoding="utf-8")
