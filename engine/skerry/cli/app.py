"""What every command gets: the settings, and where its words go. `node_command` makes a command of a function."""

from __future__ import annotations

import asyncio
import functools
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from skerry.cli.group import Command
from skerry.cli.out import Out

if TYPE_CHECKING:
    from skerry.config import Config

T = TypeVar("T")

_OPTIONS: dict[str, click.Option] = {
    "data": click.Option(
        ["--data", "--data-dir", "data"],
        type=click.Path(path_type=Path, file_okay=False),
        help="Data folder (./skerry-data, $SKERRY_DATA).",
    ),
    # Where `--data` is the data of an event.
    "data_dir": click.Option(
        ["--data-dir", "data"],
        type=click.Path(path_type=Path, file_okay=False),
        help="Data folder (./skerry-data, $SKERRY_DATA).",
    ),
    "nats": click.Option(["--nats"], metavar="URL", help="NATS server to use, instead of one of our own."),
    "node": click.Option(["--node"], metavar="NAME", help="The node's name, where there is no data folder."),
    "modules": click.Option(
        ["-m", "--module", "modules"], multiple=True, metavar="NAME", help="Module with workflows; may be repeated."
    ),
    "http_port": click.Option(
        ["--http-port"],
        type=click.IntRange(0, 65535),
        help="Where it answers /livez, /readyz, /startupz, /metrics; 0: nowhere.",
    ),
    "config_file": click.Option(
        ["--config", "config_file"],
        type=click.Path(path_type=Path, dir_okay=False),
        help="Settings (./skerry.toml, $SKERRY_CONFIG).",
    ),
    "hub": click.Option(
        ["--hub"],
        type=click.Path(path_type=Path, file_okay=False),
        help="Through the hub with this folder: it waits there until the node can be reached.",
    ),
    "valid": click.Option(["--valid"], metavar="AGE", help="How long it may wait at the hub: 7d (unless given), 12h."),
    "json": click.Option(["--json"], is_flag=True, help="Write JSON, for programs."),
    "debug": click.Option(["--debug"], is_flag=True, help="Show tracebacks."),
}
NODE = ("data", "nats", "node", "config_file", "json", "debug")
WITH_MODULES = ("data", "nats", "node", "modules", "config_file", "json", "debug")
SERVING = ("data", "nats", "node", "modules", "http_port", "config_file", "json", "debug")
SENDING = ("data_dir", "nats", "node", "modules", "config_file", "json", "debug")
SPEAKING = (*WITH_MODULES, "hub", "valid")
MODULES = ("modules", "config_file", "json", "debug")
PLAIN = ("json", "debug")
_SOME = ("http_port", "hub", "valid")
"""Settings that so few commands have an option for that these are shown as their own."""


class App:
    """The settings (read when they are first asked for) and the output of one call of a command."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._given = given
        self.out = Out(json=bool(given.get("json")))

    @functools.cached_property
    def config(self) -> Config:
        """Raises `DataError` for settings that are not understood."""
        from skerry.config import load

        # A workflow's module usually lies where one works.
        if os.getcwd() not in sys.path and "" not in sys.path:
            sys.path.insert(0, os.getcwd())
        given = self._given
        options = {
            "data": given.get("data"),
            "node": given.get("node"),
            "http_port": given.get("http_port"),
            "modules": list(given.get("modules") or ()) or None,
            "nats": {"url": given.get("nats")},
        }
        return load(given.get("config_file"), options=options)

    def given(self, option: str) -> Any:
        """A common option as it was given; None when it was not."""
        return self._given.get(option)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine to its end."""
        return asyncio.run(work)


def node_command(name: str, *, examples: str, options: Sequence[str] = NODE) -> Callable[[Callable[..., Any]], Command]:
    """Makes a command of a function: its docstring is the help, its first argument the `App`.

    Its other parameters come from click's decorators, as always. `options` are the common options that it takes.
    """

    shared = [_OPTIONS[key] for key in options]
    names = [option.name or "" for option in shared]

    def wrap(function: Callable[..., Any]) -> Command:
        @functools.wraps(function)
        def callback(**given: Any) -> Any:
            return function(App({key: given.pop(key) for key in names}), **given)

        common = [each for each in names if each not in _SOME]
        made = click.command(name, cls=Command, examples=examples, common=common)(callback)
        made.params.extend(shared)
        return made

    return wrap


def who() -> str:
    """The person at the keyboard, for the journal."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name, as in some containers
        return f"uid {os.getuid()}"
