"""Layer norm and RMS norm, over the last axes of a vector."""

from __future__ import annotations

import numpy as np

from gptcount.blocks.norm import Norm
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def norm(x: Array, w: Weights, name: str, spec: Norm, words: str = "n_tokens d_model", over: str = "d_model") -> Array:
    """Each vector of ``x`` with mean square 1 (and, a layer norm, mean 0), times the gain, plus the bias."""
    if spec.kind == "layer":
        x = x - x.mean(axis=-1, keepdims=True)
    x = x / np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + spec.eps)
    if spec.gain:
        x = w.scale(words, x, name, over, plus=1.0 if spec.plus_one else 0.0)
    return w.add(words, x, f"{name}.bias", over) if spec.bias else x


def norm_of_groups(x: Array, w: Weights, name: str, spec: Norm, groups: int, over: str) -> Array:
    """x: (n_tokens, width), whose axes ``over`` names. The norm of each of so many equal parts; gain and bias are those
    of the whole."""
    plain = spec.model_copy(update={"gain": False, "bias": False})
    x = norm(x.reshape(len(x), groups, -1), w, name, plain).reshape(x.shape)
    words = f"n_tokens {over}"
    x = w.scale(words, x, name, over, plus=1.0 if spec.plus_one else 0.0) if spec.gain else x
    return w.add(words, x, f"{name}.bias", over) if spec.bias else x
