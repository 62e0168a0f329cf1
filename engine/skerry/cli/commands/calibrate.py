"""`skerry calibrate`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from skerry.cli import private, words
from skerry.cli.app import App, node_command
from skerry.cli.look import require_journal
from skerry.cli.out import Cell, Column

if TYPE_CHECKING:
    from skerry.core.calibration import Found
    from skerry.core.outcomes import FieldOutcome
    from skerry.core.thresholds import Thresholds

_COLUMNS = (
    Column("PROMPT"),
    Column("FIELD"),
    Column("MODEL"),
    Column("N", "right"),
    Column("WRONG", "right"),
    Column("TAKEN FROM"),
    Column("SHARE", "right"),
    Column("RISK AT MOST", "right"),
    Column("NOW"),
)
_MODEL_CHARS = 12
_OPEN = click.FloatRange(0, 1, min_open=True, max_open=True)


@node_command(
    "calibrate",
    examples="""
    skerry calibrate
    skerry calibrate --prompt invoice.extract --risk 0.02
    skerry calibrate --apply
    """,
)
@click.option("--prompt", default="", metavar="NAME", help="Only this prompt's fields.")
@click.option("--risk", type=_OPEN, default=0.01, show_default=True, help="Share of wrong fields that is borne.")
@click.option("--confidence", type=_OPEN, default=0.95, show_default=True, help="How sure that has to be.")
@click.option("--apply", "write", is_flag=True, help="Write calibration.json; a running node takes it over.")
def command(app: App, prompt: str, risk: float, confidence: float, write: bool) -> None:
    """Find from which confidence on the fields of a model's answers are taken.

    Outcomes come from the journal: what people corrected or left as it was in a review, and what bigger sizes
    answered to the same question. For each prompt, field and model the smallest threshold is shown whose risk is at
    most --risk, with the upper limit of Clopper and Pearson, and the share of the outcomes that pass it. Fields with
    too few outcomes keep what they have.
    """
    from skerry.calibration import FILE, read, thresholds
    from skerry.core.calibration import calibrate

    require_journal(app.config)
    folder = app.config.data
    before, now = read(folder), thresholds(folder)
    outcomes = [each for each in app.run(_outcomes(app)) if prompt in ("", each.prompt)]
    found = calibrate(outcomes, risk=risk, confidence=confidence)
    enough = sum(each.enough for each in found)
    written = write and enough > 0
    if written:
        import msgspec

        after = before.with_found(found, risk, confidence)
        with private.replacing(folder / FILE) as file:
            file.write(msgspec.json.format(msgspec.json.encode(after), indent=1) + b"\n")
    for each in found:
        app.out.record({**_record(each), "applied": written and each.enough})
    _show(app, found, now)
    said = f"{words.plural(len(outcomes), 'outcome')} of {words.plural(len(found), 'field')}"
    if written:
        app.out.line(Cell(f"{folder / FILE}: {words.plural(enough, 'threshold')} of {said}", "green"))
    elif not found:
        app.out.line(f"{said}: no answer with a confidence was looked at by a person or a bigger size yet")
    elif not enough:
        app.out.line(f"{said}: too few for a risk of {risk:g}; each field needs at least n={found[0].needs:,}")
    else:
        app.out.line(f"{said}; --apply takes {enough:,} over")


async def _outcomes(app: App) -> list[FieldOutcome]:
    from skerry.core.outcomes import outcomes
    from skerry.journal import JournalReader

    found: list[FieldOutcome] = []
    async with await JournalReader.open(app.config.data) as reader:
        with app.out.progress("reading") as advance:
            runs = 0
            async for history in reader.histories():
                found.extend(outcomes(history.events))
                runs += 1
                advance(runs)
    return found


def _record(found: Found) -> dict[str, object]:
    import msgspec

    return {**msgspec.structs.asdict(found.calibrated), "needs": found.needs, "enough": found.enough}


def _show(app: App, found: Sequence[Found], thresholds: Thresholds) -> None:
    def cells(each: Found) -> list[str | Cell]:
        one = each.calibrated
        share = f"{one.accepted / one.n:.0%}" if each.enough and one.threshold is not None else ""
        taken = _threshold(one.threshold) if each.enough else Cell(f"needs at least n={each.needs:,}", "dim")
        now = thresholds.of(one.prompt, one.field, one.model)
        return [
            one.prompt,
            one.field or "(the answer)",
            Cell(one.model.removeprefix("sha256:")[:_MODEL_CHARS], "dim"),
            f"{one.n:,}",
            f"{one.errors:,}",
            taken,
            share,
            f"{one.bound:.2%}" if share else "",
            _threshold(now if now <= 1 else None),
        ]

    if found:
        app.out.table(_COLUMNS, map(cells, found))


def _threshold(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f}"
