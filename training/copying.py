"""Fresh weights that can copy already.

To copy is to find where the last token stood before, and to say what followed there. That takes two layers: in the
first each place learns which token came before it, in the second a head looks for a place whose token before is its
own. A small model finds this by itself, but sees some ten thousand documents first, and learns little else meanwhile.
So these few entries of the first two layers are not random at the start; what to copy, training has to find out.
"""

from __future__ import annotations

# pyright: reportMissingImports=false
import torch
from torch import Tensor

from training.model import ROPE_BASE, SPREAD, Shape, Weights

_CONSTANT = 0.1
"""One dimension of every embedding is this: through it, a head's queries and keys can be the same at every place."""
_LOOK_BACK = 6.5
_MATCH = 2.4
_WRITTEN = 0.06
_SAID = 0.12


def prepare(weights: Weights, shape: Shape, seed: int = 0) -> None:
    """Writes the circuit into fresh weights; needs two layers, and four heads for the room."""
    dice = torch.Generator().manual_seed(seed + 1)
    code, head = shape.head // 2, shape.head
    # Directions at right angles, and none that of the constant: what is written along one is not read along another.
    mixed = torch.randn(shape.hidden, shape.hidden, generator=dice)
    mixed[:, 0] = 0.0
    basis = torch.linalg.qr(mixed.T[:, : 3 * code + 2 * head]).Q.T
    own, before, twice, read, said = basis.split((code, code, code, head, head))
    weights["model.embed_tokens.weight"][:, 0] = _CONSTANT
    for back, written in ((1, before), (2, twice)):
        _look_back(weights, shape, back, own, written)
    _find(weights, shape, own, before)
    _repeat(weights, shape, read, said)


def _look_back(weights: Weights, shape: Shape, back: int, own: Tensor, written: Tensor) -> None:
    """A head of the first layer looks so many tokens back, and notes what it sees.

    The rotary embedding turns its constant queries and keys until they meet at that distance.
    """
    first, half = (back - 1) * shape.head, shape.head // 2
    layer = "model.layers.0.self_attn."
    norm = (_CONSTANT**2 / shape.hidden + SPREAD**2) ** 0.5
    strength = _LOOK_BACK / (_CONSTANT / norm)
    for pair in range(shape.head // 8):
        angle = torch.tensor(back * ROPE_BASE ** (-2 * pair / shape.head))
        weights[layer + "q_proj.weight"][first + pair, 0] = strength
        weights[layer + "k_proj.weight"][first + pair, 0] = strength * angle.cos()
        weights[layer + "k_proj.weight"][first + half + pair, 0] = strength * angle.sin()
    weights[layer + "v_proj.weight"][first : first + half] = own
    weights[layer + "o_proj.weight"][:, first : first + half] = _WRITTEN * written.T


def _find(weights: Weights, shape: Shape, own: Tensor, before: Tensor) -> None:
    """A head of the second layer looks for places whose token before is this place's own, in slow dimensions only."""
    layer, quarter, half = "model.layers.1.self_attn.", shape.head // 4, shape.head // 2
    slow = [*range(quarter, half), *range(half + quarter, shape.head)]
    weights[layer + "q_proj.weight"][slow] = _MATCH * own
    weights[layer + "k_proj.weight"][slow] = _MATCH * before


def _repeat(weights: Weights, shape: Shape, read: Tensor, said: Tensor) -> None:
    """It takes the token that stands there, and the model's head says it."""
    weights["model.layers.1.self_attn.v_proj.weight"][: shape.head] = read
    weights["model.layers.1.self_attn.o_proj.weight"][:, : shape.head] = _WRITTEN * said.T
    seen = weights["model.embed_tokens.weight"] @ read.T / SPREAD
    weights["lm_head.weight"] += _SAID * seen @ said
