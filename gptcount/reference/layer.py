"""One layer: its branches, each read through a norm and added, and what stands around them or beside them.

It knows which function does which kind of block, and nothing of what is inside them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from math import sqrt
from typing import Any

import numpy as np

from gptcount.architecture import Architecture
from gptcount.blocks.altup import AltUp
from gptcount.blocks.attention import MultiHeadAttention
from gptcount.blocks.attention_mixture import AttentionMixture
from gptcount.blocks.block import Block
from gptcount.blocks.compressed_attention import CompressedAttention
from gptcount.blocks.convolutional_attention import ConvolutionalAttention
from gptcount.blocks.cross_attention import CrossAttention
from gptcount.blocks.delta import Delta
from gptcount.blocks.factors import Factors
from gptcount.blocks.gated_streams import GatedStreams
from gptcount.blocks.hyper_connections import HyperConnections
from gptcount.blocks.latent_attention import LatentAttention
from gptcount.blocks.lightning import Lightning
from gptcount.blocks.mamba import Mamba
from gptcount.blocks.mamba2 import Mamba2
from gptcount.blocks.mixture import Mixture
from gptcount.blocks.mlp import GatedMLP, PlainMLP
from gptcount.blocks.mlstm import MLSTM
from gptcount.blocks.rg_lru import RGLRU
from gptcount.blocks.rwkv import RWKV, ChannelMixing
from gptcount.blocks.short_convolution import ShortConvolution
from gptcount.blocks.shortcut import Shortcut
from gptcount.layer import Branch, Layer, Residual
from gptcount.reference import altup, gated_streams, hyper_connections
from gptcount.reference.attention import multi_head_attention
from gptcount.reference.attention_mixture import attention_mixture
from gptcount.reference.compressed_attention import compressed_attention
from gptcount.reference.convolutional_attention import convolutional_attention
from gptcount.reference.cross_attention import cross_attended, cross_thought
from gptcount.reference.delta import delta
from gptcount.reference.latent_attention import latent_attention
from gptcount.reference.laurel import laurel
from gptcount.reference.lightning import lightning
from gptcount.reference.mamba import mamba
from gptcount.reference.mamba2 import mamba2
from gptcount.reference.mixture import mixture
from gptcount.reference.mlp import mlp
from gptcount.reference.mlstm import mlstm
from gptcount.reference.norm import norm
from gptcount.reference.per_layer_embedding import per_layer
from gptcount.reference.rg_lru import rg_lru
from gptcount.reference.rwkv import channel_mixing, time_mixing
from gptcount.reference.shared_transformer import shared_transformer
from gptcount.reference.short_convolution import convolved, short_convolution
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array

DONE: dict[type[Block], Callable[[Array, Weights, Any], Array]] = {
    MultiHeadAttention: multi_head_attention,
    LatentAttention: latent_attention,
    CompressedAttention: compressed_attention,
    AttentionMixture: attention_mixture,
    ConvolutionalAttention: convolutional_attention,
    Delta: delta,
    Mamba: mamba,
    Mamba2: mamba2,
    ShortConvolution: short_convolution,
    Lightning: lightning,
    RGLRU: rg_lru,
    MLSTM: mlstm,
    RWKV: time_mixing,
    ChannelMixing: channel_mixing,
    PlainMLP: mlp,
    GatedMLP: mlp,
    Mixture: mixture,
}
"""Which function does what a kind of block does: of x (n_tokens, d_model), normed, it gives what is added to x."""


def one_layer(architecture: Architecture, layer: Layer, x: Array, w: Weights) -> Array:
    """One layer: its branches, and what stands beside them. Where several streams flow, x has all of them."""
    streams, beside = architecture.streams, architecture.per_layer_embedding
    if isinstance(streams, AltUp):
        inner = w.under("streams", streams)
        x = altup.updated(x, inner, streams, lambda active: in_a_row(architecture, layer, active, w))
        if beside:
            own = per_layer(altup.active(x, inner, streams), w.recall("tokens"), w.recall("embedding"), w, beside)
            x = altup.given_to_others(x, own)
    else:
        x = in_a_row(architecture, layer, x, w)
        if beside:
            x = x + per_layer(x, w.recall("tokens"), w.recall("embedding"), w, beside)
    if architecture.halved_every and ((w.layer or 0) + 1) % architecture.halved_every == 0:
        x = x / np.float32(2)
    return x * w.drawn("layer_scalar", "") if architecture.layer_scalar else x


def in_a_row(architecture: Architecture, layer: Layer, x: Array, w: Weights) -> Array:
    """x with what the branches of a layer bring, one after the other, or side by side."""
    branches = list(layer.branches())
    if architecture.shortcut:
        return several_pairs(architecture, branches, x, w, architecture.shortcut)
    if layer.residual in ("parallel", "parallel-shared"):
        return side_by_side(architecture, layer, branches, x, w)
    if isinstance(layer.attention, CrossAttention):
        return crossed(architecture, layer.attention, branches, x, w)
    if architecture.shared and layer.uses_shared:
        first, *branches = branches
        users = architecture.users()
        stored = users[users.index(w.layer or 0) % architecture.shared.n_blocks]
        read = x + shared_transformer(x, w.recall("embedding"), w, stored, architecture.shared)
        x = x + brought(first, norm(read, w, f"{first.name}_norm", architecture.norm), w, read)
    for branch in branches:
        if isinstance(architecture.streams, HyperConnections):
            x = connected(architecture, architecture.streams, branch, x, w)
        elif isinstance(architecture.streams, GatedStreams):
            x = led_through(architecture.streams, branch, x, w)
        else:
            x = added(architecture, layer.residual, branch, x, w)
    return x


def added(architecture: Architecture, residual: Residual, branch: Branch, x: Array, w: Weights) -> Array:
    """x with what one branch brings; ``Residual`` says the ways that there are."""
    spec, scale = architecture.norm, np.float32(architecture.residual_scale)
    if architecture.halved_every:
        scale = scale / np.float32(2 ** ((w.layer or 0) // architecture.halved_every))
    before, after = f"{branch.name}_norm", f"{branch.name}_output_norm"
    own = architecture.output_norm or spec
    match residual:
        case "post-norm":
            return norm(x + scale * brought(branch, x, w, x), w, before, spec)
        case "output-norm":
            return x + scale * norm(brought(branch, x, w, x), w, after, spec)
        case "sandwich":
            normed = norm(x, w, before, spec)
            x = x + scale * norm(brought(branch, normed, w, x), w, after, own)
            if architecture.laurel and branch.name == "attention":
                x = (x + laurel(normed, w, architecture.laurel)) / np.float32(sqrt(2))
            return x
        case "averaged":
            added_before = 2 * (w.layer or 0) + 1 + (branch.name == "mlp")
            stays, comes = (np.float32(sqrt(of)) for of in (1 - 1 / (added_before + 1), 1 / (added_before + 1)))
            found = norm(brought(branch, norm(x, w, before, spec), w, x), w, after, own)
            return stays * x + scale * comes * found
        case "gained":
            found = scale * brought(branch, norm(x, w, before, spec), w, x)
            return w.scale("n_tokens d_model", x, f"{branch.name}_residual", "d_model") + found
        case "normed-residual":
            normed = norm(x, w, before, spec)
            kept, times = factors(architecture, branch)
            return kept * normed + scale * times * brought(branch, normed, w, x)
        case _:
            found = brought(branch, norm(x, w, before, spec), w, x)
            if blend := architecture.branch_convolution:
                within = w.where(**blend.sizes())
                found = found + convolved(found, within, f"{branch.name}_convolution", "d_model", False)
            if architecture.residual_scaling:
                x, found = (
                    scaled(part, w, f"{branch.name}_{name}") for part, name in ((x, "kept"), (found, "brought"))
                )
            return x + scale * found


def scaled(x: Array, w: Weights, name: str) -> Array:
    """A bias added to each vector, and the sum multiplied by a gain."""
    return w.scale("n_tokens d_model", w.add("n_tokens d_model", x, f"{name}.bias", "d_model"), name, "d_model")


def factors(architecture: Architecture, branch: Branch) -> tuple[Array, Array]:
    """What the vector and what a branch brings are multiplied by, before they are added."""
    found = getattr(architecture.residual_factors, branch.name, None) or Factors()
    return np.float32(found.kept), np.float32(found.brought)  # type: ignore[return-value]


def brought(branch: Branch, x: Array, w: Weights, unnormed: Array) -> Array:
    """What the blocks of a branch bring together; ``unnormed`` is x before its norm, which some mixtures read."""
    return reduce(
        np.add,
        (
            mixture(x, w.under(slot, block), block, unnormed)
            if isinstance(block, Mixture)
            else DONE[type(block)](x, w.under(slot, block), block)
            for slot, block in branch.blocks
        ),
    )


def side_by_side(architecture: Architecture, layer: Layer, branches: list[Branch], x: Array, w: Weights) -> Array:
    """x with what all branches bring, each of which reads x itself, through a norm of its own or the first one's."""
    shared = layer.residual == "parallel-shared"
    normed = norm(x, w, f"{branches[0].name}_norm", architecture.norm)
    found = brought(branches[0], normed, w, x)
    for branch in branches[1:]:
        read = normed if shared else norm(x, w, f"{branch.name}_norm", architecture.norm)
        found = found + brought(branch, read, w, x)
    return x + np.float32(architecture.residual_scale) * found


def connected(architecture: Architecture, streams: HyperConnections, branch: Branch, x: Array, w: Weights) -> Array:
    """The streams with what a branch brings, which reads a blend of them and writes into each."""
    spec = architecture.norm
    return hyper_connections.around(
        x,
        w.under(f"streams.{branch.name}", streams),
        streams,
        spec,
        lambda read: brought(branch, norm(read, w, f"{branch.name}_norm", spec), w, read),
    )


def led_through(streams: GatedStreams, branch: Branch, x: Array, w: Weights) -> Array:
    """The streams with what a branch brings, which reads a blend of them that is normed already."""
    place = "mlp" if branch.name == "mlp" else "attention"
    within = w.under(f"streams.{place}", streams)
    return gated_streams.around(x, within, streams, lambda read: brought(branch, read, w, read))


def several_pairs(
    architecture: Architecture, branches: list[Branch], x: Array, w: Weights, shortcut: Shortcut
) -> Array:
    """Pairs of attention and MLP in a row, and a mixture of what the first MLP reads, added at the end."""
    spec, beside = architecture.norm, np.zeros_like(x)
    attention, thinking = branches
    for place in range(shortcut.n_pairs):
        one = w.where(**shortcut.sizes()).one_of("n_pairs", place)
        x = x + brought(attention, norm(x, one, "attention_norm", spec), one, x)
        read = norm(x, one, "mlp_norm", spec)
        x = x + brought(thinking, read, one, x)
        if place == 0:
            beside = mixture(read, w.under("shortcut", shortcut.mixture), shortcut.mixture)
    return x + beside


def crossed(architecture: Architecture, cross: CrossAttention, branches: list[Branch], x: Array, w: Weights) -> Array:
    """x with what is seen of another part of a larger model, and with what the MLP makes of that."""
    spec, thinking = architecture.norm, branches[1]
    x = cross_attended(x, norm(x, w, "attention_norm", spec), w, cross)
    return cross_thought(x, w, cross, lambda: brought(thinking, norm(x, w, "mlp_norm", spec), w, x))
