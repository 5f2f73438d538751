"""Hyper-connections: several vectors flow for each token; each block reads a blend of them and writes into all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gptcount.blocks.gated_streams import GatedStreams
from gptcount.blocks.hyper_connections import HyperConnections
from gptcount.blocks.norm import Norm
from gptcount.reference.functions import sigmoid, softmax
from gptcount.reference.norm import norm
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def opened(x: Array, spec: HyperConnections | GatedStreams) -> Array:
    """x: (n_tokens, d_model). Gives as many of it as there are streams: (n_tokens, n_streams, d_model)."""
    return np.repeat(x[:, None], spec.n_streams, axis=1)


def around(x: Array, w: Weights, spec: HyperConnections, like: Norm, block: Callable[[Array], Array]) -> Array:
    """x: (n_tokens, n_streams, d_model). What the block makes of a blend, written into each stream of their mixture."""
    flat = normed(x, w, like)
    write = 2 * sigmoid(signal(flat, w, "write", "n_streams'"))
    mix = doubly_stochastic(signal(flat, w, "mix", "n_streams' n_streams''"), spec)
    given = block(blend(x, w, spec, flat))
    words = "n_tokens n_streams' n_streams'', n_tokens n_streams' d_model -> n_tokens n_streams'' d_model"
    return write[..., None] * given[:, None] + w.einsum(words, mix, x, "mixed streams")


def joined(x: Array, w: Weights, spec: HyperConnections, like: Norm) -> Array:
    """What is read of the streams after the last layer: (n_tokens, d_model)."""
    return blend(x, w, spec, normed(x, w, like))


def normed(x: Array, w: Weights, like: Norm) -> Array:
    """The streams of a token side by side, normed without a gain: (n_tokens, n_streams * d_model)."""
    flat = w.arrange("n_tokens n_streams d_model -> n_tokens n_streams*d_model", x)
    return norm(flat, w, "", like.model_copy(update={"gain": False, "bias": False}))


def blend(x: Array, w: Weights, spec: HyperConnections, flat: Array) -> Array:
    """What a block reads: each stream by a share that depends on them all."""
    read = sigmoid(signal(flat, w, "read", "n_streams'")) + np.float32(spec.eps)
    return w.einsum("n_tokens n_streams', n_tokens n_streams' d_model -> n_tokens d_model", read, x, "blend")


def signal(flat: Array, w: Weights, name: str, words: str) -> Array:
    """The numbers that one of the matrices gives for each token, scaled and moved."""
    inner = words.replace(" ", "*")
    into = f"n_tokens n_streams*d_model, n_streams*d_model {inner}"
    found = w.einsum(f"{into} -> n_tokens {inner}", flat, name) * w.drawn(f"{name}.scale", "")
    return w.arrange(f"n_tokens {inner} -> n_tokens {words}", w.add(f"n_tokens {inner}", found, f"{name}.bias", inner))


def doubly_stochastic(x: Array, spec: HyperConnections) -> Array:
    """Matrices whose rows and columns sum to 1, nearly (Sinkhorn & Knopp 1967): by turns each is divided by its sum."""
    eps = np.float32(spec.eps)
    x = softmax(x) + eps
    x = x / (x.sum(axis=-2, keepdims=True) + eps)
    for _ in range(spec.n_iterations - 1):
        x = x / (x.sum(axis=-1, keepdims=True) + eps)
        x = x / (x.sum(axis=-2, keepdims=True) + eps)
    return x
