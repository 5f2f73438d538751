"""A compressor: the keys and values of a block of tokens become one, each number by weights that a gate gives."""

from typing import Annotated

from gptcount.blocks.block import Block, Size
from gptcount.blocks.norm import Norm
from gptcount.blocks.size import Tokens
from gptcount.weight import Inventory, linear, per, weight


class Compressor(Block):
    """Compressed keys, which are values too (DeepSeek-V4): one for each whole block of tokens."""

    n_block: Annotated[Size, Tokens()]
    """How many tokens a block has."""
    n_blocks: Size = 1
    """From how many neighbouring blocks, the last its own, one is made; each has matrices of its own."""
    norm: Norm

    def across(self, width: str) -> Inventory:
        """Its weights where a compressed key is as wide as the axis that ``width`` names."""
        one = linear("key", f"d_model {width}") + linear("gate", f"d_model {width}")
        series = per("n_blocks", one + weight("position", f"n_block {width}", "other"))
        return (series + self.norm.across(width).under("norm")).bind(self.sizes())
