"""Compressed convolutional attention: queries and keys are convolved, and values are half those of the token before."""

from __future__ import annotations

from math import sqrt

import numpy as np

from gptcount.blocks.convolutional_attention import ConvolutionalAttention
from gptcount.blocks.reach import Reach
from gptcount.reference.attention import each_head, mask
from gptcount.reference.functions import softmax
from gptcount.reference.positions import rotate
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def convolutional_attention(x: Array, w: Weights, spec: ConvolutionalAttention) -> Array:
    """x: (n_tokens, d_model), already normed. Gives what is added to it, of the same shape."""
    w, words = w.looking(Reach(spec.window)), "n_tokens d_model, {0} d_model d_head -> n_tokens {0} d_head"
    query = w.linear(words.format("n_heads"), x, "query", spec.bias)
    key = w.linear(words.format("n_kv_heads"), x, "key", spec.bias)
    mean = (query + np.repeat(key, spec.n_heads // spec.n_kv_heads, axis=1)) / 2
    of_keys = mean.reshape(len(x), spec.n_kv_heads, -1, spec.d_head).mean(axis=2)
    query = of_one_length(convolved_twice(query, w, spec, "query", "n_heads") + mean)
    key = of_one_length(convolved_twice(key, w, spec, "key", "n_kv_heads") + of_keys)
    key = w.scale("n_tokens n_kv_heads d_head", key, "key_length", "n_kv_heads")
    query, key = query.transpose(1, 0, 2), key.transpose(1, 0, 2)
    if spec.rotary:
        query, key = rotate(query, spec.rotary, w.here), rotate(key, spec.rotary, w.here)
    key, value = each_head(key, spec.n_heads), each_head(values(x, w, spec), spec.n_heads)

    scores = w.einsum("n_heads n_tokens d_head, n_heads n_keys d_head -> n_heads n_tokens n_keys", query, key, "scores")
    scores = scores / np.float32(sqrt(spec.d_head)) + mask(w)
    pattern = w.step("pattern", "n_heads n_tokens n_keys", softmax(scores))
    seen = w.einsum("n_heads n_tokens n_keys, n_heads n_keys d_head -> n_heads n_tokens d_head", pattern, value, "seen")
    return w.linear("n_heads n_tokens d_head, n_heads*d_head d_model -> n_tokens d_model", seen, "output", spec.bias)


def convolved_twice(x: Array, w: Weights, spec: ConvolutionalAttention, name: str, heads: str) -> Array:
    """x: (n_tokens, heads, d_head). Convolved channel by channel, then head by head, of the same shape; zeros stand
    before the first token of the first convolution alone."""
    zeros = np.zeros((spec.n_taps + spec.n_mixed - 2, *x.shape[1:]), x.dtype)
    channels, n_longer = f"{heads}*d_head", len(x) + spec.n_mixed - 1
    flat = np.concatenate([zeros, x]).reshape(len(x) + len(zeros), -1)
    longer = w.where(n_longer=n_longer)
    words = f"n_longer {channels} n_taps, {channels} n_taps -> n_longer {channels}"
    blended = longer.linear(words, windows(flat, spec.n_taps), f"{name}_convolution", True)
    last = windows(blended.reshape(n_longer, *x.shape[1:]), spec.n_mixed)
    words = f"n_tokens {heads} d_head' n_mixed, {heads} d_head d_head' n_mixed -> n_tokens {heads} d_head"
    return w.linear(words, last, f"{name}_mixing", True)


def windows(x: Array, n: int) -> Array:
    """The ``n`` values that end at each place, along a last axis; the first places, which have fewer, left off."""
    return np.lib.stride_tricks.sliding_window_view(x, n, axis=0)


def of_one_length(x: Array) -> Array:
    """Each head as a vector whose squares have mean 1."""
    length = np.sqrt(np.square(x).sum(axis=-1, keepdims=True))
    found: Array = x * np.float32(sqrt(x.shape[-1])) / np.maximum(length, np.finfo(np.float32).eps)
    return found


def values(x: Array, w: Weights, spec: ConvolutionalAttention) -> Array:
    """(n_kv_heads, n_tokens, d_head): of all numbers side by side the first half is the token's own, the second that of
    the token before; before the first stands a vector of zeros."""
    words = "n_tokens d_model, d_model n_kv_heads*d_half -> n_tokens n_kv_heads*d_half"
    before = np.concatenate([np.zeros_like(x[:1]), x[:-1]])
    halves = w.linear(words, x, "value", spec.bias), w.linear(words, before, "value_before", spec.bias)
    both = np.concatenate(halves, axis=1)
    return w.arrange("n_tokens n_kv_heads*d_head -> n_kv_heads n_tokens d_head", both)
