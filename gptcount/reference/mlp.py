"""The MLPs: plain and gated. Each token by itself; ``tokens`` is the word for how many there are."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from gptcount.blocks.mlp import GatedMLP, PlainMLP
from gptcount.reference.functions import ACTIVATIONS, sigmoid, softplus
from gptcount.reference.norm import norm
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def mlp(
    x: Array,
    w: Weights,
    spec: PlainMLP | GatedMLP,
    tokens: str = "n_tokens",
    activation: Weights | None = None,
    width: str = "d_model",
) -> Array:
    """x: (tokens, d_model), already normed. Gives what is added to it, of the same shape. ``activation`` has the
    numbers of the activation, where they are not this MLP's own; ``width`` is the word for the width of x."""
    bias, activation, scale = spec.biases, activation or w, 1.0
    up = w.linear(f"{tokens} {width}, {width} d_ff -> {tokens} d_ff", x, "up", "up" in bias)
    if isinstance(spec, PlainMLP):
        hidden = activated(up, activation, spec.activation)
    else:
        gate = w.linear(f"{tokens} {width}, {width} d_ff -> {tokens} d_ff", x, "gate", "gate" in bias)
        gate = gate if spec.gate_scale == 1.0 else gate * np.float32(spec.gate_scale)
        hidden, scale = gated(gate, up, activation, spec), spec.output_scale
        if spec.norm:
            hidden = norm(hidden, w, "norm", spec.norm, f"{tokens} d_ff", "d_ff")
    out = w.linear(f"{tokens} d_ff, d_ff {width} -> {tokens} {width}", hidden, "down", "down" in bias)
    if getattr(spec, "learned_scale", False):
        out = out * w.drawn("scale", "")
    return out if scale == 1.0 else out * np.float32(scale)


def gated(gate: Array, up: Array, w: Weights, spec: GatedMLP) -> Array:
    """The activated gate times up; both are held to a limit where there is one."""
    if spec.limit is not None:
        up = np.clip(up, -spec.limit, spec.limit)
        if spec.limits == "activated":
            return np.minimum(activated(gate, w, spec.activation), np.float32(spec.limit)) * up
        gate = np.minimum(gate, np.float32(spec.limit))
    if spec.sparsity:
        gate = sparse(gate, spec.sparsity)
    if spec.activation == "swiglu_clipped":
        return (up + 1) * gate * sigmoid(np.float32(spec.alpha) * gate)
    return activated(gate, w, spec.activation) * up


def activated(x: Array, w: Weights, kind: str) -> Array:
    """The activation of each number."""
    return xielu(x, w) if kind == "xielu" else ACTIVATIONS[kind](x)


def xielu(x: Array, w: Weights) -> Array:
    """xIELU (Huang & Schlag 2024, arXiv:2411.13010): a parabola above zero, its own slope below, both learned."""
    beta, eps = w.drawn("activation.beta", ""), w.drawn("activation.eps", "")
    above = softplus(w.drawn("activation.alpha_positive", ""))
    below = beta + softplus(w.drawn("activation.alpha_negative", ""))
    bent: Array = np.where(x > 0, above * x * x, (np.expm1(np.minimum(x, eps)) - x) * below)
    result: Array = bent + beta * x
    return result


def sparse(gate: Array, part: float) -> Array:
    """The gates less what a ``part`` of them would not reach, were they normal; none below zero."""
    least = np.float32(NormalDist().inv_cdf(part))
    threshold = gate.mean(axis=-1, keepdims=True) + gate.std(axis=-1, keepdims=True) * least
    rest: Array = np.maximum(gate - threshold, 0)
    return rest
