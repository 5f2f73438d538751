"""Attention whose one key of a token is its value too, over a window and over compressed keys of what lies before."""

from typing import Annotated, Literal

from pydantic import model_validator

from gptcount.blocks.attention import Rotary, Turned
from gptcount.blocks.block import Block, Size, allowed
from gptcount.blocks.compressor import Compressor
from gptcount.blocks.indexer import Indexer
from gptcount.blocks.norm import Norm
from gptcount.blocks.size import AtLeast, Even, Multiple, Tokens
from gptcount.weight import NOTHING, Inventory, linear, per, weight


class CompressedAttention(Block):
    """Compressed attention (DeepSeek-V4): heavily compressed, or, with an indexer, sparse; or a window alone.

    Queries are made from a latent vector. What the heads see is turned back by their own position, and led out by
    groups of heads, each through a latent vector of its own.
    """

    kind: Literal["compressed"] = "compressed"
    n_heads: Annotated[Size, Multiple("n_output_groups", quotient="n_group_heads")]
    d_head: Annotated[Size, Even(), AtLeast("rotary.d_rotary")]
    d_query_latent: Size
    n_output_groups: Size
    d_output_latent: Size
    """The width of a group's latent vector."""
    norm: Norm
    """The norm of query latent, keys and, without a gain, of each head's query."""
    rotary: Rotary
    window: Annotated[Size, Tokens()]
    compressor: Compressor | None = None
    indexer: Indexer | None = None
    """Chooses among the compressed keys; absent, a token looks at all that lie before it."""

    @model_validator(mode="after")
    def _whole_groups(self) -> "CompressedAttention":
        if self.indexer and not self.compressor:
            raise ValueError("an indexer chooses among compressed keys, and there is no compressor")
        block = self.compressor and self.compressor.n_block
        own = self.indexer and self.indexer.compressor and self.indexer.compressor.n_block
        allowed(
            (
                self.indexer and own != block,
                f"indexer.compressor: a compressor of its own with n_block = {block}, as attention has",
            )
        )
        for rotary, width, _ in self.turned():
            rotary.fits(width)
        return self

    def turned(self) -> list[Turned]:
        """What rotary positions turn."""
        return [(self.rotary, self.d_head, "d_head"), *(self.indexer.turned() if self.indexer else [])]

    def weights(self) -> Inventory:
        return (
            linear("query_down", "d_model d_query_latent")
            + self.norm.across("d_query_latent").under("query_norm")
            + per("n_heads", linear("query", "d_query_latent d_head"))
            + linear("key", "d_model d_head")
            + self.norm.across("d_head").under("key_norm")
            + weight("sinks", "n_heads", "other")
            + (self.compressor.across("d_head").under("compressor") if self.compressor else NOTHING)
            + (self.indexer.inventory().under("indexer") if self.indexer else NOTHING)
            + per(
                "n_output_groups",
                linear("output_down", "n_group_heads*d_head d_output_latent", stapled="n_group_heads"),
            )
            + linear("output", "n_output_groups*d_output_latent d_model")
        )
