"""OTLP as JSON: the messages of opentelemetry-proto, written without its packages.

From opentelemetry.io/docs/specs/otlp: names in camel case, ids in hex, 64-bit integers as strings, enums as numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from skerry.core.structs import Frozen
from skerry.core.wire import span_id, trace_id
from skerry.version import __version__

Value: TypeAlias = str | bool | int | float | Sequence[str]
Attributes: TypeAlias = Mapping[str, Value]
Signal: TypeAlias = Literal["traces", "metrics"]

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
"""Kinds of spans."""
_SCOPE = {"name": "skerry", "version": __version__}
_ERROR = 2
_SAMPLED = 1
_encode = msgspec.json.Encoder().encode


class Attribute(Frozen):
    """A name and its value, which says its type."""

    key: str
    value: dict[str, Any]


class Note(Frozen, omit_defaults=True, rename="camel"):
    """Something that happened within a span ("event" in OTLP)."""

    time_unix_nano: str
    name: str
    attributes: list[Attribute] = []


class Link(Frozen, rename="camel"):
    """Another span that this one has to do with, of another trace."""

    trace_id: str
    span_id: str


class Status(Frozen, omit_defaults=True):
    """How it ended: `code` 2 is an error."""

    code: int = 0
    message: str = ""


class Span(Frozen, omit_defaults=True, rename="camel"):
    """One span."""

    trace_id: str
    span_id: str
    name: str
    kind: int
    start_time_unix_nano: str
    end_time_unix_nano: str
    parent_span_id: str = ""
    flags: int = 0
    attributes: list[Attribute] = []
    events: list[Note] = []
    links: list[Link] = []
    status: Status = Status()


def ids(run: str, key: str = "") -> tuple[str, str]:
    """Trace and span id of something in a run, in hex: those of the `traceparent` with which messages travel."""
    return trace_id(run), span_id(run, key)


def attributes(named: Attributes) -> list[Attribute]:
    """Those that have a value: an empty text or list says nothing."""
    return [Attribute(key=key, value=_value(value)) for key, value in named.items() if value not in ("", ())]


def _value(value: Value) -> dict[str, Any]:
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"arrayValue": {"values": [{"stringValue": each} for each in value]}}


def span(
    ids: tuple[str, str],
    name: str,
    start_us: int,
    end_us: int,
    *,
    parent: str = "",
    kind: int = INTERNAL,
    named: Attributes | None = None,
    notes: Sequence[Note] = (),
    links: Sequence[Link] = (),
    error: str = "",
    message: str = "",
) -> Span:
    """A span. `error` is its class, low in number, when it ended in one; `message` is for people."""
    told = attributes(named or {})
    if error:
        told.append(Attribute(key="error.type", value={"stringValue": error}))
    return Span(
        trace_id=ids[0],
        span_id=ids[1],
        parent_span_id=parent,
        name=name,
        kind=kind,
        start_time_unix_nano=nanos(min(start_us, end_us)),
        end_time_unix_nano=nanos(end_us),
        flags=_SAMPLED,
        attributes=told,
        events=list(notes),
        links=list(links),
        status=Status(code=_ERROR, message=message) if error else Status(),
    )


def note(at_us: int, name: str, named: Attributes) -> Note:
    """Something that happened at a time."""
    return Note(time_unix_nano=nanos(at_us), name=name, attributes=attributes(named))


def nanos(us: int) -> str:
    """Microseconds as nanoseconds, the way JSON carries 64 bits."""
    return f"{us}000" if us > 0 else "0"


def traces(spans: Iterable[Span], resource: Attributes) -> bytes:
    """The body of a request to `/v1/traces`."""
    scope = {"scope": _SCOPE, "spans": list(spans)}
    return _encode({"resourceSpans": [{"resource": {"attributes": attributes(resource)}, "scopeSpans": [scope]}]})


def metrics(told: Iterable[Mapping[str, Any]], resource: Attributes) -> bytes:
    """The body of a request to `/v1/metrics`."""
    scope = {"scope": _SCOPE, "metrics": list(told)}
    return _encode({"resourceMetrics": [{"resource": {"attributes": attributes(resource)}, "scopeMetrics": [scope]}]})
