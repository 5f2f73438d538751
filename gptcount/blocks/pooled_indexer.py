"""The pooled indexer: it scores means of keys, and multi-head attention looks at the best blocks (Qwen4-Exp)."""

from typing import Annotated

from gptcount.blocks.block import Block, Size
from gptcount.blocks.norm import Norm
from gptcount.blocks.size import Even, Tokens
from gptcount.weight import Inventory, linear, per


class PooledIndexer(Block):
    """An indexer of pooled keys: the keys of a block of tokens become one, their mean; its heads score the blocks
    together, for all heads of attention. Its queries and keys are turned as those of attention are, a key by where its
    block begins. What follows the last whole block is always looked at."""

    n_index_heads: Size
    d_index_head: Annotated[Size, Even()]
    n_block: Annotated[Size, Tokens()]
    """How many tokens a block has."""
    n_chosen: Size
    """How many whole blocks a token looks at."""
    norm: Norm
    """The norm of a query, and of a block's key."""

    def weights(self) -> Inventory:
        return (
            per("n_index_heads", linear("query", "d_model d_index_head"))
            + self.norm.across("d_index_head").under("query_norm")
            + linear("key", "d_model d_index_head")
            + self.norm.across("d_index_head").under("key_norm")
        )
