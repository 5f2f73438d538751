"""The real-gated linear recurrent unit: each channel of a token is blended with all of its own values before."""

from typing import Annotated, Literal

from gptcount.blocks.block import Block, Size
from gptcount.blocks.mlp import Weightless
from gptcount.blocks.short_convolution import convolution
from gptcount.blocks.size import Tokens
from gptcount.weight import Inventory, linear, per, weight


class RGLRU(Block):
    """The recurrent block of Griffin (De et al. 2024, arXiv:2402.19427, section 2.4; ``modeling_recurrent_gemma.py``).

    What goes in is convolved, then each of ``n_blocks`` x ``d_block`` channels keeps one number, which decays by a gate
    of the token and takes what another gate lets in.
    """

    kind: Literal["rg-lru"] = "rg-lru"
    n_blocks: Size
    """The two gates are made by matrices that have a block for each of so many groups of channels."""
    d_block: Size
    n_taps: Annotated[Size, Tokens()] = 4
    activation: Weightless = "gelu_tanh"
    """Of the gate that multiplies what comes out."""

    def weights(self) -> Inventory:
        inner = "n_blocks*d_block"
        return (
            linear("gate", f"d_model {inner}", True)
            + linear("input", f"d_model {inner}", True)
            + convolution("convolution", inner, True)
            + per("n_blocks", linear("input_gate", "d_block d_block'", True))
            + per("n_blocks", linear("decay_gate", "d_block d_block'", True))
            + weight("log_decay", inner, "other")
            + linear("output", f"{inner} d_model", True)
        )
