"""Whether telemetry is on, where it goes, and under which name. Off, unless it has somewhere to go or is to be kept."""

from __future__ import annotations

import logging
import urllib.parse
from collections.abc import Mapping
from pathlib import Path

import msgspec

from skerry.core.structs import Frozen

log = logging.getLogger("skerry.telemetry")

FOLDER = "telemetry"
"""In the data folder: what was not handed over yet."""
_ENDPOINT, _HEADERS, _OFF = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_SDK_DISABLED"


class Telemetry(Frozen):
    """`[telemetry]` of the settings.

    `endpoint` is the base URL of an OTLP/HTTP collector ("http://localhost:4318"; `/v1/traces` and `/v1/metrics` are
    put behind it), `headers` go with each request ("name=value,name=value"). `keep`: without an endpoint, keep it
    locally. `content`: arguments, answers and messages are told, too. `spool_mb` bounds what waits on disk,
    `metrics_s` is how often metrics are told, `every_s` how often the journal is looked at.
    """

    endpoint: str = ""
    headers: str = ""
    keep: bool = False
    content: bool = False
    spool_mb: int = 64
    metrics_s: float = 30.0
    every_s: float = 1.0

    def resolved(self, environ: Mapping[str, str]) -> Telemetry | None:
        """With OpenTelemetry's own variables where nothing is set here; None when telemetry is off."""
        if environ.get(_OFF, "").lower() == "true":
            return None
        endpoint = (self.endpoint or environ.get(_ENDPOINT, "")).strip().rstrip("/")
        if not endpoint and not self.keep:
            return None
        return Telemetry(
            endpoint=endpoint,
            headers=self.headers or environ.get(_HEADERS, ""),
            keep=self.keep,
            content=self.content,
            spool_mb=self.spool_mb,
            metrics_s=self.metrics_s,
            every_s=self.every_s,
        )

    def header_lines(self) -> dict[str, str]:
        """The headers, by name."""
        named = _pairs(self.headers)
        return {name: value for name, value in named.items() if "\n" not in value and "\r" not in value}


def from_environment(environ: Mapping[str, str]) -> Telemetry | None:
    """For a worker, whose settings come as variables; None when telemetry is off."""
    named = {field: environ.get(f"SKERRY_TELEMETRY_{field.upper()}", "") for field in Telemetry.__struct_fields__}
    try:
        given = {field: text for field, text in named.items() if text}
        return msgspec.convert(given, Telemetry, strict=False).resolved(environ)
    except msgspec.ValidationError as error:
        log.warning("there is no telemetry: its settings make no sense: %s", error)
        return None


def resource(environ: Mapping[str, str], **own: str) -> dict[str, str]:
    """Who speaks: our own attributes (with dots for `__`), then what OpenTelemetry's variables say of this process."""
    named = {name.replace("__", "."): value for name, value in own.items()}
    named.update(_pairs(environ.get("OTEL_RESOURCE_ATTRIBUTES", "")))
    if environ.get("OTEL_SERVICE_NAME"):
        named["service.name"] = environ["OTEL_SERVICE_NAME"]
    return named


def folder_of(data: Path) -> Path:
    """Where telemetry waits in a data folder."""
    return data.absolute() / FOLDER


def _pairs(text: str) -> dict[str, str]:
    """`a=1,b=two%20words`, as OpenTelemetry writes it."""
    found: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if equals and name.strip():
            found[urllib.parse.unquote(name.strip())] = urllib.parse.unquote(value.strip())
    return found
