"""The pooled indexer: small heads score the mean key of each whole block, and the best blocks are looked at."""

from __future__ import annotations

import numpy as np

from gptcount.blocks.attention import Rotary
from gptcount.blocks.pooled_indexer import PooledIndexer
from gptcount.blocks.reach import Reach
from gptcount.reference.norm import norm
from gptcount.reference.positions import rotate
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def best_pooled(x: Array, w: Weights, spec: PooledIndexer, rotary: Rotary | None) -> Array:
    """(n_tokens, n_keys): 0 where a token may look, -inf where not: into the whole blocks before it whose mean keys
    score most, and at what follows the last of them."""
    w = w.under("pooled_indexer", spec).looking(Reach())
    query = w.einsum(
        "n_tokens d_model, n_index_heads d_model d_index_head -> n_index_heads n_tokens d_index_head", x, "query"
    )
    query = norm(query, w, "query_norm", spec.norm, "n_index_heads n_tokens d_index_head", "d_index_head")
    key = w.einsum("n_tokens d_model, d_model d_index_head -> n_tokens d_index_head", x, "key")
    n_blocks = len(w.there) // spec.n_block
    pooled = key[: n_blocks * spec.n_block].reshape(n_blocks, spec.n_block, spec.d_index_head).mean(axis=1)
    pooled = norm(pooled, w, "key_norm", spec.norm, "n_blocks d_index_head", "d_index_head")
    if rotary:
        query, pooled = rotate(query, rotary, w.here), rotate(pooled, rotary, np.arange(n_blocks) * spec.n_block)
    words = "n_index_heads n_tokens d_index_head, n_blocks d_index_head -> n_index_heads n_tokens n_blocks"
    scores = np.maximum(w.where(n_blocks=n_blocks).einsum(words, query, pooled, "scores"), 0).sum(axis=0)

    whole = (w.here + 1) // spec.n_block
    scores = np.where(np.arange(n_blocks) < whole[:, None], scores, np.float32(-np.inf))
    chosen = np.zeros(scores.shape, bool)
    np.put_along_axis(chosen, np.argsort(-scores, axis=-1, kind="stable")[:, : spec.n_chosen], True, axis=-1)
    block = w.there // spec.n_block
    seen = np.pad(chosen, ((0, 0), (0, 1)))[:, block] | (block >= whole[:, None])
    return np.where(seen, np.float32(0), np.float32(-np.inf))
