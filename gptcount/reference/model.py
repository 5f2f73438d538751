"""The whole flow: tokens in, the vectors of all layers, scores for the next token out."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np

from gptcount.architecture import Architecture
from gptcount.blocks.altup import AltUp
from gptcount.blocks.embedding import Head, Positions, Unembedding
from gptcount.blocks.gated_streams import GatedStreams
from gptcount.reference import altup, gated_streams, hyper_connections
from gptcount.reference.layer import one_layer
from gptcount.reference.norm import norm
from gptcount.reference.positions import sinusoids
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array

Progress = Callable[[int, int], None]
"""Is told how many layers are done, and of how many."""


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # who asks for scores looks whether they are numbers
def forward(architecture: Architecture, tokens: Array, w: Weights, progress: Progress | None = None) -> Array:
    """tokens: (n_tokens,) integers. Gives the last layer's vectors, normed: (n_tokens, d_model)."""
    w.keep("tokens", tokens)
    x = opened(architecture, w.keep("embedding", embed(architecture, tokens, w)), w)
    for index, layer in enumerate(architecture.stack()):
        x = one_layer(architecture, layer, x, w.at(index))
        if progress:
            progress(index + 1, architecture.n_layers)
    last, x = architecture.last_norm(), joined(architecture, x, w)
    return norm(x, w, "final_norm", last) if last else x


def embed(architecture: Architecture, tokens: Array, w: Weights) -> Array:
    """A vector for each token: its row of the embedding, and that of its position where positions are added."""
    spec = architecture.embedding
    w = w.where(**spec.sizes())
    width = "d_embedding" if spec.d_embedding else "d_model"
    rows = "n_embedded" if spec.n_embedded else "n_vocab"
    first = w.sizes[rows]
    words = f"n_tokens, {rows} {width} -> n_tokens {width}"
    x = w.look_up(words, np.minimum(tokens, first - 1), "embedding.token")
    if spec.n_more:
        words = f"n_tokens, n_more {width} -> n_tokens {width}"
        beyond = w.look_up(words, np.maximum(tokens - first, 0), "embedding.more")
        x = np.where(tokens[:, None] < first, x, beyond)
    if spec.d_embedding:
        x = w.einsum("n_tokens d_embedding, d_embedding d_model -> n_tokens d_model", x, "embedding.projection")
    if spec.scale != 1.0:
        x = x * np.float32(sqrt(architecture.d_model) if spec.scale == "sqrt(d_model)" else spec.scale)
    if spec.n_frequencies:
        w.drawn("embedding.frequencies", "n_frequencies")
    if spec.positions:
        x = x + positions_of(architecture, spec.positions, w)
    if spec.scaling:
        x = w.add("n_tokens d_model", x, "embedding.gain.bias", "d_model")
        x = w.scale("n_tokens d_model", x, "embedding.gain", "d_model")
    return norm(x, w, "embedding.norm", spec.norm) if spec.norm else x


def positions_of(architecture: Architecture, spec: Positions, w: Weights) -> Array:
    """(n_tokens, d_model): the vector of each position; of a table longer than the context, the last rows."""
    if spec.kind == "sinusoidal":
        return sinusoids(spec, w.here, architecture.d_model)
    trained = architecture.n_ctx or len(w.there)
    n_positions = spec.n_positions or trained
    rows = w.here + n_positions - trained
    words = "n_tokens, n_positions d_model -> n_tokens d_model"
    return w.where(n_positions=n_positions).look_up(words, rows, "embedding.position")


def opened(architecture: Architecture, x: Array, w: Weights) -> Array:
    """The vectors of the embedding, or the streams that they make: (n_tokens, n_streams, d_model)."""
    streams = architecture.streams
    if isinstance(streams, AltUp):
        return altup.opened(x, w.under("streams", streams), streams)
    return hyper_connections.opened(x, streams) if streams else x


def joined(architecture: Architecture, x: Array, w: Weights) -> Array:
    """The vectors that the last layer leaves, or what its streams come to: (n_tokens, d_model)."""
    streams = architecture.streams
    if isinstance(streams, AltUp):
        return altup.joined(x, w.under("streams", streams), streams)
    if isinstance(streams, GatedStreams):
        return gated_streams.joined(x, w.under("streams.last", streams), streams)
    last = architecture.norm
    return hyper_connections.joined(x, w.under("streams.last", streams), streams, last) if streams else x


def narrowed(architecture: Architecture, x: Array, w: Weights) -> tuple[Array, str]:
    """x: (n_tokens, d_model), or one vector; made as narrow as the embedding is. Gives it and the word for its
    width."""
    if not architecture.embedding.d_embedding:
        return x, "d_model"
    each = "n_tokens " if x.ndim == 2 else ""
    w = w.where(**architecture.embedding.sizes())
    words = f"{each}d_model, d_model d_embedding -> {each}d_embedding"
    return w.einsum(words, x, "unembedding.projection"), "d_embedding"


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def scored(architecture: Architecture, x: Array, w: Weights) -> dict[str, Array]:
    """x: (n_tokens, d_model), or one vector. Gives the scores of ``tokens``, ``labels``, both or none: (n_tokens,
    n_vocab) and (n_tokens, n_labels), without n_tokens for one vector."""
    x, width = narrowed(architecture, x, w)
    w = w.where(**architecture.embedding.sizes())
    found = {}
    if architecture.unembedding:
        found["tokens"] = unembed(architecture.unembedding, x, w, width)
    if architecture.head:
        found["labels"] = labelled(architecture.head, x, w, width)
    return found


def unembed(spec: Unembedding, x: Array, w: Weights, width: str) -> Array:
    """A score for every token as the next."""
    each = "n_tokens " if x.ndim == 2 else ""
    scores = w.linear(f"{each}{width}, {width} n_vocab -> {each}n_vocab", x, "unembedding.token", spec.bias)
    if spec.unit_vectors:
        vectors = w.draw("unembedding.token", f"{width} n_vocab")
        scores = scores / np.sqrt(np.einsum("wv,wv->v", vectors, vectors))
    scores = scores if spec.scale == 1.0 else scores * np.float32(spec.scale)
    scores = scores[..., : spec.n_scored] if spec.n_scored else scores
    return scores if spec.softcap is None else np.float32(spec.softcap) * np.tanh(scores / np.float32(spec.softcap))


def labelled(spec: Head, x: Array, w: Weights, width: str) -> Array:
    """A score for every label."""
    each = "n_tokens " if x.ndim == 2 else ""
    w = w.where(**spec.sizes())
    return w.linear(f"{each}{width}, {width} n_labels -> {each}n_labels", x, "head", spec.bias)
