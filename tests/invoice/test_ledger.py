"""The ledger: each invoice once, whoever posts it, however often, and whatever dies in between."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import random
import sqlite3
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from importlib import resources
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.errors import DataError, Unavailable
from skerry_workflows.invoice.identity import identity_of
from skerry_workflows.invoice.ledger import Distinct, Duplicate, Entry, Ledger, Posting, entry_of
from tests.invoice.poster import entry
from tests.invoice.samples import FIELDS, changed

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "deep" / "ledger.db")


def posted(ledger: Ledger, what: Entry, key: str) -> Posting:
    posting = ledger.post(what, key)
    assert isinstance(posting, Posting)
    return posting


def altered(**changes: object) -> Entry:
    return msgspec.structs.replace(entry(1), **changes)


def test_the_same_key_gives_the_same_posting(ledger: Ledger) -> None:
    first = posted(ledger, entry(1), "run-1")
    assert first.entry == entry(1)
    assert ledger.post(entry(1), "run-1") == first
    assert ledger.post(altered(gross_total=Decimal(7)), "run-1") == first, "a retry changes nothing"
    assert list(ledger.entries()) == [first]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"number": "r 1"},
        {"seller_vat_id": "DE 987.654.328"},
        {"seller_vat_id": None},
        {"seller_vat_id": None, "seller_name": "ALDERWAY print limited"},
        {"seller_name": "Another name, same VAT id"},
        {"gross_total": Decimal("999.99")},
    ],
)
def test_the_same_invoice_under_another_key_names_the_first(ledger: Ledger, changes: dict[str, object]) -> None:
    first = posted(ledger, entry(1), "run-1")
    assert ledger.post(altered(**changes), "run-2") == Duplicate(first=first)
    assert ledger.post(altered(**changes), "run-2") == Duplicate(first=first)
    assert len(list(ledger.entries())) == 1


def test_a_vat_id_that_comes_later_finds_the_name(ledger: Ledger) -> None:
    first = posted(ledger, altered(seller_vat_id=None), "run-1")
    assert ledger.post(entry(1), "run-2") == Duplicate(first=first)


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "R-2"},
        {"issue_date": dt.date(2024, 2, 1)},
        {"seller_vat_id": "DE876543219"},
        {"seller_vat_id": None, "seller_name": "Birkholm Print"},
    ],
)
def test_another_invoice_is_posted(ledger: Ledger, changes: dict[str, object]) -> None:
    ledger.post(entry(1), "run-1")
    assert isinstance(ledger.post(altered(**changes), "run-2"), Posting)


SAID = Distinct(by="ada", why="they numbered two alike")


def test_a_second_invoice_of_one_number_on_a_persons_word(ledger: Ledger) -> None:
    first = posted(ledger, entry(1), "run-1")
    other = altered(gross_total=Decimal("999.99"))
    assert ledger.post(other, "run-2") == Duplicate(first=first)
    second = ledger.post(other, "run-2", distinct=SAID)
    assert isinstance(second, Posting) and (second.version, second.distinct) == ("invoice 999.99 EUR", SAID)
    assert ledger.post(other, "run-2", distinct=SAID) == second, "a retry"
    assert ledger.post(other, "run-3", distinct=SAID) == Duplicate(first=second), "a fork"
    assert ledger.post(other, "run-4") == Duplicate(first=second), "the one that says the same"
    assert ledger.post(entry(1), "run-5", distinct=SAID) == Duplicate(first=first), "a word does not double an invoice"
    assert list(ledger.entries()) == [first, second]
    with pytest.raises(sqlite3.IntegrityError):
        ledger._db.execute(
            f"INSERT INTO posting SELECT 9, 'k', {', '.join(_columns(ledger)[2:])} FROM posting WHERE id = 2"
        )


def _columns(ledger: Ledger) -> list[str]:
    return [row["name"] for row in ledger._db.execute("PRAGMA table_info(posting)")]


def test_another_date_is_a_duplicate_where_that_is_asked_for(ledger: Ledger) -> None:
    first = posted(ledger, entry(1), "run-1")
    later = altered(issue_date=dt.date(2024, 2, 1))
    assert ledger.post(later, "run-2", any_date=True) == Duplicate(first=first)
    second = ledger.post(later, "run-2", any_date=True, distinct=SAID)
    assert isinstance(second, Posting) and second.version == "" and second.distinct == SAID


def test_a_ledger_of_the_first_schema_is_brought_up(tmp_path: Path) -> None:
    schema = resources.files("skerry_workflows.invoice").joinpath("ledger.sql").read_text()
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        db.executescript(f"{schema} PRAGMA user_version = 1;")
        row = (
            "k",
            "2024-01-02T00:00:00+00:00",
            "invoice",
            "R-1",
            "2024-01-01",
            "Alderway",
            "EUR",
            "12.00",
            "x",
            "",
            "alderway",
            "r1",
        )
        db.execute(
            "INSERT INTO posting (idempotency_key, posted_at, doc_type, number, issue_date, seller_name, currency,"
            " gross_total, source, seller_vat_key, seller_name_key, number_key) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            row,
        )
    db.close()
    with Ledger(tmp_path / "ledger.db") as ledger:
        (old,) = ledger.entries()
        assert (old.version, old.distinct) == ("", None)
        again = altered(number="R-1", issue_date=dt.date(2024, 1, 1), seller_name="Alderway", seller_vat_id=None)
        assert ledger.post(again, "k2") == Duplicate(first=old)
        assert isinstance(ledger.post(again, "k2", distinct=SAID), Posting)
    with Ledger(tmp_path / "ledger.db") as ledger:
        assert len(list(ledger.entries())) == 2


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=4))
def test_amounts_are_kept_exactly(amount: Decimal) -> None:
    ledger = Ledger(Path(":memory:"))
    ledger.post(altered(gross_total=amount, net_total=Decimal("1E+3"), tax_total=Decimal("0.10")), "k")
    (posting,) = ledger.entries()
    assert posting.entry.gross_total == amount and str(posting.entry.tax_total) == "0.10"
    assert posting.entry.net_total == 1000
    ledger.close()


def test_what_cannot_be_posted(ledger: Ledger) -> None:
    with pytest.raises(DataError, match="gross_total is NaN"):
        ledger.post(altered(gross_total=Decimal("NaN")), "k")
    with pytest.raises(DataError, match="without seller, number or date"):
        ledger.post(altered(number="--"), "k")
    with pytest.raises(DataError, match="idempotency key"):
        ledger.post(entry(1), "")
    with pytest.raises(DataError, match="without currency, gross_total"):
        entry_of(changed(currency=None, gross_total=None), "x")
    assert list(ledger.entries()) == []


def test_fields_become_an_entry_that_is_found_again(ledger: Ledger) -> None:
    posting = ledger.post(entry_of(FIELDS, "sample.txt"), "k")
    identity = identity_of(FIELDS)
    assert identity is not None
    assert ledger.find(identity) == posting
    other = identity_of(changed(number="AP-1042"))
    assert other is not None and ledger.find(other) is None


def test_postings_stay_as_they_are(ledger: Ledger) -> None:
    ledger.post(entry(1), "k")
    with sqlite3.connect(ledger.path) as db:
        for statement in ("UPDATE posting SET gross_total = '0'", "DELETE FROM posting"):
            with pytest.raises(sqlite3.IntegrityError, match="a posting is never"):
                db.execute(statement)
    db.close()


def test_what_was_posted_is_on_disk_in_full(ledger: Ledger) -> None:
    with sqlite3.connect(ledger.path) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()
    (synchronous,) = ledger._db.execute("PRAGMA synchronous").fetchone()
    assert synchronous == 2, "FULL"


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    """The file and those that SQLite keeps beside it, whatever the umask; the folder stays as it is."""
    (tmp_path / "books").mkdir(mode=0o755)
    before = os.umask(0o022)
    try:
        with Ledger(tmp_path / "books" / "ledger.db") as ledger:
            posted(ledger, entry(1), "k")
            modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "books").iterdir()}
    finally:
        os.umask(before)
    assert modes == {"ledger.db": 0o600, "ledger.db-wal": 0o600, "ledger.db-shm": 0o600}
    assert (tmp_path / "books").stat().st_mode & 0o777 == 0o755


def test_a_file_that_is_no_ledger(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("hello, this is no database at all")
    with pytest.raises(Unavailable, match="cannot be opened"):
        Ledger(tmp_path / "x.db")


def test_a_ledger_of_a_newer_version(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(Unavailable, match="newer version"):
        Ledger(tmp_path / "x.db")


def test_csv_with_no_formulas_in_it(ledger: Ledger) -> None:
    evil = ['=HYPERLINK("http://x","y")', "+1+1", "-2+3", "@SUM(A1)", " \t=1", "\uff1d1", 'harmless, "quoted"\nname']
    for number, name in enumerate(evil):
        ledger.post(altered(number=f"N{number}", seller_name=name, gross_total=Decimal("-1.50")), f"=key{number}")
    file = io.StringIO(newline="")
    assert ledger.export_csv(file) == len(evil)
    rows = list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))
    assert [row["seller_name"] for row in rows] == [f"'{name}" for name in evil[:-1]] + evil[-1:]
    assert {row["gross_total"] for row in rows} == {"-1.50"}, "an amount of ours stays a number"
    assert all(row["idempotency_key"].startswith("'=") for row in rows)


def start(ledger: Path, acknowledged: Path, who: str, count: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.invoice.poster", str(ledger), str(acknowledged), who, str(count)]
    return subprocess.Popen(command, cwd=ROOT)


def test_two_processes_that_post_the_same_invoices_at_once(tmp_path: Path) -> None:
    path, count = tmp_path / "ledger.db", 150
    posters = [start(path, tmp_path / who, who, count) for who in ("a", "b", "c")]
    assert [p.wait(60) for p in posters] == [0, 0, 0]
    said = Counter(line.split()[1] for who in "abc" for line in (tmp_path / who).read_text().splitlines())
    assert said == {"Posting": count, "Duplicate": 2 * count}
    with Ledger(path) as ledger:
        assert sorted(p.entry.number for p in ledger.entries()) == sorted(f"R-{n}" for n in range(count))


def test_kill_9_at_random_instants(tmp_path: Path) -> None:
    """Whatever was acknowledged is there once; a retry under the same key finds it, and posts what was lost."""
    path, acknowledged, count = tmp_path / "ledger.db", tmp_path / "acknowledged", 100_000
    draw = random.Random(11)
    keys: list[str] = []
    for _ in range(8):
        before = acknowledged.stat().st_size if acknowledged.exists() else 0
        poster = start(path, acknowledged, "run", count)
        wanted = before + draw.randint(1, 900)
        while not acknowledged.exists() or acknowledged.stat().st_size < wanted:
            try:
                poster.wait(draw.random() / 500)
                pytest.fail("the poster ended by itself")
            except subprocess.TimeoutExpired:
                pass
        poster.kill()
        assert poster.wait(10) == -9
        with Ledger(path) as ledger:
            keys = [p.idempotency_key for p in ledger.entries()]
            assert ledger._db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        told = {line.split()[0] for line in acknowledged.read_text().splitlines() if line.endswith("Posting")}
        assert len(keys) == len(set(keys)) and told <= set(keys)
        assert len(set(keys) - told) <= 1, "at most the one that was posted and not yet told"
    # The keys are posted from the first on in every life, so the ledger has no holes.
    assert keys == [f"run-{n}" for n in range(len(keys))]
