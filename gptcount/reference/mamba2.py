"""Mamba-2: each head keeps a state, which every token decays, writes into and reads."""

from __future__ import annotations

import numpy as np

from gptcount.blocks.mamba2 import Mamba2, PartScales
from gptcount.reference.functions import ACTIVATIONS, sigmoid, softplus
from gptcount.reference.norm import norm_of_groups
from gptcount.reference.short_convolution import convolved
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def mamba2(x: Array, w: Weights, spec: Mamba2) -> Array:
    """x: (n_tokens, d_model), already normed. Gives what is added to it, of the same shape."""
    x = x * np.float32(spec.input_scale)
    scales, into = spec.part_scales or PartScales(), "input" in spec.biases
    inner, state = "n_heads*d_head", "n_groups*d_state"
    gate = w.linear(f"n_tokens d_model, d_model {inner} -> n_tokens {inner}", x, "gate", into) * np.float32(scales.gate)
    given = w.linear(f"n_tokens d_model, d_model {inner} -> n_tokens {inner}", x, "input", into) * np.float32(
        scales.input
    )
    b = w.linear(f"n_tokens d_model, d_model {state} -> n_tokens {state}", x, "b", into) * np.float32(scales.b)
    c = w.linear(f"n_tokens d_model, d_model {state} -> n_tokens {state}", x, "c", into) * np.float32(scales.c)
    step = w.linear("n_tokens d_model, d_model n_heads -> n_tokens n_heads", x, "time_step", into)
    given, b, c = (
        blended(given, w, spec, "input", inner),
        blended(b, w, spec, "b", state),
        blended(c, w, spec, "c", state),
    )
    given = w.arrange(f"n_tokens {inner} -> n_tokens n_heads d_head", given)
    b, c = (w.arrange(f"n_tokens {state} -> n_tokens n_groups d_state", part) for part in (b, c))

    step = time_step(step * np.float32(scales.time_step), w, spec)
    seen = scanned(given, b, c, step, w, spec) + given * w.drawn("skip", "n_heads")[:, None]
    seen = w.arrange(f"n_tokens n_heads d_head -> n_tokens {inner}", seen)
    out = w.linear(
        f"n_tokens {inner}, {inner} d_model -> n_tokens d_model",
        gated(seen, gate, w, spec),
        "output",
        "output" in spec.biases,
    )
    return out * np.float32(spec.output_scale)


def blended(x: Array, w: Weights, spec: Mamba2, name: str, channels: str) -> Array:
    """What a part is after its convolution: (n_tokens, channels)."""
    convolved_part = convolved(x, w, f"convolution.{name}", channels, "convolution" in spec.biases)
    return ACTIVATIONS[spec.activation](convolved_part)


def time_step(x: Array, w: Weights, spec: Mamba2) -> Array:
    """(n_tokens, n_heads): how far each token moves the state of a head."""
    step = softplus(w.add("n_tokens n_heads", x, "time_step_bias", "n_heads"))
    return np.clip(step, np.float32(spec.time_step_least), spec.time_step_most)


def scanned(given: Array, b: Array, c: Array, step: Array, w: Weights, spec: Mamba2) -> Array:
    """given: (n_tokens, n_heads, d_head); b, c: (n_tokens, n_groups, d_state); step: (n_tokens, n_heads).

    The state of each head, token by token: decayed, written into along b, read along c. Gives (n_tokens, n_heads,
    d_head)."""
    rate = -np.exp(w.drawn("log_decay", "n_heads"))
    b, c = (np.repeat(part, spec.n_heads // spec.n_groups, axis=1) for part in (b, c))
    state, seen = np.zeros((spec.n_heads, spec.d_head, spec.d_state), given.dtype), np.empty_like(given)
    for token in range(len(given)):
        decay, written = np.exp(step[token] * rate), step[token, :, None] * given[token]
        state = decay[:, None, None] * state + written[:, :, None] * b[token, :, None]
        seen[token] = (state @ c[token, :, :, None])[..., 0]
    return seen


def gated(x: Array, gate: Array, w: Weights, spec: Mamba2) -> Array:
    """(n_tokens, n_heads * d_head): what the heads bring, gated and normed, in the order of the specification."""
    inner = "n_heads*d_head"
    open_by: Array = gate * sigmoid(gate)
    if spec.norm is None:
        return x * open_by
    x = x if spec.norm_before_gate else x * open_by
    x = norm_of_groups(x, w, "norm", spec.norm, spec.n_groups, inner)
    return x * open_by if spec.norm_before_gate else x
