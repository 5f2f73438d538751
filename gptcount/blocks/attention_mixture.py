"""A mixture of attention heads: queries and what is brought out belong to experts; keys and values are for all."""

from typing import Annotated, Literal

from pydantic import model_validator

from gptcount.blocks.attention import Rotary, Turned
from gptcount.blocks.block import Block, Size
from gptcount.blocks.size import AtLeast, Even, Spare
from gptcount.weight import NOTHING, Inventory, linear, per, weight


class AttentionMixture(Block):
    """A mixture of attention heads (Zhang et al. 2022, arXiv:2210.05144; JetMoE).

    An expert has a query for every key/value head and an output matrix; a token looks through those that it chooses.
    """

    kind: Literal["attention-mixture"] = "attention-mixture"
    n_kv_heads: Size
    d_head: Annotated[Size, Even(), AtLeast("rotary.d_rotary")]
    n_experts: Annotated[Size, Spare(("n_experts_per_token",))]
    n_experts_per_token: Size
    output_bias: bool = False
    """One bias for whatever the experts bring."""
    rotary: Rotary | None = None

    @model_validator(mode="after")
    def _chosen_among_all(self) -> "AttentionMixture":
        if self.n_experts_per_token > self.n_experts:
            raise ValueError(f"n_experts_per_token = {self.n_experts_per_token} of only n_experts = {self.n_experts}")
        for rotary, width, _ in self.turned():
            rotary.fits(width)
        return self

    def turned(self) -> list[Turned]:
        """What rotary positions turn."""
        return [(self.rotary, self.d_head, "d_head")] if self.rotary else []

    def weights(self) -> Inventory:
        """The weights in words, sizes not yet bound."""
        query = per("n_kv_heads", linear("query", "d_model d_head"))
        expert = query + linear("output", "n_kv_heads*d_head d_model", stapled="n_kv_heads")
        return (
            linear("router", "d_model n_experts")
            + per("n_experts", expert.under("experts"), chosen="n_experts_per_token")
            + per("n_kv_heads", linear("key", "d_model d_head") + linear("value", "d_model d_head"))
            + (weight("output.bias", "d_model", "bias") if self.output_bias else NOTHING)
        )
