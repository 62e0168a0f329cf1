"""All of it as processes: `skerry up` watches a folder, a sandboxed worker reads; a draft and an invoice come of it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

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
