"""The stream from the server, cut in every possible way."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from skerry.bus.parser import TapParser

_TAPPED, _THEIRS = 7, 8

BODIES = st.one_of(
    st.binary(max_size=40), st.sampled_from([b"\r\n", b"MSG a 7 3\r\nabc\r\n", b"PING\r\n", b"x" * 5000])
)
TOKENS = st.text("abc.$_0", min_size=1, max_size=10).map(str.encode)


class Theirs:
    """What nats-py's parser calls on its client."""

    def __init__(self) -> None:
        self.got: list[tuple[Any, ...]] = []

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None) -> None:
        self.got.append(("message", subject, reply, headers or b"", data))

    async def _process_ping(self) -> None:
        self.got.append(("ping",))

    async def _process_pong(self) -> None:
        self.got.append(("pong",))

    async def _process_err(self, words: str) -> None:
        self.got.append(("error", words))

    async def _process_info(self, info: dict[str, Any]) -> None:
        self.got.append(("info", info))


@st.composite
def things(draw: st.DrawFn) -> tuple[bytes, tuple[Any, ...]]:
    """Something that a server sends, and what is to come of it."""
    kind = draw(st.integers(0, 8))
    fixed: list[tuple[bytes, tuple[Any, ...]]] = [
        (b"PING\r\n", ("ping",)),
        (b"PONG\r\n", ("pong",)),
        (b"-ERR 'Permissions Violation'\r\n", ("error", "'permissions violation'")),
        (b'INFO {"a": 1}\r\n', ("info", {"a": 1})),
    ]
    if kind < len(fixed):
        return fixed[kind]
    sid = draw(st.sampled_from([_TAPPED, _TAPPED, _THEIRS]))
    subject, reply, data = draw(TOKENS), draw(st.one_of(st.just(b""), TOKENS)), draw(BODIES)
    between = b" " + reply + b" " if reply else b" "
    headers = b"" if draw(st.booleans()) else b"NATS/1.0\r\na: b\r\n\r\n"
    sizes = b"%d %d" % (len(headers), len(headers) + len(data)) if headers else b"%d" % len(data)
    verb = b"HMSG" if headers else b"MSG"
    wire = b"%b %b %d%b%b\r\n%b%b\r\n" % (verb, subject, sid, between, sizes, headers, data)
    return wire, ("tap" if sid == _TAPPED else "message", subject, reply, headers, data)


@given(st.lists(things(), max_size=8), st.data())
async def test_the_stream_is_read_however_it_is_cut(
    sent: list[tuple[bytes, tuple[Any, ...]]], data: st.DataObject
) -> None:
    theirs = Theirs()
    failed: list[bytes] = []

    def tap(subject: bytes, reply: bytes, headers: bytes, body: bytes) -> None:
        theirs.got.append(("tap", subject, reply, headers, body))
        if body == b"\r\n":
            raise ValueError("as the test wants it")

    parser = TapParser(theirs, {_TAPPED: tap}, failed.append)
    stream = b"".join(wire for wire, _ in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        await parser.parse(stream[start:end])
    assert theirs.got == [wanted for _, wanted in sent]
    assert len(failed) == sum(1 for each in theirs.got if each[0] == "tap" and each[-1] == b"\r\n")
