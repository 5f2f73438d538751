"""Alternating updates: several vectors flow for each token; a layer works on one, and all are corrected by it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gptcount.blocks.altup import AltUp
from gptcount.reference.norm import norm
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def opened(x: Array, w: Weights, spec: AltUp) -> Array:
    """x: (n_tokens, d_model). Gives it and the other streams that are made of it: (n_tokens, n_streams, d_model)."""
    words = "n_tokens d_model, d_model d_model' -> n_tokens d_model'"
    others = [w.one_of("n_other_streams", stream).einsum(words, x, "split") for stream in range(spec.n_streams - 1)]
    return np.stack([x, *(as_long(other, x) for other in others)], axis=1)


def joined(x: Array, w: Weights, spec: AltUp) -> Array:
    """The mean of the first stream and of what the others become: (n_tokens, d_model)."""
    words = "n_tokens d_model, d_model d_model' -> n_tokens d_model'"
    first, others = x[:, 0], range(spec.n_streams - 1)
    back = [w.one_of("n_other_streams", stream).einsum(words, x[:, stream + 1], "join") for stream in others]
    mean: Array = np.stack([first, *(as_long(one, first) for one in back)]).mean(axis=0)
    return mean


def as_long(x: Array, like: Array) -> Array:
    """The vectors of ``x``, made as long as those of ``like``."""
    length = np.sqrt(np.maximum(np.square(x).mean(axis=-1, keepdims=True), np.float32(1e-5)))
    wanted = np.sqrt(np.square(like).mean(axis=-1, keepdims=True))
    long: Array = x * (wanted / length)
    return long


def updated(x: Array, w: Weights, spec: AltUp, layer: Callable[[Array], Array]) -> Array:
    """x: (n_tokens, n_streams, d_model). All streams are predicted; the layer works on the active one; by how far it is
    then from its prediction, all are corrected."""
    words = "n_tokens n_streams, n_streams n_streams'*n_streams'' -> n_tokens n_streams' n_streams''"
    predict = w.einsum(words, modes(x[:, spec.active], w, spec), "predict")
    words = "n_tokens n_streams' n_streams'', n_tokens n_streams'' d_model -> n_tokens n_streams' d_model"
    x = x + w.einsum(words, predict, x, "predicted streams")
    brought = layer(x[:, spec.active])
    words = "n_tokens n_streams, n_streams n_streams' -> n_tokens n_streams'"
    correct = w.einsum(words, modes(brought, w, spec), "correct") + 1
    corrected: Array = x + correct[..., None] * (brought - x[:, spec.active])[:, None]
    return corrected


def modes(x: Array, w: Weights, spec: AltUp) -> Array:
    """(n_tokens, n_streams): what the coefficients are made of."""
    source = norm(x, w, "router_norm", spec.norm) / np.float32(x.shape[-1])
    found: Array = np.tanh(w.einsum("n_tokens d_model, d_model n_streams -> n_tokens n_streams", source, "router"))
    return found


def active(x: Array, w: Weights, spec: AltUp) -> Array:
    """The active stream, scaled where it is; the gains are there either way."""
    scaled = w.scale("n_tokens d_model", x[:, spec.active], "scale", "d_model")
    return scaled if spec.scaled else x[:, spec.active]


def given_to_others(x: Array, more: Array) -> Array:
    """``more`` added to all streams but the first."""
    return np.concatenate([x[:, :1], x[:, 1:] + more[:, None]], axis=1)
