"""Per-layer embeddings: a layer's own short vector of each token gates what flows, and is led back into it."""

from __future__ import annotations

from math import sqrt

import numpy as np

from gptcount.blocks.per_layer_embedding import PerLayerEmbedding
from gptcount.reference.mlp import activated
from gptcount.reference.norm import norm
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def per_layer(x: Array, tokens: Array, embedded: Array, w: Weights, spec: PerLayerEmbedding) -> Array:
    """x: (n_tokens, d_model), after the MLP. Gives what is added to it; ``embedded`` is what came into the first
    layer."""
    w = w.under("per_layer_embedding", spec)
    gate = w.einsum("n_tokens d_model, d_model d_per_layer -> n_tokens d_per_layer", x, "gate")
    inner = activated(gate, w, spec.activation) * vectors(tokens, embedded, w, spec)
    brought = w.einsum("n_tokens d_per_layer, d_per_layer d_model -> n_tokens d_model", inner, "output")
    return norm(brought, w, "output_norm", spec.norm)


def vectors(tokens: Array, embedded: Array, w: Weights, spec: PerLayerEmbedding) -> Array:
    """(n_tokens, d_per_layer): a layer's row of each token, and a projection of its embedding; tokens beyond the table
    have the row of the first."""
    known = np.where(tokens < spec.n_vocab_per_layer, tokens, 0)
    words = "n_tokens, n_vocab_per_layer d_per_layer -> n_tokens d_per_layer"
    rows = w.look_up(words, known, "token") * np.float32(sqrt(spec.d_per_layer))
    found = w.einsum("n_tokens d_model, d_model d_per_layer -> n_tokens d_per_layer", embedded, "projection")
    found = found / np.float32(sqrt(embedded.shape[-1]))
    found = norm(found, w.at(None), "projection_norm", spec.norm, "n_tokens d_per_layer", "d_per_layer")
    return (rows + found) / np.float32(sqrt(2))
