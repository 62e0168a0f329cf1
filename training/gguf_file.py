"""A model folder in Hugging Face's layout as a GGUF file (Q8_0), with the `gguf` package alone."""

# pyright: reportMissingImports=false
# (the extra `training` need not be installed where this is checked)

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy
from numpy.typing import NDArray
from safetensors.numpy import load_file

from training.tokenizer import BOS, CHAT_TEMPLATE, END, PAD

_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_Q8_0 = gguf.GGMLQuantizationType.Q8_0


def write(folder: Path, path: Path, *, name: str) -> None:
    """Writes the GGUF file of a model folder."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(name)
    writer.add_license("apache-2.0")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(int(gguf.LlamaFileType.MOSTLY_Q8_0))
    _add_tokenizer(writer, folder)
    weights = load_file(folder / "model.safetensors")
    for name_here, name_there in _names(config["num_hidden_layers"]).items():
        weight = weights[name_here].astype(numpy.float32)
        if name_there.endswith(("attn_q.weight", "attn_k.weight")):
            weight = _interleaved(weight, config["num_attention_heads"])
        if weight.ndim == 1:
            writer.add_tensor(name_there, weight)
        else:
            writer.add_tensor(name_there, gguf.quants.quantize(weight, _Q8_0), raw_dtype=_Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _names(layers: int) -> dict[str, str]:
    names = {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.norm.weight": "output_norm.weight",
        "lm_head.weight": "output.weight",
    }
    for i in range(layers):
        names |= {f"model.layers.{i}.{here}.weight": f"blk.{i}.{there}.weight" for here, there in _NAMES.items()}
    return names


def _interleaved(weight: NDArray[numpy.float32], heads: int) -> NDArray[numpy.float32]:
    """The rows in llama.cpp's order: it rotates neighbours, where Hugging Face rotates the two halves of a head."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _add_tokenizer(writer: gguf.GGUFWriter, folder: Path) -> None:
    state: dict[str, Any] = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    special = {each["content"]: each["id"] for each in state["added_tokens"]}
    vocabulary: dict[str, int] = {**state["model"]["vocab"], **special}
    kinds = [gguf.TokenType.CONTROL if each in special else gguf.TokenType.NORMAL for each in vocabulary]
    ordered = sorted(zip(vocabulary.values(), vocabulary, kinds, strict=True))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([token for _, token, _ in ordered])
    writer.add_token_types([int(kind) for _, _, kind in ordered])
    writer.add_token_merges([each if isinstance(each, str) else " ".join(each) for each in state["model"]["merges"]])
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(END)
    writer.add_pad_token_id(PAD)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)
