"""How commands are found, helped and ended: lazy imports, examples, errors with hints, exit codes."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

import click

import skerry
from skerry.cli.exits import CODES, USAGE, Stop, code_of
from skerry.cli.out import Out
from skerry.errors import SkerryError

_COMMON = "Common options"


class Entry(NamedTuple):
    """A command in the list: its section, and its help in one line."""

    section: str
    help: str


class Command(click.Command):
    """A command whose help ends with examples, and lists the options that all commands have apart."""

    def __init__(self, *args: Any, examples: str = "", common: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = [line.strip() for line in examples.strip().splitlines()]
        self.common = frozenset(common)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Its own options first."""
        own: list[tuple[str, str]] = []
        common: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                (common if parameter.name in self.common or parameter.name == "help" else own).append(record)
        for title, records in (("Options", own), (_COMMON, common)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records, col_max=28)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, as they are."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


class Skerry(click.Group):
    """The commands. Importing one waits until it is used, so that `skerry --help` answers at once."""

    def __init__(self, name: str, entries: Mapping[str, Entry]) -> None:
        super().__init__(
            name,
            help="Durable, event-driven agent workflows on a message bus. Begin with `skerry demo`.",
            params=[
                click.Option(
                    ["--version"],
                    is_flag=True,
                    expose_value=False,
                    is_eager=True,
                    callback=_say_version,
                    help="Show the version.",
                )
            ],
            context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        )
        self._entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the list."""
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports it. None when there is no such command."""
        if cmd_name not in self._entries:
            return None
        module = importlib.import_module(f"skerry.cli.commands.{cmd_name.replace('-', '_').replace(' ', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds commands of two words first (`hub init`); says what was probably meant when there is no such one."""
        if " ".join(args[:2]) in self._entries:
            args = [" ".join(args[:2]), *args[2:]]
        if args and args[0] not in self._entries and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], self._entries, n=1)
            meant = f"did you mean `skerry {close[0]}`?" if close else "`skerry --help` lists the commands"
            raise Stop(f"there is no command {args[0]}", hint=meant, code=2)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """By section, without importing any."""
        width = max(map(len, self._entries))
        for section in dict.fromkeys(entry.section for entry in self._entries.values()):
            with formatter.section(section):
                rows = [(name.ljust(width), e.help) for name, e in self._entries.items() if e.section == section]
                formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Exit codes, and where to go from here."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in CODES.items()])
        with formatter.section("Examples"):
            for line in ("skerry demo", "skerry up", "skerry publish invoice.received --file invoice.pdf"):
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")

    # That who reads our output has seen enough (`skerry runs | head`) is no error here; for click it is one.

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Understands the options; `--help` writes already now."""
        try:
            return super().make_context(*args, **kwargs)
        except BrokenPipeError:
            _write_no_more()
            raise click.exceptions.Exit(0) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _write_no_more()
            return 0
        return result

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Runs a command; whatever goes wrong becomes a message for people and an exit code."""
        given = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        try:
            code = super().main(given, prog_name or "skerry", **extra)
        except BaseException as error:  # the end of the line: from here there is only the exit code
            sys.exit(_told(error, debug="--debug" in given))
        sys.exit(code if isinstance(code, int) else 0)


def _write_no_more() -> None:
    """Python would complain when it closes a stream that cannot be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _told(error: BaseException, *, debug: bool) -> int:
    """Says on stderr what went wrong; returns the exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        Out(json=False).note(error.ctx.get_help())
        return USAGE
    if debug:
        import traceback

        traceback.print_exception(error)
    code, message, hint = code_of(error)
    if debug and isinstance(error, SkerryError):
        hint = ""  # the traceback has ended with it
    if message:
        Out(json=False).error(message, hint)
    return code


def _say_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        Out(json=False).line(f"skerry {skerry.__version__}")
        ctx.exit()
