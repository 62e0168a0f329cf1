"""`skerry hub init`."""

from __future__ import annotations

from skerry.cli.members import open_command

command = open_command("hub")
