"""Lightning attention: heads that keep a sum of keys times values, which decays by a fixed rate, and no softmax."""

from typing import Annotated, Literal

from gptcount.blocks.block import Block, Size
from gptcount.blocks.mlp import Weightless
from gptcount.blocks.norm import Norm
from gptcount.blocks.size import Tokens
from gptcount.weight import Inventory, linear, per, weight


class Lightning(Block):
    """Linear attention done in chunks (Qin et al. 2024, arXiv:2401.04658; ``modeling_minimax.py``).

    The state of a head is ``d_head`` x ``d_head``. How it decays is fixed; a checkpoint keeps it as four buffers.
    """

    kind: Literal["lightning"] = "lightning"
    n_heads: Size
    d_head: Size
    n_chunk: Annotated[Size, Tokens()] = 256
    """How many tokens are done at once; the buffers have a number for each of them."""
    activation: Weightless = "silu"
    """Of queries, keys and values."""
    norm: Norm
    """Of what all heads bring, before the gate."""

    def weights(self) -> Inventory:
        inner = "n_heads*d_head"
        return (
            per("n_heads", linear("query", "d_model d_head"))
            + per("n_heads", linear("key", "d_model d_head"))
            + per("n_heads", linear("value", "d_model d_head"))
            + weight("decay", "n_heads", "buffer")
            + weight("query_decay", "n_heads n_chunk", "buffer")
            + weight("key_decay", "n_heads n_chunk", "buffer")
            + weight("chunk_decay", "n_heads n_chunk n_chunk'", "buffer")
            + self.norm.across(inner).under("norm")
            + linear("gate", f"d_model {inner}")
            + linear("output", f"{inner} d_model", stapled="n_heads")
        )
