"""What the demo shows at its end: what became of everything and why, what there is now, and what waits for a person."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skerry.cli import words
from skerry.cli.look import short
from skerry.cli.out import Cell, Column, Out
from skerry.cli.parts import Part
from skerry.cli.playing import Shown

_COLUMNS = (Column("RUN"), Column("STATUS"), Column("WHAT BECAME OF IT, AND WHY", wrap=True))


def summary(shown: Sequence[Shown], seconds: float) -> dict[str, Any]:
    """The demo in numbers. Whatever is neither done nor in review counts as failed."""
    done, review = (sum(each.row.status == status for each in shown) for status in ("done", "review"))
    return {
        "runs": len(shown),
        "done": done,
        "review": review,
        "failed": len(shown) - done - review,
        "seconds": seconds,
    }


def report(out: Out, parts: Sequence[Part], shown: Sequence[Shown], seconds: float, folder: Path) -> None:
    """All of it, for people."""
    shown = [each for part in parts for each in shown if each.part is part]
    for part in parts:
        _part(out, part, [each for each in shown if each.part is part])
    numbers = summary(shown, seconds)
    out.line(
        f"{numbers['runs']} runs in {seconds:.1f} s: {numbers['done']} done, {numbers['review']} wait for a person,"
        f" {numbers['failed']} failed."
    )
    out.line()
    _waiting(out, [each for each in shown if each.row.status == "review"], folder)
    _go_on(out, shown, folder)


def _part(out: Out, part: Part, shown: list[Shown]) -> None:
    out.line(Cell(part.title, "bold"))
    out.table(
        (
            Column(part.noun, wrap=True),
            Column("RUN"),
            Column("STATUS"),
            Column("WHAT BECAME OF IT, AND WHY", wrap=True),
        ),
        ([each.name, Cell(short(each.row.run), "dim"), words.status_cell(each.row.status), each.why] for each in shown),
    )
    out.line()
    made = part.made()
    if made.rows:
        out.line(Cell(made.title, "bold"))
        out.table([Column(title, wrap=bool(title)) for title in made.columns], made.rows)
        out.line()


def _waiting(out: Out, shown: list[Shown], folder: Path) -> None:
    """Each question's command; the question itself stands above."""
    if not shown:
        return
    out.line(Cell("Waiting for you. This says yes (or no), once you have looked:", "bold"))
    for each in shown:
        verb, _, options = each.answer.partition(" ")
        out.line(f"  {program()} {verb} {short(each.row.run)} {f'{options} ' if options else ''}--data {folder}")
        out.line(Cell(f"      {each.name}", "dim"))
    out.line()


def _go_on(out: Out, shown: Sequence[Shown], folder: Path) -> None:
    """What else one could do."""
    one = next((each for each in shown if each.row.status == "review"), shown[0])
    out.line(Cell("Go on from here:", "bold"))
    for line, what in (
        (f"show {short(one.row.run)}", f"what happened to {one.name}, step by step"),
        ("up", "run it on: what was answered goes its way, and reminders come when they are due"),
    ):
        out.line(f"  {program()} {line} --data {folder}")
        out.line(Cell(f"      {what}", "dim"))


def program() -> str:
    """How to call us: by our path, where we were called by it from an environment that is not active."""
    return sys.argv[0] if Path(sys.argv[0]).name == "skerry" and shutil.which("skerry") is None else "skerry"
