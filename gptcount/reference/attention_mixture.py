"""A mixture of attention heads: each token looks through the queries of a few experts, at keys and values for all."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import numpy as np

from gptcount.blocks.attention_mixture import AttentionMixture
from gptcount.reference.attention import mask
from gptcount.reference.functions import softmax
from gptcount.reference.positions import rotate
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def attention_mixture(x: Array, w: Weights, spec: AttentionMixture) -> Array:
    """x: (n_tokens, d_model), already normed. Gives what is added to it; only experts that a token chooses are
    drawn."""
    logits = w.linear("n_tokens d_model, d_model n_experts -> n_tokens n_experts", x, "router")
    chosen = np.argsort(-logits, axis=-1, kind="stable")[:, : spec.n_experts_per_token]
    share = softmax(np.take_along_axis(logits, chosen, axis=1))
    key = w.linear("n_tokens d_model, n_kv_heads d_model d_head -> n_kv_heads n_tokens d_head", x, "key")
    value = w.linear("n_tokens d_model, n_kv_heads d_model d_head -> n_kv_heads n_tokens d_head", x, "value")

    query = np.zeros((spec.n_experts_per_token, *key.shape), x.dtype)
    for inside, token, place in visits(chosen, w, spec):
        words = "n_routed d_model, n_kv_heads d_model d_head -> n_routed n_kv_heads d_head"
        query[place, :, token] = inside.einsum(words, x[token], "query")
    if spec.rotary:
        query, key = rotate(query, spec.rotary, w.here), rotate(key, spec.rotary, w.here)

    each = "n_experts_per_token n_kv_heads n_tokens"
    scores = w.einsum(f"{each} d_head, n_kv_heads n_keys d_head -> {each} n_keys", query, key, "scores")
    pattern = softmax(scores / np.float32(sqrt(spec.d_head)) + mask(w))
    pattern = w.step("pattern", f"{each} n_keys", pattern)
    seen = w.einsum(f"{each} n_keys, n_kv_heads n_keys d_head -> {each} d_head", pattern, value, "seen")

    result = np.zeros_like(x)
    for inside, token, place in visits(chosen, w, spec):
        words = "n_routed n_kv_heads d_head, n_kv_heads*d_head d_model -> n_routed d_model"
        result[token] += share[token, place, None] * inside.einsum(words, seen[place, :, token], "output")
    return w.add("n_tokens d_model", result, "output.bias", "d_model") if spec.output_bias else result


def visits(chosen: Array, w: Weights, spec: AttentionMixture) -> Iterator[tuple[Weights, Array, Array]]:
    """Of every expert that is chosen: its weights, the tokens that visit it, and in which place of theirs it stands."""
    for expert in np.unique(chosen):
        token, place = np.nonzero(chosen == expert)
        yield (
            w.under("experts", spec).one_of("n_experts", int(expert), "n_experts_per_token").where(n_routed=len(token)),
            token,
            place,
        )
