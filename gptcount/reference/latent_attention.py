"""Latent attention: queries, keys and values unfolded from short latent vectors; one rotated key part for all heads."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np

from gptcount.blocks.indexer import Indexer
from gptcount.blocks.latent_attention import LatentAttention
from gptcount.blocks.reach import Reach
from gptcount.reference.attention import mask
from gptcount.reference.functions import sigmoid, softmax
from gptcount.reference.indexer import best_keys
from gptcount.reference.input_gate import let_in
from gptcount.reference.norm import norm
from gptcount.reference.positions import rotate, yarn_mscale
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def latent_attention(x: Array, w: Weights, spec: LatentAttention) -> Array:
    """x: (n_tokens, d_model), already normed. Gives what is added to it, of the same shape."""
    w = w.looking(spec.reach())
    if spec.d_input_gate:
        x = let_in(x, w)
    bias, source, query_latent, d_source = spec.biases, x, x, "d_model"
    if spec.d_query_latent:
        d_source = "d_query_latent"
        raw = w.linear(
            "n_tokens d_model, d_model d_query_latent -> n_tokens d_query_latent", x, "query_down", "query_down" in bias
        )
        query_latent = source = norm(raw, w, "query_norm", spec.norm, "n_tokens d_query_latent", "d_query_latent")
        if spec.gate == "latents":
            d_source, source = "d_query_latents", np.concatenate([source, raw], axis=-1)
    query = w.einsum(f"n_tokens {d_source}, n_heads {d_source} d_nope -> n_heads n_tokens d_nope", source, "query")
    turned = w.einsum(
        f"n_tokens {d_source}, n_heads {d_source} d_rotary -> n_heads n_tokens d_rotary", source, "query_rotary"
    )

    latent = w.linear("n_tokens d_model, d_model d_kv_latent -> n_tokens d_kv_latent", x, "kv_down", "kv_down" in bias)
    latent = norm(latent, w, "kv_norm", spec.norm, "n_tokens d_kv_latent", "d_kv_latent") * np.float32(spec.kv_scale)
    key_turned = w.linear("n_tokens d_model, d_model d_rotary -> n_tokens d_rotary", x, "key_rotary", "kv_down" in bias)
    if spec.key_rotary_norm:
        key_turned = norm(key_turned, w, "key_rotary_norm", spec.norm, "n_tokens d_rotary", "d_rotary")
    if spec.rotary:
        turned, key_turned = rotate(turned, spec.rotary, w.here), rotate(key_turned, spec.rotary, w.here)
    seen = mask(w)
    if spec.indexer is not None:
        seen = seen + chosen(x, query_latent, w, spec.indexer)

    words = "n_heads n_tokens d_rotary, n_keys d_rotary -> n_heads n_tokens n_keys"
    by_place = w.einsum(words, turned, key_turned, "scores, rotary")

    def pattern(scores: Array) -> Array:
        shares = softmax((scores + by_place) * np.float32(scale(spec)) + seen)
        return w.step("pattern", "n_heads n_tokens n_keys", shares)

    found = (absorbed if w.absorbed else unfolded)(query, latent, pattern, w)
    if spec.gate == "heads":
        found = found * sigmoid(w.einsum("n_tokens d_model, d_model n_heads -> n_heads n_tokens", x, "gate"))[..., None]
    elif spec.gate:
        words = "n_tokens d_query_latents, n_heads d_query_latents d_value -> n_heads n_tokens d_value"
        found = found * sigmoid(w.einsum(words, source, "gate"))
    return w.linear(
        "n_heads n_tokens d_value, n_heads*d_value d_model -> n_tokens d_model", found, "output", "output" in bias
    )


def unfolded(query: Array, latent: Array, pattern: Callable[[Array], Array], w: Weights) -> Array:
    """query: (n_heads, n_tokens, d_nope); latent: (n_keys, d_kv_latent). Keys and values of all that is looked at are
    made of its latent vectors. Gives what the heads see: (n_heads, n_tokens, d_value)."""
    key = w.einsum("n_keys d_kv_latent, n_heads d_kv_latent d_nope -> n_heads n_keys d_nope", latent, "key")
    value = w.einsum("n_keys d_kv_latent, n_heads d_kv_latent d_value -> n_heads n_keys d_value", latent, "value")
    scores = w.einsum("n_heads n_tokens d_nope, n_heads n_keys d_nope -> n_heads n_tokens n_keys", query, key, "scores")
    words = "n_heads n_tokens n_keys, n_heads n_keys d_value -> n_heads n_tokens d_value"
    return w.einsum(words, pattern(scores), value, "seen")


def absorbed(query: Array, latent: Array, pattern: Callable[[Array], Array], w: Weights) -> Array:
    """The same in another order, which costs less where few tokens look at many: the matrix of the keys is taken into
    the queries, and that of the values follows what is seen of the latent vectors (arXiv:2405.04434, section 2.1)."""
    words = "n_heads n_tokens d_nope, n_heads d_kv_latent d_nope -> n_heads n_tokens d_kv_latent"
    query = w.einsum(words, query, "key")
    words = "n_heads n_tokens d_kv_latent, n_keys d_kv_latent -> n_heads n_tokens n_keys"
    scores = w.einsum(words, query, latent, "scores")
    words = "n_heads n_tokens n_keys, n_keys d_kv_latent -> n_heads n_tokens d_kv_latent"
    seen = w.einsum(words, pattern(scores), latent, "seen")
    words = "n_heads n_tokens d_kv_latent, n_heads d_kv_latent d_value -> n_heads n_tokens d_value"
    return w.einsum(words, seen, "value")


def chosen(x: Array, query_latent: Array, w: Weights, spec: Indexer | str) -> Array:
    """(n_tokens, n_tokens): 0 where a token may look, -inf where not, as the indexer chooses, or an earlier layer's
    did."""
    kept = "choice of tokens"
    if not isinstance(spec, Indexer):
        return w.recall(kept)  # type: ignore[no-any-return]
    w = w.looking(Reach())
    best = best_keys(x, query_latent, w, spec, mask(w) == 0)
    return w.keep(kept, np.where(best, np.float32(0), np.float32(-np.inf)))  # type: ignore[no-any-return]


def scale(spec: LatentAttention) -> float:
    """What scores are multiplied by: one over the root of a head's width, YaRN's factor squared, the queries' scale."""
    stretch = spec.rotary.scaling if spec.rotary else None
    more = yarn_mscale(stretch.factor or 1.0, stretch.mscale_all) ** 2 if stretch and stretch.mscale_all else 1.0
    return spec.query_scale * more / sqrt(spec.d_nope + spec.d_rotary)
