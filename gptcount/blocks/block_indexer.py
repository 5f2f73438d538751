"""The indexer of blocks: it chooses whole blocks of tokens that multi-head attention looks at (MiniMax-M3)."""

from typing import Annotated

from pydantic import Field, model_validator

from gptcount.blocks.block import Block, Size, allowed
from gptcount.blocks.norm import Norm
from gptcount.blocks.size import AtLeast, Even, Tokens
from gptcount.weight import Inventory, linear, per


class BlockIndexer(Block):
    """An indexer of blocks: each of its heads scores every key, and a block by its best; it chooses for a group of
    attention's heads. Its queries and keys are turned as those of attention are."""

    n_index_heads: Size
    d_index_head: Annotated[Size, Even(), AtLeast("d_rotary")]
    n_block: Annotated[Size, Tokens()]
    """How many tokens a block has."""
    n_chosen: Size
    """How many blocks a token looks at."""
    n_local: Annotated[int, Field(ge=0, le=1_000_000_000)] = 1
    """How many of them are always its own and those right before it."""
    norm: Norm
    """The norm of a query, and of a key."""

    @model_validator(mode="after")
    def _local_ones_are_chosen(self) -> "BlockIndexer":
        few = f"n_local = {self.n_local} of only n_chosen = {self.n_chosen}"
        allowed((self.n_local > self.n_chosen, few))
        return self

    def weights(self) -> Inventory:
        return (
            per("n_index_heads", linear("query", "d_model d_index_head"))
            + self.norm.across("d_index_head").under("query_norm")
            + linear("key", "d_model d_index_head")
            + self.norm.across("d_index_head").under("key_norm")
        )
