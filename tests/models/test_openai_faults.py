"""Endpoints on a bad day: each is told apart, none takes the worker with it, and what was under way is given up."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from skerry_workers.models import openai, openai_http
from skerry_workers.models.openai import OpenAIBackend
from skerry_workers.models.port import (
    ModelBroken,
    ModelError,
    ModelSpec,
    ModelUnavailable,
    Question,
    Stopped,
)
from tests.models.endpoint import EndpointServer, Exchange, Likeness
from tests.support import wait_until_blocking

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


@pytest.fixture
def server() -> Iterator[EndpointServer]:
    with EndpointServer(Likeness(answer={"a": 1})) as server:
        yield server


@pytest.fixture
def backend(server: EndpointServer) -> Iterator[OpenAIBackend]:
    """Probed while the endpoint was well."""
    backend = openai.load(ModelSpec(name="m", backend="openai", url=server.url, model="m1", options={"silence_s": 15}))
    assert backend.capabilities.schema
    yield backend
    backend.close()


def ask(backend: OpenAIBackend, timeout_s: float = 20.0, stop: threading.Event | None = None) -> bytes:
    question = Question(system="s", text="t", schema=SCHEMA, timeout_s=timeout_s)
    return bytes(backend.answer(question, stop or threading.Event()).value)


def works_again(server: EndpointServer, backend: OpenAIBackend) -> None:
    server.fault = None
    assert ask(backend) == b'{"a": 1}'


def _cut(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.piece({"token": '{"a"', "logprob": -0.1})
    exchange.reset()


def _cut_politely(exchange: Exchange) -> None:
    """The connection ends in order, the stream does not."""
    exchange.start_stream()
    exchange.piece({"token": '{"a"', "logprob": -0.1})
    exchange.hang_up()


def _cut_body(exchange: Exchange) -> None:
    exchange.start(200, "application/json", Content_Length="500")
    exchange.raw(b'{"choices": [{"message": {"content": "{')
    exchange.hang_up()


def _half_json(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.chunk(b'data: {"choices": [{"delta": {"con\n\n')
    exchange.raw(b"0\r\n\r\n")


def _garbage(exchange: Exchange) -> None:
    exchange.raw(bytes(range(256)) * 4)
    exchange.hang_up()


def _garbage_inside(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.raw(b"zz\r\n" + bytes(range(256)))
    exchange.hang_up()


def _html(exchange: Exchange) -> None:
    exchange.reply(200, b"<html><body>Please log in to the guest network</body></html>", "text/html")


def _wrong_type(exchange: Exchange) -> None:
    exchange.reply(200, b'{"message": {"content": "hello"}, "done": true}', "text/plain")


def _error_event(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.piece({"token": '{"a"', "logprob": -0.1})
    exchange.event({"error": {"message": "CUDA out of memory", "code": 500}})
    exchange.raw(b"0\r\n\r\n")


def _error_line(exchange: Exchange) -> None:
    exchange.start_stream()
    exchange.chunk(b'error: {"message": "slot lost"}\n\n')
    exchange.raw(b"0\r\n\r\n")


def _error_in_200(exchange: Exchange) -> None:
    exchange.reply(200, b'{"error": {"message": "no capacity left"}}')


def _nothing(exchange: Exchange) -> None:
    exchange.reply(200, b"")


def _no_choices(exchange: Exchange) -> None:
    exchange.reply(200, b'{"choices": []}')


def _other_types(exchange: Exchange) -> None:
    exchange.reply(200, b'{"choices": [{"message": {"content": ["a"]}}]}')


def _headers_without_end(exchange: Exchange) -> None:
    exchange.raw(b"HTTP/1.1 200 OK\r\n" + b"X-Y: z\r\n" * 500)
    exchange.hang_up()


PASSING: list[tuple[Callable[[Exchange], None], str]] = [
    (lambda exchange: exchange.reset(), "reset|RemoteDisconnected|broken pipe"),
    (_cut, "reset|broke off"),
    (_cut_politely, "broke off"),
    (_cut_body, "no completion"),
    (_half_json, "no completion"),
    (_garbage, "BadStatusLine|LineTooLong|UnicodeEncode"),
    (_garbage_inside, "broke off|IncompleteRead|no completion"),
    (_html, "text/html.*Please log in"),
    (_wrong_type, "no completion"),
    (_error_event, "CUDA out of memory"),
    (_error_line, "slot lost"),
    (_error_in_200, "no capacity left"),
    (_nothing, "no completion"),
    (_no_choices, "no completion"),
    (_other_types, "no completion"),
    (_headers_without_end, "headers"),
    (lambda exchange: exchange.error(500, "CUDA error"), "500: CUDA error"),
    (lambda exchange: exchange.reply(502, b"<html>bad gateway</html>", "text/html"), "502: <html>bad gateway"),
    (lambda exchange: exchange.reply(500, b'{"detail": "engine dead"}'), "500: engine dead"),
    (lambda exchange: exchange.reply(500, b""), "answers 500"),
]


@pytest.mark.parametrize(("fault", "words"), PASSING)
def test_what_may_pass_is_unavailable(
    server: EndpointServer, backend: OpenAIBackend, fault: Callable[[Exchange], None], words: str
) -> None:
    server.fault = fault
    with pytest.raises(ModelUnavailable, match=words) as told:
        ask(backend)
    assert told.value.retryable
    assert "\n" not in told.value.message and len(told.value.message) < 500
    works_again(server, backend)


def test_nobody_there(server: EndpointServer) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    backend = openai.load(ModelSpec(name="m", backend="openai", url=url, model="m1"))
    with pytest.raises(ModelUnavailable, match="connection refused"):
        ask(backend)
    backend.close()


def test_a_host_without_an_address() -> None:
    spec = ModelSpec(name="m", backend="openai", url="https://nowhere.invalid/v1", model="m1")
    backend = openai.load(spec)
    with pytest.raises(ModelUnavailable, match="name is not known"):
        ask(backend)
    backend.close()


def test_a_name_that_nobody_looks_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network that takes longer than anybody waits, and cannot be interrupted."""
    over = threading.Event()

    def never(*_: object, **__: object) -> list[object]:
        over.wait(30)
        raise OSError("over")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    options = {"probe": False}
    backend = openai.load(
        ModelSpec(name="m", backend="openai", url="https://far.example/v1", model="m1", options=options)
    )
    with pytest.raises(ModelUnavailable, match=r"within 0\.2 s"):
        ask(backend, timeout_s=0.2)
    monkeypatch.setattr(openai, "_CONNECT_S", 0.2)
    backend = openai.load(
        ModelSpec(name="m", backend="openai", url="https://far.example/v1", model="m1", options=options)
    )
    with pytest.raises(ModelUnavailable, match="could not be looked up"):
        ask(backend)
    over.set()


def test_a_hang_ends_with_the_questions_time(server: EndpointServer, backend: OpenAIBackend) -> None:
    server.fault = lambda exchange: exchange.until_gone()
    with pytest.raises(ModelUnavailable, match=r"no whole answer within 0\.3 s"):
        ask(backend, timeout_s=0.3)
    assert server.gone.wait(5)
    works_again(server, backend)


def test_a_slow_drip_ends_with_the_questions_time(server: EndpointServer, backend: OpenAIBackend) -> None:
    def drip(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.until_gone(lambda: exchange.piece({"token": " ", "logprob": -0.1}))

    server.fault = drip
    with pytest.raises(ModelUnavailable, match=r"within 0\.4 s"):
        ask(backend, timeout_s=0.4)
    assert server.gone.wait(5)


def test_comments_do_not_make_an_answer(server: EndpointServer, backend: OpenAIBackend) -> None:
    def busy(exchange: Exchange) -> None:
        exchange.start_stream()
        for _ in range(3):
            exchange.chunk(b": still working\n\n")
        exchange.event({"choices": [{"delta": {"content": '{"a": 1}'}, "finish_reason": "stop"}]})
        exchange.chunk(b"data: [DONE]\n\n")
        exchange.raw(b"0\r\n\r\n")

    server.fault = busy
    assert ask(backend) == b'{"a": 1}'


def test_silence_ends_before_the_questions_time(server: EndpointServer) -> None:
    options = {"silence_s": 0.3}
    backend = openai.load(ModelSpec(name="m", backend="openai", url=server.url, model="m1", options=options))
    server.fault = lambda exchange: exchange.until_gone()
    with pytest.raises(ModelUnavailable, match=r"silent for 0\.3 s"):
        ask(backend, timeout_s=0.0)
    backend.close()


def test_an_end_that_does_not_come_keeps_nobody(server: EndpointServer, backend: OpenAIBackend) -> None:
    def endless(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.event({"choices": [{"delta": {"content": '{"a": 1}'}, "finish_reason": "stop"}]})
        exchange.chunk(b"data: [DONE]\n\n")
        exchange.until_gone()

    server.fault = endless
    assert ask(backend) == b'{"a": 1}'
    assert server.gone.wait(5)
    works_again(server, backend)


@pytest.mark.parametrize("when", ["before", "within"])
def test_a_question_that_is_taken_back_ends_the_work(server: EndpointServer, backend: OpenAIBackend, when: str) -> None:
    def at_work(exchange: Exchange) -> None:
        if when == "before":
            exchange.until_gone()
        else:
            exchange.start_stream()
            exchange.until_gone(lambda: exchange.piece({"token": " ", "logprob": -0.1}))

    server.fault = at_work
    stop = threading.Event()
    raised: list[BaseException] = []

    def asking() -> None:
        try:
            ask(backend, timeout_s=0.0, stop=stop)
        except ModelError as error:
            raised.append(error)

    thread = threading.Thread(target=asking)
    thread.start()
    assert server.generating.wait(5)
    began = time.monotonic()
    stop.set()
    thread.join(5)
    assert time.monotonic() - began < 1.0
    assert [type(error) for error in raised] == [Stopped]
    assert server.gone.wait(5), "the endpoint sees that nobody is there any more"
    works_again(server, backend)


def test_a_question_that_was_taken_back_before_is_not_asked(server: EndpointServer, backend: OpenAIBackend) -> None:
    stop = threading.Event()
    stop.set()
    before = len(server.asked)
    with pytest.raises(Stopped):
        ask(backend, stop=stop)
    assert len(server.asked) == before


@pytest.mark.parametrize(
    ("status", "headers", "least", "most"),
    [
        (429, {"Retry-After": "7"}, 7, 7),
        (503, {"Retry-After": "2.5"}, 2.5, 2.5),
        (429, {"retry-after-ms": "1500", "Retry-After": "9"}, 1.5, 1.5),
        (429, {}, 0, 0),
        (503, {"Retry-After": "soon"}, 0, 0),
        (503, {"Retry-After": "-5"}, 0, 0),
        (503, {"Retry-After": "inf"}, 0, 0),
        (503, {"Retry-After": "Mon, 02 Jan 2006 15:04:05 GMT"}, 0, 0),
    ],
)
def test_it_says_when_to_come_back(
    server: EndpointServer, backend: OpenAIBackend, status: int, headers: dict[str, str], least: float, most: float
) -> None:
    server.fault = lambda exchange: exchange.error(status, "too many requests", **headers)
    with pytest.raises(ModelUnavailable, match=f"{status}: too many requests") as told:
        ask(backend)
    assert least <= told.value.retry_after_s <= most


def test_it_names_the_moment_to_come_back(server: EndpointServer, backend: OpenAIBackend) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=1000), usegmt=True)
    server.fault = lambda exchange: exchange.error(503, "busy", **{"Retry-After": moment})
    with pytest.raises(ModelUnavailable) as told:
        ask(backend)
    assert 900 <= told.value.retry_after_s <= 1000


def test_by_its_own_clock(server: EndpointServer, backend: OpenAIBackend) -> None:
    def behind(exchange: Exchange) -> None:
        exchange.raw(
            b"HTTP/1.1 503 Busy\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\n"
            b"Retry-After: Mon, 02 Jan 2006 15:04:35 GMT\r\nContent-Length: 0\r\n\r\n"
        )

    server.fault = behind
    with pytest.raises(ModelUnavailable) as told:
        ask(backend)
    assert told.value.retry_after_s == 30


def test_what_is_wrong_with_the_question_is_no_reason_to_try_again(
    server: EndpointServer, backend: OpenAIBackend
) -> None:
    for status, message in ((400, "maximum context length is 4096 tokens"), (413, "too large"), (422, "no")):
        server.fault = lambda exchange, s=status, m=message: exchange.error(s, m)
        with pytest.raises(ModelError, match=f"{status}: {message}") as told:
            ask(backend)
        assert not isinstance(told.value, ModelUnavailable | ModelBroken)


def test_a_model_that_was_still_thinking_was_cut_off(server: EndpointServer, backend: OpenAIBackend) -> None:
    words = "Could not finish the message because max_tokens or model output limit was reached. Please try again."
    server.fault = lambda exchange: exchange.error(400, words)
    answer = backend.answer(Question(system="s", text="t", schema=SCHEMA, tokens_max=1), threading.Event())
    assert answer.finish == "length" and not bytes(answer.value)


def test_an_answer_that_comes_before_the_question_is_through() -> None:
    """It reads no more of it and hangs up; what it said is worth more than that it did."""

    def curt(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nlong")
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=curt, args=(listener,))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        spec = ModelSpec(name="m", backend="openai", url=url, model="m1", options={"probe": False})
        question = Question(system="s", text="word " * 4_000_000, schema=SCHEMA, timeout_s=20.0)
        with pytest.raises(ModelError, match="413: long"):
            openai.load(spec).answer(question, threading.Event())
        thread.join()


def test_a_redirect_is_not_followed(server: EndpointServer, backend: OpenAIBackend) -> None:
    server.fault = lambda exchange: exchange.reply(307, b"", Location="http://elsewhere.example/v1")
    with pytest.raises(ModelBroken, match=r"elsewhere\.example"):
        ask(backend)


@pytest.mark.parametrize("lines", [True, False])
def test_an_answer_without_end_is_refused(
    server: EndpointServer, backend: OpenAIBackend, monkeypatch: pytest.MonkeyPatch, lines: bool
) -> None:
    monkeypatch.setattr(openai_http, "BYTES_MAX", 256 * 1024)
    monkeypatch.setattr(openai_http, "LINE_BYTES_MAX", 64 * 1024)

    def huge(exchange: Exchange) -> None:
        exchange.start_stream()
        if lines:
            exchange.until_gone(lambda: exchange.piece({"token": "x" * 10_000, "logprob": -0.1}), every_s=0)
        else:
            exchange.chunk(b"data: ")
            exchange.until_gone(lambda: exchange.chunk(b"x" * 10_000), every_s=0)

    server.fault = huge
    with pytest.raises(ModelError, match="more than"):
        ask(backend)
    assert server.gone.wait(5)
    works_again(server, backend)


def test_connections_are_kept_and_a_lost_one_is_made_anew(server: EndpointServer, backend: OpenAIBackend) -> None:
    ask(backend)
    before = server.connections
    ask(backend)
    assert server.connections == before

    def last_one(exchange: Exchange) -> None:
        exchange.say('{"a": 1}')
        exchange.hang_up()  # without a word of it in the headers

    server.fault = last_one
    ask(backend)
    works_again(server, backend)
    assert server.connections == before + 1


def test_nothing_is_left_open(server: EndpointServer, backend: OpenAIBackend) -> None:
    for fault in (_cut, _garbage, _html, lambda exchange: exchange.error(500, "x")):
        server.fault = fault
        with pytest.raises(ModelUnavailable):
            ask(backend)
    works_again(server, backend)
    backend.close()
    wait_until_blocking(lambda: server.open == 0)
