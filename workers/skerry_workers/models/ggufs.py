"""GGUF files, looked at before any library does: llama.cpp may end the process over a file that it does not like.

And what both backends of llama.cpp choose in the same way: digest, threads, the length of the context.
"""

from __future__ import annotations

import hashlib
import mmap
import re
import struct
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec

from skerry_workers.models.constraint import Granularity
from skerry_workers.models.digest import digest_of
from skerry_workers.models.machine import detect, free_mb
from skerry_workers.models.messages import MARKERS
from skerry_workers.models.port import ModelBroken, ModelSpec

CONTEXT_MIN = 256
_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
_CONTROL = 3
_COUNT_MAX = 100_000_000

_SCALARS: Mapping[int, str] = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip
_STRING, _ARRAY = 8, 9
_BLOCKS: Mapping[int, tuple[int, int]] = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
    34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip
"""Of each kind of tensor: numbers in a block, and bytes of a block. Of other kinds only the start is looked at."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[models.NAME.options]`. `quotes_by`: what quotes are made of; `show_schema`: the model reads it, too.

    `request` are further words for llama.cpp's chat completions (xllama). The last three are the worker's.
    """

    quotes_by: Granularity = "words"
    show_schema: bool = False
    request: dict[str, Any] = {}
    tokens_max: int = 0
    temperature: float = 0.0
    seed: int = 0


class Gguf(NamedTuple):
    """What a file says of its model. `markers` are its special tokens, `cache_bytes` what a token takes of a cache."""

    parts: tuple[Path, ...]
    bytes: int
    architecture: str
    context: int
    cache_bytes: int
    markers: tuple[str, ...]

    def digest(self) -> str:
        """SHA-256 of the file, as publishers of models name it; of one that is cut in parts, see `digest_of`."""
        first, *more = self.parts
        if more:
            return digest_of(self.parts)
        with first.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def options(spec: ModelSpec) -> Options:
    """The options of a spec. Raises `ModelBroken`: there is no such option."""
    try:
        return msgspec.convert(dict(spec.options), Options)
    except msgspec.ValidationError as error:
        raise ModelBroken(f"options of {spec.name}: {error}") from None


def module(name: str, extra: str) -> Any:
    """The module of a backend, which is loaded only now. Raises `ModelBroken`: it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ModelBroken(
            f"the backend {extra} is not installed: {error}", hint=f"pip install 'skerry[{extra}]'"
        ) from None


def examine(path: Path) -> Gguf:
    """Reads the header of a model, of every part of it. Raises `ModelBroken`: it is no whole GGUF model."""
    parts = _parts(path)
    headers = [_header(part) for part in parts]
    values = headers[0]
    architecture = str(values.get("general.architecture", ""))
    if not architecture or values.get("general.type", "model") != "model" or architecture == "clip":
        raise ModelBroken(f"{path} is a GGUF file, but no language model: {architecture or 'of no architecture'}")
    if "tokenizer.ggml.tokens" not in values:
        raise ModelBroken(f"{path} has no tokenizer in it", hint="convert the model again, with its tokenizer")
    return Gguf(
        parts=parts,
        bytes=sum(part.stat().st_size for part in parts),
        architecture=architecture,
        context=_number(values.get(f"{architecture}.context_length"), 2048),
        cache_bytes=_cache_bytes(values, architecture),
        markers=_markers(values),
    )


def threads(spec: ModelSpec) -> int:
    """As the spec says, or one less than there are cores: with all, a busy neighbour makes a model ten times slower."""
    return spec.threads or max(1, detect().cores - 1)


def context(spec: ModelSpec, model: Gguf) -> int:
    """Tokens that one question and its answer may have together.

    As the spec says, or the model's own as far as the caches of all slots fit into the memory that the spec allows (it
    says nothing: into a quarter of what is free). Raises `ModelBroken` when that is next to nothing.
    """
    if spec.context:
        return min(spec.context, model.context)
    room = (spec.memory_mb << 20) - model.bytes if spec.memory_mb else (free_mb() << 20) // 4
    fits = room // (model.cache_bytes * max(1, spec.slots))
    if fits < min(CONTEXT_MIN, model.context):
        raise ModelBroken(
            f"{spec.name}: no room for a context beside {model.bytes >> 20} MB of weights",
            hint="raise `memory_mb`, or take a smaller model or fewer slots",
        )
    return min(model.context, fits)


def _parts(path: Path) -> tuple[Path, ...]:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise ModelBroken(f"{path} {what}", hint="`path` names a .gguf file")
    found = _PART.search(path.name)
    if not found:
        return (path,)
    stem, count = path.name[: found.start()], int(found[2])
    parts = tuple(path.with_name(f"{stem}-{index:05}-of-{count:05}.gguf") for index in range(1, count + 1))
    missing = [part.name for part in parts if not part.is_file()]
    if missing:
        raise ModelBroken(f"{path}: of its {count} parts, {', '.join(missing)} is missing")
    return parts


def _header(path: Path) -> dict[str, Any]:
    """The values of a file, when all of its tensors are within it."""
    if path.stat().st_size < 24:
        raise ModelBroken(f"{path} is no GGUF file: it has {path.stat().st_size} bytes")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        if view[:4] != _MAGIC:
            raise ModelBroken(f"{path} is no GGUF file: it begins with {view[:4]!r}")
        try:
            reader = _Reader(view)
            version = reader.scalar("I")
            if version not in _VERSIONS:
                raise ModelBroken(f"{path} is GGUF of version {version}; known are {_VERSIONS[0]} and {_VERSIONS[1]}")
            tensors, count = reader.count(), reader.count()
            values = {reader.string(): reader.value(reader.scalar("I")) for _ in range(count)}
            ends = [reader.tensor_end() for _ in range(tensors)]
        except (struct.error, IndexError, OverflowError, UnicodeDecodeError, ValueError) as error:
            raise ModelBroken(f"{path} is cut off or damaged: {error}", hint="copy or download it again") from None
        alignment = _number(values.get("general.alignment"), 32)
        end = -(-reader.at // alignment) * alignment + max(ends) if ends else reader.at
        if end > len(view):
            raise ModelBroken(f"{path} is cut off: {len(view)} bytes of {end}", hint="copy or download it again")
        return values


class _Reader:
    """A place in a mapped file."""

    def __init__(self, view: mmap.mmap) -> None:
        self._view = view
        self.at = len(_MAGIC)

    def scalar(self, kind: str) -> Any:
        found = struct.unpack_from(f"<{kind}", self._view, self.at)[0]
        self.at += struct.calcsize(f"<{kind}")
        return found

    def count(self) -> int:
        found = int(self.scalar("Q"))
        if found > _COUNT_MAX:
            raise ValueError(f"{found} of anything")
        return found

    def string(self) -> str:
        length = self.count()
        if self.at + length > len(self._view):
            raise ValueError("a text goes beyond the end")
        self.at += length
        # Tokens of some vocabularies are single bytes of a character.
        return self._view[self.at - length : self.at].decode("utf-8", errors="replace")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            inner, count = int(self.scalar("I")), self.count()
            if inner in _SCALARS:
                found = struct.unpack_from(f"<{count}{_SCALARS[inner]}", self._view, self.at)
                self.at += struct.calcsize(f"<{count}{_SCALARS[inner]}")
                return found
            return [self.value(inner) for _ in range(count)]
        if kind not in _SCALARS:
            raise ValueError(f"a value of kind {kind}")
        return self.scalar(_SCALARS[kind])

    def tensor_end(self) -> int:
        """Where the data of the tensor described here ends, from the start of all data."""
        self.string()
        elements = 1
        for _ in range(self.scalar("I")):
            elements *= self.count()
        kind, offset = self.scalar("I"), int(self.scalar("Q"))
        per_block, bytes_of_block = _BLOCKS.get(kind, (1, 0))
        return offset + elements // per_block * bytes_of_block


def _cache_bytes(values: Mapping[str, Any], architecture: str) -> int:
    """Keys and values of one token in all layers, 16 bits each."""

    def of(name: str, default: int) -> int:
        return _number(values.get(f"{architecture}.{name}"), default)

    heads = of("attention.head_count", 1)
    width = of("embedding_length", 1024) // max(1, heads)
    both = of("attention.key_length", width) + of("attention.value_length", width)
    return max(1, 2 * of("block_count", 1) * of("attention.head_count_kv", heads) * both)


def _number(value: object, default: int) -> int:
    """Of a list (a number for each layer), the largest."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return max((each for each in cast(Sequence[object], value) if isinstance(each, int)), default=default)
    return value if isinstance(value, int) and value > 0 else default


def _markers(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The texts that the tokenizer takes for control tokens wherever they stand, and the well-known ones."""
    tokens, kinds = values["tokenizer.ggml.tokens"], values.get("tokenizer.ggml.token_type", ())
    own = (token for token, kind in zip(tokens, kinds, strict=False) if kind == _CONTROL and len(token) > 1)
    return tuple(dict.fromkeys((*own, *MARKERS)))
