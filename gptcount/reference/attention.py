"""Multi-head attention: every token looks at those before it, and takes from each what the pattern says."""

from __future__ import annotations

from math import exp, sqrt

import numpy as np

from gptcount.blocks.attention import MultiHeadAttention, Temperature
from gptcount.blocks.norm import HeadNorm, Norm
from gptcount.reference.alibi import slopes
from gptcount.reference.block_indexer import best_blocks
from gptcount.reference.functions import sigmoid, softmax, softplus
from gptcount.reference.norm import norm
from gptcount.reference.positions import rotate
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def multi_head_attention(x: Array, w: Weights, spec: MultiHeadAttention) -> Array:
    """x: (n_ctx, d_model), already normed. Gives what is added to it, of the same shape."""
    bias, d_value = spec.biases, "d_value" if spec.d_value else "d_head"
    query = w.linear("n_ctx d_model, n_heads d_model d_head -> n_heads n_ctx d_head", x, "query", "query" in bias)
    key, value = keys_and_values(x, w, spec)
    query, more = placed(query, w, "query_norm", spec, "n_heads"), more_scores(x, value, w, spec)
    key, value = each_head(key, spec.n_heads), each_head(value, spec.n_heads)

    scores = w.einsum(
        "n_heads n_ctx d_head, n_heads n_ctx' d_head -> n_heads n_ctx n_ctx'", query, key, "attention.scores"
    )
    pattern = w.step("attention.pattern", "n_heads n_ctx n_ctx'", pattern_of(scores, w, spec, more))
    if spec.differential:
        seen = differential(pattern, value, w, spec.differential)
    else:
        seen = w.einsum(
            f"n_heads n_ctx n_ctx', n_heads n_ctx' {d_value} -> n_heads n_ctx {d_value}",
            pattern,
            value,
            "attention.seen",
        )

    if spec.gate:
        seen = seen * sigmoid(gate_of(x, w, spec, d_value))
    if spec.output_norm:
        seen = over_all_heads(seen, w, "output_norm", spec.output_norm, "n_heads", d_value)
    return w.linear(
        f"n_heads n_ctx {d_value}, (n_heads {d_value}) d_model -> n_ctx d_model", seen, "output", "output" in bias
    )


def gate_of(x: Array, w: Weights, spec: MultiHeadAttention, d_value: str) -> Array:
    """How much of what the heads have seen passes, before the sigmoid: (n_heads, n_ctx, d_value), or one for each."""
    if spec.gate == "per-head":
        gate = w.einsum("n_ctx d_model, d_model n_heads -> n_heads n_ctx", x, "gate")[..., None]
    else:
        gate = w.einsum(f"n_ctx d_model, n_heads d_model {d_value} -> n_heads n_ctx {d_value}", x, "gate")
    return gate + w.drawn("gate.bias", "n_heads")[:, None, None] if spec.gate_bias else gate


def keys_and_values(x: Array, w: Weights, spec: MultiHeadAttention) -> tuple[Array, Array]:
    """Of every key/value head: keys (n_kv_heads, n_ctx, d_head), normed and turned, and values."""
    bias, heads = spec.biases, "n_kv_heads" if spec.n_kv_heads else "n_heads"
    d_value = "d_value" if spec.d_value else "d_head"
    kept = "keys and values" + (", in a window" if spec.window else "")
    if spec.shares_kv:
        return w.recall(kept)  # type: ignore[no-any-return]
    key = w.linear(f"n_ctx d_model, {heads} d_model d_head -> {heads} n_ctx d_head", x, "key", "key" in bias)
    if spec.value_is_key:
        value = key
    else:
        words = f"n_ctx d_model, {heads} d_model {d_value} -> {heads} n_ctx {d_value}"
        value = clipped(w.linear(words, x, "value", "value" in bias), spec)
    if spec.value_norm:
        value = norm(value, w, "value_norm", spec.value_norm, f"{heads} n_ctx {d_value}", d_value)
    value = value if spec.value_scale == 1.0 else value * np.float32(spec.value_scale)
    return w.keep(kept, (placed(key, w, "key_norm", spec, heads), value))  # type: ignore[no-any-return]


def placed(x: Array, w: Weights, name: str, spec: MultiHeadAttention, heads: str) -> Array:
    """Queries or keys, normed and clipped where they are, and turned by their positions."""
    found = spec.query_key_norm
    if found and not found.after_rotary:
        x = head_norm(x, w, name, found, heads)
    x = clipped(x, spec)
    if spec.rotary:
        x = rotate(x, spec.rotary)
    if found and found.after_rotary:
        x = head_norm(x, w, name, found, heads)
    return x * lengths(x.shape[-2], spec.temperature) if spec.temperature and name == "query_norm" else x


def head_norm(x: Array, w: Weights, name: str, spec: HeadNorm, heads: str, places: str = "n_ctx") -> Array:
    """The norm of queries or keys (heads, n_ctx, d_head): of each head, or of all heads at once."""
    if spec.over == "all-heads":
        return over_all_heads(x, w, name, spec, heads, "d_head")
    over = "d_head" if spec.over == "head" else f"{heads} d_head"
    return norm(x, w, name, spec, f"{heads} {places} d_head", over)


def over_all_heads(x: Array, w: Weights, name: str, spec: Norm, heads: str, width: str) -> Array:
    """A norm of what all heads bring, side by side."""
    side_by_side = w.arrange(f"{heads} n_ctx {width} -> n_ctx ({heads} {width})", x)
    normed = norm(side_by_side, w, name, spec, f"n_ctx ({heads} {width})", f"({heads} {width})")
    return w.arrange(f"n_ctx ({heads} {width}) -> {heads} n_ctx {width}", normed)


def pattern_of(scores: Array, w: Weights, spec: MultiHeadAttention, more: Array | None) -> Array:
    """Scores (n_heads, n_ctx, n_ctx) into how much each token takes of each: scaled, capped, masked, softmaxed; to them
    ``more`` is added."""
    scale = spec.scale if spec.scale is not None else 1 / sqrt(spec.d_head)
    scores = scores * np.float32(scale / ((w.layer or 0) + 1 if spec.scale_by_layer else 1))
    if spec.alibi:
        scores = scores + slopes(spec, len(scores[0]), scale)
    if spec.softcap:
        scores = np.float32(spec.softcap) * np.tanh(scores / np.float32(spec.softcap))
    scores = scores + mask(len(scores[0]), spec.window, spec.chunk, spec.bidirectional)
    if more is not None:
        scores = scores + each_head(more, spec.n_heads)
    return with_sinks(scores, w) if spec.sinks else softmax(scores)


def more_scores(x: Array, value: Array, w: Weights, spec: MultiHeadAttention) -> Array | None:
    """What is added to the scores of groups of heads, (groups, n_ctx, n_ctx): -inf where an indexer does not choose a
    token; what a value is worth where it is among the worthiest, and -inf where not."""
    if spec.indexer:
        return best_blocks(x, w, spec.indexer, spec.rotary)
    if not spec.worth:
        return None
    words = "n_kv_heads n_ctx d_head, (n_kv_heads d_head) n_kv_heads' -> n_ctx n_kv_heads'"
    worth = w.linear(words, value, "worth", spec.worth.bias)
    worth = np.exp(w.drawn("worth.rate", "n_kv_heads") * softplus(worth)).T[:, None]
    worth = worth + mask(len(x), spec.window, spec.chunk)
    kept = np.zeros(worth.shape, bool)
    np.put_along_axis(kept, np.argsort(-worth, axis=-1, kind="stable")[..., : spec.worth.n_kept], True, axis=-1)
    return np.where(kept, worth, np.float32(-np.inf))


def with_sinks(scores: Array, w: Weights) -> Array:
    """Scores (n_heads, n_ctx, n_keys), masked, into how much each token takes of each, where it may look at nothing."""
    sink = w.drawn("sinks", "n_heads")[:, None, None] + np.zeros_like(scores[..., :1])
    return softmax(np.concatenate([scores, sink], axis=-1))[..., :-1]


def differential(pattern: Array, value: Array, w: Weights, after: Norm) -> Array:
    """What the first half of the heads see, less a learned part of what the second see (Ye et al. 2024, section 2).

    Both look at pairs of values, twice as wide; the difference is normed, and dealt out to the heads again.
    """
    first = np.exp(w.drawn("lambda_query_1", "d_head") @ w.drawn("lambda_key_1", "d_head"))
    second = np.exp(w.drawn("lambda_query_2", "d_head") @ w.drawn("lambda_key_2", "d_head"))
    least = np.float32(0.8 - 0.6 * exp(-0.3 * (w.layer or 0)))
    pairs = np.concatenate(np.split(value, 2), axis=-1)
    one, other = np.split(np.matmul(pattern, np.tile(pairs, (2, 1, 1))), 2)
    seen = norm(one - (first - second + least) * other, w, "", after) * (1 - least)
    n_heads, n_ctx, d_head = value.shape
    return seen.transpose(1, 0, 2).reshape(n_ctx, n_heads, d_head).transpose(1, 0, 2)


def lengths(n_ctx: int, spec: Temperature) -> Array:
    """(n_ctx, 1): what the queries of each position are multiplied by."""
    steps = (np.arange(n_ctx) + spec.offset) / spec.n_positions
    if spec.power:
        return ((1 + steps) ** spec.scale)[:, None].astype(np.float32)
    steps = np.floor(steps)
    return (1 + spec.scale * np.log1p(steps))[:, None].astype(np.float32)


def clipped(x: Array, spec: MultiHeadAttention) -> Array:
    """Held between minus and plus the clip, where there is one."""
    return x if spec.clip is None else np.clip(x, -spec.clip, spec.clip)


def each_head(x: Array, n_heads: int) -> Array:
    """Keys or values for every head: each of the fewer ones serves a whole group of neighbouring heads."""
    return x if len(x) == n_heads else np.repeat(x, n_heads // len(x), axis=0)


def mask(n_ctx: int, window: int | None = None, chunk: int | None = None, bidirectional: bool = False) -> Array:
    """(n_ctx, n_ctx): 0 where a token may look, -inf where not: at later tokens, and beyond its window or chunk."""
    here, there = np.arange(n_ctx)[:, None], np.arange(n_ctx)
    window, chunk = window or n_ctx, chunk or n_ctx
    seen = (np.abs(here - there) < window) & (here // chunk == there // chunk) & (bidirectional | (there <= here))
    return np.where(seen, np.float32(0), np.float32(-np.inf))
