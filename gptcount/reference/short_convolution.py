"""A causal convolution, channel by channel, over the last few tokens; and the mixer that is little more than that."""

from __future__ import annotations

import numpy as np

from gptcount.blocks.short_convolution import ShortConvolution
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def short_convolution(x: Array, w: Weights, spec: ShortConvolution) -> Array:
    """x: (n_tokens, d_model), already normed. Gives what is added to it, of the same shape."""
    words = "n_tokens d_model, d_model d_model' -> n_tokens d_model'"
    given = w.linear(words, x, "input_gate", spec.bias) * w.linear(words, x, "input", spec.bias)
    blended = convolved(given, w, "convolution", "d_model", spec.bias)
    return w.linear(words, w.linear(words, x, "output_gate", spec.bias) * blended, "output", spec.bias)


def convolved(x: Array, w: Weights, name: str, channels: str, bias: bool) -> Array:
    """x: (n_tokens, channels), whose axes ``channels`` names. Each channel as a blend of its last ``n_taps`` values,
    the last tap that of the token itself; before the first token stand zeros."""
    n_taps = w.sizes["n_taps"]
    padded = np.concatenate([np.zeros((n_taps - 1, *x.shape[1:]), x.dtype), x])
    last_values = np.lib.stride_tricks.sliding_window_view(padded, n_taps, axis=0)
    return w.linear(f"n_tokens {channels} n_taps, {channels} n_taps -> n_tokens {channels}", last_values, name, bias)
