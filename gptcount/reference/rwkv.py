"""RWKV-4, token by token: time mixing and channel mixing."""

from __future__ import annotations

import numpy as np

from gptcount.blocks.rwkv import RWKV, ChannelMixing
from gptcount.reference.functions import relu_squared, sigmoid
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def time_mixing(x: Array, w: Weights, _: RWKV) -> Array:
    """x: (n_tokens, d_model), already normed. Gives what is added to it, of the same shape."""
    words = "n_tokens d_model, d_model d_value -> n_tokens d_value"
    key, value, receptance = (
        w.linear(words, blended(x, w, f"blend.{name}"), name) for name in ("key", "value", "receptance")
    )
    seen = sigmoid(receptance) * weighed(key, value, w)
    return w.linear("n_tokens d_value, d_value d_model -> n_tokens d_model", seen, "output")


def channel_mixing(x: Array, w: Weights, _: ChannelMixing) -> Array:
    """x: (n_tokens, d_model), already normed. Gives what is added to it, of the same shape."""
    hidden = w.linear("n_tokens d_model, d_model d_ff -> n_tokens d_ff", blended(x, w, "blend.up"), "up")
    words = "n_tokens d_model, d_model d_model' -> n_tokens d_model'"
    receptance = w.linear(words, blended(x, w, "blend.receptance"), "receptance")
    down = w.linear("n_tokens d_ff, d_ff d_model -> n_tokens d_model", relu_squared(hidden), "down")
    return sigmoid(receptance) * down


def blended(x: Array, w: Weights, name: str) -> Array:
    """Each token with the one before it, channel by channel by a learned share of its own."""
    before = np.concatenate([np.zeros_like(x[:1]), x[:-1]])
    share = w.drawn(name, "d_model")
    mixed: Array = x * share + before * (1 - share)
    return mixed


def weighed(key: Array, value: Array, w: Weights) -> Array:
    """(n_tokens, d_value): the mean of all values up to a token, weighed by their keys and by how long ago they were;
    the token's own has a bonus.

    Both sums are kept divided by e to the power of ``most``, the largest exponent so far.
    """
    decay, bonus = -np.exp(w.drawn("log_decay", "d_value")), w.drawn("bonus", "d_value")
    values, weights = np.zeros_like(key[0]), np.zeros_like(key[0])
    most, seen = np.full_like(key[0], -1e38), np.empty_like(value)
    for token in range(len(key)):
        own = key[token] + bonus
        top = np.maximum(most, own)
        old, new = np.exp(most - top), np.exp(own - top)
        seen[token] = (old * values + new * value[token]) / (old * weights + new)
        top = np.maximum(most + decay, key[token])
        old, new = np.exp(most + decay - top), np.exp(key[token] - top)
        values, weights, most = old * values + new * value[token], old * weights + new, top
    return seen
