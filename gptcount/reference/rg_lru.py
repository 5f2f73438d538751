"""The real-gated linear recurrent unit, token by token: what a channel keeps decays, and takes what a gate lets in."""

from __future__ import annotations

import numpy as np

from gptcount.blocks.rg_lru import RGLRU
from gptcount.reference.functions import ACTIVATIONS, sigmoid, softplus
from gptcount.reference.short_convolution import convolved
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array

SHARPNESS = 8
"""The constant c of equation 6."""


def rg_lru(x: Array, w: Weights, spec: RGLRU) -> Array:
    """x: (n_tokens, d_model), already normed. Gives what is added to it, of the same shape."""
    inner = "n_blocks*d_block"
    into = f"n_tokens d_model, d_model {inner} -> n_tokens {inner}"
    gate = ACTIVATIONS[spec.activation](w.linear(into, x, "gate", True))
    given = convolved(w.linear(into, x, "input", True), w, "convolution", inner, True)
    return w.linear(
        f"n_tokens {inner}, {inner} d_model -> n_tokens d_model", gate * recurrence(given, w), "output", True
    )


def recurrence(given: Array, w: Weights) -> Array:
    """given: (n_tokens, n_blocks * d_block). What each channel has kept when a token is done, of the same shape."""
    inner = "n_blocks*d_block"
    let_in, decay = (gate_of(given, w, name) for name in ("input_gate", "decay_gate"))
    log_decay = -SHARPNESS * decay * softplus(w.drawn("log_decay", inner))
    decay, share = np.exp(log_decay), np.sqrt(-np.expm1(2 * log_decay))
    share[0] = 1  # nothing was kept before the first token
    written, kept, found = share * let_in * given, np.zeros_like(given[0]), np.empty_like(given)
    for token in range(len(given)):
        found[token] = kept = decay[token] * kept + written[token]
    return found


def gate_of(given: Array, w: Weights, name: str) -> Array:
    """A gate for each channel, by the channels of its block: (n_tokens, n_blocks * d_block)."""
    blocks = w.arrange("n_tokens n_blocks*d_block -> n_tokens n_blocks d_block", given)
    words = "n_tokens n_blocks d_block, n_blocks d_block d_block' -> n_tokens n_blocks d_block'"
    return w.arrange(
        "n_tokens n_blocks d_block -> n_tokens n_blocks*d_block", sigmoid(w.linear(words, blocks, name, True))
    )
