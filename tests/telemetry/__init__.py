"""Telemetry, against a collector of our own that reads what comes as opentelemetry-proto has it."""
