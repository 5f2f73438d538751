"""Lightning attention, chunk by chunk: tokens look at those of their chunk, and at the state that chunks before it
left."""

from __future__ import annotations

import numpy as np

from gptcount.blocks.lightning import Lightning
from gptcount.reference.functions import ACTIVATIONS, sigmoid
from gptcount.reference.norm import norm
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def lightning(x: Array, w: Weights, spec: Lightning) -> Array:
    """x: (n_tokens, d_model), already normed. Gives what is added to it, of the same shape."""
    query, key, value = (
        ACTIVATIONS[spec.activation](
            w.linear("n_tokens d_model, n_heads d_model d_head -> n_heads n_tokens d_head", x, name)
        )
        for name in ("query", "key", "value")
    )
    inner = "n_heads*d_head"
    seen = w.arrange(f"n_heads n_tokens d_head -> n_tokens {inner}", chunked(query, key, value, w, spec))
    seen = norm(seen, w, "norm", spec.norm, f"n_tokens {inner}", inner)
    gate = sigmoid(w.linear(f"n_tokens d_model, d_model {inner} -> n_tokens {inner}", x, "gate"))
    return w.linear(f"n_tokens {inner}, {inner} d_model -> n_tokens d_model", gate * seen, "output")


def chunked(query: Array, key: Array, value: Array, w: Weights, spec: Lightning) -> Array:
    """Each (n_heads, n_tokens, d_head). What the tokens see, of the same shape."""
    decay = w.drawn("decay", "n_heads")[:, None, None]
    of_query = w.drawn("query_decay", "n_heads n_chunk")[..., None]
    of_key = w.drawn("key_decay", "n_heads n_chunk")[..., None]
    within = np.tril(w.drawn("chunk_decay", "n_heads n_chunk n_chunk'"))
    state, seen = np.zeros((spec.n_heads, spec.d_head, spec.d_head), query.dtype), np.empty_like(query)
    for start in range(0, query.shape[1], spec.n_chunk):
        here = slice(start, start + spec.n_chunk)
        n = key[:, here].shape[1]
        scores = query[:, here] @ key[:, here].swapaxes(1, 2) * within[:, :n, :n]
        seen[:, here] = scores @ value[:, here] + (query[:, here] * of_query[:, :n]) @ state
        written = (key[:, here] * of_key[:, -n:]).swapaxes(1, 2) @ value[:, here]
        state = state * np.exp(-decay * n) + written
    return seen
