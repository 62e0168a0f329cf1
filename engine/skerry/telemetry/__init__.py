"""OpenTelemetry: one trace for each run, and metrics, made of the journal after the fact (docs/guides/telemetry.md).

Nothing in here is imported unless telemetry is on, but for `settings`.
"""
