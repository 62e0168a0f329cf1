"""What leaves the workflow: originals in their folder, postings to another program, exactly once by their key."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import pytest

from skerry.errors import DataError, RetryableError, TerminalError
from skerry_workflows.invoice import webhook
from skerry_workflows.invoice.ledger import Ledger, Posting, entry_of
from skerry_workflows.invoice.originals import Originals
from tests.invoice.samples import FIELDS, D, changed

# --- originals ------------------------------------------------------------------------------------------------------


def test_an_original_is_kept_once_and_found_by_its_hash(tmp_path: Path) -> None:
    originals = Originals(tmp_path / "originals")
    sha256 = originals.keep(b"an invoice")
    assert sha256 == hashlib.sha256(b"an invoice").hexdigest()
    changed_at = originals.path(sha256).stat().st_mtime_ns
    assert originals.keep(b"an invoice") == sha256 and originals.path(sha256).stat().st_mtime_ns == changed_at
    assert originals.read(sha256) == b"an invoice"
    assert [p.name for p in (tmp_path / "originals").rglob("*") if p.is_file()] == [sha256], "nothing half is left"
    assert originals.path(sha256).stat().st_mode & 0o077 == 0, "for its owner only"


def test_an_original_that_is_gone_or_was_changed_is_told(tmp_path: Path) -> None:
    originals = Originals(tmp_path)
    with pytest.raises(DataError, match="there is no original"):
        originals.read("0" * 64)
    sha256 = originals.keep(b"an invoice")
    originals.path(sha256).write_bytes(b"another")
    with pytest.raises(DataError, match="was changed"):
        originals.read(sha256)


def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RetryableError):
        Originals(tmp_path / "file").keep(b"x")


# --- the ledger's order numbers -------------------------------------------------------------------------------------


def test_what_was_invoiced_of_an_order(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.db") as ledger:
        for number, doc_type, order in (("1", "invoice", "PO-7"), ("2", "credit_note", "po 7"), ("3", "invoice", "X")):
            fields = changed(number=number, doc_type=doc_type, purchase_order=order)
            assert isinstance(ledger.post(entry_of(fields, "f"), number), Posting)
        assert ledger.invoiced("PO 7", "EUR") == 0
        assert isinstance(ledger.post(entry_of(changed(number="4", purchase_order="po7"), "f"), "4"), Posting)
        assert ledger.invoiced("PO 7", "EUR") == D("178.50") and ledger.invoiced("PO 7", "USD") == 0


# --- the webhook ----------------------------------------------------------------------------------------------------


class Receiver(ThreadingHTTPServer):
    """Another program: books each key once, and answers as it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.booked: dict[str, dict[str, object]] = {}
        self.requests: list[tuple[str, str]] = []
        self.answers: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/postings?from=skerry"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver = cast(Receiver, self.server)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers["Idempotency-Key"]
        receiver.requests.append((self.path, self.headers.get("Authorization", "")))
        status = receiver.answers.pop(0) if receiver.answers else 200
        if status < 300:
            receiver.booked.setdefault(key, body)
        self.send_response(status)
        if status in (301, 302):
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()
        self.wfile.write(b"said so")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def posting(tmp_path: Path) -> Posting:
    with Ledger(tmp_path / "ledger.db") as ledger:
        posted = ledger.post(entry_of(FIELDS, "a.pdf"), "key-1")
    assert isinstance(posted, Posting)
    return posted


def test_a_posting_is_handed_over_under_its_key(receiver: Receiver, posting: Posting) -> None:
    for _ in range(3):
        assert webhook.send(posting, receiver.url, "s3cret") == 200
    assert list(receiver.booked) == ["key-1"] and len(receiver.requests) == 3
    assert receiver.requests[0] == ("/postings?from=skerry", "Bearer s3cret")
    entry = receiver.booked["key-1"]["entry"]
    assert isinstance(entry, dict) and (entry["number"], entry["gross_total"]) == ("AP-1041", "178.50")


@pytest.mark.parametrize("status", [500, 503, 408, 409, 425, 429])
def test_what_may_pass_is_tried_again(receiver: Receiver, posting: Posting, status: int) -> None:
    receiver.answers = [status]
    with pytest.raises(RetryableError, match=f"answered {status}"):
        webhook.send(posting, receiver.url)
    assert webhook.send(posting, receiver.url) == 200


@pytest.mark.parametrize("status", [400, 401, 404, 422, 301])
def test_a_no_is_for_a_person(receiver: Receiver, posting: Posting, status: int) -> None:
    receiver.answers = [status]
    with pytest.raises(TerminalError, match=f"answered {status}.*said so"):
        webhook.send(posting, receiver.url)
    assert len(receiver.requests) == 1, "and nobody else was told: redirects are not followed"


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://x/y", "nonsense", "http://", "http://[/", "http://x:99999/", "http://x/a b",
        "http://x/\u00e9",
    ],
)  # fmt: skip
def test_only_addresses_of_http(posting: Posting, url: str) -> None:
    with pytest.raises(TerminalError, match="is no address"):
        webhook.send(posting, url)


@pytest.mark.parametrize("token", ["s3cret\n", "s3\u20accret"])
def test_a_token_that_cannot_be_sent_is_not_told(receiver: Receiver, posting: Posting, token: str) -> None:
    with pytest.raises(TerminalError, match="the token of the webhook") as caught:
        webhook.send(posting, receiver.url, token)
    assert "s3" not in str(caught.value) and receiver.requests == []


def test_nobody_there_is_tried_again(receiver: Receiver, posting: Posting) -> None:
    url = receiver.url
    receiver.server_close()
    with pytest.raises(RetryableError, match="was not reached"):
        webhook.send(posting, url)
