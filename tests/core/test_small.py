"""Names, times, retries, subjects, headers, bodies."""

from __future__ import annotations

import string
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from skerry.core import api, codec, ids, wire
from skerry.core import events as ev
from skerry.core.chain import GENESIS, Header, body_digest
from skerry.core.projection import Life, RunRow, live_on
from skerry.core.retry import NEVER, Retry
from skerry.core.times import FAR_US, after
from skerry.errors import DataError, JournalCorrupt, JournalNewer

# --- retries --------------------------------------------------------------------------------------------------------

policies = st.builds(
    Retry,
    attempts=st.integers(1, 10_000),
    first_s=st.floats(0, 1e6),
    factor=st.floats(0.1, 1e6),
    max_s=st.floats(0, 1e9),
    jitter=st.floats(0, 1),
)


@given(policies, st.integers(1, 20_000), st.text(max_size=5))
def test_a_delay_is_bounded_and_the_same_each_time(policy: Retry, attempt: int, salt: str) -> None:
    delay = policy.delay_s(attempt, salt)
    assert delay == policy.delay_s(attempt, salt)
    assert (delay is None) == (attempt >= policy.attempts)
    assert delay is None or 0 <= delay <= policy.max_s


@given(st.floats(0, 1e3), st.floats(1, 1e3), st.integers(1, 500))
def test_delays_without_jitter_never_become_shorter(first_s: float, factor: float, attempt: int) -> None:
    policy = Retry(attempts=1000, first_s=first_s, factor=factor, jitter=0)
    one, two = policy.delay_s(attempt, ""), policy.delay_s(attempt + 1, "")
    assert one is not None
    assert two is not None
    assert one <= two


def test_jitter_parts_those_that_failed_together() -> None:
    delays = {Retry().delay_s(1, f"run-{n}/1-1") for n in range(50)}
    assert len(delays) == 50
    assert all(delay is not None and 0.8 <= delay <= 1.0 for delay in delays)
    assert NEVER.delay_s(1, "") is None


@given(st.integers(0, FAR_US), st.floats())
def test_times_stay_in_bounds(now_us: int, seconds: float) -> None:
    assert now_us <= after(now_us, seconds) <= FAR_US if seconds == seconds else True


# --- names ----------------------------------------------------------------------------------------------------------


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=16))
def test_a_ulid_is_a_token_and_sorts_by_time(at_ms: int, randomness: bytes) -> None:
    name = ids.ulid(at_ms, randomness)
    assert len(name) == 26
    assert ids.check_token("id", name) == name
    assert at_ms == 0 or ids.ulid(at_ms - 1, b"\xff" * 10) < name or at_ms == 0
    number = 0
    for letter in name:
        number = number * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(letter)
    assert (number >> 80, number & (2**80 - 1)) == (at_ms, int.from_bytes(randomness[:10], "big"))


@given(st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True))
def test_a_run_knows_its_node(node: str) -> None:
    assert ids.node_of(ids.RunIds(node).next(1, lambda count: b"\x01" * count)) == node


@given(st.lists(st.integers(0, 2**48 - 1), min_size=2), st.randoms(use_true_random=False))
def test_run_ids_rise_whatever_the_clock_does(times_ms: list[int], random: Random) -> None:
    made = ids.RunIds("node")
    names = [made.next(at_ms, random.randbytes) for at_ms in times_ms]
    assert names == sorted(set(names))


@given(st.text(max_size=140))
def test_only_safe_tokens_are_names(text: str) -> None:
    safe = set(string.ascii_letters + string.digits + "_-")
    fine = 1 <= len(text) <= 128 and set(text) <= safe
    try:
        assert ids.check_token("node", text) == text
        assert fine
    except DataError as error:
        assert not fine
        assert error.message.startswith("node ")


@pytest.mark.parametrize(
    ("event", "fine"), [("a", True), ("a.b-c.d_1", True), ("", False), (".a", False), ("a.", False)]
)
def test_an_event_s_type_is_words_with_dots(event: str, fine: bool) -> None:
    if fine:
        assert ids.check_event(event) == event
    else:
        with pytest.raises(DataError, match="not usable as an event's type"):
            ids.check_event(event)
    for wrong in ("a..b", "a b", "a.*", ">", "a\n", "x" * 129):
        with pytest.raises(DataError):
            ids.check_event(wrong)


# --- the bus --------------------------------------------------------------------------------------------------------

TASK = ids.TaskId("n-01", "1-2-0-1", 3)


def test_subjects_name_their_task() -> None:
    assert str(TASK) == "n-01/1-2-0-1/3"
    assert wire.task_subject("small", TASK) == "task.small.n-01.1-2-0-1.3"
    assert wire.result_subject(TASK) == "result.n.n-01.1-2-0-1.3"
    assert wire.cancel_subject("small", TASK) == "cancel.small.n-01.1-2-0-1.3"
    assert wire.start_subject("house", "*") == "start.house.*"
    for subject in (wire.task_subject("small", TASK), wire.result_subject(TASK), wire.cancel_subject("small", TASK)):
        assert wire.task_of(subject) == TASK


@pytest.mark.parametrize(
    "subject", ["", "task.small.r.1-1", "task.small.r.1-1.x", "task.s.r.1.²", "a.b.c.d.1", "task.s.r.1." + "9" * 5000]
)
def test_other_subjects_name_none(subject: str) -> None:
    with pytest.raises(DataError, match="names no task"):
        wire.task_of(subject)


def test_the_other_subjects() -> None:
    assert wire.lease_subject("n") == "lease.n"
    assert wire.blob_subject("n", "get") == "blob.n.get"
    assert wire.command_subject("n", "*") == "command.n.*"
    assert wire.event_subject("n", "invoice.posted") == "event.n.invoice.posted"
    assert wire.worker_subject("small", "w", "alive") == "worker.small.w.alive"
    assert wire.blob_headers("ab", 1, 2) == {"skerry-sha256": "ab", "skerry-offset": "1", "skerry-size": "2"}
    assert wire.task_queue("small").filter == "task.small.>"
    assert wire.result_queue("n").filter == "result.n.>"


def test_headers_are_cloud_events_with_a_trace() -> None:
    trace = wire.traceparent("run", "1-1")
    version, run, span, flags = trace.split("-")
    assert (version, len(run), len(span), flags) == ("00", 32, 16, "01")
    assert wire.traceparent("run").split("-")[1] == run
    named = wire.headers(id="1", source="s", type="t", trace=trace, extra="x")
    assert (named["ce-specversion"], named["ce-id"], named["traceparent"], named["extra"]) == ("1.0", "1", trace, "x")
    assert "traceparent" not in wire.headers(id="1", source="s", type="t")


def test_messages_know_their_task() -> None:
    task = wire.Task(
        run="n-01", step="1-2-0-1", attempt=3, workflow="w", kind="call", target="t", size="small", key="n-01/1-2-0-1"
    )
    result = wire.Result(run="n-01", step="1-2-0-1", attempt=3, size="small", worker="w")
    assert task.id == result.id == TASK
    assert wire.decode_task.decode(wire.encode(task)) == task
    assert wire.decode_result.decode(wire.encode(result)) == result
    assert msgspec.json.decode(msgspec.json.encode(api.Signal(run="r", signal="s")), type=api.Signal).value == Raw(
        b"{}"
    )


# --- the journal ----------------------------------------------------------------------------------------------------


def test_a_header_s_hash_holds_every_field() -> None:
    digest = body_digest(b"salt", b"body")
    assert digest != body_digest(b"", b"saltbody"[1:])
    header = Header(1, 1, "r", 1, 5, "run.started", 1, digest, GENESIS)
    changed: list[Header] = [header._replace(**{name: _other(getattr(header, name))}) for name in Header._fields]
    assert len({header.hash(), *(each.hash() for each in changed)}) == len(changed) + 1


def _other(value: Any) -> Any:
    return value + 1 if isinstance(value, int) else value + "x" if isinstance(value, str) else value[::-1][:-1] + b"x"


def test_bodies_of_every_age_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    event = ev.StepCancelled(step="1-1")
    body = codec.encode(event).body
    assert codec.decode(body) == event
    monkeypatch.setattr(codec, "UPCASTERS", {0: lambda old: {**old, "step": old["id"]} | {"id": None}})
    with pytest.raises(JournalCorrupt, match="no event"):
        codec.decode(b'{"type":"step.cancelled","id":"1-1"}', version=0)
    monkeypatch.setattr(codec, "UPCASTERS", {0: lambda old: {"type": old["type"], "step": old["id"]}})
    assert codec.decode(b'{"type":"step.cancelled","id":"1-1"}', version=0) == event
    with pytest.raises(JournalCorrupt, match="no event"):
        codec.decode(b'{"type":"step.cancelled"}', version=0)
    with pytest.raises(JournalNewer, match="version 99"):
        codec.decode(body, version=99)
    with pytest.raises(JournalCorrupt):
        codec.decode(b"{}")


@given(st.integers(0, 10_000), st.sampled_from((ev.SignalReceived, ev.AnswerJudged)))
def test_big_values_go_out_and_come_back(length: int, kind: Any) -> None:
    value = Raw(msgspec.json.encode("x" * length)) if length else Raw()
    more = (
        {"id": "1", "signal": "s"}
        if kind is ev.SignalReceived
        else {"step": "1", "attempt": 1, "size": "s", "choice": "c"}
    )
    event = kind(value=value, **more)
    encoded = codec.encode(event)
    assert (encoded.blob != "") == (len(bytes(value)) > codec.INLINE_BYTES_MAX)
    assert len(encoded.body) < 5_000
    back = codec.restore(codec.decode(encoded.body), {encoded.blob: encoded.data})
    assert bytes(getattr(back, "value")) == bytes(value)  # noqa: B009 - not all events have one
    assert getattr(back, "blob") == ""  # noqa: B009


def test_a_life_is_what_the_kinds_of_events_say() -> None:
    life = Life()
    for n, kind in enumerate(("run.started", "state.entered", "step.scheduled"), start=1):
        life = live_on(life, n, kind)
    row = RunRow(run="r", workflow="w", version=1, entry_n=2)
    assert life.disagreement(row) == ""
    assert "entered its state at event 3" in life.disagreement(msgspec.structs.replace(row, entry_n=3))
    assert "says that it goes on" in life.disagreement(msgspec.structs.replace(row, status="failed")).replace(
        "say ", "says "
    )
    assert "whether it has ended" in life.disagreement(msgspec.structs.replace(row, ended_us=1))
    failed = live_on(life, 4, "run.failed")
    assert "its row says running, its events say failed" in failed.disagreement(row)
    assert live_on(failed, 5, "run.retried").disagreement(row) == ""
    assert live_on(failed, 5, "result.fenced").end == "failed"


def test_who_has_acted_is_told_apart_from_where() -> None:
    assert [ids.person_of(by) for by in ("ada", "ada@hub-1f", "ada@example.com", "ada@example.com@bus")] == [
        "ada",
        "ada",
        "ada@example.com",
        "ada@example.com",
    ]
