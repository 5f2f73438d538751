"""Attention to what another part of a larger model brings: an image, say. A gate opens it, and the MLP behind it."""

from typing import Annotated, Literal

from gptcount.blocks.block import Block, Size
from gptcount.blocks.norm import HeadNorm
from gptcount.blocks.size import Multiple
from gptcount.weight import NOTHING, Inventory, linear, per, weight


class CrossAttention(Block):
    """Gated cross-attention (Alayrac et al. 2022, arXiv:2204.14198; Mllama): queries are the tokens', keys and values
    those of the other part, which is not counted. A token that sees none of it passes the layer as it came."""

    kind: Literal["cross"] = "cross"
    n_heads: Annotated[Size, Multiple("n_kv_heads")]
    n_kv_heads: Size
    d_head: Size
    query_key_norm: HeadNorm | None = None

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
            + linear("output", "n_heads*d_head d_model", stapled="n_heads")
            + weight("gate", "", "other")
            + weight("mlp_gate", "", "other")
        )
        return weights.under("crossed")
