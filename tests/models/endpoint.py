"""An HTTP server on loopback that behaves as OpenAI-compatible endpoints do, or as they do on a bad day."""

from __future__ import annotations

import json
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

PROSE = "Hello! How can I help you today?"
TOKEN_CHARACTERS = 3
LOGPROB = -0.25


@dataclass
class Likeness:
    """What the endpoint is like. `enforces`: the dialects of schemas that it keeps to; it ignores the others.

    `grammar`: the word behind which it takes a grammar.

    `minds`: words of a request that it refuses, with the message it gives. `text` is what it says when nothing holds it
    to a schema, `answer` when something does (not to the probe, which has the one answer that fits).
    """

    enforces: frozenset[str] = frozenset(("openai",))
    grammar: str = ""
    minds: dict[str, str] = field(default_factory=dict)
    models: list[dict[str, Any]] | None = field(default_factory=lambda: [{"id": "m1", "owned_by": "someone"}])
    tags: dict[str, Any] | None = None
    key: str = ""
    text: str = PROSE
    answer: Any = None
    finish: str = "stop"
    logprobs: bool = True
    streams: bool = True
    usage: bool = True
    extra: dict[str, Any] = field(default_factory=dict)


FOUNDRY = Likeness(enforces=frozenset(("foundry",)), logprobs=False)
IGNORES = Likeness(enforces=frozenset())


class EndpointServer:
    """Runs it. `fault`, when set, answers the next completions in place of `likeness`."""

    def __init__(self, likeness: Likeness | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.likeness = likeness or Likeness()
        self.fault: Callable[[Exchange], None] | None = None
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self.open = 0
        self.counting = threading.Lock()
        self.generating = threading.Event()
        self.gone = threading.Event()
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def last(self) -> dict[str, Any]:
        """The body of the last completion that was asked for."""
        return self.asked[-1]


class Exchange:
    """One request for a completion and the ways to answer it."""

    def __init__(self, server: EndpointServer, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        self.server = server
        self.handler = handler
        self.body = body

    def reply(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        """A whole reply."""
        self.start(status, kind, **{"Content-Length": str(len(body))}, **headers)
        self.raw(body)

    def error(self, status: int, message: str, **headers: str) -> None:
        """An error, as OpenAI says it."""
        self.reply(status, json.dumps({"error": {"message": message, "type": "x"}}).encode(), **headers)

    def start(self, status: int, kind: str, **headers: str) -> None:
        """Status and headers; an underscore in a name is a hyphen."""
        self.handler.send_response(status)
        for name, value in {"Content-Type": kind, **headers}.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()

    def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self.handler.wfile.write(data)
        self.handler.wfile.flush()

    def chunk(self, data: bytes) -> None:
        """One piece of a chunked body."""
        self.raw(b"%x\r\n%b\r\n" % (len(data), data))

    def event(self, data: dict[str, Any]) -> None:
        """One event of a stream."""
        self.chunk(b"data: %b\n\n" % json.dumps(data).encode())

    def start_stream(self) -> None:
        """The beginning of a stream of events."""
        self.start(200, "text/event-stream", Transfer_Encoding="chunked")

    def say(self, text: str, *, finish: str = "stop") -> None:
        """A whole completion."""
        like, pieces = self.server.likeness, list(_pieces(text))
        usage = {
            "prompt_tokens": 40,
            "completion_tokens": len(pieces),
            "prompt_tokens_details": {"cached_tokens": 32},
        }
        if not (like.streams and self.body.get("stream")):
            choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": text}}
            choice["finish_reason"] = finish
            if like.logprobs and self.body.get("logprobs"):
                choice["logprobs"] = {"content": pieces}
            body = {"choices": [choice], "usage": usage if like.usage else None, **like.extra}
            self.reply(200, json.dumps(body).encode())
            return
        self.start_stream()
        self.event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": None}}]})
        for piece in pieces:
            self.piece(piece)
        self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
        if like.usage and self.body.get("stream_options"):
            self.event({"choices": [], "usage": usage, **like.extra})
        self.chunk(b"data: [DONE]\n\n")
        self.raw(b"0\r\n\r\n")

    def piece(self, piece: dict[str, Any]) -> None:
        """One token."""
        choice: dict[str, Any] = {"index": 0, "delta": {"content": piece["token"]}, "finish_reason": None}
        if self.server.likeness.logprobs and self.body.get("logprobs"):
            choice["logprobs"] = {"content": [piece]}
        self.event({"choices": [choice]})

    def until_gone(self, beside: Callable[[], None] | None = None, every_s: float = 0.02) -> None:
        """Waits until the client hangs up (or the test is over), doing something beside."""
        self.server.generating.set()
        connection: socket.socket = self.handler.connection
        try:
            while not self.server.closing.is_set():
                readable, _, _ = select.select([connection], [], [], every_s)
                if readable and not connection.recv(1, socket.MSG_PEEK):
                    break
                if beside is not None:
                    beside()
        except OSError:
            pass
        if not self.server.closing.is_set():
            self.server.gone.set()
        self.handler.close_connection = True

    def reset(self) -> None:
        """Hangs up without a farewell."""
        connection: socket.socket = self.handler.connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.handler.close_connection = True
        connection.close()

    def hang_up(self) -> None:
        """Ends the connection after what was said."""
        self.handler.close_connection = True


def _pieces(text: str) -> Iterator[dict[str, Any]]:
    """Tokens; the text of one that ends within a character is no text, as endpoints have it."""
    for start in range(0, len(text), TOKEN_CHARACTERS):
        token = text[start : start + TOKEN_CHARACTERS]
        yield {"token": token, "logprob": LOGPROB, "bytes": list(token.encode()), "top_logprobs": []}


def schema_in(body: dict[str, Any], dialects: frozenset[str]) -> dict[str, Any] | None:
    """The schema that an endpoint of these dialects finds in a request."""
    given = body.get("response_format") or {}
    if given.get("type") == "json_object" and "llama" in dialects:
        return dict(given["schema"])
    if given.get("type") != "json_schema":
        return None
    inner = given["json_schema"]
    if "schema" in inner:
        return dict(inner["schema"]) if "openai" in dialects else None
    return dict(inner) if "foundry" in dialects else None


def _complete(exchange: Exchange) -> None:
    like, body = exchange.server.likeness, exchange.body
    for word, message in like.minds.items():
        if word in body or word in json.dumps(body.get("response_format", "")):
            exchange.error(400, message)
            return
    if like.models is not None and body.get("model") not in [each["id"] for each in like.models]:
        exchange.error(404, f"The model `{body.get('model')}` does not exist.")
        return
    schema = schema_in(body, like.enforces)
    if like.grammar and like.grammar in body:
        exchange.say('{"skerry_probe":"k7"}' if "skerry_probe" in str(body[like.grammar]) else json.dumps(like.answer))
    elif schema is None:
        exchange.say(like.text, finish=like.finish)
    elif "skerry_probe" in schema["properties"]:
        exchange.say('{"skerry_probe": "k8"}')
    else:
        exchange.say(json.dumps(like.answer), finish=like.finish)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what is tested."""


def _handler_of(server: EndpointServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            with server.counting:
                server.connections += 1
                server.open += 1

        def finish(self) -> None:
            try:
                super().finish()
            except OSError:
                pass  # it was reset
            finally:
                with server.counting:
                    server.open -= 1

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

        def _allowed(self, exchange: Exchange) -> bool:
            server.headers.append(dict(self.headers.items()))
            given = self.headers.get("Authorization", "")
            if server.likeness.key and given != f"Bearer {server.likeness.key}":
                exchange.error(401, f"Incorrect API key provided: {given}")
                return False
            return True

        def do_GET(self) -> None:
            exchange = Exchange(server, self, {})
            if not self._allowed(exchange):
                return
            if self.path == "/v1/models" and server.likeness.models is not None:
                exchange.reply(200, json.dumps({"object": "list", "data": server.likeness.models}).encode())
            elif self.path == "/api/tags" and server.likeness.tags is not None:
                exchange.reply(200, json.dumps(server.likeness.tags).encode())
            else:
                exchange.error(404, "there is nothing here")

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            exchange = Exchange(server, self, body)
            if not self._allowed(exchange):
                return
            server.asked.append(body)
            if self.path != "/v1/chat/completions":
                exchange.error(404, "there is nothing here")
            elif server.fault is not None:
                server.fault(exchange)
            else:
                _complete(exchange)

    return Handler
