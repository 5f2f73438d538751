"""A layer that looks at what another part of a larger model brings. Of text alone there is none of that: nothing is
seen, and the gates add nothing."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np

from gptcount.blocks.cross_attention import CrossAttention
from gptcount.reference.attention import each_head, head_norm
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def cross_attended(x: Array, read: Array, w: Weights, spec: CrossAttention) -> Array:
    """x, and read, which is x normed: (n_tokens, d_model). Gives x with what its tokens see of the other part:
    nothing."""
    w = w.under("attention.crossed", spec).where(n_seen=0)
    seen = cross_attention(read, np.zeros((0, x.shape[-1]), x.dtype), w, spec)
    added: Array = x + np.tanh(w.drawn("gate", "")) * seen
    return added


def cross_thought(x: Array, w: Weights, spec: CrossAttention, think: Callable[[], Array]) -> Array:
    """x: (n_tokens, d_model). Gives it with what the MLP says of tokens that saw something: here none did."""
    sees = np.float32(0)
    added: Array = x + sees * np.tanh(w.under("attention.crossed", spec).drawn("mlp_gate", "")) * think()
    return added


def cross_attention(x: Array, other: Array, w: Weights, spec: CrossAttention) -> Array:
    """x: (n_tokens, d_model), normed; other: (n_seen, d_model). Gives what is added to x, of the same shape."""
    query = w.linear("n_tokens d_model, n_heads d_model d_head -> n_heads n_tokens d_head", x, "query")
    key = w.linear("n_seen d_model, n_kv_heads d_model d_head -> n_kv_heads n_seen d_head", other, "key")
    value = w.linear("n_seen d_model, n_kv_heads d_model d_head -> n_kv_heads n_seen d_head", other, "value")
    if found := spec.query_key_norm:
        query = head_norm(query, w, "query_norm", found, "n_heads")
        key = head_norm(key, w, "key_norm", found, "n_kv_heads", "n_seen")
    key, value = each_head(key, spec.n_heads), each_head(value, spec.n_heads)
    words = "n_heads n_tokens d_head, n_heads n_seen d_head -> n_heads n_tokens n_seen"
    scores = w.einsum(words, query, key, "scores") / np.float32(sqrt(spec.d_head))
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True, initial=0))
    pattern = weights / np.maximum(weights.sum(axis=-1, keepdims=True), np.float32(1e-30))
    words = "n_heads n_tokens n_seen, n_heads n_seen d_head -> n_heads n_tokens d_head"
    seen = w.einsum(words, w.step("pattern", "n_heads n_tokens n_seen", pattern), value, "seen")
    return w.linear("n_heads n_tokens d_head, n_heads*d_head d_model -> n_tokens d_model", seen, "output")
