"""Which model, which variant, with what, and why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from skerry.errors import DataError
from skerry.settings import Model, Workers
from skerry_workers.failures import Refusal
from skerry_workers.models import machine
from skerry_workers.models.catalog import Catalog, shipped
from skerry_workers.models.choose import choices, consider
from skerry_workers.models.variants import precision, variants
from tests.models.service_kit import MACHINE, gguf


def onnx(path: Path, device: str = "cpu") -> Path:
    path.mkdir(parents=True)
    (path / "model.onnx").write_bytes(b"x" * 1000)
    providers: list[dict[str, object]] = [] if device == "cpu" else [{device: {}}]
    decoder = {"filename": "model.onnx", "session_options": {"provider_options": providers}}
    (path / "genai_config.json").write_text(json.dumps({"model": {"decoder": decoder}}))
    return path


# --- one model -------------------------------------------------------------------------------------------------------


def test_a_file_is_taken_with_a_core_left_for_others(tmp_path: Path) -> None:
    choice = consider("m", Model(path=gguf(tmp_path / "m-q8_0.gguf"), slots=2), Workers(), MACHINE)
    assert choice.spec is not None
    assert (choice.spec.backend, choice.spec.threads, choice.spec.slots) == ("xllama", 3, 2)
    assert choice.why == ("xllama on cpu, 8 bits, about 151 MB", "3 threads: 4 cores, one left for others")


def test_processes_share_the_cores_and_settings_are_obeyed(tmp_path: Path) -> None:
    path = gguf(tmp_path / "m.gguf")
    shared = consider("m", Model(path=path), Workers(processes=3, context=4096), MACHINE).spec
    told = consider("m", Model(path=path, threads=2, context=512), Workers(threads=4, context=4096), MACHINE).spec
    assert shared is not None and (shared.threads, shared.context) == (1, 4096)
    assert told is not None and (told.threads, told.context) == (2, 512)


@pytest.mark.parametrize(
    ("make", "why", "mend"),
    [
        (lambda p: p / "gone.gguf", "there is no ", "name the file"),
        (lambda p: (p / "a.gguf").write_bytes(b"<htm") and p / "a.gguf", "is no GGUF file", "name the file"),
        (lambda p: gguf(p / "big.gguf", 9000), "needs about 10050 MB of memory, and may have 8000", "raise memory_mb"),
        (lambda p: onnx(p / "m", "cuda"), "is made for cuda, and no such card is here", "for the processor"),
        (lambda p: p, "has neither a genai_config.json nor a .gguf file in it", "name the file"),
    ],
)
def test_what_cannot_be_used_says_why(tmp_path: Path, make: Callable[[Path], Path], why: str, mend: str) -> None:
    choice = consider("m", Model(path=make(tmp_path)), Workers(), MACHINE)
    assert choice.spec is None
    assert why in choice.why[0]
    assert mend in choice.mend


def test_a_folder_that_lacks_its_weights(tmp_path: Path) -> None:
    folder = onnx(tmp_path / "m")
    (folder / "model.onnx").unlink()
    assert "there is no" in consider("m", Model(path=folder), Workers(), MACHINE).why[0]
    (folder / "genai_config.json").write_text("{")
    assert "makes no sense" in consider("m", Model(path=folder), Workers(), MACHINE).why[0]


def test_a_backend_that_is_missing_is_named_with_its_command(tmp_path: Path) -> None:
    bare = msgspec.structs.replace(MACHINE, backends={"openai": "", "recorded": ""})
    choice = consider("m", Model(path=onnx(tmp_path / "m")), Workers(), bare)
    assert choice.why == ("needs onnxruntime-genai, which is not installed",)
    assert choice.mend == "pip install 'skerry[onnx]'"


def test_either_backend_reads_gguf(tmp_path: Path) -> None:
    path = gguf(tmp_path / "m.gguf")
    other = msgspec.structs.replace(MACHINE, backends={"llama": "0.3"})
    by_default, named = Model(path=path), Model(path=path, backend="llama")
    for settings, here, backend in (
        (by_default, other, "llama"),
        (named, other, "llama"),
        (msgspec.structs.replace(named, backend="xllama"), MACHINE, "xllama"),
    ):
        choice = consider("m", settings, Workers(), here)
        assert choice.spec is not None and choice.spec.backend == backend
    assert "is not for the backend onnx" in consider("m", Model(path=path, backend="onnx"), Workers(), MACHINE).why[0]


def test_an_endpoint_needs_no_files() -> None:
    choice = consider("m", Model(url="http://127.0.0.1:1/v1", model="qwen"), Workers(), MACHINE)
    assert choice.spec is not None
    assert (choice.spec.backend, choice.spec.url, choice.spec.model) == ("openai", "http://127.0.0.1:1/v1", "qwen")


# --- variants --------------------------------------------------------------------------------------------------------


def test_of_several_variants_the_one_that_suits(tmp_path: Path) -> None:
    for name, megabytes in (("m-f16", 40), ("m-q8_0", 20), ("m-q4_k_m", 10)):
        gguf(tmp_path / f"{name}.gguf", megabytes)
    chosen = consider("m", Model(path=tmp_path), Workers(), MACHINE)
    assert chosen.spec is not None and chosen.spec.path.endswith("m-q8_0.gguf")
    assert "m-q8_0.gguf rather than m-f16.gguf, m-q4_k_m.gguf" in chosen.why
    tight = consider("m", Model(path=tmp_path), Workers(memory_mb=165), MACHINE)
    assert tight.spec is not None and tight.spec.path.endswith("m-q4_k_m.gguf")


def test_a_card_is_used_where_there_is_one(tmp_path: Path) -> None:
    onnx(tmp_path / "cpu-int4")
    onnx(tmp_path / "cuda-fp16", "cuda")
    with_card = msgspec.structs.replace(MACHINE, gpus=("NVIDIA H200",))
    for here, name in ((MACHINE, "cpu-int4"), (with_card, "cuda-fp16")):
        chosen = consider("m", Model(path=tmp_path), Workers(), here)
        assert chosen.spec is not None and Path(chosen.spec.path).name == name


def test_a_model_in_pieces_is_one(tmp_path: Path) -> None:
    for part in (1, 2):
        gguf(tmp_path / f"m-q4_0-0000{part}-of-00002.gguf", 10)
    (only,) = variants(tmp_path)
    assert (only.path.name, only.bytes) == ("m-q4_0-00001-of-00002.gguf", 20 << 20)


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("qwen3-0.6b-q8_0.gguf", 8),
        ("Q4_K_M", 4),
        ("int4-rtn", 4),
        ("bf16", 16),
        ("fp32", 32),
        ("iq3_xs", 3),
        ("tiny", 0),
    ],
)
def test_names_say_the_precision(name: str, bits: int) -> None:
    assert precision(name) == bits


# --- among models ----------------------------------------------------------------------------------------------------


def test_the_model_that_names_the_prompt_comes_first(tmp_path: Path) -> None:
    path = gguf(tmp_path / "m.gguf")
    models = {
        "broken": Model(path=tmp_path / "gone", prompts=("invoice.extract",)),
        "all": Model(path=path),
        "invoices": Model(path=path, prompts=("invoice.extract",)),
        "large": Model(path=path, sizes=("large",)),
    }
    names = [choice.name for choice in choices(models, "small", Workers(), MACHINE, prompt="invoice.extract")]
    assert names == ["invoices", "all", "broken"]
    assert [choice.name for choice in choices(models, "small", Workers(), MACHINE, prompt="mail.sort")] == ["all"]


def test_a_catalog_refuses_with_the_reason(tmp_path: Path) -> None:
    models = {"gone": Model(path=tmp_path / "gone", prompts=("invoice.extract",))}
    catalog = Catalog(models, "small", Workers(), MACHINE)
    assert (catalog.serves("invoice.extract"), catalog.serves("mail.sort"), catalog.offers) == (True, False, ())
    with pytest.raises(Refusal, match="model gone: there is no") as broken:
        catalog.find("invoice.extract")
    with pytest.raises(Refusal, match=r"has no model for the prompt mail\.sort") as none:
        catalog.find("mail.sort")
    assert (broken.value.kind, none.value.kind) == ("ModelBroken", "NoAnswer")


def test_models_that_come_with_skerry(tmp_path: Path) -> None:
    assert shipped(tmp_path) == {}
    (tmp_path / "models.toml").write_text('[models.tiny]\npath = "tiny-int8"\nhints = false\n')
    assert shipped(tmp_path) == {"tiny": Model(path=tmp_path / "tiny-int8", hints=False)}
    (tmp_path / "models.toml").write_text("[models.tiny]\npath = 3\n")
    with pytest.raises(DataError, match="expected a path"):
        shipped(tmp_path)


# --- the machine -----------------------------------------------------------------------------------------------------


def test_a_machine_as_the_kernel_describes_it(tmp_path: Path) -> None:
    files = {
        "proc/cpuinfo": "".join(
            f"processor: {n}\nmodel name\t: EPYC\nphysical id\t: 0\ncore id\t: {n // 2}\nflags\t: fpu avx2 amx_int8\n\n"
            for n in range(4)
        ),
        "proc/meminfo": "MemTotal:       16384000 kB\nMemAvailable:    8192000 kB\n",
        "sys/fs/cgroup/memory.max": f"{4096 << 20}\n",
        "sys/fs/cgroup/memory.current": f"{1024 << 20}\n",
        "sys/fs/cgroup/cpu.max": "100000 100000\n",
        "proc/driver/nvidia/gpus/0/information": "Model: \t NVIDIA H200\n",
        "sys/class/drm/card0/device/vendor": "0x10de\n",
        "sys/class/drm/card1/device/vendor": "0x8086\n",
        "sys/class/drm/renderD128/device/vendor": "0x8086\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = machine.detect(tmp_path)
    assert (found.cores, found.memory_mb, found.free_mb) == (1, 4096, 3072)
    assert (found.processor, found.flags, found.gpus) == ("EPYC", ("avx2", "amx_int8"), ("NVIDIA H200", "Intel"))
    assert found.nvidia
    nothing = machine.detect(tmp_path / "nowhere")
    assert (nothing.cores, nothing.memory_mb, nothing.gpus) == (nothing.threads, 0, ())


def test_this_machine_and_this_process() -> None:
    import os

    here = machine.detect()
    assert 1 <= here.cores <= here.threads
    assert 0 < here.free_mb <= here.memory_mb
    assert machine.memory_of(os.getpid()) > 10
    assert machine.memory_of(2**22 + 1) == 0
