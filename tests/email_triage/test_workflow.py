"""The whole workflow on a node in memory: what is sorted by itself, what is asked, handed over, drafted and sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest

from skerry import Blob, Done, State, Step, Workflow
from skerry.core.projection import RunRow
from skerry.core.wire import Size
from skerry.journal.references import references
from skerry.testing import Lab
from skerry_workflows.email import workflow as module
from skerry_workflows.email.correspondence import Correspondence
from skerry_workflows.email.learning import FILE, Lessons
from skerry_workflows.email.mime import parse
from skerry_workflows.email.triage import identity, read
from skerry_workflows.email.workflow import Choice, ChoiceAbout, Filed, Learned

MAIL_TOML = """
owner = "bo@office.example"
name = "Bo Berg"
zone = "Europe/Berlin"
[policy]
send = "{send}"
"""
CATEGORIES = """
[category.order]
description = "A customer orders something or asks for an offer"
examples = ["Please send us 20 boxes of screws", "Could you make us an offer for 500 labels?"]
owner = "sales@office.example"

[category.complaint]
description = "Something is broken, missing or late"
examples = ["The parcel arrived damaged", "Two of the lamps are missing"]
priority = 1
"""
SNIPPETS = """
[snippet.offer]
when = "Somebody asks for an offer or a price"
examples = ["Could you make us an offer for 500 labels?", "What would 20 boxes cost?"]
text = "Dear {name},\\n\\nthank you. You will have our offer within 2 days.\\n\\n{owner}"
"""


class Took(State):
    document: Blob

    async def run(self, step: Step) -> Done[str]:
        return Done(self.document.name)


class TookMail(State):
    mail: Blob

    async def run(self, step: Step) -> Done[str]:
        return Done(self.mail.name)


invoices = Workflow("took_invoice", version=1, start=Took, result=str, on="invoice.received")
meetings = Workflow("took_meeting", version=1, start=TookMail, result=str, on="meeting.requested")


class Office(Lab):
    """A lab with settings; at the end every run's replay has to agree."""

    def __init__(self, folder: Path, send: str = "never", sizes: tuple[Size, ...] = ("rules",)) -> None:
        self.folder = folder
        (folder / "mail.toml").write_text(MAIL_TOML.format(send=send))
        (folder / "categories.toml").write_text(CATEGORIES)
        (folder / "snippets.toml").write_text(SNIPPETS)
        super().__init__(module, invoices, meetings, sizes=sizes, settings={"SKERRY_DATA": str(folder)})

    async def receive(self, message: EmailMessage | bytes) -> str:
        data = message if isinstance(message, bytes) else message.as_bytes()
        (run,) = await self.publish("mail.received", document=await self.put(data, "mail.eml"))
        return run

    async def waits(self, run: str) -> RunRow:
        row = await self.settled(run)
        assert row.status == "review", row
        return row

    async def filed(self, run: str) -> Filed:
        result = await self.result(run)
        assert isinstance(result, Filed)
        return result

    async def others(self, workflow: str) -> list[str]:
        rows = await self.engine.journal.rows(workflow=workflow)
        return [await self.result(row.run) for row in rows]

    @property
    def drafts(self) -> list[Path]:
        return sorted((self.folder / "drafts").glob("*.eml"))


@asynccontextmanager
async def open_office(folder: Path, send: str = "never", sizes: tuple[Size, ...] = ("rules",)) -> AsyncIterator[Office]:
    lab = Office(folder, send, sizes)
    async with lab:
        yield lab
        for row in await lab.engine.journal.rows():
            replayed = await lab.replay(row.run)
            assert replayed.agrees, replayed


def mail(subject: str, text: str, **more: str) -> EmailMessage:
    made = EmailMessage()
    made["From"] = "Ada Byron <ada@customer.example>"
    made["To"] = "Bo <bo@office.example>"
    made["Date"] = "Fri, 3 Jan 2025 10:11:12 +0100"
    made["Message-ID"] = f"<{abs(hash(subject + text))}@customer.example>"
    made["User-Agent"] = "Mozilla Thunderbird"
    made["Subject"] = subject
    for name, value in more.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


OFFER = mail("Labels", "Hello,\n\ncould you make us an offer for 500 labels?\n\nBest regards\nAda")


async def test_a_clear_message_is_sorted_and_answered_with_a_draft(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        filed = await office.filed(await office.receive(OFFER))
        assert (filed.category, filed.owner, filed.asks) == ("order", "sales@office.example", True)
        (path,) = office.drafts
        draft = parse(path.read_bytes())
        assert (draft.subject, draft.to[0].address) == ("Re: Labels", "ada@customer.example")
        assert draft.text.startswith("Dear Ada,") and "within 2 days" in draft.text
        assert draft.in_reply_to == (parse(OFFER.as_bytes()).message_id,)
        assert filed.draft == str(path) and not filed.answered


async def test_a_crash_anywhere_leaves_one_draft(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        run = await office.receive(OFFER)
        await office.crash()
        await office.filed(run)
        await office.crash()
        assert len(office.drafts) == 1


async def test_what_is_not_sure_is_asked_and_remembered(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        text = "On the boxes and labels of the framework agreement with the municipality."
        row = await office.waits(await office.receive(mail("Framework agreement", text)))
        assert row.state == "Unsure"
        with pytest.raises(Exception, match="no category"):
            await office.approve(row.run, category="nonsense")
        await office.approve(row.run, category="order", unwanted=False)
        assert (await office.filed(row.run)).category == "order"
        again = mail("Framework agreement, once more", text + " The agreement is old.")
        assert (await office.filed(await office.receive(again))).category == "order"


@pytest.mark.parametrize("sure", [True, False])
async def test_only_what_a_person_says_teaches(tmp_path: Path, sure: bool) -> None:
    def model(about: ChoiceAbout) -> Choice:
        return Choice(category="order" if sure else "nonsense")

    async with open_office(tmp_path, sizes=("rules", "small")) as office:
        office.registry.prompts["email.choose"] = msgspec.structs.replace(module.CHOOSE, rules=model)
        run = await office.receive(mail("Agreement", "On the boxes and labels of the agreement with the municipality."))
        if not sure:  # the verifiers object to the model's answer
            await office.approve((await office.waits(run)).run, category="complaint", unwanted=False)
        assert (await office.filed(run)).category == ("order" if sure else "complaint")
        with Lessons(tmp_path / FILE) as lessons:
            assert list(lessons.texts("category")) == ([] if sure else ["complaint"])
            assert list(lessons.texts("spam")) == ([] if sure else ["ham"])


async def test_nobody_is_asked_about_a_letter_to_many(tmp_path: Path) -> None:
    text = "On the boxes and labels of the framework agreement with the municipality."
    async with open_office(tmp_path) as office:
        row = await office.waits(await office.receive(mail("Agreement", text)))
        assert "Agreement (from Ada Byron ada@customer.example): which category" in row.note
        letter = mail("Agreement", text, List_Id="<news.town.example>")
        assert (await office.filed(await office.receive(letter))).category == ""


async def test_nobody_answers_and_nothing_is_lost(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        row = await office.waits(await office.receive(mail("Things", "Some words on the boxes that somebody labels.")))
        await office.reject(row.run, reason="no time")
        filed = await office.filed(row.run)
        assert not filed.unwanted and filed.category == ""


async def test_unwanted_mail_goes_nowhere(tmp_path: Path) -> None:
    from tests.email_triage.test_spam import ADVERT, PHISHING

    async with open_office(tmp_path) as office:
        filed = await office.filed(await office.receive(ADVERT))
        assert filed.unwanted and filed.notes and filed.handed_over == () and office.drafts == []
        run = await office.receive(PHISHING)
        if (await office.settled(run)).status == "review":
            await office.approve(run, category="", unwanted=True)
        filed = await office.filed(run)
        assert filed.unwanted and filed.phishing and any("leads to" in note for note in filed.notes)


async def test_invoices_and_meetings_are_handed_over_once(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        bill = mail(
            "Our invoice 4711", "Please find attached our invoice for 20 boxes of screws. Two lamps are missing?"
        )
        bill.add_attachment(b"%PDF-1.4 x", maintype="application", subtype="pdf", filename="invoice-4711.pdf")
        bill.add_attachment(b"GIF89a", maintype="image", subtype="gif", filename="logo.gif")
        meeting = mail("Meeting", "could you make us an offer?")
        calendar = "BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR\n"
        meeting.add_alternative(calendar, subtype="calendar", params={"method": "REQUEST"})
        for message, event in ((bill, "invoice.received"), (meeting, "meeting.requested")):
            run = await office.receive(message)
            if (await office.settled(run)).status == "review":
                await office.approve(run, category="order", unwanted=False)
            await office.crash()
            assert (await office.filed(run)).handed_over == (event,)
        assert await office.others("took_invoice") == ["invoice-4711.pdf"]
        assert await office.others("took_meeting") == ["mail.eml"]
        (row,) = await office.engine.journal.rows(workflow="took_invoice")
        entered = next(e for e in await office.events(row.run) if type(e).__name__ == "StateEntered")
        (name,) = references(bytes(entered.value))
        assert await office.engine.journal.blob(name) == b"%PDF-1.4 x"


def test_what_is_handed_over_is_what_the_others_take() -> None:
    from skerry_workflows.invoice.workflow import invoice
    from skerry_workflows.scheduling.model import Answer
    from skerry_workflows.scheduling.workflow import scheduling

    blob = Blob(sha256="0" * 64, size=1)
    for workflow, event, data in (
        (invoice, "invoice.received", module.InvoiceDocument(blob)),
        (scheduling, "meeting.requested", module.MeetingMail(blob)),
    ):
        assert workflow.on == event
        workflow.start_from(msgspec.to_builtins(data))
    msgspec.convert({"text": "what was answered"}, Answer)  # what `deliver` sends to who has asked by mail


async def test_conversations(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        first = await office.filed(await office.receive(OFFER))
        answer = mail("Re: Labels", "Could you make it 600 labels, please?", In_Reply_To=OFFER["Message-ID"])
        assert (await office.filed(await office.receive(answer))).thread == first.thread
        other = mail("Boxes", "Could you make us an offer for 20 boxes of screws?")
        assert (await office.filed(await office.receive(other))).thread != first.thread


async def test_who_answers_our_answer_is_in_the_same_conversation(tmp_path: Path) -> None:
    async with open_office(tmp_path, send="auto") as office:
        first = await office.filed(await office.receive(OFFER))
        (sent,) = (tmp_path / "outbox").glob("*.eml")
        ours = parse(sent.read_bytes())
        answer = mail("And now?", "Could you make it 600 labels, please?", In_Reply_To=f"<{ours.message_id}>")
        assert (await office.filed(await office.receive(answer))).thread == first.thread
        with Correspondence(tmp_path / FILE) as known:
            thread = known.remember(read(answer.as_bytes(), OFFER["Date"].datetime))
        assert [each.sender for each in thread.earlier] == ["ada@customer.example", "bo@office.example"]
        assert "within 2 days" in thread.earlier[1].text


@pytest.mark.parametrize("stolen", [False, True])
async def test_who_answers_our_answer_is_wanted_however_they_write(tmp_path: Path, stolen: bool) -> None:
    async with open_office(tmp_path, send="auto") as office:
        await office.filed(await office.receive(OFFER))
        (sent,) = (tmp_path / "outbox").glob("*.eml")
        loud = {"X_Mailer": "Bulk Blaster", "X_Priority": "1", "X_MSMail_Priority": "High"}
        text = "ORDER NOW!!! You have won! No obligation, no risk: a personal loan, online casino, make money at home!"
        spam = mail("FREE MONEY!!!", text, References=f"<{parse(sent.read_bytes()).message_id}>", **loud)
        del spam["User-Agent"]
        if stolen:
            spam.add_attachment(b"MZ", maintype="application", subtype="octet-stream", filename="invoice.pdf.exe")
        row = await office.settled(await office.receive(spam))
        assert read(spam.as_bytes(), OFFER["Date"].datetime).probability > 0.9
        if stolen:
            assert (await office.filed(row.run)).unwanted
        else:  # which category it is, is another question
            assert row.status == "review" and "is it wanted" not in row.note


@pytest.mark.parametrize("agreed", [True, False])
async def test_an_answer_is_sent_when_a_person_agrees(tmp_path: Path, agreed: bool) -> None:
    async with open_office(tmp_path, send="ask") as office:
        row = await office.waits(await office.receive(OFFER))
        assert row.state == "Approve" and "Dear Ada" in row.note
        outbox = tmp_path / "outbox"
        assert not outbox.exists()
        await (office.approve(row.run) if agreed else office.reject(row.run))
        assert (await office.filed(row.run)).answered is agreed
        assert len(list(outbox.glob("*.eml"))) == agreed


async def test_sent_by_itself_where_the_policy_says_so(tmp_path: Path) -> None:
    async with open_office(tmp_path, send="auto") as office:
        assert (await office.filed(await office.receive(OFFER))).answered
        (sent,) = (tmp_path / "outbox").glob("*.eml")
        answer = parse(sent.read_bytes())
        assert answer.to[0].address == "ada@customer.example"
        assert answer.header("Auto-Submitted") == "auto-replied"


@pytest.mark.parametrize(
    "header",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"Return_Path": "<>"},
        {"X_Auto_Response_Suppress": "DR, AutoReply"},
        {"From": "Shop <no-reply@shop.example>"},
    ],
)
async def test_programs_are_not_answered(tmp_path: Path, header: dict[str, str]) -> None:
    async with open_office(tmp_path, send="auto") as office:
        letter = mail("Labels", "could you make us an offer for 500 labels?")
        for name, value in header.items():
            del letter[name.replace("_", "-")]
            letter[name.replace("_", "-")] = value
        filed = await office.filed(await office.receive(letter))
        assert not (filed.answered or filed.draft or filed.asks)
        assert not (tmp_path / "outbox").exists()


async def test_a_correction(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        newsletter = mail("Club news", "The club meets in the boat house, and the cake is free of charge as always.")
        document = await office.put(newsletter.as_bytes())
        data: dict[str, Any] = {"document": document, "unwanted": True, "category": ""}
        (run,) = await office.publish("mail.corrected", **data)
        assert await office.result(run) == Learned(key=identity(newsletter.as_bytes()))
        with Lessons(tmp_path / FILE) as lessons:
            assert list(lessons.texts("spam")) == ["spam"]
            assert lessons.texts("category") == {}


async def test_settings_that_are_wrong_say_so(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        (tmp_path / "mail.toml").write_text("ownr = 1")
        row = await office.settled(await office.receive(OFFER))
        assert row.status == "failed" and "mail.toml" in row.note


def test_a_message_is_the_same_whatever_way_it_came() -> None:
    data = OFFER.as_bytes()
    relayed = b"Received: from a by b; Fri, 3 Jan 2025 10:12:00 +0100\n" + data
    assert identity(data) == identity(relayed) == identity(data.replace(b"\n", b"\r\n"))
    assert identity(data) != identity(data.replace(b"500", b"501"))
    assert identity(b"") == identity(b"") != identity(b"x")
