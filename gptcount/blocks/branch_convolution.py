"""A convolution of what a branch brings, before it is added."""

from typing import Annotated

from gptcount.blocks.block import Block, Size
from gptcount.blocks.short_convolution import convolution
from gptcount.blocks.size import Tokens
from gptcount.weight import Inventory


class BranchConvolution(Block):
    """What attention or an MLP brings has a blend of its own last few values added to it, channel by channel
    (Inkling; ``modeling_inkling.py``)."""

    n_taps: Annotated[Size, Tokens()]

    def weights(self) -> Inventory:
        return convolution("", "d_model", False)
