"""Mail from real places and to real servers: each message once, whatever is restarted on either side."""

from __future__ import annotations

import datetime as dt
import mailbox
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from skerry import Blob, Done, State, Step, Workflow
from skerry.errors import RetryableError
from skerry.registry import Registry
from skerry.sources import Watching, plan, watching
from skerry.testing import Lab
from skerry_workflows.email import outgoing
from skerry_workflows.email import workflow as module
from skerry_workflows.email.correspondence import Correspondence
from skerry_workflows.email.drafts import message_of
from skerry_workflows.email.mime import parse
from skerry_workflows.email.model import Address
from skerry_workflows.email.settings import Drafts
from skerry_workflows.email.triage import read
from tests.email_triage.servers import PASSWORD, PASSWORD_ENV, USER, ImapServer, imap_server, smtp_server
from tests.email_triage.test_workflow import OFFER, Office, mail
from tests.sources.test_watch import QuickClock, Taker, until

NOW = dt.datetime(2025, 1, 3, 12, tzinfo=dt.UTC)


class Came(State):
    document: Blob

    async def run(self, step: Step) -> Done[str]:
        return Done(self.document.name)


came = Workflow("came", version=1, start=Came, result=str, on="mail.received")


@asynccontextmanager
async def watched(lab: Lab, data: Path, **table: Any) -> AsyncIterator[Watching]:
    registry = Registry()
    for kind in (module.EML, module.IMAP, module.MAILDIR, module.MBOX):
        registry.add(kind)
    async with watching(plan({"mail": table}, registry), data, Taker(lab), QuickClock()) as watches:
        yield watches


def letter(number: int) -> bytes:
    return mail(f"Letter {number}", f"This is letter {number}.").as_bytes()


# --- files ----------------------------------------------------------------------------------------------------------


async def test_a_folder_of_messages(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "1.eml").write_bytes(letter(1))
    (inbox / "2.eml").write_bytes(b"Received: from a by b; Fri, 3 Jan 2025 10:12:00 +0100\n" + letter(1))
    async with Lab(came) as lab:
        quick = {"every_s": 0.01, "settle_s": 0.0}
        async with watched(lab, tmp_path, kind="eml", path=str(inbox), **quick) as watches:
            await until(watches, taken=1, again=1)  # the same message, by another way


async def test_a_mailbox_file_that_grows(tmp_path: Path) -> None:
    path = tmp_path / "mbox"
    with path.open("wb") as file:
        for number in (1, 2):
            file.write(b"From ada Fri Jan  3 10:00:00 2025\n" + letter(number) + b"\n")
    async with Lab(came) as lab:
        async with watched(lab, tmp_path, kind="mbox", path=str(path), every_s=0.01) as watches:
            await until(watches, taken=2)
            with path.open("ab") as file:
                file.write(b"From ada Fri Jan  3 11:00:00 2025\n" + letter(3) + b"\n")
            await until(watches, taken=3, again=2)
        async with watched(lab, tmp_path, kind="mbox", path=str(path), every_s=0.01) as watches:
            await until(watches, taken=0, again=0, state="watching")


async def test_a_maildir(tmp_path: Path) -> None:
    folder = mailbox.Maildir(tmp_path / "Maildir")
    folder.add(letter(1))
    async with Lab(came) as lab:
        async with watched(lab, tmp_path, kind="maildir", path=str(tmp_path / "Maildir"), every_s=0.01) as watches:
            await until(watches, taken=1)
            (key,) = folder.keys()
            message = folder.get_message(key)
            message.add_flag("S")  # read in a mail program: the file has another name, and place, from then on
            message.set_subdir("cur")
            folder[key] = message
            folder.add(letter(2))
            folder.add(letter(1))  # the same message, delivered twice
            await until(watches, taken=2, again=1)


# --- IMAP -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def imap(monkeypatch: pytest.MonkeyPatch) -> Iterator[ImapServer]:
    monkeypatch.setenv(PASSWORD_ENV, PASSWORD)
    with imap_server() as server:
        yield server


def account(server: ImapServer) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": server.port, "user": USER, "password_env": PASSWORD_ENV, "tls": "no"}


async def test_a_mailbox_over_imap(imap: ImapServer, tmp_path: Path) -> None:
    imap.append(letter(1))
    async with Lab(came) as lab:
        async with watched(lab, tmp_path, kind="imap", **account(imap)) as watches:
            await until(watches, taken=1)
            imap.append(letter(2))  # IDLE says so
            await until(watches, taken=2, again=0)
            imap.append(letter(1))  # a copy of it has another place, and is the same message
            await until(watches, taken=2, again=1)
            assert imap.seen() == 0
        imap.append(letter(3))
        async with watched(lab, tmp_path, kind="imap", **account(imap)) as watches:
            await until(watches, taken=1, again=0)  # it knew where it was
            imap.stop()
            assert (await until(watches, state="failing")).note
            imap.start()  # another UIDVALIDITY, and the messages have other places
            for number in (3, 4, 1):
                imap.append(letter(number))
            await until(watches, taken=2, again=2, state="watching")
        assert len(await lab.engine.journal.rows()) == 4


async def test_old_mail_is_left_alone(imap: ImapServer, tmp_path: Path) -> None:
    imap.append(letter(1), when='"01-Feb-2020 10:00:00 +0000"')
    imap.append(letter(2))
    async with Lab(came) as lab:
        async with watched(lab, tmp_path, kind="imap", **account(imap)) as watches:
            await until(watches, taken=1)
        assert len(await lab.engine.journal.rows()) == 1
        (tmp_path / "all").mkdir()
        async with watched(lab, tmp_path / "all", kind="imap", since_days=0, **account(imap)) as watches:
            await until(watches, taken=1, again=1)


async def test_who_is_not_let_in_is_told(imap: ImapServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_ENV, "wrong")
    async with Lab(came) as lab, watched(lab, tmp_path, kind="imap", **account(imap)) as watches:
        assert "password" in (await until(watches, state="failing")).note


def test_a_draft_is_there_once(imap: ImapServer, tmp_path: Path) -> None:
    drafts = Drafts(
        host="127.0.0.1", port=imap.port, user=USER, password_env=PASSWORD_ENV, tls="no", mailbox='My "Drafts"'
    )
    received = read(OFFER.as_bytes(), OFFER["Date"].datetime)
    for _ in range(2):
        made = message_of(received, "Dear Ada,\n\nyes.\n\nBo", Address(address="bo@office.example"), "node-1/3-1", NOW)
        assert outgoing.put(made, drafts, tmp_path).startswith('My "Drafts"')
    (draft,) = imap.messages(outgoing.quoted(drafts.mailbox))
    assert parse(draft).message_id == "node-1.3-1@office.example"
    assert parse(draft).references == (parse(OFFER.as_bytes()).message_id,)


# --- SMTP -----------------------------------------------------------------------------------------------------------


async def test_an_answer_leaves_over_smtp_once(tmp_path: Path) -> None:
    with smtp_server() as inbox:
        inbox.refusals = 1
        office = Office(tmp_path, send="auto")
        settings = (tmp_path / "mail.toml").read_text()
        smtp = f'[smtp]\nhost = "127.0.0.1"\nport = {inbox.port}\ntls = "no"\n'
        (tmp_path / "mail.toml").write_text(settings + smtp)
        async with office:
            run = await office.receive(OFFER)
            await office.settled(run)  # refused for the moment: it waits
            await office.crash()
            await office.skip(timedelta(minutes=3))
            assert (await office.filed(run)).answered
            await office.crash()
        (sent,) = inbox.messages
        assert parse(sent).to[0].address == "ada@customer.example"


async def test_a_crash_behind_the_servers_250_sends_the_same_mail_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = iter((True, False))
    mark = Correspondence.mark_sent

    def dies_once(self: Correspondence, key: str) -> None:
        if next(killed):
            raise RetryableError("killed: the server has the mail, and nobody has noted it")
        mark(self, key)

    monkeypatch.setattr(Correspondence, "mark_sent", dies_once)
    with smtp_server() as inbox:
        office = Office(tmp_path, send="auto")
        settings = (tmp_path / "mail.toml").read_text()
        smtp = f'[smtp]\nhost = "127.0.0.1"\nport = {inbox.port}\ntls = "no"\n'
        (tmp_path / "mail.toml").write_text(settings + smtp)
        async with office:
            run = await office.receive(OFFER)
            await office.settled(run)
            await office.crash()
            await office.skip(timedelta(minutes=3))
            assert (await office.filed(run)).answered
        first, second = inbox.messages
        assert first == second and parse(first).message_id and parse(first).date
