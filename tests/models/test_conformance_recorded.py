"""Cassettes: recorded from the tiny model, they answer as it did, without it."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest

from skerry.core.answers import FieldNote
from skerry_workers.models import recorded
from skerry_workers.models.conformance import ASKED, BackendConformance
from skerry_workers.models.host import ModelHost
from skerry_workers.models.port import (
    PROBE,
    Answer,
    Backend,
    Capabilities,
    ModelBroken,
    ModelSpec,
    ModelUnavailable,
    Question,
    Usage,
)

TINY = Path(__file__).parent / "data" / "tiny"
INNER = {"backend": "onnx", "path": str(TINY), "threads": 1}

needs_onnx = pytest.mark.skipif(
    not all(map(find_spec, ("onnxruntime_genai", "llguidance"))),
    reason="onnxruntime-genai is not installed (the extra `onnx`)",
)


def spec(path: Path, *, record: bool = False) -> ModelSpec:
    return ModelSpec(name="tape", backend="recorded", path=str(path), options={"of": INNER} if record else {})


@needs_onnx
class TestRecording(BackendConformance):
    """Wrapped around a model it is that model."""

    folder: Path

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make(self) -> Backend:
        return recorded.load(spec(self.folder / "tape.jsonl", record=True))

    def require(self, *names: str) -> None:
        if "prefix" in names:
            pytest.skip("what is on the cassette is not read again")
        super().require(*names)


@needs_onnx
class TestReplaying(BackendConformance):
    """What a test asks is recorded first; then the cassette answers alone."""

    folder: Path

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make(self) -> Backend:
        return _Rewound(self.folder / "tape.jsonl")

    def require(self, *names: str) -> None:
        if "prefix" in names:
            pytest.skip("nothing is read")
        super().require(*names)


class _Rewound:
    """Records each question when it first comes, and answers it from a fresh reading of the cassette."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._recorder = recorded.load(spec(path, record=True))
        self.capabilities, self.digest = self._recorder.capabilities, self._recorder.digest

    def answer(self, question: Question, stop: threading.Event) -> Answer:
        self._recorder.answer(question, stop)
        return recorded.load(spec(self._path)).answer(question, stop)

    def close(self) -> None:
        self._recorder.close()


class Once:
    """A model that can be asked so often."""

    digest = "sha256:once"
    capabilities = Capabilities(slots=2, confidence=True)

    def __init__(self, times: int = 1) -> None:
        self.times = times

    def answer(self, question: Question, stop: threading.Event) -> Answer:
        if self.times == 0:
            raise ModelUnavailable("asked too often")
        self.times -= 1
        value = msgspec.Raw(msgspec.json.encode(question.text))
        return Answer(value=value, usage=Usage(tokens_out=3), fields={"": FieldNote(start=1)})

    def close(self) -> None:
        pass


def tape(path: Path, times: int = 0) -> recorded.Recorded:
    data = path.read_bytes() if path.exists() else b""
    return recorded.Recorded(path, data, Once(times) if times else None)


def text_of(backend: Backend, text: str, **changes: float) -> str:
    question = msgspec.structs.replace(Question(system="", text=text, schema={}), **changes)
    return msgspec.json.decode(backend.answer(question, threading.Event()).value, type=str)


def test_an_answer_is_kept_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "new" / "tape.jsonl"
    first = tape(path, times=1).answer(ASKED, threading.Event())
    again = tape(path)
    found = again.answer(ASKED, threading.Event())
    assert (bytes(found.value), found.fields, found.usage) == (bytes(first.value), first.fields, first.usage)
    assert (again.digest, again.capabilities) == (Once.digest, Once.capabilities)


def test_what_is_known_is_not_asked_again(tmp_path: Path) -> None:
    recording = tape(tmp_path / "t", times=1)
    assert [text_of(recording, "ä") for _ in range(3)] == ["ä"] * 3


def test_the_time_that_somebody_waits_is_no_part_of_a_question(tmp_path: Path) -> None:
    text_of(tape(tmp_path / "t", times=1), "a", timeout_s=5.0)
    assert text_of(tape(tmp_path / "t"), "a", timeout_s=7.0) == "a"


def test_another_temperature_is_another_question(tmp_path: Path) -> None:
    text_of(tape(tmp_path / "t", times=1), "a")
    with pytest.raises(ModelBroken) as caught:
        text_of(tape(tmp_path / "t"), "a", temperature=1.0)
    assert "record it again" in caught.value.hint


def test_a_line_that_was_torn_is_cut_off_and_recorded_again(tmp_path: Path) -> None:
    path = tmp_path / "t"
    text_of(tape(path, times=1), "a")
    text_of(tape(path, times=1), "b")
    path.write_bytes(path.read_bytes()[:-5])
    assert text_of(tape(path), "a") == "a"
    with pytest.raises(ModelBroken):
        text_of(tape(path), "b")
    text_of(tape(path, times=1), "b")
    assert [text_of(tape(path), each) for each in "ab"] == ["a", "b"]


@pytest.mark.parametrize("data", [b"{}\n", b"no json\n", b'{"cassette":2,"digest":"","capabilities":{}}\n'])
def test_a_file_that_is_no_cassette(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "t").write_bytes(data)
    with pytest.raises(ModelBroken, match="cassette"):
        recorded.load(spec(tmp_path / "t"))


def test_a_line_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    text_of(tape(tmp_path / "t", times=1), "a")
    with (tmp_path / "t").open("ab") as file:
        file.write(b"{}\n")
    with pytest.raises(ModelBroken, match="line 3"):
        recorded.load(spec(tmp_path / "t"))


def test_no_cassette(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match="no cassette") as caught:
        recorded.load(spec(tmp_path / "t"))
    assert "`of`" in caught.value.hint
    (tmp_path / "t").touch()
    with pytest.raises(ModelBroken, match="nothing on it"):
        recorded.load(spec(tmp_path / "t"))


def test_a_cassette_of_another_model(tmp_path: Path) -> None:
    text_of(tape(tmp_path / "t", times=1), "a")
    other = Once()
    other.digest = "sha256:other"
    with pytest.raises(ModelBroken, match="another model"):
        recorded.Recorded(tmp_path / "t", (tmp_path / "t").read_bytes(), other)


def test_an_inner_model_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match="`of`"):
        recorded.load(ModelSpec(name="t", backend="recorded", path=str(tmp_path / "t"), options={"of": {"x": 1}}))


def test_the_probe_needs_no_entry(tmp_path: Path) -> None:
    text_of(tape(tmp_path / "t", times=1), "a")
    assert tape(tmp_path / "t").answer(PROBE, threading.Event()).usage.tokens_out == 1


async def test_in_a_process_of_its_own(tmp_path: Path) -> None:
    text_of(tape(tmp_path / "t", times=1), "a")
    host = ModelHost(spec(tmp_path / "t"))
    answer = await host.answer(Question(system="", text="a", schema={}))
    assert msgspec.json.decode(answer.value) == "a"
    assert host.capabilities == Once.capabilities
    with pytest.raises(ModelBroken):
        await host.answer(Question(system="", text="b", schema={}))
    await host.probe()
    await host.close()
