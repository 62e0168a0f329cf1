"""How fast Skerry is, beside plain SQLite and plain nats-py doing the least that the same work needs.

    python -m benchmarks.steps | bus | replay | recovery | sleepers | models | sync | fleet | peers [--json] [--quick]
    python -m benchmarks.scores | accepted DATA [--write docs/quality.md]

docs/benchmarks.md says what each of them measures, and what it measured. The last two say how right it is, on a folder
of real cases: docs/quality.md.
"""
