"""ALiBi (Press et al. 2021): a penalty on scores that grows with the distance, steeper for some heads."""

from __future__ import annotations

from math import ceil, floor, log2

import numpy as np

from gptcount.blocks.attention import MultiHeadAttention
from gptcount.reference.bfloat16 import rounded
from gptcount.reference.words import Array


def slopes(spec: MultiHeadAttention, there: Array, scale: float) -> Array:
    """(n_heads, 1, n_tokens): what is added to the scaled scores of each key, less a number that the softmax
    forgets."""
    slope = _halved(spec.n_heads) if spec.alibi == "mpt" else _interleaved(spec.n_heads)
    if spec.alibi == "bfloat16":
        slope, position = rounded(slope), there.astype(np.float32)
        return np.float32(scale) * rounded(slope[:, None, None] * position)
    distance: Array = (there - there[-1]).astype(np.float32)
    return slope[:, None, None] * distance


def _interleaved(n_heads: int) -> Array:
    """Powers of 2^(-8/n) for the largest power of two n of heads; every other one of 2n for the heads beyond."""
    n = 2 ** floor(log2(n_heads))
    first = [2 ** (-8 / n * k) for k in range(1, n + 1)]
    beyond = [2 ** (-4 / n * k) for k in range(1, 2 * (n_heads - n), 2)]
    return np.array(first + beyond, np.float32)


def _halved(n_heads: int) -> Array:
    """Powers of 2^(-8/n) for the next power of two n, the even ones first where there are fewer heads (MPT)."""
    n = 2 ** ceil(log2(n_heads))
    slope = [2 ** (-8 / n * k) for k in range(1, n + 1)]
    return np.array(slope if n == n_heads else (slope[1::2] + slope[::2])[:n_heads], np.float32)
