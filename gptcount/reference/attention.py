"""Multi-head attention: every token looks at those before it, and takes from each what the pattern says."""

from __future__ import annotations

from functools import reduce
from math import exp, sqrt

import numpy as np

from gptcount.blocks.attention import MultiHeadAttention, Relative, Temperature, Worth
from gptcount.blocks.norm import HeadNorm, Norm
from gptcount.reference.alibi import slopes
from gptcount.reference.block_indexer import best_blocks
from gptcount.reference.functions import sigmoid, softmax, softplus
from gptcount.reference.norm import norm
from gptcount.reference.pooled_indexer import best_pooled
from gptcount.reference.positions import rotate
from gptcount.reference.short_convolution import convolved
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def multi_head_attention(x: Array, w: Weights, spec: MultiHeadAttention) -> Array:
    """x: (n_tokens, d_model), already normed. Gives what is added to it, of the same shape."""
    w, bias, d_value = w.looking(spec.reach()), spec.biases, "d_value" if spec.d_value else "d_head"
    x = x if spec.input_scale == 1.0 else x * np.float32(spec.input_scale)
    query = w.linear("n_tokens d_model, n_heads d_model d_head -> n_heads n_tokens d_head", x, "query", "query" in bias)
    key, value = keys_and_values(x, w, spec)
    beside = beside_scores(x, value, w, spec)
    query = placed(query, w, "query_norm", spec, "n_heads")
    key, value = each_head(key, spec.n_heads), each_head(value, spec.n_heads)

    scores = w.einsum("n_heads n_tokens d_head, n_heads n_keys d_head -> n_heads n_tokens n_keys", query, key, "scores")
    pattern = w.step("pattern", "n_heads n_tokens n_keys", pattern_of(scores, w, spec, beside))
    if spec.differential:
        seen = differential(pattern, value, w, spec.differential)
    else:
        seen = w.einsum(
            f"n_heads n_tokens n_keys, n_heads n_keys {d_value} -> n_heads n_tokens {d_value}",
            pattern,
            value,
            "seen",
        )

    if spec.gate:
        open_by = softplus if spec.gate_activation == "softplus" else sigmoid
        seen = seen * open_by(gates(x, w, spec, d_value))
    if spec.output_norm:
        seen = over_all_heads(seen, w, "output_norm", spec.output_norm, "n_heads", d_value)
    words = f"n_heads n_tokens {d_value}, n_heads*{d_value} d_model -> n_tokens d_model"
    out = w.linear(words, seen, "output", "output" in bias)
    return out if spec.output_scale == 1.0 else out * np.float32(spec.output_scale)


def gates(x: Array, w: Weights, spec: MultiHeadAttention, d_value: str) -> Array:
    """What opens the gates of the heads, for each of their numbers or one for all: (n_heads, n_tokens, d_value or
    1)."""
    bias = "gate" in spec.biases
    if spec.gate_of == "heads":
        words = "n_tokens d_model, d_model n_heads -> n_heads n_tokens"
        found = w.linear(words, x, "gate", bias)[..., None]
    else:
        words = f"n_tokens d_model, n_heads d_model {d_value} -> n_heads n_tokens {d_value}"
        found = w.linear(words, x, "gate", bias)
    return found + w.drawn("gate.bias", "n_heads")[:, None, None] if spec.gate_bias else found


def keys_and_values(x: Array, w: Weights, spec: MultiHeadAttention) -> tuple[Array, Array]:
    """Of every key/value head: keys (n_kv_heads, n_tokens, d_head), normed and turned, and values."""
    bias, heads = spec.biases, "n_kv_heads" if spec.n_kv_heads else "n_heads"
    d_value = "d_value" if spec.d_value else "d_head"
    kept = "keys and values" + (", in a window" if spec.window else "")
    if spec.shares_kv:
        return w.recall(kept)  # type: ignore[no-any-return]
    key = w.linear(f"n_tokens d_model, {heads} d_model d_head -> {heads} n_tokens d_head", x, "key", "key" in bias)
    if spec.value_is_key:
        value = key
    else:
        words = f"n_tokens d_model, {heads} d_model {d_value} -> {heads} n_tokens {d_value}"
        value = clipped(w.linear(words, x, "value", "value" in bias), spec)
    if spec.n_taps:
        key = with_last_few(key, w, "key_convolution", heads, "d_head")
        value = with_last_few(value, w, "value_convolution", heads, d_value)
    if spec.value_norm:
        value = norm(value, w, "value_norm", spec.value_norm, f"{heads} n_tokens {d_value}", d_value)
    value = value if spec.value_scale == 1.0 else value * np.float32(spec.value_scale)
    return w.keep(kept, (placed(key, w, "key_norm", spec, heads), value))  # type: ignore[no-any-return]


def with_last_few(x: Array, w: Weights, name: str, heads: str, width: str) -> Array:
    """x: (heads, n_tokens, width), with a blend of each channel's last few values added to it."""
    channels = f"{heads}*{width}"
    plain = w.arrange(f"{heads} n_tokens {width} -> n_tokens {channels}", x)
    blended = plain + convolved(plain, w, name, channels, False)
    return w.arrange(f"n_tokens {channels} -> {heads} n_tokens {width}", blended)


def placed(x: Array, w: Weights, name: str, spec: MultiHeadAttention, heads: str) -> Array:
    """Queries or keys, normed and clipped where they are, and turned by their positions."""
    found = spec.query_key_norm
    if found and not found.after_rotary:
        x = head_norm(x, w, name, found, heads)
    x = clipped(x, spec)
    if spec.rotary:
        x = rotate(x, spec.rotary, w.here)
    if found and found.after_rotary:
        x = head_norm(x, w, name, found, heads)
    return x * lengths(w.here, spec.temperature) if spec.temperature and name == "query_norm" else x


def head_norm(x: Array, w: Weights, name: str, spec: HeadNorm, heads: str, places: str = "n_tokens") -> Array:
    """The norm of queries or keys (heads, n_tokens, d_head): of each head, or of all heads at once."""
    if spec.over == "all-heads":
        return over_all_heads(x, w, name, spec, heads, "d_head")
    over = "d_head" if spec.over == "head" else f"{heads} d_head"
    return norm(x, w, name, spec, f"{heads} {places} d_head", over)


def over_all_heads(x: Array, w: Weights, name: str, spec: Norm, heads: str, width: str) -> Array:
    """A norm of what all heads bring, side by side."""
    side_by_side = w.arrange(f"{heads} n_tokens {width} -> n_tokens {heads}*{width}", x)
    normed = norm(side_by_side, w, name, spec, f"n_tokens {heads}*{width}", f"{heads}*{width}")
    return w.arrange(f"n_tokens {heads}*{width} -> {heads} n_tokens {width}", normed)


def beside_scores(x: Array, value: Array, w: Weights, spec: MultiHeadAttention) -> Array | None:
    """What is added to scores, of each head, or of each group of them: how much a distance counts; -inf for what an
    indexer does not choose; what values are worth, where they are among the worthiest, and -inf where not."""
    found = [relative(x, w, spec, spec.relative)] if spec.relative else []
    if spec.indexer:
        found.append(each_head(best_blocks(x, w, spec.indexer, spec.rotary or None), spec.n_heads))
    if spec.pooled_indexer:
        found.append(best_pooled(x, w, spec.pooled_indexer, spec.rotary or None)[None])
    if spec.worth:
        found.append(each_head(worthiest(value, w, spec.worth), spec.n_heads))
    return reduce(np.add, found) if found else None


def worthiest(value: Array, w: Weights, worth: Worth) -> Array:
    """(n_kv_heads, n_tokens, n_keys): what values are worth to a group of heads; -inf for all but the worthiest."""
    words = "n_kv_heads n_keys d_head, n_kv_heads*d_head n_kv_heads' -> n_keys n_kv_heads'"
    rate = softplus(w.linear(words, value, "worth", worth.bias))
    found = np.exp(w.drawn("worth.rate", "n_kv_heads") * rate).T[:, None] + mask(w)
    kept = np.zeros(found.shape, bool)
    np.put_along_axis(kept, np.argsort(-found, axis=-1, kind="stable")[..., : worth.n_kept], True, axis=-1)
    return np.where(kept, found, np.float32(-np.inf))


def relative(x: Array, w: Weights, spec: MultiHeadAttention, profiles: Relative) -> Array:
    """(n_heads, n_tokens, n_keys): what is added to scores by how far back a token looks, nothing beyond a reach."""
    w = w.under("relative", profiles)
    mixed = w.linear("n_tokens d_model, n_heads d_model d_relative -> n_heads n_tokens d_relative", x, "query")
    words = "n_heads n_tokens d_relative, d_relative n_distances -> n_heads n_tokens n_distances"
    by_distance = w.einsum(words, mixed, "profiles")
    distance = w.here[:, None] - w.there
    reached = np.clip(distance, 0, profiles.n_distances - 1)[None].repeat(len(by_distance), axis=0)
    found = np.take_along_axis(by_distance, reached, axis=-1)
    found = np.where((distance >= 0) & (distance < profiles.n_distances), found, np.float32(0))
    return found * lengths(w.here, spec.temperature) if spec.temperature else found


def pattern_of(scores: Array, w: Weights, spec: MultiHeadAttention, beside: Array | None = None) -> Array:
    """Scores (n_heads, n_tokens, n_keys) into how much each token takes of each: scaled, capped, masked, softmaxed;
    ``beside`` is added to them."""
    scale = spec.scale if spec.scale is not None else 1 / sqrt(spec.d_head)
    scores = scores * np.float32(scale / ((w.layer or 0) + 1 if spec.scale_by_layer else 1))
    scores = scores if beside is None else scores + beside
    if spec.alibi:
        scores = scores + slopes(spec, w.there, scale)
    if spec.softcap:
        scores = np.float32(spec.softcap) * np.tanh(scores / np.float32(spec.softcap))
    scores = scores + mask(w)
    return with_sinks(scores, w) if spec.sinks else softmax(scores)


def with_sinks(scores: Array, w: Weights) -> Array:
    """Scores (n_heads, n_tokens, n_keys), masked, into how much each token takes of each, where it may look at
    nothing."""
    sink = w.drawn("sinks", "n_heads")[:, None, None] + np.zeros_like(scores[..., :1])
    return softmax(np.concatenate([scores, sink], axis=-1))[..., :-1]


def differential(pattern: Array, value: Array, w: Weights, after: Norm) -> Array:
    """What the first half of the heads see, less a learned part of what the second see (Ye et al. 2024, section 2).

    Both look at pairs of values, twice as wide; the difference is normed, and dealt out to the heads again.
    """
    first = np.exp(w.drawn("lambda_query_1", "d_head") @ w.drawn("lambda_key_1", "d_head"))
    second = np.exp(w.drawn("lambda_query_2", "d_head") @ w.drawn("lambda_key_2", "d_head"))
    least = np.float32(0.8 - 0.6 * exp(-0.3 * (w.layer or 0)))
    words = "n_heads n_tokens n_keys, n_heads n_keys d_head -> n_heads n_tokens d_head"
    halves = zip(np.split(value, 2), ("seen, of the first values", "seen, of the second values"), strict=True)
    pairs = np.concatenate([w.einsum(words, pattern, np.tile(half, (2, 1, 1)), does) for half, does in halves], axis=-1)
    one, other = np.split(pairs, 2)
    seen = norm(one - (first - second + least) * other, w, "", after) * (1 - least)
    n_heads, n_tokens, d_head = pattern.shape[0], pattern.shape[1], value.shape[-1]
    return seen.transpose(1, 0, 2).reshape(n_tokens, n_heads, d_head).transpose(1, 0, 2)


def lengths(positions: Array, spec: Temperature) -> Array:
    """(n_tokens, 1): what the queries of each position are multiplied by."""
    if spec.smooth:
        further = np.log(np.maximum((positions + 1) / spec.n_positions, 1))
        return (1 + spec.scale * further)[:, None].astype(np.float32)
    steps = (positions + spec.offset) / spec.n_positions
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


def mask(w: Weights) -> Array:
    """(n_tokens, n_keys): 0 where a token may look, -inf where not."""
    return np.where(w.reach.sees(w.here[:, None], w.there), np.float32(0), np.float32(-np.inf))
