"""Attention to what another part of a larger model brings: an image, say. A gate opens it, and the MLP behind it."""

from typing import Literal

from pydantic import model_validator

from gptcount.blocks.attention import Turned
from gptcount.blocks.block import Block, Size
from gptcount.blocks.norm import HeadNorm
from gptcount.weight import NOTHING, Inventory, linear, per, weight


class CrossAttention(Block):
    """Gated cross-attention (Alayrac et al. 2022, arXiv:2204.14198; Mllama): queries are the tokens', keys and values
    those of the other part, which is not counted. A token that sees none of it passes the layer as it came."""

    kind: Literal["cross"] = "cross"
    n_heads: Size
    n_kv_heads: Size
    d_head: Size
    query_key_norm: HeadNorm | None = None

    @model_validator(mode="after")
    def _whole_groups(self) -> "CrossAttention":
        if self.n_heads % self.n_kv_heads:
            raise ValueError(f"n_heads = {self.n_heads} is not a multiple of n_kv_heads = {self.n_kv_heads}")
        return self

    def turned(self) -> list[Turned]:
        """What rotary positions turn: nothing, as what is looked at has no place in the text."""
        return []

    def weights(self) -> Inventory:
        """The weights in words, sizes not yet bound; both gates are single numbers. Filed apart: other layers of
        the same model look at their own tokens."""
        norm = self.query_key_norm
        weights = (
            per("n_heads", linear("query", "d_model d_head"))
            + (norm.of("n_heads").under("query_norm") if norm else NOTHING)
            + per("n_kv_heads", linear("key", "d_model d_head"))
            + (norm.of("n_kv_heads").under("key_norm") if norm else NOTHING)
            + per("n_kv_heads", linear("value", "d_model d_head"))
            + linear("output", "n_heads*d_head d_model")
            + weight("gate", "", "other")
            + weight("mlp_gate", "", "other")
        )
        return weights.under("crossed")
