"""The transformer block that several layers share, as one of them uses it."""

from __future__ import annotations

from math import sqrt

import numpy as np

from gptcount.blocks.shared_transformer import SharedTransformer
from gptcount.reference.attention import each_head, mask
from gptcount.reference.functions import ACTIVATIONS, softmax
from gptcount.reference.norm import norm
from gptcount.reference.positions import rotate
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array

READ = "n_read*d_model"


def shared_transformer(x: Array, embedded: Array, w: Weights, stored: int, spec: SharedTransformer) -> Array:
    """x, embedded: (n_tokens, d_model), neither normed; ``stored`` is the layer that the block is stored with. Gives
    what is added to what the layer's mixer reads: (n_tokens, d_model)."""
    own = w.under("shared", spec)
    w = own.stored_with(stored)
    read = norm(np.concatenate([x, embedded], axis=-1), w, "norm", spec.norm, f"n_tokens {READ}", READ)
    query, key, value = (
        heads_of(read, w, own, spec, name, heads)
        for name, heads in (("query", "n_heads"), ("key", "n_kv_heads"), ("value", "n_kv_heads"))
    )
    if spec.rotary:
        query, key = rotate(query, spec.rotary, w.here), rotate(key, spec.rotary, w.here)
    key, value = each_head(key, spec.n_heads), each_head(value, spec.n_heads)
    words = "n_heads n_tokens d_head, n_heads n_keys d_head -> n_heads n_tokens n_keys"
    scores = w.einsum(words, query, key, "scores") / np.float32(sqrt(spec.d_head / 2))
    pattern = w.step("pattern", "n_heads n_tokens n_keys", softmax(scores + mask(w)))
    words = "n_heads n_tokens n_keys, n_heads n_keys d_head -> n_heads n_tokens d_head"
    seen = w.einsum(words, pattern, value, "seen")
    x = w.linear("n_heads n_tokens d_head, n_heads*d_head d_model -> n_tokens d_model", seen, "output")
    x = thought(norm(x, w, "mlp_norm", spec.norm), w, own, spec)
    return own.einsum("n_tokens d_model, d_model d_model' -> n_tokens d_model'", x, "linear")


def heads_of(read: Array, w: Weights, own: Weights, spec: SharedTransformer, name: str, heads: str) -> Array:
    """Queries, keys or values: (heads, n_tokens, d_head); the layer's own adapter adds to them, where there is one."""
    found = w.linear(f"n_tokens {READ}, {heads} {READ} d_head -> {heads} n_tokens d_head", read, name)
    if not spec.attention_adapters:
        return found
    low = own.einsum(f"n_tokens {READ}, {READ} d_adapter -> n_tokens d_adapter", read, f"{name}_adapter.down")
    words = f"n_tokens d_adapter, {heads} d_adapter d_head -> {heads} n_tokens d_head"
    adapted: Array = found + own.einsum(words, low, f"{name}_adapter.up")
    return adapted


def thought(x: Array, w: Weights, own: Weights, spec: SharedTransformer) -> Array:
    """What the MLP makes of x: (n_tokens, d_model), normed; the layer's own adapter adds to gate and up."""
    w, own, bias = w.under("mlp", spec.mlp), own.where(**spec.mlp.sizes()), spec.mlp.biases
    gate, up = (
        w.linear("n_tokens d_model, d_model d_ff -> n_tokens d_ff", x, name, name in bias) for name in ("gate", "up")
    )
    if spec.d_adapter:
        low = own.einsum("n_tokens d_model, d_model d_adapter -> n_tokens d_adapter", x, "mlp_adapter.down")
        words = "n_tokens d_adapter, d_adapter d_ff -> n_tokens d_ff"
        gate = gate + own.einsum(words, low, "mlp_adapter.gate")
        up = up + own.einsum(words, low, "mlp_adapter.up")
    hidden = ACTIVATIONS[spec.mlp.activation](gate) * up
    return w.linear("n_tokens d_ff, d_ff d_model -> n_tokens d_model", hidden, "down", "down" in bias)
