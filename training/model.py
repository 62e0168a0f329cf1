"""The model: a small Llama, as functions over its weights. The names of the weights are those of Hugging Face's layout.

Every engine knows the Llama architecture, so the same weights become an ONNX and a GGUF file without a line of new code
there; and at this size plain PyTorch functions are all that training needs.
"""

# pyright: reportMissingImports=false
# (the extra `training` need not be installed where this is checked)

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from training.tokenizer import BOS, CONTEXT, END, PAD, VOCABULARY

Weights = dict[str, Tensor]
Cache = list[tuple[Tensor, Tensor]]

_EPSILON = 1e-5
SPREAD = 0.02  # of fresh weights
ROPE_BASE = 500_000.0  # half of a head's dimensions turn so slowly that they match contents over a whole page


class Shape(msgspec.Struct, frozen=True):
    """How large it is: 3.7 million parameters as it is shipped."""

    hidden: int = 256
    layers: int = 4
    heads: int = 4
    inner: int = 704
    vocabulary: int = VOCABULARY

    @property
    def head(self) -> int:
        return self.hidden // self.heads


def new(shape: Shape, seed: int = 0) -> Weights:
    """Fresh weights."""
    dice = torch.Generator().manual_seed(seed)

    def normal(rows: int, columns: int) -> Tensor:
        return torch.randn(rows, columns, generator=dice) * SPREAD

    weights: Weights = {"model.embed_tokens.weight": normal(shape.vocabulary, shape.hidden)}
    for i in range(shape.layers):
        layer = f"model.layers.{i}."
        weights[layer + "input_layernorm.weight"] = torch.ones(shape.hidden)
        for name in "qkv":
            weights[f"{layer}self_attn.{name}_proj.weight"] = normal(shape.hidden, shape.hidden)
        # What a layer adds is nothing at first: it learns as fast, and does not drown what others say.
        weights[layer + "self_attn.o_proj.weight"] = torch.zeros(shape.hidden, shape.hidden)
        weights[layer + "post_attention_layernorm.weight"] = torch.ones(shape.hidden)
        weights[layer + "mlp.gate_proj.weight"] = normal(shape.inner, shape.hidden)
        weights[layer + "mlp.up_proj.weight"] = normal(shape.inner, shape.hidden)
        weights[layer + "mlp.down_proj.weight"] = torch.zeros(shape.hidden, shape.inner)
    weights["model.norm.weight"] = torch.ones(shape.hidden)
    weights["lm_head.weight"] = normal(shape.vocabulary, shape.hidden)
    return weights


def rotations(shape: Shape, length: int = CONTEXT) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the rotary position embedding."""
    frequencies = ROPE_BASE ** (-torch.arange(0, shape.head, 2, dtype=torch.float32) / shape.head)
    angles = torch.outer(torch.arange(length, dtype=torch.float32), frequencies)
    angles = torch.cat((angles, angles), dim=1)
    return angles.cos(), angles.sin()


def _rotate(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    turned = torch.cat((-x[..., half:], x[..., :half]), dim=-1)
    return x * cosines + turned * sines


def _norm(x: Tensor, weight: Tensor) -> Tensor:
    return functional.rms_norm(x, (x.shape[-1],), weight.to(x.dtype), _EPSILON)


def _attend(q: Tensor, k: Tensor, v: Tensor, future: Tensor) -> Tensor:
    """Attention to what stands before. On a CPU, at these lengths, twice as fast as PyTorch's fused one."""
    rows, heads, length, head = q.shape
    q, k, v = (each.reshape(rows * heads, length, head) for each in (q * head**-0.5, k, v))
    scores = torch.baddbmm(future.expand(rows * heads, length, length), q, k.transpose(1, 2))
    return torch.bmm(torch.softmax(scores, dim=-1), v).view(rows, heads, length, head)


def hidden(
    weights: Weights, shape: Shape, tokens: Tensor, turns: tuple[Tensor, Tensor], cache: Cache | None = None
) -> Tensor:
    """The last hidden states of token rows; with a cache, of the tokens that are new, which it then holds."""
    rows, length = tokens.shape
    past = cache[0][0].shape[2] if cache else 0
    cosines, sines = (each[past : past + length] for each in turns)
    x = functional.embedding(tokens, weights["model.embed_tokens.weight"])
    if torch.is_autocast_enabled("cpu"):
        x, cosines, sines = x.bfloat16(), cosines.bfloat16(), sines.bfloat16()
    future = torch.full((length, length), -1e9, dtype=x.dtype).triu(1) if length > 1 else None
    for i in range(shape.layers):
        layer = f"model.layers.{i}."
        y = _norm(x, weights[layer + "input_layernorm.weight"])
        q, k, v = (
            functional.linear(y, weights[f"{layer}self_attn.{name}_proj.weight"])
            .view(rows, length, shape.heads, shape.head)
            .transpose(1, 2)
            for name in "qkv"
        )
        q, k = _rotate(q, cosines, sines), _rotate(k, cosines, sines)
        if cache is not None:
            if past:
                k, v = torch.cat((cache[i][0], k), dim=2), torch.cat((cache[i][1], v), dim=2)
                cache[i] = (k, v)
            else:
                cache.append((k, v))
        y = _attend(q, k, v, future) if future is not None else functional.scaled_dot_product_attention(q, k, v)
        y = y.transpose(1, 2).reshape(rows, length, shape.hidden)
        x = x + functional.linear(y, weights[layer + "self_attn.o_proj.weight"])
        y = _norm(x, weights[layer + "post_attention_layernorm.weight"])
        gate = functional.silu(functional.linear(y, weights[layer + "mlp.gate_proj.weight"]))
        y = gate * functional.linear(y, weights[layer + "mlp.up_proj.weight"])
        x = x + functional.linear(y, weights[layer + "mlp.down_proj.weight"])
    return _norm(x, weights["model.norm.weight"])


def logits(weights: Weights, states: Tensor) -> Tensor:
    """What the model expects next, after each of these states."""
    return functional.linear(states, weights["lm_head.weight"])


def greedy(weights: Weights, shape: Shape, prompt: list[int], *, tokens_max: int = 200) -> list[int]:
    """The likeliest answer, token by token, without its end sign."""
    with torch.no_grad():
        return _greedy(weights, shape, prompt, tokens_max)


def _greedy(weights: Weights, shape: Shape, prompt: list[int], tokens_max: int) -> list[int]:
    turns = rotations(shape)
    cache: Cache = []
    states = hidden(weights, shape, torch.tensor([prompt]), turns, cache)
    answer: list[int] = []
    while len(answer) < tokens_max:
        token = int(logits(weights, states[0, -1]).argmax())
        if token == END:
            break
        answer.append(token)
        states = hidden(weights, shape, torch.tensor([[token]]), turns, cache)
    return answer


def _config(shape: Shape) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": shape.hidden,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.heads,
        "head_dim": shape.head,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": CONTEXT,
        "rms_norm_eps": _EPSILON,
        "rope_parameters": {"rope_type": "default", "rope_theta": ROPE_BASE},
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": False,
        "bos_token_id": BOS,
        "eos_token_id": END,
        "pad_token_id": PAD,
        "dtype": "float32",
    }


def save(weights: Weights, shape: Shape, folder: Path) -> None:
    """Writes the model as a folder in Hugging Face's layout; the tokenizer is written by `training.tokenizer`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(_config(shape), indent=2) + "\n", encoding="utf-8")
    generation = {"bos_token_id": BOS, "eos_token_id": END, "pad_token_id": PAD, "do_sample": False}
    (folder / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n", encoding="utf-8")
    whole = {name: each.detach().float().contiguous() for name, each in weights.items()}
    partial = folder / "model.safetensors.part"
    save_file(whole, partial, metadata={"format": "pt"})
    partial.rename(folder / "model.safetensors")


def load(folder: Path) -> tuple[Weights, Shape]:
    """The weights of such a folder, and how large the model is."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    shape = Shape(
        hidden=config["hidden_size"],
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        inner=config["intermediate_size"],
        vocabulary=config["vocab_size"],
    )
    return load_file(folder / "model.safetensors"), shape
