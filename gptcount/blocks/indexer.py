"""An indexer: small heads that score every earlier token, so that attention looks at the best of them only."""

from typing import Annotated

from pydantic import model_validator

from gptcount.blocks.attention import Rotary, Turned
from gptcount.blocks.block import Block, Size, allowed
from gptcount.blocks.compressor import Compressor
from gptcount.blocks.norm import Norm
from gptcount.blocks.size import AtLeast, Even, Tokens
from gptcount.weight import NOTHING, Inventory, linear, per


class Indexer(Block):
    """The lightning indexer of sparse attention (DeepSeek-V3.2): queries are made from attention's query latent."""

    n_index_heads: Size
    d_index_head: Annotated[Size, Even(), AtLeast("rotary.d_rotary")]
    n_chosen: Annotated[Size, Tokens()]
    """How many keys a token looks at."""
    rotary: Rotary = Rotary()
    norm: Norm | None = None
    """The norm of a key."""
    compressor: Compressor | None = None
    """Keys are compressed ones, each for a block of tokens (DeepSeek-V4)."""

    @model_validator(mode="after")
    def _one_norm(self) -> "Indexer":
        allowed((self.norm and self.compressor, "norm: compressed keys have the norm of their compressor"))
        return self

    def turned(self) -> list[Turned]:
        """What rotary positions turn."""
        return [(self.rotary, self.d_index_head, "d_index_head")]

    def weights(self) -> Inventory:
        return (
            per("n_index_heads", linear("query", "d_query_latent d_index_head"))
            + (linear("key", "d_model d_index_head") if not self.compressor else NOTHING)
            + (self.norm.across("d_index_head").under("key_norm") if self.norm else NOTHING)
            + (self.compressor.across("d_index_head").under("compressor") if self.compressor else NOTHING)
            + linear("head_weight", "d_model n_index_heads")
        )
