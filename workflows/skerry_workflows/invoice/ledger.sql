-- The ledger: one row for each invoice that was posted. Rows are never changed and never removed.
-- What is made here is schema 1; ledger_2.sql makes schema 2 of it.
-- Amounts are decimal text, never floating point. Columns that end in _key are normalised, for comparison only.
CREATE TABLE IF NOT EXISTS posting (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    idempotency_key  TEXT NOT NULL UNIQUE,
    posted_at        TEXT NOT NULL,
    doc_type         TEXT NOT NULL,
    number           TEXT NOT NULL,
    issue_date       TEXT NOT NULL,
    due_date         TEXT,
    seller_name      TEXT NOT NULL,
    seller_vat_id    TEXT,
    currency         TEXT NOT NULL,
    net_total        TEXT,
    tax_total        TEXT,
    gross_total      TEXT NOT NULL,
    source           TEXT NOT NULL,
    seller_vat_key   TEXT NOT NULL,
    seller_name_key  TEXT NOT NULL,
    number_key       TEXT NOT NULL
) STRICT;

-- One invoice once, by the seller's VAT id if it has one, else by its name. An invoice that comes once with a VAT id and
-- once without is found by the search that precedes every insert, in the same transaction.
CREATE UNIQUE INDEX IF NOT EXISTS posting_identity
    ON posting (coalesce(nullif(seller_vat_key, ''), 'name:' || seller_name_key), number_key, issue_date);

CREATE INDEX IF NOT EXISTS posting_number ON posting (number_key, issue_date);

CREATE TRIGGER IF NOT EXISTS posting_stays_as_it_is BEFORE UPDATE ON posting
BEGIN SELECT raise(ABORT, 'a posting is never changed'); END;

CREATE TRIGGER IF NOT EXISTS posting_stays BEFORE DELETE ON posting
BEGIN SELECT raise(ABORT, 'a posting is never removed'); END;
