"""Totals that other programs quote: each by the name of its convention, counted from the same weights.

A convention that does not say what it makes of a model has no total there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gptcount.architecture import Architecture
from gptcount.blocks.attention import MultiHeadAttention
from gptcount.weight import Axis, Weight, total

LOOKED_UP = ("embedding.token", "embedding.position", "per_layer_embedding.token")
"""The tables that PyTorch's ``nn.Embedding`` holds."""

ATTENTION = ("attention.query", "attention.key", "attention.value", "attention.output")
MLP = ("mlp.gate", "mlp.up", "mlp.down", "mlp.router", "mlp.experts.gate", "mlp.experts.up", "mlp.experts.down")


class Quoted(NamedTuple):
    """A total by another program's convention; ``parameters`` is None where the convention does not reach so far."""

    name: str
    parameters: int | None
    convention: str


def quoted(architecture: Architecture) -> tuple[Quoted, ...]:
    """The totals that other programs quote of an architecture."""
    return (
        Quoted(
            "transformers: exclude_embeddings",
            exclude_embeddings(architecture.inventory()),
            "num_parameters(exclude_embeddings=True): the parameters less the tables that are looked up, of tokens and "
            "of learned positions; an unembedding of its own stays, a tied one goes with its table",
        ),
        Quoted(
            "TransformerLens: n_params",
            transformer_lens(architecture),
            "HookedTransformerConfig.n_params: the matrices of attention and MLP alone, with a key and a value for "
            "every query head, however few there are",
        ),
    )


def exclude_embeddings(inventory: Iterable[Weight]) -> int:
    """What ``PreTrainedModel.num_parameters(exclude_embeddings=True)`` of transformers 5.24 gives."""
    return total(weight for weight in inventory if weight.learned and weight.name not in LOOKED_UP)


def transformer_lens(architecture: Architecture) -> int | None:
    """What ``HookedTransformerConfig.n_params`` of TransformerLens comes to. None where one number of heads, one width
    of a head and one of the MLP do not say all about the matrices of every layer."""
    layered = [weight for weight in architecture.inventory() if weight.role == "matrix" and weight.per]
    names, attention = [weight.name for weight in layered], architecture.attention
    alike = len(set(names)) == len(names) and not any(weight.per[0].where for weight in layered)
    if not (alike and {*ATTENTION} <= {*names} <= {*ATTENTION, *MLP}):
        return None
    if not isinstance(attention, MultiHeadAttention) or attention.d_value:
        return None
    n_heads = attention.n_heads

    def each(axis: Axis) -> Axis:
        return axis._replace(size=n_heads) if axis.name == "n_kv_heads" else axis

    return total(weight.rebind(each) for weight in layered)
