"""What the demo shows of mail, with the workflows that it leads to: handed over, kept away, drafted, asked."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from skerry.errors import DataError
from skerry.testing import Lab
from skerry_workflows.demo import parts
from skerry_workflows.email import workflow as email
from skerry_workflows.email.categories import load
from skerry_workflows.email.demo import messages, part
from skerry_workflows.email.mime import parse
from skerry_workflows.email.triage import judge, read
from skerry_workflows.invoice import workflow as invoice
from skerry_workflows.scheduling import demo as meetings
from skerry_workflows.scheduling import workflow as scheduling
from tests.email_triage import make_demo
from tests.support import demo


def test_the_one_with_a_document_is_as_it_was_made() -> None:
    (path,) = (path for path in messages() if path.name == "02-rechnung-waesche.eml")
    bundled, made = parse(path.read_bytes()), parse(make_demo.message())
    assert (bundled.subject, bundled.text, bundled.sender) == (made.subject, made.text, made.sender)
    assert [each.name for each in bundled.attachments] == ["rechnung-W-25-0311.pdf"]


@pytest.mark.parametrize("path", messages(), ids=lambda path: path.stem)
def test_it_is_a_whole_message_of_people_who_do_not_exist(path: Path) -> None:
    message = parse(path.read_bytes())
    assert message.subject and message.date and message.text and message.flaws == ()
    for each in (*message.sender, *message.to, *message.reply_to):
        assert not each.address or each.domain.endswith((".example", ".invalid")), "a reserved name (RFC 2606)"


def test_it_plays_in_no_folder_of_others(tmp_path: Path) -> None:
    now = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    assert parts(tmp_path / "new", now) and parts(tmp_path / "new", now), "and again in its own"
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "mail.toml").write_text('owner = "somebody@real.example"')
    with pytest.raises(DataError, match="something else is in it"):
        parts(tmp_path / "real", now)
    assert demo.file_names(tmp_path / "real") == ["mail.toml"]


def test_it_is_judged_alike_all_year(tmp_path: Path) -> None:
    """The dates in it are made from the present, and the names of some months are words like any other."""
    judged: set[tuple[tuple[str, str, bool], ...]] = set()
    for month in (3, 5, 8, 12):
        now = dt.datetime(2027, month, 13, tzinfo=dt.UTC)
        comings = part(tmp_path, now).comings
        mails = [read(each.file.read_bytes(), now, "Europe/Berlin") for each in comings if each.file]
        verdicts = [judge(mail, load(tmp_path / "categories.toml"), {}, {}) for mail in mails]
        judged.add(tuple((each.verdict, each.category, each.sure) for each in verdicts))
    assert len(judged) == 1


async def test_a_morning_of_mail(tmp_path: Path) -> None:
    async with Lab(email, invoice, scheduling, settings={"SKERRY_DATA": str(tmp_path)}) as lab:
        now = demo.now(lab)
        meetings.part(tmp_path, now)
        mail = part(tmp_path, now)
        runs = await demo.play(lab, mail)
        rooms, bill, menu, prices, noise, news, bank, traffic, summer = [
            await demo.told(lab, mail, run) for run in runs.values()
        ]
        assert rooms.startswith("booking, for reception@fjordblick.example; by ")
        assert rooms.endswith("an answer is drafted")
        assert bill.endswith("its invoice was handed to invoices")
        assert menu == prices == "meeting; handed to scheduling"
        assert noise == "complaint, for ada@fjordblick.example; first of all"
        assert news == "nothing that asks for work"
        assert bank.startswith("a fraud: the link shows www.nordbank.example and leads to 203.0.113.77")
        assert traffic.startswith("unwanted: ")
        assert summer.startswith("review: Verano en el hotel (from Lucia Ibarra ")
        assert summer.endswith("): which category is it: application, booking, another one, or none?")

        (draft,) = mail.made().rows
        assert draft[:2] == ("Ruth Marlowe <ruth@marlowe.example>", "Re: Two double rooms in June")
        rows = await lab.engine.journal.rows(limit=100)
        led_to = [await lab.settled(row.run) for row in rows if row.source in runs.values()]
        assert sorted((row.workflow, row.status) for row in led_to) == [
            ("invoice", "done"),
            ("scheduling", "done"),
            ("scheduling", "review"),
        ]
        assert len(demo.file_names(tmp_path / "outbox")) == 1, "Ben is of the house; the laundry waits for a yes"

        (run,) = (run for name, run in runs.items() if "Verano" in name)
        await lab.approve(run, category="application")
        assert await demo.told(lab, mail, run) == "application, for personal@fjordblick.example"
