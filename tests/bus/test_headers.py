"""Header blocks, and reply subjects of deliveries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client

from skerry.bus import headers
from skerry.bus.core import checked_filter
from skerry.bus.delivery import note, place_of, read_note
from skerry.errors import DataError
from skerry.testing.memory_broker import matches

NAMES = st.text("abcXYZ019-_.", min_size=1, max_size=20)
VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=50).map(str.strip)


@given(st.dictionaries(NAMES, VALUES, max_size=8))
def test_what_is_written_is_read(named: dict[str, str]) -> None:
    block = headers.encode(named)
    assert dict(headers.Headers(block)) == named
    if named:
        # As nats-py, and so any client, reads it.
        assert Client._parse_header_lines(block.partition(b"\r\n")[2]) == named


@given(st.text(max_size=30), st.text(max_size=30))
def test_nothing_breaks_out_of_its_line(name: str, value: str) -> None:
    try:
        block = headers.encode({name: value})
    except (DataError, UnicodeEncodeError):
        return
    assert block.split(b"\r\n")[2:] == [b"", b""]
    assert block.count(b"\r") == block.count(b"\n") == 3


def test_statuses() -> None:
    block = b"NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 3\r\n\r\n"
    assert headers.status(block) == 408
    assert headers.description(block) == "Request Timeout"
    assert headers.Headers(block)["Nats-Pending-Messages"] == "3"
    assert headers.status(b"NATS/1.0 503\r\n\r\n") == 503
    assert headers.status(b"") == 0
    assert headers.status(b"NATS/1.0\r\nStatus: 408\r\n\r\n") == 0
    assert headers.status(headers.encode({"a": "408"})) == 0


def test_a_mapping_like_any_other() -> None:
    block = headers.Headers(b"NATS/1.0\r\nce-id: 1\r\nno colon\r\nspaced:   x \r\nempty:\r\n\r\n")
    assert block == {"ce-id": "1", "spaced": "x", "empty": ""}
    assert (len(block), list(block), "ce-id" in block, block.get("more")) == (
        3,
        ["ce-id", "spaced", "empty"],
        True,
        None,
    )
    assert "ce-id" in repr(block)


def test_reply_subjects_old_and_new() -> None:
    assert place_of(b"$JS.ACK.S.c.3.17.20.1795345617309790549.5") == (3, 17)
    assert place_of(b"$JS.ACK._.ACCHASH.S.c.3.17.20.1795345617309790549.5") == (3, 17)
    assert place_of(b"$JS.ACK.hub.ACCHASH.S.c.3.17.20.1795345617309790549.5.token") == (3, 17)


def test_notes_of_dead_letters() -> None:
    assert read_note(note("no\nway", "task.a").decode()) == ("no\nway", "task.a")
    assert read_note("plain words of a worker in another language") == (
        "plain words of a worker in another language",
        "",
    )
    assert b"\n" not in note("a\nb", "s")
    assert len(note("x" * 100_000, "s")) < 2000


@pytest.mark.parametrize("subject", ["", "a..b", ".a", "a.", "a.>.b", "a.b>", "a*.b", "a b", "a\r\nb", ">.a"])
def test_filters_that_no_server_takes(subject: str) -> None:
    with pytest.raises(DataError):
        checked_filter(subject)


@pytest.mark.parametrize("subject", ["a", "a.*.b", "a.>", ">", "*", "cancel.small.>"])
def test_filters(subject: str) -> None:
    assert checked_filter(subject) == subject


def test_filters_match_as_in_nats() -> None:
    yes = [("a", "a"), ("a.*", "a.b"), ("a.>", "a.b.c"), (">", "a.b"), ("*.b", "a.b")]
    no = [("a", "b"), ("a.*", "a"), ("a.*", "a.b.c"), ("a.>", "a"), ("a.b", "a"), ("a", "a.b")]
    assert all(matches(*each) for each in yes)
    assert not any(matches(*each) for each in no)
