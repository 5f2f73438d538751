"""Mamba: each channel keeps a state, which every token decays, writes into and reads."""

from __future__ import annotations

import numpy as np

from gptcount.blocks.mamba import Mamba
from gptcount.reference.functions import ACTIVATIONS, silu, softplus
from gptcount.reference.norm import norm
from gptcount.reference.short_convolution import convolved
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def mamba(x: Array, w: Weights, spec: Mamba) -> Array:
    """x: (n_tokens, d_model), already normed. Gives what is added to it, of the same shape."""
    into, heads, width = "input" in spec.biases, "n_heads ", "d_head"
    if not spec.n_heads:
        heads, width = "", "d_inner"
    inner = f"{heads}{width}".replace(" ", "*")
    given = w.linear(f"n_tokens d_model, d_model {inner} -> n_tokens {inner}", x, "input", into)
    gate = w.linear(f"n_tokens d_model, d_model {inner} -> n_tokens {inner}", x, "gate", into)
    given = ACTIVATIONS[spec.activation](convolved(given, w, "convolution", inner, "convolution" in spec.biases))

    parts = w.arrange(f"n_tokens {inner} -> n_tokens {heads}{width}", given)

    def made(name: str, size: str) -> Array:
        """What is made of the channels, of every head: (n_tokens, n_heads, size), normed where it is."""
        words = f"n_tokens {heads}{width}, {heads}{width} {size} -> n_tokens {heads}{size}"
        found = w.einsum(words, parts, name)
        name = name.removesuffix("_down")
        return norm(found, w, f"{name}_norm", spec.norm, f"n_tokens {heads}{size}", size) if spec.norm else found

    words = f"n_tokens {heads}d_time_step, {heads}d_time_step {width} -> n_tokens {heads}{width}"
    step = softplus(w.linear(words, made("time_step_down", "d_time_step"), "time_step", bias=True))
    step = w.arrange(f"n_tokens {heads}{width} -> n_tokens {inner}", step)
    seen = scanned(given, made("b", "d_state"), made("c", "d_state"), step, w, inner)
    seen = (seen + w.scale(f"n_tokens {inner}", given, "skip", inner)) * silu(gate)
    return w.linear(f"n_tokens {inner}, {inner} d_model -> n_tokens d_model", seen, "output", "output" in spec.biases)


def scanned(given: Array, b: Array, c: Array, step: Array, w: Weights, inner: str) -> Array:
    """given, step: (n_tokens, d_inner); b, c: (n_tokens, d_state), or (n_tokens, n_heads, d_state).

    The state of each channel, token by token: decayed, written into along b, read along c. Gives (n_tokens, d_inner).
    """
    rate = -np.exp(w.drawn("log_decay", f"{inner} d_state"))
    times = given.shape[-1] // (b.shape[1] if b.ndim == 3 else 1)
    b, c = (np.repeat(part.reshape(len(given), -1, part.shape[-1]), times, axis=1) for part in (b, c))
    state, seen = np.zeros(rate.shape, given.dtype), np.empty_like(given)
    for token in range(len(given)):
        decay, written = np.exp(step[token, :, None] * rate), step[token] * given[token]
        state = decay * state + written[:, None] * b[token]
        seen[token] = (state * c[token]).sum(axis=-1)
    return seen
