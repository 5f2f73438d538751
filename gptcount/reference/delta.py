"""The gated delta rule: each head keeps a state, which every token decays, corrects and reads."""

from __future__ import annotations

from math import sqrt

import numpy as np

from gptcount.blocks.delta import Delta
from gptcount.reference.functions import ACTIVATIONS, sigmoid, softplus
from gptcount.reference.norm import norm
from gptcount.reference.short_convolution import convolved
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def delta(x: Array, w: Weights, spec: Delta) -> Array:
    """x: (n_tokens, d_model), already normed. Gives what is added to it, of the same shape."""
    query, key = (unit(blended(x, w, spec, name, "n_key_heads", "d_key")) for name in ("query", "key"))
    value = blended(x, w, spec, "value", "n_value_heads", "d_value")
    query, key = (np.repeat(part, spec.n_value_heads // spec.n_key_heads, axis=1) for part in (query, key))
    strength = sigmoid(w.linear("n_tokens d_model, d_model n_value_heads -> n_tokens n_value_heads", x, "write"))
    seen = scanned(
        query / np.float32(sqrt(spec.d_key)), key, value, strength * np.float32(spec.write_scale), decay(x, w, spec)
    )
    seen = norm(seen, w, "norm", spec.norm, "n_tokens n_value_heads d_value", "d_value")

    values = "n_value_heads*d_value"
    open_by = ACTIVATIONS["silu"] if spec.gate_activation == "silu" else sigmoid
    gate = w.arrange(f"n_tokens {values} -> n_tokens n_value_heads d_value", low(x, w, "gate", spec.d_gate, values))
    words = f"n_tokens n_value_heads d_value, {values} d_model -> n_tokens d_model"
    return w.einsum(words, seen * open_by(gate), "output")


def blended(x: Array, w: Weights, spec: Delta, name: str, heads: str, width: str) -> Array:
    """Queries, keys or values, convolved: (n_tokens, heads, width)."""
    found = w.linear(f"n_tokens d_model, {heads} d_model {width} -> n_tokens {heads}*{width}", x, name)
    found = convolved(found, w, f"convolution.{name}", f"{heads}*{width}", False)
    return w.arrange(f"n_tokens {heads}*{width} -> n_tokens {heads} {width}", ACTIVATIONS[spec.activation](found))


def low(x: Array, w: Weights, name: str, rank: int | None, out: str) -> Array:
    """What one matrix makes of x, or two by way of fewer numbers."""
    if rank is None:
        return w.einsum(f"n_tokens d_model, d_model {out} -> n_tokens {out}", x, name)
    fewer = w.einsum(f"n_tokens d_model, d_model d_{name} -> n_tokens d_{name}", x, f"{name}_down")
    return w.einsum(f"n_tokens d_{name}, d_{name} {out} -> n_tokens {out}", fewer, name)


def decay(x: Array, w: Weights, spec: Delta) -> Array:
    """(n_tokens, n_value_heads, d_key or 1): what is left of a state at each token, between 0 and 1."""
    out = "n_value_heads*d_key" if spec.decay == "channel" else "n_value_heads"
    step = softplus(w.add(f"n_tokens {out}", low(x, w, "decay", spec.d_decay, out), "decay_bias", out))
    rate = np.exp(w.drawn("log_decay", "n_value_heads"))
    left: Array = np.exp(-rate[:, None] * step.reshape(len(x), spec.n_value_heads, -1))
    return left


def unit(x: Array) -> Array:
    """Each vector made of length 1."""
    found: Array = x / np.sqrt(np.square(x).sum(axis=-1, keepdims=True) + np.float32(1e-6))
    return found


def scanned(query: Array, key: Array, value: Array, strength: Array, left: Array) -> Array:
    """query, key: (n_tokens, n_value_heads, d_key); value: (n_tokens, n_value_heads, d_value); strength: (n_tokens,
    n_value_heads).

    The state of each head, token by token: decayed, corrected where it says another value of the key, and read by the
    query. Gives (n_tokens, n_value_heads, d_value).
    """
    state = np.zeros((*key.shape[1:], value.shape[-1]), value.dtype)
    seen = np.empty_like(value)
    for token in range(len(value)):
        state = state * left[token, :, :, None]
        said = (key[token, :, None] @ state)[:, 0]
        correction = strength[token, :, None] * (value[token] - said)
        state = state + key[token, :, :, None] * correction[:, None]
        seen[token] = (query[token, :, None] @ state)[:, 0]
    return seen
