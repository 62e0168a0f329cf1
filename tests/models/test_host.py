"""A model process under its host: asked, taken back, killed, started again. Real processes, a real model."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from skerry_workers.models.host import HostLimits, ModelHost
from skerry_workers.models.machine import memory_of
from skerry_workers.models.port import (
    ModelBroken,
    ModelError,
    ModelSpec,
    ModelUnavailable,
    Question,
)
from tests.support import wait_until

pytest.importorskip("onnxruntime_genai", reason="onnxruntime-genai is not installed (the extra `onnx`)")

TINY = Path(__file__).parent / "data" / "tiny"
SPEC = ModelSpec(name="tiny", backend="onnx", path=str(TINY), threads=1)
SHORT = Question(system="Say it.", text="yes or no", schema={"type": "boolean"})
NUMBERS: dict[str, Any] = {"type": "array", "items": {"type": "integer"}, "minItems": 5000}
LONG = Question(system="Count.", text="for ever", schema=NUMBERS, tokens_max=1900, temperature=1.0)
QUICK = HostLimits(load_s=60, silence_s=30, grace_s=5, pause_s=0.01)


@pytest.fixture
async def host() -> AsyncIterator[ModelHost]:
    made = ModelHost(SPEC, QUICK)
    yield made
    await made.close()


async def begun(host: ModelHost, question: Question = LONG) -> asyncio.Task[Any]:
    """A question that is being answered."""
    task = asyncio.create_task(host.answer(question))
    await wait_until(lambda: host.busy == 1 or task.done(), 60)
    assert not task.done()
    return task


async def test_it_answers(host: ModelHost) -> None:
    assert (host.state, host.pid) == ("stopped", None)
    answer = await host.answer(SHORT)
    assert msgspec.json.decode(answer.value) in (True, False)
    assert host.state == "ready"
    assert host.digest.startswith("sha256:")
    assert answer.usage.loading_s > 0
    assert (await host.answer(SHORT)).usage.loading_s < answer.usage.loading_s
    assert host.pid is not None and memory_of(host.pid) > 10
    assert host.capabilities.schema


async def test_the_probe_and_the_state_on_the_way(host: ModelHost) -> None:
    loading = asyncio.create_task(host.start())
    seen = set[str]()

    def see() -> bool:
        seen.add(host.state)
        return loading.done()

    await wait_until(see, 60)
    ready = await loading
    assert ready.loading_s > 0
    assert seen >= {"loading", "ready"}
    await host.probe()


async def test_several_at_a_time_wait_for_the_slot(host: ModelHost) -> None:
    await host.start()
    answers = await asyncio.gather(*(host.answer(LONG) for _ in range(3)))
    assert all(answer.finish == "length" for answer in answers)
    waits = sorted(answer.usage.waiting_s for answer in answers)
    assert waits[0] < waits[1] < waits[2]
    assert host.busy == host.waiting == 0


async def test_taken_back_it_stops_and_the_next_is_answered(host: ModelHost) -> None:
    task = await begun(host)
    pid = host.pid
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await wait_until(lambda: host.busy == 0)
    await host.answer(SHORT)
    assert host.pid == pid


async def test_one_that_waits_for_a_slot_can_be_taken_back(host: ModelHost) -> None:
    first = await begun(host)
    second = asyncio.create_task(host.answer(SHORT))
    await wait_until(lambda: host.waiting == 1)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert host.waiting == 0
    first.cancel()
    await host.answer(SHORT)


async def test_over_its_time(host: ModelHost) -> None:
    await host.start()
    with pytest.raises(ModelUnavailable, match=r"no answer within 0\.05 s"):
        await host.answer(msgspec.structs.replace(LONG, timeout_s=0.05))
    await host.answer(SHORT)


@pytest.mark.parametrize(
    ("number", "words"), [(signal.SIGKILL, "was killed (SIGKILL)"), (signal.SIGSEGV, "crashed (SIGSEGV)")]
)
async def test_killed_in_the_middle_of_an_answer(host: ModelHost, number: int, words: str) -> None:
    task = await begun(host)
    waiting = asyncio.create_task(host.answer(SHORT))
    await wait_until(lambda: host.waiting == 1)
    assert host.pid is not None
    os.kill(host.pid, number)
    with pytest.raises(ModelUnavailable) as caught:
        await task
    assert words in caught.value.message
    (other,) = await asyncio.gather(waiting, return_exceptions=True)  # it had not begun: it is asked a little later
    assert not isinstance(other, BaseException) or getattr(other, "retry_after_s", 0) > 0
    await wait_until(lambda: answered(host, SHORT))


async def answered(host: ModelHost, question: Question) -> bool:
    try:
        await host.answer(question)
    except ModelUnavailable:
        return False
    return True


async def test_a_hang_is_noticed_by_silence() -> None:
    host = ModelHost(SPEC, msgspec.structs.replace(QUICK, silence_s=2.5))
    task = await begun(host)
    assert host.pid is not None
    os.kill(host.pid, signal.SIGSTOP)
    with pytest.raises(ModelUnavailable, match="no sign of life"):
        await task
    await host.close()


async def test_one_that_does_not_stop_is_killed() -> None:
    host = ModelHost(SPEC, msgspec.structs.replace(QUICK, grace_s=0.2))
    task = await begun(host)
    assert host.pid is not None
    os.kill(host.pid, signal.SIGSTOP)
    task.cancel()
    await wait_until(lambda: host.state == "stopped")
    assert "did not stop" in host.reason
    await host.close()


async def test_after_too_many_crashes_it_is_broken_for_a_while() -> None:
    host = ModelHost(SPEC, msgspec.structs.replace(QUICK, crashes_max=2, crashes_s=1000))
    for _ in range(2):
        await wait_until(lambda: answered(host, SHORT))
        assert host.pid is not None
        os.kill(host.pid, signal.SIGKILL)
        await wait_until(lambda: host.pid is None)
    assert host.state == "broken"
    with pytest.raises(ModelBroken, match="crashed 2 times"):
        await host.answer(SHORT)
    await host.start()  # told to, it is tried again
    await host.answer(SHORT)
    await host.close()


async def test_the_pause_grows(host: ModelHost) -> None:
    host.limits = msgspec.structs.replace(QUICK, pause_s=100, pause_s_max=100)
    await host.start()
    assert host.pid is not None
    os.kill(host.pid, signal.SIGKILL)
    await wait_until(lambda: host.pid is None)
    assert host.state == "stopped"
    with pytest.raises(ModelUnavailable) as caught:
        await host.answer(SHORT)
    assert 90 < caught.value.retry_after_s <= 100


async def test_a_memory_limit_that_the_model_does_not_fit_in() -> None:
    host = ModelHost(msgspec.structs.replace(SPEC, memory_mb=24), QUICK)
    with pytest.raises(ModelError, match=r"MB|SIG|memory"):
        await host.start()
    assert host.state in ("broken", "stopped")
    await host.close()


async def test_more_memory_than_it_may_have(host: ModelHost) -> None:
    await host.start()
    assert host.pid is not None
    mapped = memory_of(host.pid)
    small = ModelHost(msgspec.structs.replace(SPEC, memory_mb=mapped // 2), QUICK)
    with pytest.raises(ModelError):
        await small.start()
        await small.answer(LONG)
    await small.close()


async def test_without_its_worker_it_dies() -> None:
    """A worker that is killed leaves no model behind."""
    code = (
        "import asyncio, os\n"
        "from skerry_workers.models.host import ModelHost\n"
        "from skerry_workers.models.port import ModelSpec\n"
        "async def main():\n"
        f"    host = ModelHost(ModelSpec(name='tiny', backend='onnx', path={str(TINY)!r}))\n"
        "    await host.start()\n"
        "    os.write(1, b'%d\\n' % host.pid)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert worker.stdout is not None
    pid = int(await worker.stdout.readline())
    worker.kill()
    await worker.wait()
    await wait_until(lambda: gone(pid))


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


async def test_unloaded_and_loaded_again(host: ModelHost) -> None:
    await host.start()
    first = host.pid
    assert first is not None
    await host.unload()
    assert (host.state, host.pid) == ("stopped", None)
    assert gone(first)
    await host.answer(SHORT)
    assert host.pid != first


async def test_closed_in_the_middle_of_an_answer(host: ModelHost) -> None:
    task = await begun(host)
    await host.close()
    with pytest.raises(ModelError):
        await task
    await host.close()
    with pytest.raises(ModelUnavailable, match="closed"):
        await host.answer(SHORT)


def broken_folder(folder: Path, name: str, data: bytes | None) -> str:
    """The tiny model with one file missing or another one."""
    shutil.copytree(TINY, folder)
    if data is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(data)
    return str(folder)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("model.onnx", None),
        ("model.onnx", b""),
        ("model.onnx", b"GGUF\x03\x00\x00\x00" + bytes(1000)),
        ("model.onnx.data", b"\x00" * 1000),
        ("model.onnx.data", None),
        ("tokenizer.json", None),
        ("tokenizer.json", b"{"),
        ("genai_config.json", None),
        ("genai_config.json", b"{}"),
    ],
)
async def test_a_file_that_is_missing_cut_off_or_of_another_kind(tmp_path: Path, name: str, data: bytes | None) -> None:
    path = broken_folder(tmp_path / "model", name, data)
    host = ModelHost(msgspec.structs.replace(SPEC, path=path), QUICK)
    with pytest.raises(ModelBroken) as caught:
        await host.start()
    assert caught.value.hint
    assert host.state == "broken"
    with pytest.raises(ModelBroken):
        await host.answer(SHORT)
    shutil.rmtree(path)
    shutil.copytree(TINY, path)
    await host.start()  # mended
    await host.close()


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    host = ModelHost(msgspec.structs.replace(SPEC, path=str(tmp_path / "none")), QUICK)
    with pytest.raises(ModelBroken, match="there is no folder"):
        await host.answer(SHORT)
    await host.close()


async def test_a_question_that_cannot_be_written_down(host: ModelHost) -> None:
    with pytest.raises(ModelError, match="cannot be written down"):
        await host.answer(msgspec.structs.replace(SHORT, text="\ud800"))
    assert host.busy == 0
    await host.answer(SHORT)


async def test_loading_that_takes_too_long() -> None:
    host = ModelHost(SPEC, msgspec.structs.replace(QUICK, load_s=0.01))
    with pytest.raises(ModelUnavailable, match="not loaded within"):
        await host.start()
    await host.close()


async def test_who_gives_up_while_it_loads_does_not_stop_the_loading(host: ModelHost) -> None:
    with pytest.raises(ModelUnavailable):
        await host.answer(msgspec.structs.replace(SHORT, timeout_s=0.01))
    await wait_until(lambda: host.state == "ready", 60)
