"""A gate of what a block reads: the sigmoid of a narrow MLP of it."""

from __future__ import annotations

from gptcount.reference.functions import sigmoid, silu
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def let_in(x: Array, w: Weights) -> Array:
    """x: (n_tokens, d_model), already normed. Gives what of it passes the gate."""
    narrow = silu(w.einsum("n_tokens d_model, d_model d_input_gate -> n_tokens d_input_gate", x, "input_gate.down"))
    return x * sigmoid(
        w.einsum("n_tokens d_input_gate, d_input_gate d_model -> n_tokens d_model", narrow, "input_gate.up")
    )
