"""All of it as processes: `skerry up` watches a folder, a sandboxed worker reads; a draft and an invoice come of it."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from skerry_workflows.email.mime import parse
from skerry_workflows.invoice.demo import documents
from tests.email_triage.test_workflow import CATEGORIES, MAIL_TOML, OFFER, SNIPPETS, mail
from tests.sources.test_up import ask, skerry
from tests.support import wait_until_blocking

SETTINGS = """
data = "data"
modules = ["skerry_workflows.email.workflow", "skerry_workflows.invoice.workflow"]
[workers.rules]
processes = 1
[watch.mail]
kind = "eml"
path = "inbox"
every_s = 0.1
settle_s = 0.0
"""


def test_mail_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "skerry.toml").write_text(SETTINGS)
    inbox, data = tmp_path / "inbox", tmp_path / "data"
    inbox.mkdir()
    data.mkdir()
    (data / "mail.toml").write_text(MAIL_TOML.format(send="never"))
    (data / "categories.toml").write_text(CATEGORIES)
    (data / "snippets.toml").write_text(SNIPPETS)
    bill = mail("Could you make us an offer for 20 boxes? And our invoice", "Could you make us an offer for 20 boxes?")
    file = documents()[0]
    bill.add_attachment(file.read_bytes(), maintype="application", subtype="pdf", filename="invoice.pdf")
    (inbox / "1.eml").write_bytes(OFFER.as_bytes())
    (inbox / "2.eml").write_bytes(bill.as_bytes())
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SKERRY_")}
    up = subprocess.Popen(skerry("up", "--json"), cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert up.stdout is not None and json.loads(up.stdout.readline())["up"]

        def done(workflow: str) -> list[Any]:
            return [each for each in ask(tmp_path, "runs", "--workflow", workflow) if each["status"] == "done"]

        wait_until_blocking(lambda: len(done("email")) == 2, timeout_s=60)
        wait_until_blocking(lambda: len(done("invoice")) == 1, timeout_s=60)
        assert len(list((data / "drafts").glob("*.eml"))) == 2
        assert len(ask(tmp_path, "ledger")) == 1
    finally:
        up.terminate()
        up.communicate(timeout=60)
        assert up.returncode == 0


ASKED_BACK = """
owner = "bo@office.example"
name = "Bo Berg"
zone = "Europe/Berlin"
[policy]
send = "never"
choose = "best"
ask_back = "mail"
"""


def test_an_answer_to_a_question_goes_to_the_run_that_asked(tmp_path: Path) -> None:
    (tmp_path / "skerry.toml").write_text(SETTINGS.replace("invoice.workflow", "scheduling.workflow"))
    inbox, data = tmp_path / "inbox", tmp_path / "data"
    for folder in (inbox, data, data / "calendar"):
        folder.mkdir()
    (data / "mail.toml").write_text(MAIL_TOML.format(send="never"))
    (data / "scheduling.toml").write_text(ASKED_BACK)
    day = (dt.date.today() + dt.timedelta(days=8)).strftime("%-d %B %Y")
    wish = mail("Appointment", f"Could we meet on {day} at 11:00? Are you free for a call?")
    (inbox / "1.eml").write_bytes(wish.as_bytes())
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SKERRY_")}
    up = subprocess.Popen(skerry("up", "--json"), cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert up.stdout is not None and json.loads(up.stdout.readline())["up"]
        wait_until_blocking(lambda: bool(list((data / "outbox").glob("*.eml"))), timeout_s=60)
        (asked,) = (data / "outbox").glob("*.eml")
        question = parse(asked.read_bytes())
        reply = mail("Re: Appointment", "For 30 minutes.", In_Reply_To=f"<{question.message_id}>")
        (inbox / "2.eml").write_bytes(reply.as_bytes())

        def runs(workflow: str) -> list[Any]:
            return [each for each in ask(tmp_path, "runs", "--workflow", workflow) if each["status"] == "done"]

        wait_until_blocking(lambda: len(runs("email")) == 2 and len(runs("scheduling")) == 1, timeout_s=60)
        assert len(ask(tmp_path, "runs", "--workflow", "scheduling")) == 1
        (meeting,) = runs("scheduling")
        assert "Booked" in json.dumps(ask(tmp_path, "show", meeting["run"]))
    finally:
        up.terminate()
        up.communicate(timeout=60)
        assert up.returncode == 0
