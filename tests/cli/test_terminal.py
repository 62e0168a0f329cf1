"""What a terminal gets that a pipe does not: colours, unless NO_COLOR says otherwise."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest


def on_terminal(*arguments: str | Path, **environment: str) -> str:
    """What a command writes on a terminal of 100 columns."""
    ours, theirs = pty.openpty()
    surroundings = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **environment}
    command = [sys.executable, "-m", "skerry.cli", *map(str, arguments)]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=surroundings)
    os.close(theirs)
    told = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux says so when the other side is closed
            break
        if not piece:
            break
        told += piece
    os.close(ours)
    process.wait(30)
    return told.decode()


def test_colours(office: Path) -> None:
    told = on_terminal("runs", "--data", office)
    assert "\x1b[32mdone" in told
    assert "\x1b[1;31mfailed" in told


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["no-color", "dumb"])
def test_no_colours(environment: dict[str, str], office: Path) -> None:
    for arguments in (("runs",), ("show", "latest"), ("show", "nothing-like-it")):
        told = on_terminal(*arguments, "--data", office, **environment)
        assert "\x1b[3" not in told.replace("\x1b[1;3", "\x1b[3")
        assert told


def test_an_error_stands_out(office: Path) -> None:
    told = on_terminal("show", "nothing-like-it", "--data", office)
    assert told.splitlines()[0].endswith("there is no run nothing-like-it")
    assert "\x1b[1;31merror: " in told
    assert "\x1b[1;36mhint: " in told


def test_nothing_is_lost_on_a_narrow_terminal(office: Path) -> None:
    told = on_terminal("show", "00AAAA02", "--data", office, COLUMNS="60", NO_COLOR="1")
    words = re.sub(r"\x1b\[[0-9;]*m", "", told).split()
    for word in ["590.40,", "overruled:", "best", "answer:", "until", "typo;"]:
        assert word in words


@pytest.mark.parametrize(("columns", "whole"), [("80", False), ("120", True)])
def test_what_runs_are_about_fits_on_any_terminal(columns: str, whole: bool, office: Path) -> None:
    told = on_terminal("runs", "--data", office, COLUMNS=columns, TERM="xterm", NO_COLOR="1")
    assert "a.pdf" in told
    assert ("TOOK" in told) is whole
    assert ("STATE" in told) is whole
    assert "currency" in told
