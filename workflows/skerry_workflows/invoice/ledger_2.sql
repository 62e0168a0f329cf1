-- A second invoice of the same seller, number and date, which a person declared to be one of its own: `version` is what
-- tells it apart ('' for the first), `decided_by` and `decided_why` are who said so and why.
ALTER TABLE posting ADD COLUMN version TEXT NOT NULL DEFAULT '';
ALTER TABLE posting ADD COLUMN decided_by TEXT NOT NULL DEFAULT '';
ALTER TABLE posting ADD COLUMN decided_why TEXT NOT NULL DEFAULT '';

DROP INDEX posting_identity;

CREATE UNIQUE INDEX posting_identity ON posting
    (coalesce(nullif(seller_vat_key, ''), 'name:' || seller_name_key), number_key, issue_date, version);
