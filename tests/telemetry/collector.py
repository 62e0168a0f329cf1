"""An OTLP/HTTP collector on loopback. It decodes each request strictly, with the messages of opentelemetry-proto."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue


class Told(NamedTuple):
    """One span, in plain values. `service` is that of its resource."""

    service: str
    trace: str
    id: str
    parent: str
    name: str
    kind: int
    start_us: int
    end_us: int
    named: dict[str, Any]
    notes: list[tuple[str, dict[str, Any]]]
    links: list[tuple[str, str]]
    failed: bool
    message: str


class Point(NamedTuple):
    """One number of a metric, or the count and sum of a histogram."""

    name: str
    unit: str
    named: dict[str, Any]
    value: float
    sum: float
    start_us: int
    at_us: int


class Collector:
    """`with Collector(port) as collector`. It answers with `status`, and `headers`, while that is not 200."""

    def __init__(self, port: int = 0) -> None:
        self.spans: list[Told] = []
        self.points: list[Point] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.answer = b"{}"
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.requests.append((self.path, dict(self.headers)))
                    if outer.status == 200:
                        outer.take(self.path, gzip.decompress(body))
                    self.send_response(outer.status)
                    for name, value in outer.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(outer.answer)))
                    self.end_headers()
                    self.wfile.write(outer.answer)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        """Its endpoint."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Collector:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, path: str, body: bytes) -> None:
        """One request's body."""
        if path.endswith("/v1/traces"):
            self.spans += spans_of(body)
        else:
            assert path.endswith("/v1/metrics"), path
            self.points += points_of(body)

    def last(self, name: str, **named: str) -> Point | None:
        """The newest point of a metric that has these attributes (`__` stands for a dot)."""
        wanted = {key.replace("__", "."): value for key, value in named.items()}
        with self.lock:
            found = [p for p in self.points if p.name == name and wanted.items() <= p.named.items()]
        return found[-1] if found else None


def spans_of(body: bytes) -> list[Told]:
    """The spans in a request, which must be one as opentelemetry-proto has it."""
    request = Parse(_with_base64(body), ExportTraceServiceRequest())
    found: list[Told] = []
    for resource in request.resource_spans:
        service = named_of(resource.resource.attributes)["service.name"]
        for scope in resource.scope_spans:
            assert scope.scope.name == "skerry"
            for span in scope.spans:
                assert len(span.trace_id) == 16 and len(span.span_id) == 8, span
                assert span.start_time_unix_nano <= span.end_time_unix_nano, span
                found.append(
                    Told(
                        service=service,
                        trace=span.trace_id.hex(),
                        id=span.span_id.hex(),
                        parent=span.parent_span_id.hex(),
                        name=span.name,
                        kind=span.kind,
                        start_us=span.start_time_unix_nano // 1000,
                        end_us=span.end_time_unix_nano // 1000,
                        named=named_of(span.attributes),
                        notes=[(note.name, named_of(note.attributes)) for note in span.events],
                        links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
                        failed=span.status.code == 2,
                        message=span.status.message,
                    )
                )
    return found


def points_of(body: bytes) -> list[Point]:
    """The numbers in a request."""
    request = Parse(_with_base64(body), ExportMetricsServiceRequest())
    found: list[Point] = []
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                data = getattr(metric, metric.WhichOneof("data") or "sum")
                for point in data.data_points:
                    whole = metric.WhichOneof("data") == "histogram"
                    value = point.count if whole else getattr(point, point.WhichOneof("value"))
                    if whole:
                        assert sum(point.bucket_counts) == point.count
                        assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
                    found.append(
                        Point(
                            name=metric.name,
                            unit=metric.unit,
                            named=named_of(point.attributes),
                            value=value,
                            sum=point.sum if whole else 0.0,
                            start_us=point.start_time_unix_nano // 1000,
                            at_us=point.time_unix_nano // 1000,
                        )
                    )
    return found


def named_of(attributes: Any) -> dict[str, Any]:
    """Attributes as plain values; none comes twice."""
    pairs: list[KeyValue] = list(attributes)
    named = {pair.key: _plain(pair.value) for pair in pairs}
    assert len(named) == len(pairs), [pair.key for pair in pairs]
    return named


def _plain(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(each) for each in value.array_value.values]
    return getattr(value, kind or "string_value")


def _with_base64(body: bytes) -> str:
    """OTLP writes ids in hex; protobuf's own JSON has base64 for bytes."""

    def ids(found: dict[str, Any]) -> dict[str, Any]:
        for name in ("traceId", "spanId", "parentSpanId"):
            if name in found:
                found[name] = base64.b64encode(bytes.fromhex(found[name])).decode()
        return found

    return json.dumps(json.loads(body, object_hook=ids))
