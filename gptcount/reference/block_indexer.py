"""The indexer of blocks: small heads score every key for every token, and the blocks of the best keys are looked at."""

from __future__ import annotations

import numpy as np

from gptcount.blocks.attention import Rotary
from gptcount.blocks.block_indexer import BlockIndexer
from gptcount.blocks.reach import Reach
from gptcount.reference.norm import norm
from gptcount.reference.positions import rotate
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def best_blocks(x: Array, w: Weights, spec: BlockIndexer, rotary: Rotary | None) -> Array:
    """(n_index_heads, n_tokens, n_keys): 0 where a token may look, -inf where not: into its own block and those before
    it, and into the blocks whose best key scores most."""
    w = w.under("indexer", spec).looking(Reach())
    query = w.einsum(
        "n_tokens d_model, n_index_heads d_model d_index_head -> n_index_heads n_tokens d_index_head", x, "query"
    )
    query = norm(query, w, "query_norm", spec.norm, "n_index_heads n_tokens d_index_head", "d_index_head")
    key = w.einsum("n_tokens d_model, d_model d_index_head -> n_tokens d_index_head", x, "key")
    key = norm(key, w, "key_norm", spec.norm, "n_tokens d_index_head", "d_index_head")
    if rotary:
        query, key = rotate(query, rotary, w.here), rotate(key, rotary, w.here)
    words = "n_index_heads n_tokens d_index_head, n_keys d_index_head -> n_index_heads n_tokens n_keys"
    scores = w.einsum(words, query, key, "scores")

    block, later = w.there // spec.n_block, w.there > w.here[:, None]
    scores = np.where(later, np.float32(-np.inf), scores)
    best = np.stack([scores[..., block == one].max(axis=-1) for one in range(block[-1] + 1)], axis=-1)
    back = (w.here // spec.n_block)[:, None] - np.arange(block[-1] + 1)
    best = np.where((back >= 0) & (back < spec.n_local), np.float32(np.inf), best)
    chosen = np.zeros(best.shape, bool)
    np.put_along_axis(chosen, np.argsort(-best, axis=-1, kind="stable")[..., : spec.n_chosen], True, axis=-1)
    return np.where(chosen[..., block], np.float32(0), np.float32(-np.inf))
