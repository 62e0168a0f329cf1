"""How fast Skerry is, beside plain SQLite and plain nats-py doing the least that the same work needs.

    python -m benchmarks.steps | bus | replay | recovery | sleepers | models | peers [--json] [--quick]

docs/benchmarks.md says what each of them measures, and what it measured.
"""
