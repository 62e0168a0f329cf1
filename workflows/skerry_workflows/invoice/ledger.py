"""The ledger: where accepted invoices end, each exactly once, whatever crashes, retries or forks on the way.

One transaction of its file looks up the idempotency key and the invoice's identity and inserts the row, so two
processes cannot both find nothing; what `post` returned is on disk.

Two invoices that differ but have the same seller, number and date are a mistake or a fraud, until a person says that
both are right: then the second is posted under a `version`, with who said so and why.
"""

from __future__ import annotations

import csv
import datetime as dt
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final, TextIO

import msgspec

from skerry.errors import DataError
from skerry_workflows.invoice.duplicates import compare
from skerry_workflows.invoice.identity import Identity, identity_of, normal_number
from skerry_workflows.invoice.model import DocType, InvoiceFields
from skerry_workflows.sqlite_file import SqliteFile

_SCHEMAS: Final = ("ledger.sql", "ledger_2.sql", "ledger_3.sql")
"""What makes each version of the schema of the one before; the number of the last is the file's `user_version`."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is posted.

    `source` says where it comes from, for people (a file name, a run id); `document` is the SHA-256 of the original,
    `approved_by` who approved it (names, with commas).
    """

    doc_type: DocType
    number: str
    issue_date: dt.date
    seller_name: str
    currency: str
    gross_total: Decimal
    net_total: Decimal | None = None
    tax_total: Decimal | None = None
    due_date: dt.date | None = None
    seller_vat_id: str | None = None
    source: str = ""
    document: str = ""
    purchase_order: str | None = None
    cost_centre: str = ""
    approved_by: str = ""


class Distinct(msgspec.Struct, frozen=True, kw_only=True):
    """A person's word that an invoice is not the one with its number that was posted before: who, and why."""

    by: str
    why: str


class Posting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="posting"):
    """An entry in the ledger: `id` counts up from 1, `posted_at` is UTC.

    `version` tells it from another one of the same seller, number and date, and is "" where there was none; `distinct`
    says who declared it to be another than those before.
    """

    id: int
    idempotency_key: str
    posted_at: dt.datetime
    entry: Entry
    version: str = ""
    distinct: Distinct | None = None


class Duplicate(msgspec.Struct, frozen=True, kw_only=True, tag="duplicate"):
    """Nothing was posted: an invoice with this identity is in the ledger, as `first`, posted under another key.

    Whether it says the same is for `duplicates.compare` to tell.
    """

    first: Posting


def entry_of(fields: InvoiceFields, source: str) -> Entry:
    """The entry for verified fields.

    Raises:
        DataError: something is missing without which nothing can be posted.
    """
    number, date, seller, currency, gross = (
        fields.number, fields.issue_date, fields.seller_name, fields.currency, fields.gross_total,
    )  # fmt: skip
    if not number or date is None or not seller or not currency or gross is None:
        names = ("number", "issue_date", "seller_name", "currency", "gross_total")
        missing = ", ".join(n for n in names if getattr(fields, n) in (None, ""))
        raise DataError(f"an invoice without {missing} cannot be posted", hint="let a person complete it")
    return Entry(
        doc_type=fields.doc_type, number=number, issue_date=date, due_date=fields.due_date, seller_name=seller,
        seller_vat_id=fields.seller_vat_id, currency=currency, net_total=fields.net_total, tax_total=fields.tax_total,
        gross_total=gross, source=source, purchase_order=fields.purchase_order,
    )  # fmt: skip


def unpostable(fields: InvoiceFields) -> str:
    """Why `Ledger.post` would refuse these fields; empty when it would not."""
    try:
        _checked_identity(entry_of(fields, ""))
    except DataError as error:
        return error.message
    return ""


def fields_of(entry: Entry) -> InvoiceFields:
    """What an entry says of an invoice, to compare it with another."""
    said = msgspec.structs.asdict(entry)
    return InvoiceFields(**{name: said[name] for name in InvoiceFields.__struct_fields__ if name in said})


class Ledger(SqliteFile):
    """An open ledger file, made if it is not there. Not for use by several threads; open one for each.

    Raises:
        Unavailable: the file cannot be opened, or is no ledger of this version.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "ledger", "skerry_workflows.invoice", _SCHEMAS)

    def post(
        self, entry: Entry, idempotency_key: str, *, distinct: Distinct | None = None, any_date: bool = False
    ) -> Posting | Duplicate:
        """Post an invoice, once.

        Args:
            entry: what to post.
            idempotency_key: the same for every attempt at the same posting.
            distinct: a person's word that this is not the invoice that the ledger has under its identity. It is posted
                beside that one then, unless the ledger has one that says the same.
            any_date: one of the same seller and number, but of another date, counts as a `Duplicate`, too.

        Returns:
            The new posting; the old one if `idempotency_key` was used before, whatever `entry` says now; a `Duplicate`
            if an invoice with this identity was posted under another key: if there are several, the one that says the
            same.

        Raises:
            DataError: the entry has no identity, or an amount is not finite.
            RetryableError: the disk is full, or another process holds the file for too long. Nothing was posted.
        """
        identity = _checked_identity(entry)
        if not idempotency_key:
            raise DataError("a posting needs an idempotency key", hint="pass the key of the task")
        with self.transaction():
            known = self._by_key(idempotency_key)
            if known:
                return known
            fields = fields_of(entry)
            having = self._having(identity)
            dated = having or [
                p
                for p in self.with_number(entry.number)
                if any_date and compare(fields_of(p.entry), fields) == "review"
            ]
            same = [p for p in having if compare(fields_of(p.entry), fields) == "same"]
            if same or (dated and distinct is None):
                return Duplicate(first=(same or dated)[0])
            return self._insert(entry, identity, idempotency_key, distinct, _version(entry) if having else "")

    def _by_key(self, idempotency_key: str) -> Posting | None:
        row = self._db.execute("SELECT * FROM posting WHERE idempotency_key = ?", (idempotency_key,)).fetchone()
        return _posting(row) if row else None

    def find(self, identity: Identity) -> Posting | None:
        """The posting of that invoice, whether its seller was known by VAT id or by name then."""
        return next(iter(self._having(identity)), None)

    def with_number(self, number: str) -> list[Posting]:
        """Postings whose invoice number is the same but for punctuation, of all sellers and dates; oldest first."""
        rows = self._db.execute("SELECT * FROM posting WHERE number_key = ? ORDER BY id", (normal_number(number),))
        return [_posting(row) for row in rows]

    def invoiced(self, purchase_order: str, currency: str) -> Decimal:
        """What postings have taken of a purchase order so far, with tax; credit notes give it back."""
        rows = self._db.execute(
            "SELECT purchase_order, doc_type, gross_total FROM posting WHERE currency = ? AND purchase_order <> ''",
            (currency,),
        )
        wanted, total = normal_number(purchase_order), Decimal(0)
        for row in rows:
            if normal_number(row["purchase_order"]) == wanted:
                amount = Decimal(row["gross_total"])
                total += -amount if row["doc_type"] == "credit_note" else amount
        return total

    def _having(self, identity: Identity) -> list[Posting]:
        """Every posting with that identity, oldest first: several only where a person said so."""
        having: list[Posting] = []
        rows = self._db.execute(
            "SELECT * FROM posting WHERE number_key = ? AND issue_date = ? ORDER BY id",
            (identity.number, identity.issue_date.isoformat()),
        )
        for row in rows:
            known = Identity(
                seller_vat=row["seller_vat_key"],
                seller_name=row["seller_name_key"],
                number=identity.number,
                issue_date=identity.issue_date,
            )
            if known.same_seller(identity):
                having.append(_posting(row))
        return having

    def _insert(
        self, entry: Entry, identity: Identity, idempotency_key: str, distinct: Distinct | None, version: str
    ) -> Posting:
        posted_at = dt.datetime.now(dt.UTC)
        values = {
            **{name: _column(getattr(entry, name)) for name in Entry.__struct_fields__},
            "idempotency_key": idempotency_key,
            "posted_at": posted_at.isoformat(),
            "seller_vat_key": identity.seller_vat,
            "seller_name_key": identity.seller_name,
            "number_key": identity.number,
            "version": version,
            "decided_by": distinct.by if distinct else "",
            "decided_why": distinct.why if distinct else "",
        }
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        row_id = self._db.execute(f"INSERT INTO posting ({names}) VALUES ({marks})", values).lastrowid
        assert row_id is not None
        return Posting(
            id=row_id,
            idempotency_key=idempotency_key,
            posted_at=posted_at,
            entry=entry,
            version=version,
            distinct=distinct,
        )

    def entries(self) -> Iterator[Posting]:
        """Every posting, in the order in which they were made."""
        for row in self._db.execute("SELECT * FROM posting ORDER BY id"):
            yield _posting(row)

    def export_csv(self, file: TextIO) -> int:
        """Write all postings as CSV with a header line (open `file` with newline=""); returns how many there were."""
        writer = csv.writer(file)
        behind = ("version", "decided_by", "decided_why", "idempotency_key")
        writer.writerow(("id", "posted_at", *Entry.__struct_fields__, *behind))
        count = 0
        for posting in self.entries():
            entry = [getattr(posting.entry, name) for name in Entry.__struct_fields__]
            said = posting.distinct or Distinct(by="", why="")
            row = (
                posting.id, posting.posted_at.isoformat(), *entry, posting.version, said.by, said.why,
                posting.idempotency_key,
            )  # fmt: skip
            writer.writerow([_cell(value) for value in row])
            count += 1
        return count


def _checked_identity(entry: Entry) -> Identity:
    identity = identity_of(
        InvoiceFields(
            number=entry.number,
            issue_date=entry.issue_date,
            seller_name=entry.seller_name,
            seller_vat_id=entry.seller_vat_id,
        )
    )
    if identity is None:
        raise DataError("an invoice without seller, number or date cannot be posted", hint="let a person complete it")
    for name in ("net_total", "tax_total", "gross_total"):
        amount = getattr(entry, name)
        if amount is not None and not amount.is_finite():
            raise DataError(f"{name} is {amount}, which is no amount", hint="let a person correct it")
    return identity


def _version(entry: Entry) -> str:
    """What tells an invoice from another one of the same seller, number and date, in words for people."""
    return f"{entry.doc_type} {_column(entry.gross_total)} {entry.currency}"


def _column(value: object) -> object:
    """A value as the table keeps it: amounts as plain decimal text (never "1E+3"), dates in ISO form."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, dt.date) else value


def _posting(row: sqlite3.Row) -> Posting:
    stored = {name: row[name] for name in Entry.__struct_fields__}
    return Posting(
        id=row["id"],
        idempotency_key=row["idempotency_key"],
        posted_at=dt.datetime.fromisoformat(row["posted_at"]),
        entry=msgspec.convert(stored, Entry),
        version=row["version"],
        distinct=Distinct(by=row["decided_by"], why=row["decided_why"])
        if row["decided_by"] or row["decided_why"]
        else None,
    )


def _cell(value: object) -> str:
    """A CSV cell that a spreadsheet takes for text.

    Numbers and dates of ours are safe; words of strangers may be formulas.
    """
    if not isinstance(value, str):
        return "" if value is None else str(_column(value))
    # A spreadsheet skips blanks and invisible characters before it looks for the sign of a formula.
    shown = value.lstrip("".join(map(chr, range(33))) + "\u00a0\u200b\ufeff")
    risky = shown.startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")) or value.startswith(
        ("\t", "\r", "\n")
    )
    return "'" + value if risky else value
