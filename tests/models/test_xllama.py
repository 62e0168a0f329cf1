"""xllamacpp: several at a time, a grammar that it does not take, and where it listens."""

from __future__ import annotations

import logging
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from skerry_workers.models import constraint, gbnf, ggufs
from skerry_workers.models.port import Answer, ModelError, ModelSpec, ModelUnavailable, Stopped, Usage
from tests.models.gguf_kit import ENDLESS, QUESTION, TINY, asked

pytest.importorskip("xllamacpp", reason="the extra `xllama` is not installed")

from skerry_workers.models import xllama


def spec(**words: Any) -> ModelSpec:
    return ModelSpec(**{"name": "tiny", "backend": "xllama", "path": str(TINY), "threads": 1, "slots": 4, **words})


@pytest.fixture(scope="module")
def backend() -> Iterator[xllama.XllamaBackend]:
    loaded = xllama.load(spec())
    yield loaded
    loaded.close()


def test_as_many_at_a_time_as_there_are_slots(backend: xllama.XllamaBackend) -> None:
    """Three that go on and on do not keep the others from their answers; stopped, they end."""
    assert backend.capabilities.slots == 4
    stop = threading.Event()
    with ThreadPoolExecutor(3) as pool:
        endless = [pool.submit(backend.answer, ENDLESS, stop) for _ in range(3)]
        try:
            asked(backend)
            running = [each for each in endless if not each.done()]
        finally:
            stop.set()
    assert running
    for each in running:
        assert each.exception() is None or isinstance(each.exception(), Stopped)


def test_batched_answers_are_what_they_are_alone(backend: xllama.XllamaBackend) -> None:
    texts = [f"Seller {n} Ltd\nInvoice INV-{n * 37}\nTotal {n}.50 EUR" for n in range(12)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: asked(backend, text=text), texts))
    # Sums in another order may turn a close choice; most stay, and each quotes its own text (`asked` looks).
    alone = [asked(backend, text=text) for text in texts]
    assert sum(one == other for one, other in zip(together, alone, strict=True)) >= 8


def test_told_in_one_piece_an_answer_is_what_it_is_token_by_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its confidences, too, also of characters of several tokens."""
    backend = xllama.load(spec())
    question = msgspec.structs.replace(QUESTION, text="Bäckerei Söhne Größe 漢字 €\nRechnung INV-9", temperature=1.5)
    for seed in range(12):
        told: list[Answer] = []
        for longest_s in (0.0, math.inf):
            monkeypatch.setattr(xllama.Pace, "longest_s", lambda *_, longest_s=longest_s: longest_s)
            told.append(backend.answer(msgspec.structs.replace(question, seed=seed), threading.Event()))
        whole, pieces = told
        assert bytes(whole.value) == bytes(pieces.value)
        assert whole.usage.tokens_out >= pieces.usage.tokens_out > 0
        assert whole.fields.keys() == pieces.fields.keys()
        for path, note in whole.fields.items():
            # Of a character of several tokens, only one piece tells all.
            assert note.confidence <= pieces.fields[path].confidence + 1e-6
            assert (note.start, note.end) == (pieces.fields[path].start, pieces.fields[path].end)
    backend.close()


def test_what_may_take_long_can_be_stopped_on_the_way() -> None:
    pace = xllama.Pace(context=2048)
    assert pace.longest_s(QUESTION) == math.inf  # nothing is known yet
    pace.learn(Usage(tokens_in=100, tokens_out=50, reading_s=0.01, writing_s=0.05))
    pace.learn(Usage(tokens_in=100, tokens_out=1, tokens_cached=99, reading_s=0.01, writing_s=0.05))
    short = msgspec.structs.replace(QUESTION, system="", text="a" * 1000, tokens_max=500)
    assert pace.longest_s(short) == pytest.approx(0.1 + 0.5)
    assert pace.longest_s(msgspec.structs.replace(short, text="a" * 9000)) == pytest.approx(0.2048 + 0.5)
    assert pace.longest_s(ENDLESS) == math.inf


@pytest.mark.parametrize(
    ("megabytes", "slots", "threads", "division"),
    [
        (4, 4, 1, (1, 4, 1)),
        (4, 4, 2, (2, 2, 1)),
        (4, 3, 2, (2, 2, 1)),
        (4, 2, 8, (2, 1, 4)),
        (4, 1, 2, (1, 1, 2)),
        (400, 4, 2, (1, 4, 2)),
    ],
)
def test_a_small_model_has_a_server_for_each_thread(
    megabytes: int, slots: int, threads: int, division: tuple[int, int, int]
) -> None:
    model = ggufs.examine(TINY)._replace(bytes=megabytes << 20)
    assert xllama.division(spec(slots=slots, threads=threads), model) == division


class Stranger:
    """A server that says what no server says."""

    def handle_chat_completions(self, asked: bytes, told: Callable[[bytes], bool], /) -> object:
        return told(b'{"choices":"none"}')

    def handle_completions(self, asked: bytes, told: Callable[[bytes], bool], /) -> object:
        return told(b'{"choices":"none"}')


def test_questions_go_to_the_server_that_has_the_least_to_do() -> None:
    first, second = Stranger(), Stranger()
    servers = xllama.Servers([first, second])
    for _ in range(2):  # one after the other: what the first has read is there for the next
        with servers.one() as one:
            assert one is first
    with servers.one() as one, servers.one() as other, servers.one() as third:
        assert (one, other, third) == (first, second, first)
        servers.close()
    with servers.one() as none:
        assert none is None


def test_on_two_servers_each_has_its_own_answer() -> None:
    loaded = xllama.load(spec(threads=2))
    texts = [f"Seller {n} Ltd\nInvoice INV-{n * 37}\nTotal {n}.50 EUR" for n in range(24)]
    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(lambda text: asked(loaded, text=text), texts))) == len(texts)
    loaded.close()


def test_servers_that_begin_at_once_do_not_die_of_it() -> None:
    """In a process of its own, which llguidance's grammars kill."""
    code = (
        "import sys, threading\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "from skerry_workers.models import xllama\nfrom skerry_workers.models.port import ModelSpec\n"
        "from tests.models.gguf_kit import QUESTION, TINY\n"
        "for _ in range(20):\n"
        "    spec = ModelSpec(name='tiny', backend='xllama', path=str(TINY), threads=2, slots=4)\n"
        "    loaded = xllama.load(spec)\n"
        "    with ThreadPoolExecutor(4) as pool:\n"
        "        list(pool.map(lambda _: loaded.answer(QUESTION, threading.Event()), range(8)))\n"
        "    loaded.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=100, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def unreadable(*_: object, **__: object) -> constraint.Grammar:
    return constraint.Grammar(lark="start: /[a/")


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> Iterator[xllama.XllamaBackend]:
    monkeypatch.setattr(xllama, "_SMALL_BYTES_MAX", 0)
    loaded = xllama.load(spec())
    yield loaded
    loaded.close()


def test_a_large_model_has_grammars_that_are_never_slow(
    large: xllama.XllamaBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gbnf, "grammar", lambda *_, **__: pytest.fail("GBNF"))
    for seed in range(10):
        asked(large, temperature=2.0, seed=seed)


def test_a_grammar_that_is_not_held_is_noticed_and_written_otherwise(
    large: xllama.XllamaBackend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    backend = large
    monkeypatch.setattr(constraint, "grammar", unreadable)
    with caplog.at_level(logging.WARNING):
        for seed in range(20):
            asked(backend, temperature=2.0, seed=seed)
    assert "did not hold the grammar" in caplog.text


def test_no_grammar_no_answer(backend: xllama.XllamaBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constraint, "grammar", unreadable)
    monkeypatch.setattr(gbnf, "grammar", lambda *_, **__: gbnf.Gbnf("root ::= nothing\n"))
    with pytest.raises(ModelError, match=r"refused|did not hold"):
        asked(backend)


def test_it_listens_on_no_port_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    loaded = xllama.load(spec(threads=2))
    (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in folder.iterdir()) == ["0.sock", "1.sock"]
    mine = {os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()}
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if " 0A " in line]
    assert not [line for line in listening if f"socket:[{line[9]}]" in mine]
    loaded.close()
    assert not list(tmp_path.iterdir())
    with pytest.raises(ModelUnavailable):
        loaded.answer(QUESTION, threading.Event())


def test_what_nobody_knows_is_an_error_and_not_a_crash(
    backend: xllama.XllamaBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "_servers", xllama.Servers([Stranger()]))
    with pytest.raises(ModelError, match="something else"):
        asked(backend)


def test_closed_as_soon_as_it_is_loaded_it_ends() -> None:
    """In a process of its own: a server that hangs keeps the interpreter."""
    code = (
        "import sys\nfrom skerry_workers.models import xllama\nfrom skerry_workers.models.port import ModelSpec\n"
        "for _ in range(20):\n"
        "    xllama.load(ModelSpec(name='tiny', backend='xllama', path=sys.argv[1], threads=1, slots=2)).close()\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(TINY)], timeout=60, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) < 5, done.stderr
