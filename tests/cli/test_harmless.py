"""What strangers write into documents steers nobody's terminal."""

from __future__ import annotations

import pytest

from skerry.cli.out import Cell, Column, Out, harmless, plain_table, rich_table

EVIL = "ACME\x1b]0;pwned\x07\x1b[2J\u202egnp.exe\r"


def test_control_characters_are_shown_and_not_obeyed() -> None:
    text = harmless(EVIL)
    assert not any(each in text for each in "\x1b\x07\r\u202e")
    assert harmless("two\tcolumns\nand a line, ü and 東京") == "two\tcolumns\nand a line, ü and 東京"


def test_every_way_out_for_people_is_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    out = Out(json=False)
    out.line(EVIL)
    out.line(Cell(EVIL, style="red"))
    out.note(EVIL)
    out.error(EVIL, hint=EVIL)
    out.table([Column("A")], [[EVIL], [Cell(EVIL, more=EVIL)]])
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert "\x1b" not in "".join(plain_table([Column("A")], [[Cell(EVIL, more=EVIL)]]))
    cells = [cell for column in rich_table([Column("A")], [[Cell(EVIL, more=EVIL)]]).columns for cell in column.cells]
    assert all("\x1b" not in str(cell) for cell in cells)
