"""The indexer: small heads score every key for every token, and the best are looked at."""

from __future__ import annotations

import numpy as np

from gptcount.blocks.indexer import Indexer
from gptcount.reference.compressor import compressed
from gptcount.reference.functions import relu
from gptcount.reference.norm import norm
from gptcount.reference.positions import rotate
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def best_keys(x: Array, query_latent: Array, w: Weights, spec: Indexer, allowed: Array) -> Array:
    """Which of the ``allowed`` keys (n_tokens, n_keys) each token looks at: the ``n_chosen`` with the best scores."""
    w = w.under("indexer", spec).where(n_keys=allowed.shape[1])
    words = "n_tokens d_query_latent, n_index_heads d_query_latent d_index_head -> n_index_heads n_tokens d_index_head"
    query = rotate(w.einsum(words, query_latent, "query"), spec.rotary, w.here)
    if spec.compressor:
        key = compressed(x, w, spec.compressor, "d_index_head", spec.rotary)
    else:
        key = w.einsum("n_tokens d_model, d_model d_index_head -> n_tokens d_index_head", x, "key")
        key = norm(key, w, "key_norm", spec.norm, "n_tokens d_index_head", "d_index_head") if spec.norm else key
        key = rotate(key, spec.rotary, w.here)
    words = "n_index_heads n_tokens d_index_head, n_keys d_index_head -> n_index_heads n_tokens n_keys"
    scores = relu(w.einsum(words, query, key, "scores"))
    weight = w.einsum("n_tokens d_model, d_model n_index_heads -> n_tokens n_index_heads", x, "head_weight")
    words = "n_index_heads n_tokens n_keys, n_tokens n_index_heads -> n_tokens n_keys"
    scores = np.where(allowed, w.einsum(words, scores, weight, "scores, of all heads"), -np.inf)
    chosen = np.zeros(allowed.shape, bool)
    np.put_along_axis(chosen, np.argsort(-scores, axis=1, kind="stable")[:, : spec.n_chosen], True, axis=1)
    return chosen & allowed
