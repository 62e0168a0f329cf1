"""`skerry doctor`."""

from __future__ import annotations

from skerry.cli import checks
from skerry.cli.app import WITH_MODULES, App, node_command
from skerry.cli.checks import Finding
from skerry.cli.exits import FAILED, Stop
from skerry.cli.modelcheck import models
from skerry.cli.out import Cell, Column
from skerry.cli.securitycheck import security
from skerry.errors import SkerryError

_COLUMNS = (Column("CHECK"), Column(""), Column("FOUND", wrap=True), Column("HOW TO MEND IT", wrap=True))
_STYLES = {"ok": "green", "note": "cyan", "warning": "yellow", "bad": "bold red"}


@node_command(
    "doctor",
    options=WITH_MODULES,
    examples="""
    skerry doctor
    skerry doctor --data /var/lib/skerry
    """,
)
def command(app: App) -> None:
    """Check this installation, and say how to mend it.

    Looks at Python, the packages, nats-server, the settings and workflows, the data folder and its disk, telemetry,
    the models (their files, backends and endpoints; skerry models --check asks each of them something), the journal and
    who writes it, the clock, the engine and its workers, keys and certificates. With --json: one finding a line. Exits
    with 1 when something is bad; warnings and notes are no failure.
    """
    with app.out.waiting("looking around ..."):
        findings = app.run(_all(app))
    for finding in findings:
        app.out.record(finding._asdict())
    app.out.table(_COLUMNS, (_cells(each) for each in findings))
    bad = [each.check for each in findings if each.verdict == "bad"]
    if bad:
        raise Stop(f"needs mending: {', '.join(bad)}", hint="the table says how", code=FAILED)


async def _all(app: App) -> list[Finding]:
    findings = list(checks.installation())
    try:
        config = app.config
    except SkerryError as error:
        return [*findings, Finding("settings", "bad", error.message, error.hint)]
    for blocking in (*checks.BLOCKING, models, security):
        findings += blocking(config)
    for live in checks.LIVE:
        findings += [each async for each in live(config)]
    return findings


def _cells(finding: Finding) -> list[str | Cell]:
    return [finding.check, Cell(finding.verdict, _STYLES[finding.verdict]), finding.found, finding.mend]
