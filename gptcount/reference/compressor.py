"""Compressed keys: the tokens of a block become one key, each of its numbers a blend by gates of its own."""

from __future__ import annotations

import numpy as np

from gptcount.blocks.attention import Rotary
from gptcount.blocks.compressor import Compressor
from gptcount.reference.functions import softmax
from gptcount.reference.norm import norm
from gptcount.reference.positions import rotate
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def compressed(x: Array, w: Weights, spec: Compressor, width: str, rotary: Rotary) -> Array:
    """x: (n_tokens, d_model), normed. Gives a key for each whole block of tokens, as wide as ``width`` says, turned by
    the position of the block's first token; tokens after the last whole block have none yet."""
    n_keys, w = len(x) // spec.n_block, w.under("compressor", spec)
    w = w.where(n_keys=n_keys)
    words = f"n_blocks n_keys n_block {width}"
    key, gate = (blocks(x, w, spec, name, width) for name in ("key", "gate"))
    gate = w.add(words, gate, "position", f"n_blocks n_block {width}")
    key, gate = late(key, 0.0), late(gate, -np.inf)
    of_key = f"n_keys {width} n_blocks*n_block"
    share, parts = softmax(w.arrange(f"{words} -> {of_key}", gate)), w.arrange(f"{words} -> {of_key}", key)
    blend = w.einsum(f"{of_key}, {of_key} -> n_keys {width}", share, parts, "blend")
    blend = norm(blend, w, "norm", spec.norm, f"n_keys {width}", width)
    return rotate(blend, rotary, np.arange(n_keys) * spec.n_block)


def blocks(x: Array, w: Weights, spec: Compressor, name: str, width: str) -> Array:
    """Keys or gates by every matrix of a series, cut into whole blocks: (n_blocks, n_keys, n_block, width)."""
    found = w.einsum(f"n_tokens d_model, n_blocks d_model {width} -> n_blocks n_tokens {width}", x, name)
    whole = found[:, : len(x) // spec.n_block * spec.n_block]
    return whole.reshape(spec.n_blocks, -1, spec.n_block, found.shape[-1])


def late(x: Array, before: float) -> Array:
    """Of each series but the last, the blocks before: the first of three is two blocks late; ``before`` them all."""
    moved = np.full_like(x, before)
    for series in range(len(x)):
        back = len(x) - 1 - series
        moved[series, back:] = x[series, : max(x.shape[1] - back, 0)]
    return moved
