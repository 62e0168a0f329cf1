"""The invoice workflow's library: readers, rules, verifiers, ledger."""
