"""mLSTM, token by token: each head forgets a part of its matrix, writes a key times a value into it, and reads it."""

from __future__ import annotations

from math import sqrt

import numpy as np

from gptcount.blocks.mlstm import MLSTM
from gptcount.reference.functions import sigmoid, softplus
from gptcount.reference.norm import norm_of_groups
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def mlstm(x: Array, w: Weights, spec: MLSTM) -> Array:
    """x: (n_tokens, d_model), already normed. Gives what is added to it, of the same shape."""
    inner = "n_heads*d_value"
    query, key, value = (
        w.linear(f"n_tokens d_model, n_heads d_model {width} -> n_tokens n_heads {width}", x, name, name in spec.biases)
        for name, width in (("query", "d_head"), ("key", "d_head"), ("value", "d_value"))
    )
    into, forget = (capped_gate(x, w, name, spec.gate_softcap) for name in ("input_gate", "forget_gate"))
    seen = scanned(query / np.float32(sqrt(spec.d_head)), key, value, into, forget, spec.eps)
    seen = w.arrange(f"n_tokens n_heads d_value -> n_tokens {inner}", seen)
    seen = norm_of_groups(seen, w, "norm", spec.norm, spec.n_heads, inner)
    gate = sigmoid(w.linear(f"n_tokens d_model, d_model {inner} -> n_tokens {inner}", x, "gate", "gate" in spec.biases))
    return w.linear(
        f"n_tokens {inner}, {inner} d_model -> n_tokens d_model", gate * seen, "output", "output" in spec.biases
    )


def capped_gate(x: Array, w: Weights, name: str, softcap: float) -> Array:
    """(n_tokens, n_heads): what opens a gate of each head."""
    opened = w.linear("n_tokens d_model, d_model n_heads -> n_tokens n_heads", x, name, True)
    return np.float32(softcap) * np.tanh(opened / np.float32(softcap))


def scanned(query: Array, key: Array, value: Array, into: Array, forget: Array, eps: float) -> Array:
    """query, key: (n_tokens, n_heads, d_head); value: (n_tokens, n_heads, d_value); gates: (n_tokens, n_heads). What is
    read.

    Both states are kept divided by e to the power of ``most``, which is the largest that a gate has been.
    """
    (_, n_heads, d_head), d_value = key.shape, value.shape[-1]
    state, keys = np.zeros((n_heads, d_head, d_value), key.dtype), np.zeros((n_heads, d_head), key.dtype)
    most, seen, log_forget = np.zeros(n_heads, key.dtype), np.empty_like(value), -softplus(-forget)
    for token in range(len(key)):
        before, most = most, np.maximum(log_forget[token] + most, into[token])
        kept = np.exp(log_forget[token] + before - most)[:, None]
        written = np.exp(into[token] - most)[:, None] * key[token]
        state = kept[..., None] * state + written[..., None] * value[token, :, None]
        keys = kept * keys + written
        read = (query[token, :, None] @ state)[:, 0]
        weighed = np.abs((query[token] * keys).sum(axis=-1))
        seen[token] = read / (np.maximum(weighed, np.exp(-most)) + np.float32(eps))[:, None]
    return seen
