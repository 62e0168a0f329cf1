"""`skerry node enrol`."""

from __future__ import annotations

from skerry.cli.members import enrol_command

command = enrol_command("node")
