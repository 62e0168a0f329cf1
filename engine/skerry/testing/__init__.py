"""The public test kit: ports in memory, conformance suites that every adapter passes."""
