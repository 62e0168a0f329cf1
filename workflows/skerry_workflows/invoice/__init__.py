"""The invoice workflow: from an untrusted file to one line in the ledger.

In reading order: `model` (what an invoice is), `read` (bytes to a `Reading`), `rules` (text to fields), `verify`
(objections), `duplicates` (have we seen it?), `ledger` (posted exactly once), `evaluate` (how good all of that is on
a folder of cases). Everything but the ledger and `evaluate` is a pure function.
"""
