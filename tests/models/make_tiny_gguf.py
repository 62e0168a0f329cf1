"""Writes tiny.gguf: a Llama with random weights, for tests of plumbing.

    python tests/models/make_tiny_gguf.py [FILE]

It knows nothing, so that whatever sense there is in an answer of its comes from the grammar. Its vocabulary is as a
trained model's: bytes, joints of two letters, special tokens with a chat template. The package `gguf` writes it.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy

gguf: Any = importlib.import_module("gguf")  # only to make the file anew: `pip install gguf`

TINY = Path(__file__).with_name("tiny.gguf")
SPECIAL = ("<|bos|>", "<|end|>", "<|pad|>", "<|user|>", "<|assistant|>", "<|system|>")
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
VOCABULARY = 512
CONTEXT = 2048
HEAD = 32
_Q8_0 = gguf.GGMLQuantizationType.Q8_0


def write(path: Path = TINY, *, width: int = 64, layers: int = 2) -> None:
    """Writes the file; the same bytes each time. Wider and deeper it takes as long as a real model of that size."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny-random")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(2 * width)
    writer.add_head_count(width // HEAD)
    writer.add_head_count_kv(width // HEAD)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(HEAD)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(VOCABULARY)
    writer.add_file_type(int(gguf.LlamaFileType.MOSTLY_Q8_0))
    _add_tokenizer(writer)
    _add_weights(writer, width, layers)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tokenizer(writer: Any) -> None:
    merges = _merges()[: VOCABULARY - len(SPECIAL) - 256]
    tokens = [*SPECIAL, *_byte_letters(), *(merge.replace(" ", "") for merge in merges)]
    kinds = [gguf.TokenType.CONTROL] * len(SPECIAL) + [gguf.TokenType.NORMAL] * (len(tokens) - len(SPECIAL))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([int(kind) for kind in kinds])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_pad_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)


def _byte_letters() -> list[str]:
    """The letter that byte-level BPE writes for each byte: itself where it can be seen, else one from 256 on."""
    seen = {*range(33, 127), *range(161, 173), *range(174, 256)}
    hidden = [byte for byte in range(256) if byte not in seen]
    return [chr(byte) if byte in seen else chr(256 + hidden.index(byte)) for byte in range(256)]


def _merges() -> list[str]:
    """Joints of letters only: a word is cut the same way wherever it stands."""
    vowels, others = "eaiou", "nrtslcdmpvgbfhkwzyjqx"
    lower = [pair for other in others for vowel in vowels for pair in (f"{vowel} {other}", f"{other} {vowel}")]
    return lower + [f"{other.upper()} {vowel}" for other in others for vowel in vowels]


def _add_weights(writer: Any, width: int, layers: int) -> None:
    random = numpy.random.default_rng(3)

    def add(name: str, rows: int, columns: int, scale: float) -> None:
        weight = (random.standard_normal((rows, columns)) * scale).astype(numpy.float32)
        writer.add_tensor(name, gguf.quants.quantize(weight, _Q8_0), raw_dtype=_Q8_0)

    def add_norm(name: str) -> None:
        writer.add_tensor(name, numpy.ones(width, dtype=numpy.float32))

    add("token_embd.weight", VOCABULARY, width, 1.0)
    for layer in range(layers):
        add_norm(f"blk.{layer}.attn_norm.weight")
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"blk.{layer}.{name}.weight", width, width, width**-0.5)
        add_norm(f"blk.{layer}.ffn_norm.weight")
        add(f"blk.{layer}.ffn_gate.weight", 2 * width, width, width**-0.5)
        add(f"blk.{layer}.ffn_up.weight", 2 * width, width, width**-0.5)
        add(f"blk.{layer}.ffn_down.weight", width, 2 * width, (2 * width) ** -0.5)
    add_norm("output_norm.weight")
    # Wide logits: probabilities differ, as a trained model's do.
    add("output.weight", VOCABULARY, width, 3.0 * width**-0.5)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else TINY)
