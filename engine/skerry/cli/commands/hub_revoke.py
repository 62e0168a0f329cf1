"""`skerry hub revoke`."""

from __future__ import annotations

from skerry.cli.members import revoke_command

command = revoke_command("hub")
