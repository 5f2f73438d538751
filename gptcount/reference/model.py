"""The whole flow: tokens in, the vectors of all layers, scores for the next token out."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np

from gptcount.architecture import Architecture, Layer
from gptcount.blocks.altup import AltUp
from gptcount.blocks.attention import MultiHeadAttention
from gptcount.blocks.attention_mixture import AttentionMixture
from gptcount.blocks.compressed_attention import CompressedAttention
from gptcount.blocks.cross_attention import CrossAttention
from gptcount.blocks.embedding import Head, Positions, Unembedding
from gptcount.blocks.hyper_connections import HyperConnections
from gptcount.blocks.latent_attention import LatentAttention
from gptcount.blocks.mixture import Mixture
from gptcount.blocks.shortcut import Shortcut
from gptcount.reference import altup, hyper_connections
from gptcount.reference.attention import multi_head_attention
from gptcount.reference.attention_mixture import attention_mixture
from gptcount.reference.compressed_attention import compressed_attention
from gptcount.reference.cross_attention import cross_attended, cross_thought
from gptcount.reference.latent_attention import latent_attention
from gptcount.reference.laurel import laurel
from gptcount.reference.mixture import mixture
from gptcount.reference.mlp import mlp
from gptcount.reference.norm import norm
from gptcount.reference.per_layer_embedding import per_layer
from gptcount.reference.positions import sinusoids
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array

Progress = Callable[[int, int], None]
"""Is told how many layers are done, and of how many."""


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # who asks for scores looks whether they are numbers
def forward(architecture: Architecture, tokens: Array, w: Weights, progress: Progress | None = None) -> Array:
    """tokens: (n_ctx,) integers. Gives the last layer's vectors, normed: (n_ctx, d_model)."""
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
    x = w.look_up(f"n_ctx, {rows} {width} -> n_ctx {width}", np.minimum(tokens, first - 1), "embedding.token")
    if spec.n_more:
        beyond = w.look_up(f"n_ctx, n_more {width} -> n_ctx {width}", np.maximum(tokens - first, 0), "embedding.more")
        x = np.where(tokens[:, None] < first, x, beyond)
    if spec.d_embedding:
        x = w.einsum("n_ctx d_embedding, d_embedding d_model -> n_ctx d_model", x, "embedding.projection")
    if spec.scale != 1.0:
        x = x * np.float32(sqrt(architecture.d_model) if spec.scale == "sqrt(d_model)" else spec.scale)
    if spec.n_frequencies:
        w.drawn("embedding.frequencies", "n_frequencies")
    if spec.positions:
        x = x + positions_of(architecture, spec.positions, len(tokens), w)
    return norm(x, w, "embedding.norm", spec.norm) if spec.norm else x


def positions_of(architecture: Architecture, spec: Positions, n_ctx: int, w: Weights) -> Array:
    """(n_ctx, d_model): the vector of each position; of a table longer than the context, the last rows."""
    if spec.kind == "sinusoidal":
        return sinusoids(spec, n_ctx, architecture.d_model)
    n_positions = spec.n_positions or architecture.n_ctx
    rows = np.arange(n_ctx) + n_positions - architecture.n_ctx
    words = "n_ctx, n_positions d_model -> n_ctx d_model"
    return w.where(n_positions=n_positions).look_up(words, rows, "embedding.position")


def one_layer(architecture: Architecture, layer: Layer, x: Array, w: Weights) -> Array:
    """One layer: attention and MLP, and what stands beside them. Where several streams flow, x has all of them."""
    streams, beside = architecture.streams, architecture.per_layer_embedding
    if isinstance(streams, HyperConnections):
        return hyper_connected(architecture, layer, x, w, streams)
    if isinstance(streams, AltUp):
        inner = w.under("streams", streams)
        x = altup.updated(x, inner, streams, lambda active: pair(architecture, layer, active, w))
        if beside:
            own = per_layer(altup.active(x, inner, streams), w.recall("tokens"), w.recall("embedding"), w, beside)
            x = altup.given_to_others(x, own)
    else:
        if shortcut := architecture.shortcut:
            x = several_pairs(architecture, layer, x, w, shortcut)
        else:
            x = pair(architecture, layer, x, w)
        if beside:
            x = x + per_layer(x, w.recall("tokens"), w.recall("embedding"), w, beside)
    return x * w.drawn("layer_scalar", "") if architecture.layer_scalar else x


def opened(architecture: Architecture, x: Array, w: Weights) -> Array:
    """The vectors of the embedding, or the streams that they make: (n_ctx, n_streams, d_model)."""
    streams = architecture.streams
    if isinstance(streams, AltUp):
        return altup.opened(x, w.under("streams", streams), streams)
    return hyper_connections.opened(x, streams) if streams else x


def joined(architecture: Architecture, x: Array, w: Weights) -> Array:
    """The vectors that the last layer leaves, or what its streams come to: (n_ctx, d_model)."""
    streams = architecture.streams
    if isinstance(streams, AltUp):
        return altup.joined(x, w.under("streams", streams), streams)
    last = architecture.norm
    return hyper_connections.joined(x, w.under("streams.last", streams), streams, last) if streams else x


def hyper_connected(architecture: Architecture, layer: Layer, x: Array, w: Weights, streams: HyperConnections) -> Array:
    """Attention, then the MLP, each reading a blend of the streams and writing into them."""
    spec = architecture.norm

    def attended(read: Array) -> Array:
        return attend(norm(read, w, "attention_norm", spec), w, layer)

    def thought(read: Array) -> Array:
        return think(norm(read, w, "mlp_norm", spec), w, layer, read)

    x = hyper_connections.around(x, w.under("streams.attention", streams), streams, spec, attended)
    return hyper_connections.around(x, w.under("streams.mlp", streams), streams, spec, thought)


def several_pairs(architecture: Architecture, layer: Layer, x: Array, w: Weights, shortcut: Shortcut) -> Array:
    """Pairs of attention and MLP in a row, and a mixture of what the first MLP reads, added at the end."""
    spec, beside = architecture.norm, np.zeros_like(x)
    for place in range(shortcut.n_pairs):
        one = w.where(**shortcut.sizes()).one_of("n_pairs", place)
        x = x + attend(norm(x, one, "attention_norm", spec), one, layer)
        read = norm(x, one, "mlp_norm", spec)
        x = x + think(read, one, layer, x)
        if place == 0:
            beside = mixture(read, w.under("shortcut", shortcut.mixture), shortcut.mixture)
    return x + beside


def pair(architecture: Architecture, layer: Layer, x: Array, w: Weights) -> Array:
    """Attention, then the MLP, each added to what comes in; ``architecture.Residual`` says the orders there are."""
    spec, scale = architecture.norm, np.float32(architecture.residual_scale)
    own = architecture.output_norm or spec
    match architecture.residual:
        case "pre-norm" if isinstance(layer.attention, CrossAttention):
            x = cross_attended(x, norm(x, w, "attention_norm", spec), w, layer.attention)
            return cross_thought(x, w, layer.attention, lambda: think(norm(x, w, "mlp_norm", spec), w, layer, x))
        case "pre-norm":
            x = x + scale * attend(norm(x, w, "attention_norm", spec), w, layer)
            return x + scale * think(norm(x, w, layer.mlp_norm, spec), w, layer, x)
        case "post-norm":
            x = norm(x + scale * attend(x, w, layer), w, "attention_norm", spec)
            return norm(x + scale * think(x, w, layer), w, "mlp_norm", spec)
        case "output-norm":
            x = x + scale * norm(attend(x, w, layer), w, "attention_output_norm", spec)
            return x + scale * norm(think(x, w, layer), w, "mlp_output_norm", spec)
        case "sandwich":
            normed = norm(x, w, "attention_norm", spec)
            x = x + scale * norm(attend(normed, w, layer), w, "attention_output_norm", own)
            if architecture.laurel:
                x = (x + laurel(normed, w, architecture.laurel)) / np.float32(sqrt(2))
            branch = think(norm(x, w, "mlp_norm", spec), w, layer, x)
            return x + scale * norm(branch, w, "mlp_output_norm", own)
        case "parallel":
            attended = attend(norm(x, w, "attention_norm", spec), w, layer)
            return x + scale * (attended + think(norm(x, w, "mlp_norm", spec), w, layer, x))
        case "parallel-shared":
            normed = norm(x, w, "attention_norm", spec)
            return x + scale * (attend(normed, w, layer) + think(normed, w, layer, x))
        case "normed-residual":
            normed = norm(x, w, "attention_norm", spec)
            x = normed + scale * attend(normed, w, layer)
            normed = norm(x, w, "mlp_norm", spec)
            return normed + scale * think(normed, w, layer)
        case "averaged":
            k = 2 * ((w.layer or 0) + 1)
            branch = norm(attend(norm(x, w, "attention_norm", spec), w, layer), w, "attention_output_norm", own)
            x = np.float32(sqrt(1 - 1 / k)) * x + scale * np.float32(1 / sqrt(k)) * branch
            branch = norm(think(norm(x, w, "mlp_norm", spec), w, layer, x), w, "mlp_output_norm", own)
            return np.float32(sqrt(1 - 1 / (k + 1))) * x + scale * np.float32(1 / sqrt(k + 1)) * branch
        case "gained":
            branch = scale * attend(norm(x, w, "attention_norm", spec), w, layer)
            x = w.scale("n_ctx d_model", x, "attention_residual", "d_model") + branch
            branch = scale * think(norm(x, w, "mlp_norm", spec), w, layer, x)
            return w.scale("n_ctx d_model", x, "mlp_residual", "d_model") + branch


def attend(x: Array, w: Weights, layer: Layer) -> Array:
    """What attention adds."""
    w = w.under("attention", layer.attention)
    if isinstance(layer.attention, LatentAttention):
        return latent_attention(x, w, layer.attention)
    if isinstance(layer.attention, CompressedAttention):
        return compressed_attention(x, w, layer.attention)
    if isinstance(layer.attention, AttentionMixture):
        return attention_mixture(x, w, layer.attention)
    assert isinstance(layer.attention, MultiHeadAttention)  # a layer of cross-attention goes another way
    return multi_head_attention(x, w, layer.attention)


def think(x: Array, w: Weights, layer: Layer, before: Array | None = None) -> Array:
    """What the MLP, or the mixture of experts, adds; ``before`` is x before its norm."""
    w = w.under("mlp", layer.mlp)
    return mixture(x, w, layer.mlp, before) if isinstance(layer.mlp, Mixture) else mlp(x, w, layer.mlp)


def narrowed(architecture: Architecture, x: Array, w: Weights) -> tuple[Array, str]:
    """x: (n_ctx, d_model), or one vector; made as narrow as the embedding is. Gives it and the word for its width."""
    if not architecture.embedding.d_embedding:
        return x, "d_model"
    each = "n_ctx " if x.ndim == 2 else ""
    w = w.where(**architecture.embedding.sizes())
    words = f"{each}d_model, d_model d_embedding -> {each}d_embedding"
    return w.einsum(words, x, "unembedding.projection"), "d_embedding"


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def scored(architecture: Architecture, x: Array, w: Weights) -> dict[str, Array]:
    """x: (n_ctx, d_model), or one vector. Gives the scores of ``tokens``, ``labels``, both or none: (n_ctx, n_vocab)
    and (n_ctx, n_labels), without n_ctx for one vector."""
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
    each = "n_ctx " if x.ndim == 2 else ""
    scores = w.linear(f"{each}{width}, {width} n_vocab -> {each}n_vocab", x, "unembedding.token", spec.bias)
    if spec.unit_vectors:
        vectors = w.draw("unembedding.token", f"{width} n_vocab")
        scores = scores / np.sqrt(np.einsum("wv,wv->v", vectors, vectors))
    scores = scores if spec.scale == 1.0 else scores * np.float32(spec.scale)
    return scores if spec.softcap is None else np.float32(spec.softcap) * np.tanh(scores / np.float32(spec.softcap))


def labelled(spec: Head, x: Array, w: Weights, width: str) -> Array:
    """A score for every label."""
    each = "n_ctx " if x.ndim == 2 else ""
    w = w.where(**spec.sizes())
    return w.linear(f"{each}{width}, {width} n_labels -> {each}n_labels", x, "head", spec.bias)
