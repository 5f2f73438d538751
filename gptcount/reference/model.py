"""The whole flow: tokens in, the vectors of all layers, scores for the next token out."""

from __future__ import annotations

from math import sqrt

import numpy as np

from gptcount.architecture import Architecture, Layer
from gptcount.blocks.embedding import Positions
from gptcount.blocks.latent_attention import LatentAttention
from gptcount.blocks.mixture import Mixture
from gptcount.reference.attention import multi_head_attention
from gptcount.reference.latent_attention import latent_attention
from gptcount.reference.mixture import mixture
from gptcount.reference.mlp import mlp
from gptcount.reference.norm import norm
from gptcount.reference.positions import sinusoids
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def forward(architecture: Architecture, tokens: Array, w: Weights) -> Array:
    """tokens: (n_ctx,) integers. Gives the last layer's vectors, normed: (n_ctx, d_model)."""
    x = embed(architecture, tokens, w)
    for index, layer in enumerate(architecture.stack()):
        x = one_layer(architecture, layer, x, w.at(index))
    last = architecture.last_norm()
    return norm(x, w, "final_norm", last) if last else x


def embed(architecture: Architecture, tokens: Array, w: Weights) -> Array:
    """A vector for each token: its row of the embedding, and that of its position where positions are added."""
    spec = architecture.embedding
    w = w.where(**spec.sizes())
    width = "d_embedding" if spec.d_embedding else "d_model"
    x = w.look_up(f"n_ctx, n_vocab {width} -> n_ctx {width}", tokens, "embedding.token")
    if spec.d_embedding:
        x = w.einsum("n_ctx d_embedding, d_embedding d_model -> n_ctx d_model", x, "embedding.projection")
    if spec.scale != 1.0:
        x = x * np.float32(sqrt(architecture.d_model) if spec.scale == "sqrt(d_model)" else spec.scale)
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
    """Attention, then the MLP, each added to what comes in; ``architecture.Residual`` says the orders there are."""
    spec, scale = architecture.norm, np.float32(architecture.residual_scale)
    match architecture.residual:
        case "pre-norm":
            x = x + scale * attend(norm(x, w, "attention_norm", spec), w, layer)
            return x + scale * think(norm(x, w, "mlp_norm", spec), w, layer)
        case "post-norm":
            x = norm(x + scale * attend(x, w, layer), w, "attention_norm", spec)
            return norm(x + scale * think(x, w, layer), w, "mlp_norm", spec)
        case "output-norm":
            x = x + scale * norm(attend(x, w, layer), w, "attention_output_norm", spec)
            return x + scale * norm(think(x, w, layer), w, "mlp_output_norm", spec)
        case "sandwich":
            branch = attend(norm(x, w, "attention_norm", spec), w, layer)
            x = x + scale * norm(branch, w, "attention_output_norm", spec)
            branch = think(norm(x, w, "mlp_norm", spec), w, layer)
            return x + scale * norm(branch, w, "mlp_output_norm", spec)
        case "parallel":
            attended = attend(norm(x, w, "attention_norm", spec), w, layer)
            return x + scale * (attended + think(norm(x, w, "mlp_norm", spec), w, layer))
        case "parallel-shared":
            normed = norm(x, w, "attention_norm", spec)
            return x + scale * (attend(normed, w, layer) + think(normed, w, layer))
        case "normed-residual":
            normed = norm(x, w, "attention_norm", spec)
            x = normed + scale * attend(normed, w, layer)
            normed = norm(x, w, "mlp_norm", spec)
            return normed + scale * think(normed, w, layer)


def attend(x: Array, w: Weights, layer: Layer) -> Array:
    """What attention adds."""
    w = w.under("attention", layer.attention)
    if isinstance(layer.attention, LatentAttention):
        return latent_attention(x, w, layer.attention)
    return multi_head_attention(x, w, layer.attention)


def think(x: Array, w: Weights, layer: Layer) -> Array:
    """What the MLP, or the mixture of experts, adds."""
    w = w.under("mlp", layer.mlp)
    return mixture(x, w, layer.mlp) if isinstance(layer.mlp, Mixture) else mlp(x, w, layer.mlp)


def unembed(architecture: Architecture, x: Array, w: Weights) -> Array:
    """x: (n_ctx, d_model), or one vector. Gives a score for every token as the next: (n_ctx, n_vocab), or (n_vocab,)."""
    spec, each = architecture.unembedding, "n_ctx " if x.ndim == 2 else ""
    w, width = w.where(**architecture.embedding.sizes()), "d_model"
    if architecture.embedding.d_embedding:
        width = "d_embedding"
        x = w.einsum(f"{each}d_model, d_model {width} -> {each}{width}", x, "unembedding.projection")
    scores = w.linear(f"{each}{width}, {width} n_vocab -> {each}n_vocab", x, "unembedding.token", spec.bias)
    scores = scores if spec.scale == 1.0 else scores * np.float32(spec.scale)
    return scores if spec.softcap is None else np.float32(spec.softcap) * np.tanh(scores / np.float32(spec.softcap))
