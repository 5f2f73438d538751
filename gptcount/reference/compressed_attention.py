"""Compressed attention: over a window of keys, which are values too, and over compressed ones of what lies before."""

from __future__ import annotations

from math import sqrt

import numpy as np

from gptcount.blocks.compressed_attention import CompressedAttention
from gptcount.blocks.reach import Reach
from gptcount.reference.attention import mask, with_sinks
from gptcount.reference.compressor import compressed
from gptcount.reference.indexer import best_keys
from gptcount.reference.norm import norm
from gptcount.reference.positions import rotate
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def compressed_attention(x: Array, w: Weights, spec: CompressedAttention) -> Array:
    """x: (n_tokens, d_model), already normed. Gives what is added to it, of the same shape."""
    latent = w.einsum("n_tokens d_model, d_model d_query_latent -> n_tokens d_query_latent", x, "query_down")
    latent = norm(latent, w, "query_norm", spec.norm, "n_tokens d_query_latent", "d_query_latent")
    query = w.einsum(
        "n_tokens d_query_latent, n_heads d_query_latent d_head -> n_heads n_tokens d_head", latent, "query"
    )
    query = norm(query, w, "", spec.norm.model_copy(update={"gain": False, "bias": False}))
    query = rotate(query, spec.rotary, w.here)
    key = w.einsum("n_tokens d_model, d_model d_head -> n_tokens d_head", x, "key")
    key = rotate(norm(key, w, "key_norm", spec.norm, "n_tokens d_head", "d_head"), spec.rotary, w.here)
    key, seen = with_compressed(x, latent, key, w, spec)
    w = w.where(n_keys=len(key))

    scores = w.einsum("n_heads n_tokens d_head, n_keys d_head -> n_heads n_tokens n_keys", query, key, "scores")
    pattern = with_sinks(scores / np.float32(sqrt(spec.d_head)) + seen, w)
    pattern = w.step("pattern", "n_heads n_tokens n_keys", pattern)
    found = w.einsum("n_heads n_tokens n_keys, n_keys d_head -> n_heads n_tokens d_head", pattern, key, "seen")
    found = rotate(found, spec.rotary, -w.here)

    into = "n_output_groups*n_group_heads n_tokens d_head, n_output_groups n_group_heads*d_head d_output_latent"
    out = w.einsum(f"{into} -> n_tokens n_output_groups d_output_latent", found, "output_down")
    words = "n_tokens n_output_groups d_output_latent, n_output_groups*d_output_latent d_model -> n_tokens d_model"
    return w.einsum(words, out, "output")


def with_compressed(x: Array, latent: Array, key: Array, w: Weights, spec: CompressedAttention) -> tuple[Array, Array]:
    """The keys, with the compressed ones after them, and (n_tokens, n_keys): 0 where a token may look, -inf where not.
    A block is seen from its last token on."""
    seen = mask(w.looking(Reach(spec.window)))
    if not spec.compressor:
        return key, seen
    further = compressed(x, w, spec.compressor, "d_head", spec.rotary)
    allowed = np.arange(len(further)) < ((w.here + 1) // spec.compressor.n_block)[:, None]
    if spec.indexer:
        allowed = best_keys(x, latent, w, spec.indexer, allowed)
    also = np.where(allowed, np.float32(0), np.float32(-np.inf))
    return np.concatenate([key, further]), np.concatenate([seen, also], axis=1)
