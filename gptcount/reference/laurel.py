"""A learned residual: what comes in, and a branch of low rank beside the attention."""

from __future__ import annotations

from gptcount.blocks.laurel import Laurel
from gptcount.reference.norm import norm
from gptcount.reference.weights import Weights
from gptcount.reference.words import Array


def laurel(x: Array, w: Weights, spec: Laurel) -> Array:
    """x: (n_tokens, d_model), already normed. Gives it and the branch."""
    w = w.under("laurel", spec)
    low = w.einsum("n_tokens d_model, d_model d_rank -> n_tokens d_rank", x, "down")
    return x + norm(w.einsum("n_tokens d_rank, d_rank d_model -> n_tokens d_model", low, "up"), w, "norm", spec.norm)
