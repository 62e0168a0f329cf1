"""GGUF files, before llama.cpp sees them."""

from __future__ import annotations

import hashlib
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest

from skerry_workers.models import ggufs
from skerry_workers.models.port import ModelBroken, ModelSpec

TINY = Path(__file__).with_name("tiny.gguf")


def test_what_a_file_says() -> None:
    model = ggufs.examine(TINY)
    assert (model.architecture, model.context, model.bytes) == ("llama", 2048, TINY.stat().st_size)
    assert model.cache_bytes == 2 * 2 * 64 * 2  # layers, keys and values, width, bytes
    assert model.markers[0] == "<|bos|>" and "<|assistant|>" in model.markers and "[INST]" in model.markers
    assert model.digest() == f"sha256:{hashlib.sha256(TINY.read_bytes()).hexdigest()}"


def test_cut_off_anywhere_it_is_broken(tmp_path: Path) -> None:
    whole = TINY.read_bytes()
    path = tmp_path / "cut.gguf"
    for length in (*range(0, 16_000, 331), len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelBroken, match=r"cut off|no GGUF"):
            ggufs.examine(path)


def test_damaged_in_its_header_it_is_broken_or_read_as_it_is(tmp_path: Path) -> None:
    whole = bytearray(TINY.read_bytes())
    path = tmp_path / "damaged.gguf"
    for at in range(4, 3000, 7):
        damaged = whole.copy()
        damaged[at] ^= 0xFF
        path.write_bytes(damaged)
        try:
            ggufs.examine(path)
        except ModelBroken as error:
            assert str(path) in error.message


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.gguf", None, "does not exist"),
        ("text.gguf", b"once upon a time there was a model", "begins with b'once'"),
        ("empty.gguf", b"", "it has 0 bytes"),
        ("new.gguf", b"GGUF" + struct.pack("<IQQ", 9, 0, 0), "version 9"),
        ("nothing.gguf", b"GGUF" + struct.pack("<IQQ", 3, 0, 0), "no language model"),
        ("many.gguf", b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0), "cut off or damaged"),
        ("model-00001-of-00002.gguf", TINY.read_bytes(), "model-00002-of-00002.gguf is missing"),
    ],
)
def test_wrong_files(tmp_path: Path, name: str, content: bytes | None, says: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelBroken, match=says):
        ggufs.examine(path)


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match="is a folder"):
        ggufs.examine(tmp_path)


def test_parts_belong_together(tmp_path: Path) -> None:
    for index in (1, 2):
        shutil.copy(TINY, tmp_path / f"m-{index:05}-of-00002.gguf")
    model = ggufs.examine(tmp_path / "m-00001-of-00002.gguf")
    assert len(model.parts) == 2 and model.bytes == 2 * TINY.stat().st_size
    before = model.digest()
    (tmp_path / "m-00002-of-00002.gguf").write_bytes(TINY.read_bytes() + b"\0")
    assert model.digest() != before


def test_the_context_fits_into_the_memory() -> None:
    model = ggufs.examine(TINY)

    def context(**words: Any) -> int:
        return ggufs.context(ModelSpec(name="tiny", backend="xllama", **words), model)

    assert context() == 2048
    assert context(context=512) == 512
    assert context(context=1 << 20) == 2048
    assert context(memory_mb=1, slots=2) == ((1 << 20) - model.bytes) // (512 * 2)
    with pytest.raises(ModelBroken, match="no room for a context"):
        context(memory_mb=1, slots=10)


def test_threads_leave_a_core() -> None:
    assert ggufs.threads(ModelSpec(name="tiny", backend="llama", threads=7)) == 7
    assert ggufs.threads(ModelSpec(name="tiny", backend="llama")) >= 1


def test_unknown_options_are_told() -> None:
    with pytest.raises(ModelBroken, match="quotes"):
        ggufs.options(ModelSpec(name="tiny", backend="llama", options={"quotes": "lines"}))


def test_a_library_that_is_not_there_is_named_with_the_command() -> None:
    with pytest.raises(ModelBroken, match="llama is not installed") as caught:
        ggufs.module("no_such_library", "llama")
    assert caught.value.hint == "pip install 'skerry[llama]'"
