"""`skerry node members`."""

from __future__ import annotations

from skerry.cli.members import members_command

command = members_command("node")
