"""The functions without weights: softmax, activations. Arrays in, arrays out; they know nothing of models."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt

import numpy as np

from gptcount.reference.words import Array


def softmax(x: Array, temperature: float = 1.0) -> Array:
    """Positive numbers that sum to 1 over the last axis; a low temperature favours the largest."""
    x = x - x.max(axis=-1, keepdims=True)
    if temperature != 1.0:
        with np.errstate(over="ignore"):  # what is divided by next to nothing is less than all numbers, and so is 0
            x = x.astype(np.float64) / temperature
    x = np.exp(x)
    x /= x.sum(axis=-1, keepdims=True)
    return x


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^-x), without overflow."""
    e = np.exp(-np.abs(x))
    result: Array = np.where(x >= 0, 1, e) / (1 + e)
    return result


def softplus(x: Array) -> Array:
    """ln(1 + e^x), without overflow."""
    result: Array = np.logaddexp(x, 0).astype(x.dtype)
    return result


def sqrt_softplus(x: Array) -> Array:
    """The root of softplus."""
    return np.sqrt(softplus(x))


def gelu(x: Array) -> Array:
    """x times the chance that a normal number is less than x (Hendrycks & Gimpel 2016), exact to float32."""
    return x * (0.5 + 0.5 * erf(x / sqrt(2)))


def gelu_tanh(x: Array) -> Array:
    """GELU by the hyperbolic tangent, as GPT-2 computes it."""
    result: Array = 0.5 * x * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x)))
    return result


def gelu_quick(x: Array) -> Array:
    """GELU by the sigmoid of 1.702 x."""
    return x * sigmoid(1.702 * x)


def silu(x: Array) -> Array:
    """x times its sigmoid."""
    return x * sigmoid(x)


def relu(x: Array) -> Array:
    """x, or zero where x is negative."""
    return np.maximum(x, 0)


def relu_squared(x: Array) -> Array:
    """The square of relu."""
    return relu(x) ** 2


def erf(x: Array) -> Array:
    """The error function (Abramowitz & Stegun 1964, 7.1.26 is too coarse; this is the series below 2.5 and the
    continued fraction above), exact to float32."""
    x64 = np.abs(x.astype(np.float64))
    small = np.minimum(x64, 2.5)
    term, total = small.copy(), small.copy()
    for n in range(1, 50):
        term = -term * small * small / n
        total += term / (2 * n + 1)
    large = np.maximum(x64, 2.5)
    fraction = large.copy()
    for k in range(30, 0, -1):
        fraction = large + (k / 2) / fraction
    tail = 1 - np.exp(-large * large) / (fraction * sqrt(pi))
    return np.copysign(np.where(x64 < 2.5, 2 / sqrt(pi) * total, tail), x).astype(x.dtype)


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "gelu_quick": gelu_quick,
    "silu": silu,
    "relu": relu,
    "relu_squared": relu_squared,
}
