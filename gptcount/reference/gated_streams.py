"""Gated streams: each block reads the mean of several normed and gated vectors, and writes into all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gptcount.blocks.gated_streams import GatedStreams
from gptcount.reference.functions import ACTIVATIONS, sigmoid
from gptcount.reference.norm import norm_of_groups
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def around(x: Array, w: Weights, spec: GatedStreams, block: Callable[[Array], Array]) -> Array:
    """x: (n_tokens, n_streams, d_model). The streams with what the block makes of a blend, written into each."""
    flat = normed(x, w, spec)
    words = "n_tokens n_streams*d_model, n_streams*d_model n_streams' -> n_tokens n_streams'"
    write = 2 * sigmoid(w.einsum(words, flat, "write") / np.float32(spec.n_streams))
    found: Array = x + write[..., None] * block(blend(flat, w, spec))[:, None]
    return found


def joined(x: Array, w: Weights, spec: GatedStreams) -> Array:
    """What is read of the streams after the last layer: (n_tokens, d_model)."""
    return blend(normed(x, w, spec), w, spec)


def normed(x: Array, w: Weights, spec: GatedStreams) -> Array:
    """The streams of a token side by side, each normed: (n_tokens, n_streams * d_model)."""
    flat = w.arrange("n_tokens n_streams d_model -> n_tokens n_streams*d_model", x)
    return norm_of_groups(flat, w, "norm", spec.norm, spec.n_streams, "n_streams*d_model")


def blend(flat: Array, w: Weights, spec: GatedStreams) -> Array:
    """The mean of the streams, each number with a gate that depends on them all."""
    few = w.einsum("n_tokens n_streams*d_model, n_streams*d_model d_rank -> n_tokens d_rank", flat, "down")
    few = ACTIVATIONS["silu"](few / np.float32(spec.n_streams))
    gate = w.einsum("n_tokens d_rank, d_rank n_streams*d_model -> n_tokens n_streams*d_model", few, "gate")
    found = w.arrange("n_tokens n_streams*d_model -> n_tokens n_streams d_model", sigmoid(gate) * flat)
    mean: Array = found.mean(axis=1)
    return mean
